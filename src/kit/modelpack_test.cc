// SPDX-License-Identifier: MIT OR Apache-2.0
// ModelPacks and raw layers, as others make them.
#include <gtest/gtest.h>

#include "archive/compression.h"
#include "kit/modelkit.h"
#include "tests/workbench.h"

namespace plumb::kit {
namespace {

constexpr char kWeightRaw[] = "application/vnd.cncf.model.weight.v1.raw";
constexpr char kWeightTar[] = "application/vnd.cncf.model.weight.v1.tar";
constexpr char kConfigRaw[] = "application/vnd.cncf.model.weight.config.v1.raw";
constexpr char kCodeRaw[] = "application/vnd.cncf.model.code.v1.raw";
constexpr char kDocTar[] = "application/vnd.cncf.model.doc.v1.tar";
constexpr char kModelRaw[] = "application/vnd.kitops.modelkit.model.v1.raw";
constexpr char kCodeRawGzip[] = "application/vnd.kitops.modelkit.code.v1.raw+gzip";

oci::Annotations At(const std::string& path) {
  return {{std::string(oci::kFilePathAnnotation), path}};
}

std::string Archive(const std::string& name, const std::string& text) {
  return TarFile(name, text) + archive::TarEnd();
}

class StringSink final : public ByteSink {
 public:
  Status Write(ByteSpan bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return Done{};
  }
  std::string text;
};

std::string Compressed(archive::Compression compression, const std::string& text) {
  StringSink sink;
  const auto compressor = archive::MakeCompressor(compression, 0, sink);
  EXPECT_TRUE(compressor->Write(AsBytes(text)));
  EXPECT_TRUE(compressor->Finish());
  return sink.text;
}

// As modctl builds it: a layer for each file, raw or in a tar of its own.
TEST(ModelPackTest, OneOfModctlIsUnpackedAndHasAKitfile) {
  Workbench bench;
  oci::ModelPackConfig config;
  config.descriptor.Append("createdAt", Json::String("2025-01-01T00:00:00Z"));
  config.descriptor.Append("family", Json::String("qwen2"));
  config.descriptor.Append("name", Json::String("tiny"));
  config.technical.Append("format", Json::String("safetensors"));
  config.technical.Append("paramSize", Json::String("1b"));
  const Digest id =
      bench.PutModelPack({{kConfigRaw, "{}", At("config.json")},
                          {kWeightRaw, "w1", At("m/a.safetensors")},
                          {kWeightTar, Archive("m/b.safetensors", "w2"), At("m/b.safetensors")},
                          {kCodeRaw, "c", oci::WriteFileAnnotations("x.sh", 0755, 1)},
                          {kDocTar, Archive("README.md", "doc"), At("README.md")}},
                         {}, config);
  const auto modelkit = LoadModelKit(bench.store(), id);
  ASSERT_TRUE(modelkit) << modelkit.error().message;
  EXPECT_EQ(modelkit->format, oci::KitFormat::kModelPack);
  EXPECT_EQ(blueprint::PrintKitfile(modelkit->kitfile),
            "manifestVersion: 1.0.0\n"
            "package:\n  name: tiny\n"
            "model:\n  path: m/a.safetensors\n  format: safetensors\n"
            "  parts:\n    - path: config.json\n    - path: m/b.safetensors\n"
            "  parameters:\n    modelpack:\n      family: qwen2\n      paramSize: 1b\n"
            "code:\n  - path: x.sh\n"
            "docs:\n  - path: README.md\n");
  const auto unpacked = bench.Unpack(id);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench.List(), (std::vector<std::string>{"Kitfile", "README.md", "config.json", "m/",
                                                    "m/a.safetensors", "m/b.safetensors", "x.sh"}));
  EXPECT_EQ(bench.ReadTarget("m/b.safetensors"), "w2");
  EXPECT_NE(std::filesystem::status(bench.Target("x.sh")).permissions() &
                std::filesystem::perms::owner_exec,
            std::filesystem::perms::none);
}

// modctl's order, which is not that of a Kitfile; and it calls a layer's own digest its diffId.
TEST(ModelPackTest, ArchivesArePairedByTheirPaths) {
  const std::string config_tar = "application/vnd.cncf.model.weight.config.v1.tar";
  struct File {
    std::string type;
    std::string path;
  };
  const std::vector<File> files = {
      {config_tar, "config.json"},     {config_tar, "t/tokenizer.json"},
      {kWeightTar, "m-1.safetensors"}, {kWeightTar, "m-2.safetensors"},
      {kDocTar, "README.md"},          {kDocTar, "a/README.md"}};
  for (const char* annotation : {"org.cncf.model.filepath", "org.cnai.model.filepath"}) {
    Workbench bench;
    std::vector<HandMadeLayer> layers;
    std::vector<Digest> diff_ids;
    for (const File& file : files) {
      const std::string text = Archive(file.path, file.path);
      layers.push_back({file.type, text, {{annotation, file.path}}});
      diff_ids.push_back(Sha256(AsBytes(text)));
    }
    const auto unpacked = bench.Unpack(bench.PutModelPack(layers, diff_ids));
    ASSERT_TRUE(unpacked) << unpacked.error().message;
    for (const File& file : files)
      EXPECT_EQ(bench.ReadTarget(file.path), file.path);
  }
}

// The bytes that modctl 0.0.3 writes, of model-spec 0.0.6 and before.
TEST(ModelPackTest, TheOlderNamesAreRead) {
  Workbench bench;
  const auto described = [](std::string_view type, const Digest& digest, std::size_t size) {
    return R"({"mediaType":"application/vnd.cnai.model.)" + std::string(type) + R"(","digest":")" +
           digest.ToString() + R"(","size":)" + std::to_string(size);
  };
  const std::string weights = Archive("w.bin", "w");
  const Digest digest = bench.PutBlob(weights);
  const std::string config =
      R"({"descriptor":{"createdAt":"2025-03-01T08:00:00.000000001+08:00","family":"f"},)"
      R"("modelfs":{"type":"layers","diff_ids":[")" +
      digest.ToString() +
      R"("]},"config":{"architecture":"transformer","paramSize":"1b","puantization":"gptq"}})";
  const std::string manifest =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
      R"("artifactType":"application/vnd.cnai.model.manifest.v1+json","config":)" +
      described("config.v1+json", bench.PutBlob(config), config.size()) + R"(},"layers":[)" +
      described("weight.v1.tar", digest, weights.size()) +
      R"(,"annotations":{"org.cnai.model.filepath":"w.bin"}}]})";
  const Digest id = bench.PutBlob(manifest);
  const auto modelkit = LoadModelKit(bench.store(), id);
  ASSERT_TRUE(modelkit) << modelkit.error().message;
  EXPECT_EQ(blueprint::PrintKitfile(modelkit->kitfile),
            "manifestVersion: 1.0.0\n"
            "model:\n  path: w.bin\n"
            "  parameters:\n    modelpack:\n      architecture: transformer\n      family: f\n"
            "      paramSize: 1b\n      quantization: gptq\n");
  const auto unpacked = bench.Unpack(id);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench.ReadTarget("w.bin"), "w");
}

