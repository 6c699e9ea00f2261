// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "archive/compression.h"
#include "tests/weights_files.h"
#include "tests/workbench.h"

namespace plumb::kit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kRaw[] = "application/vnd.cncf.model.weight.v1.raw";
constexpr char kRawGzip[] = "application/vnd.kitops.modelkit.model.v1.raw+gzip";

// One tensor "t" of so many bytes, behind so much metadata.
std::string WeightsOf(std::size_t size, std::size_t metadata_size = 0) {
  const std::string digits = std::to_string(size);
  return weights::Safetensors(R"({"__metadata__":{"x":")" + std::string(metadata_size, 'x') +
                                  R"("},"t":{"dtype":"U8","shape":[)" + digits +
                                  R"(],"data_offsets":[0,)" + digits + "]}}",
                              size);
}

class TensorsTest : public testing::Test {
 protected:
  Weights List(const Digest& id) {
    const auto modelkit = LoadModelKit(bench_.store(), id);
    EXPECT_TRUE(modelkit) << modelkit.error().message;
    auto weights = ListWeights(bench_.store(), *modelkit, bench_.progress());
    EXPECT_TRUE(weights) << weights.error().message;
    return *std::move(weights);
  }
  Weights Build(const BuildOptions& options = {}) {
    const auto built = bench_.BuildKitfile("manifestVersion: 1.0.0\nmodel:\n  path: .\n", options);
    EXPECT_TRUE(built) << built.error().message;
    return List(built->id);
  }
  // The data of the only tensor of a file, from the layer.
  std::string Data(const WeightsFile& file) {
    const weights::TensorPlace& tensor = file.header.tensors.at(0);
    auto blob = bench_.store().OpenBlob(file.layer, *file.blob_offset + tensor.offset);
    EXPECT_TRUE(blob);
    return ReadAll(**blob, std::size_t{64} << 20U)->substr(0, tensor.size);
  }
  static std::vector<std::string> Paths(const Weights& weights) {
    std::vector<std::string> paths;
    for (const WeightsFile& file : weights.files)
      paths.push_back(file.path);
    return paths;
  }

  Workbench bench_;
};

TEST_F(TensorsTest, FindsWeightsAmongOtherFiles) {
  bench_.Write("a.bin", "not looked at");
  bench_.Write("b.safetensors", WeightsOf(5));
  bench_.Write("deep/C.GGUF", weights::Gguf().Tensor("g", {1}, 0, 0).File(4));
  const Weights weights = Build();
  EXPECT_THAT(Paths(weights), ElementsAre("b.safetensors", "deep/C.GGUF"));
  EXPECT_THAT(bench_.progress().warnings, IsEmpty());
  EXPECT_EQ(Data(weights.files[0]), "wwwww");
  EXPECT_EQ(Data(weights.files[1]), "wwww");
}