TEST(ModelPackTest, ATarWithoutAPathIsForTheWholeDirectory) {
  Workbench bench;
  const auto unpacked = bench.Unpack(bench.PutModelPack({{kDocTar, Archive("a/b.md", "1")}}));
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench.ReadTarget("a/b.md"), "1");
}

TEST(ModelPackTest, ARawLayerMustSayItsPath) {
  Workbench bench;
  const auto loaded = LoadModelKit(bench.store(), bench.PutModelPack({{kWeightRaw, "w"}}));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::kInvalid);
}

TEST(ModelPackTest, HasOneDiffIdForEachLayer) {
  Workbench bench;
  const Digest id = bench.PutModelPack({{kWeightRaw, "w", At("w")}},
                                       {Sha256(AsBytes("w")), Sha256(AsBytes("w"))});
  const auto loaded = LoadModelKit(bench.store(), id);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::kInvalid);
}

// modctl 0.2.2 packs a file twice that two patterns match, also as code and as doc.
TEST(ModelPackTest, TheSameFileTwiceIsOne) {
  constexpr char kDocRaw[] = "application/vnd.cncf.model.doc.v1.raw";
  Workbench bench;
  const Digest id = bench.PutModelPack({{kWeightRaw, "w", At("w.safetensors")},
                                        {kWeightRaw, "w", At("w.safetensors")},
                                        {kCodeRaw, "r", At("README.md")},
                                        {kDocRaw, "r", At("README.md")}});
  const auto unpacked = bench.Unpack(id);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench.List(), (std::vector<std::string>{"Kitfile", "README.md", "w.safetensors"}));
  EXPECT_EQ(bench.ReadTarget("Kitfile"),
            "manifestVersion: 1.0.0\nmodel:\n  path: w.safetensors\ncode:\n  - path: README.md\n");
  // Which of two contents is meant, nobody can know.
  for (const char* type : {kCodeRaw, kDocRaw}) {
    const auto refused = bench.Unpack(
        bench.PutModelPack({{kCodeRaw, "r", At("a.md")}, {type, "other", At("a.md")}}));
    EXPECT_FALSE(refused) << type;
  }
}

// What KitOps writes: the Kitfile in an annotation.
TEST(ModelPackTest, KitsOwnAnnotationIsTheKitfile) {
  const std::string config = oci::WriteModelPackConfig(
      {Json::MakeObject(), Json::MakeObject(), {Sha256(AsBytes("w")), Sha256(AsBytes("t"))}});
  const std::string kitfile =
      R"({"manifestVersion":"1.0.0","package":{"name":"k"},"model":{"path":"w.bin","parts":[)"
      R"({"name":"tok","path":"t.json"}]}})";
  Json json = Json::MakeObject();
  json.Append("schemaVersion", Json::Uint(2));
  json.Append("artifactType", Json::String(oci::kModelPackArtifactType));
  json.Append("config", oci::DescriptorToJson({std::string(oci::kModelPackConfigMediaType),
                                               Sha256(AsBytes(config)), config.size()}));
  Json layers = Json::MakeArray();
  layers.Add(oci::DescriptorToJson({kWeightRaw, Sha256(AsBytes("w")), 1, At("w.bin")}));
  layers.Add(oci::DescriptorToJson({kConfigRaw, Sha256(AsBytes("t")), 1, At("t.json")}));
  json.Append("layers", std::move(layers));
  Json annotations = Json::MakeObject();
  annotations.Append("ml.kitops.modelkit.kitfile", Json::String(kitfile));
  json.Append("annotations", std::move(annotations));
  const auto modelkit = ParseModelKit(WriteJson(json, JsonStyle::kCompact), config);
  ASSERT_TRUE(modelkit) << modelkit.error().message;
  EXPECT_EQ(modelkit->kitfile.package.name, "k");
  const auto packed = PairLayers(*modelkit);
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_EQ(packed->at(1).name, "tok");
  EXPECT_EQ(packed->at(1).media_type.type, oci::LayerType::kModelPart);
}

TEST(ModelPackTest, ALayerWithAKitfileIsPassedOver) {
  Workbench bench;
  const auto unpacked = bench.Unpack(bench.PutModelPack(
      {{std::string(oci::kModelKitConfigMediaType), "{}"}, {kWeightRaw, "w", At("w.bin")}}));
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench.List(), (std::vector<std::string>{"Kitfile", "w.bin"}));
}