// A header may be longer than what is read at first, and much may lie before it.
TEST_F(TensorsTest, ReadsLongHeadersBehindLongFiles) {
  bench_.Write("a.bin", std::string((std::size_t{17} << 20U) + 3, 'a'));
  bench_.Write("b.safetensors", WeightsOf(7, 300'000));
  const std::size_t long_size = std::size_t{17} << 20U;
  bench_.Write("c.safetensors", WeightsOf(long_size));
  bench_.Write("d.safetensors", WeightsOf(9));
  for (const archive::Compression compression :
       {archive::Compression::kNone, archive::Compression::kGzip}) {
    BuildOptions options;
    options.compression = compression;
    const Weights weights = Build(options);
    ASSERT_THAT(Paths(weights), ElementsAre("b.safetensors", "c.safetensors", "d.safetensors"));
    EXPECT_EQ(weights.files[0].header.header_size, WeightsOf(7, 300'000).size() - 7);
    const bool is_plain = compression == archive::Compression::kNone;
    for (const WeightsFile& file : weights.files)
      EXPECT_EQ(file.blob_offset.has_value(), is_plain);
    if (is_plain) {
      EXPECT_EQ(Data(weights.files[2]), "wwwwwwwww");
    }
    EXPECT_EQ(weights.files[1].header.tensors[0].size, long_size);
  }
}

TEST_F(TensorsTest, ARawLayerIsTheFile) {
  const Weights weights = List(bench_.PutModelPack(
      {{kRaw, WeightsOf(3), {{std::string(oci::kFilePathAnnotation), "m/w.safetensors"}}}}));
  ASSERT_THAT(Paths(weights), ElementsAre("m/w.safetensors"));
  EXPECT_EQ(weights.files[0].blob_offset, 0U);
  EXPECT_EQ(weights.files[0].layer, Sha256(AsBytes(WeightsOf(3))));
  EXPECT_EQ(Data(weights.files[0]), "www");
}

// How long the file is, its layer need not say.
TEST_F(TensorsTest, ARawLayerMayBeCompressed) {
  const std::string plain = WeightsOf(200'000);
  MemorySink sink(plain.size());
  const auto compressor = archive::MakeCompressor(archive::Compression::kGzip, 0, sink);
  ASSERT_TRUE(compressor->Write(AsBytes(plain)));
  ASSERT_TRUE(compressor->Finish());
  const std::string gzip = std::move(sink).TakeText();
  const std::string config =
      R"({"manifestVersion":"1.0.0","package":{},"model":{"path":"w.safetensors","digest":")" +
      Sha256(AsBytes(gzip)).ToString() + R"(","diffId":")" + Sha256(AsBytes(plain)).ToString() +
      "\"}}";
  const Weights weights = List(bench_.PutKit(
      config, {{kRawGzip, gzip, {{std::string(oci::kFilePathAnnotation), "w.safetensors"}}}}));
  ASSERT_THAT(Paths(weights), ElementsAre("w.safetensors"));
  EXPECT_EQ(weights.files[0].header.tensors[0].size, 200'000U);
  EXPECT_FALSE(weights.files[0].blob_offset);
}

TEST_F(TensorsTest, WhatIsNoneIsWarnedOf) {
  bench_.Write("a.safetensors", "weights");
  bench_.Write("b.safetensors", WeightsOf(8).substr(0, 90));
  bench_.Write("c.safetensors", WeightsOf(2));
  bench_.Write("m.safetensors.index.json", "{}");
  const Weights weights = Build();
  EXPECT_THAT(Paths(weights), ElementsAre("c.safetensors"));
  EXPECT_THAT(weights.unread, ElementsAre("a.safetensors", "b.safetensors"));
  EXPECT_THAT(weights.maps, IsEmpty());
  EXPECT_THAT(bench_.progress().warnings, SizeIs(3));
  EXPECT_TRUE(bench_.progress().Warned("'m.safetensors.index.json' is passed over"));
}

// A shard that could not be read is not missing.
TEST_F(TensorsTest, WarnsOfShardsThatAreMissing) {
  bench_.Write("w-1-of-3.safetensors", WeightsOf(2));
  bench_.Write("w-2-of-3.safetensors", "damaged");
  bench_.Write("m.safetensors.index.json",
               R"({"weight_map":{"t":"w-1-of-3.safetensors","u":"w-2-of-3.safetensors",)"
               R"("v":"w-3-of-3.safetensors"}})");
  const Weights weights = Build();
  bench_.progress().warnings.clear();
  WarnOfFaults(weights, bench_.progress());
  EXPECT_THAT(bench_.progress().warnings,
              ElementsAre("'m.safetensors.index.json': shard 'w-3-of-3.safetensors' is missing"));
}

TEST_F(TensorsTest, AMissingLayerIsDamage) {
  bench_.Write("w.safetensors", WeightsOf(2));
  const auto built = bench_.BuildKitfile("manifestVersion: 1.0.0\nmodel:\n  path: .\n");
  ASSERT_TRUE(built);
  ModelKit modelkit = *LoadModelKit(bench_.store(), built->id);
  ++modelkit.manifest.layers[0].size;
  const auto weights = ListWeights(bench_.store(), modelkit, bench_.progress());
  ASSERT_FALSE(weights);
  EXPECT_EQ(weights.error().kind, ErrorKind::kCorrupt);
}

TEST_F(TensorsTest, Stops) {
  bench_.Write("w.safetensors", WeightsOf(2));
  const auto built = bench_.BuildKitfile("manifestVersion: 1.0.0\nmodel:\n  path: .\n");
  ASSERT_TRUE(built);
  bench_.progress().stop = true;
  const auto weights =
      ListWeights(bench_.store(), *LoadModelKit(bench_.store(), built->id), bench_.progress());
  ASSERT_FALSE(weights);
  EXPECT_EQ(weights.error().kind, ErrorKind::kInterrupted);
}

}  // namespace
}  // namespace plumb::kit