// No document may be a ModelKit to one program and a ModelPack to another.
TEST(ModelPackTest, TypesMustAgree) {
  const std::string digest = Sha256({}).ToString();
  const auto refused = [&](std::string_view artifact, std::string_view config,
                           std::string_view layer) {
    const std::string text =
        R"({"schemaVersion":2,"artifactType":")" + std::string(artifact) +
        R"(","config":{"mediaType":")" + std::string(config) + R"(","digest":")" + digest +
        R"(","size":1},"layers":[{"mediaType":")" + std::string(layer) + R"(","digest":")" +
        digest + R"(","size":0,"annotations":{"org.cncf.model.filepath":"x"}}]})";
    auto modelkit = ParseModelKit(text, "");
    if (!modelkit) return modelkit.error().kind == ErrorKind::kInvalid;
    modelkit->kitfile.code = {{"x", {}, {}, {}}};
    const auto packed = PairLayers(*modelkit);
    return !packed && packed.error().kind == ErrorKind::kInvalid;
  };
  EXPECT_TRUE(refused(oci::kModelPackArtifactType, oci::kModelKitConfigMediaType, kCodeTar));
  EXPECT_TRUE(refused("application/vnd.kitops.modelkit.manifest.v1+json",
                      oci::kModelPackConfigMediaType, kCodeRaw));
  EXPECT_TRUE(refused("", oci::kModelKitConfigMediaType, kCodeRaw));
  EXPECT_TRUE(refused("", oci::kModelPackConfigMediaType, kCodeTar));
  EXPECT_FALSE(refused("", oci::kModelKitConfigMediaType, kCodeTar));
  EXPECT_FALSE(refused("", oci::kModelPackConfigMediaType, kCodeRaw));
}

TEST(RawLayerTest, AreReadAsKitWritesThem) {
  Workbench bench;
  const std::string zipped = Compressed(archive::Compression::kGzip, "code");
  const std::string config =
      R"({"manifestVersion":"1.0.0","package":{},"model":{"path":"./w.bin","digest":")" +
      Sha256(AsBytes("w")).ToString() + R"(","diffId":")" + Sha256(AsBytes("w")).ToString() +
      R"("},"code":[{"path":"src"},{"path":"b.py","digest":")" +
      Sha256(AsBytes(zipped)).ToString() + R"(","diffId":")" + Sha256(AsBytes("code")).ToString() +
      R"("}]})";
  const Digest id =
      bench.PutKit(config, {{kModelRaw, "w", oci::WriteFileAnnotations("w.bin", 0644, 1)},
                            {kCodeRawGzip, zipped, oci::WriteFileAnnotations("b.py", 0644, 4)},
                            {kCodeTar, Archive("src/a.py", "a")}});
  const auto unpacked = bench.Unpack(id);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench.ReadTarget("b.py"), "code");
  EXPECT_EQ(bench.ReadTarget("src/a.py"), "a");
  EXPECT_EQ(bench.ReadTarget("w.bin"), "w");
}

TEST(RawLayerTest, SeveralOfOneEntryAreReportedOnceAndCanBeChosen) {
  Workbench bench;
  const std::string raw = "application/vnd.kitops.modelkit.code.v1.raw";
  const Digest id = bench.PutKit(
      R"({"manifestVersion":"1.0.0","package":{},"code":[{"path":"src/deep"},{"path":"./src"}]})",
      {{raw, "1", At("src/a")}, {raw, "2", At("src/deep/b")}, {raw, "3", At("src/deeper/c")}});
  UnpackOptions options;
  options.filters = {*Filter::Parse("code:src/deeper/*")};
  const auto some = bench.Unpack(id, options);
  ASSERT_TRUE(some) << some.error().message;
  EXPECT_EQ(bench.List(), (std::vector<std::string>{"src/", "src/deeper/", "src/deeper/c"}));
  options.filters.clear();
  options.existing = Existing::kOverwrite;
  const auto all = bench.Unpack(id, options);
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->files, 4U);
}

}  // namespace
}  // namespace plumb::kit
