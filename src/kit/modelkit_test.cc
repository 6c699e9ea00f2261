// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/modelkit.h"

#include <gtest/gtest.h>

#include "tests/workbench.h"

namespace plumb::kit {
namespace {

constexpr char kConfig[] =
    R"({"manifestVersion":"1.0.0","package":{},"model":{"name":"m","path":"w.bin","parts":[)"
    R"({"name":"t","path":"t.json","type":"tokenizer"}]},"code":[{"path":"a"},{"path":"b"}]})";

std::string MediaType(std::string_view type) {
  return "application/vnd.kitops.modelkit." + std::string(type) + ".v1.tar";
}

oci::Descriptor Layer(std::string_view type, std::string_view content) {
  return {MediaType(type), Sha256(AsBytes(content)), content.size()};
}

Result<ModelKit> Make(const std::string& config, const std::vector<oci::Descriptor>& layers) {
  const oci::Descriptor named = {std::string(oci::kModelKitConfigMediaType),
                                 Sha256(AsBytes(config)), config.size()};
  return ParseModelKit(oci::WriteManifest(named, layers), config);
}

TEST(ModelKitTest, IsNamedByItsManifest) {
  const auto modelkit = Make(kConfig, {});
  ASSERT_TRUE(modelkit);
  EXPECT_EQ(modelkit->id, Sha256(AsBytes(modelkit->manifest_bytes)));
  EXPECT_EQ(modelkit->kitfile.model->name, "m");
  EXPECT_EQ(modelkit->config_bytes, kConfig);
}

TEST(ModelKitTest, TheConfigMustBeTheOneNamed) {
  const auto modelkit = Make(kConfig, {});
  ASSERT_TRUE(modelkit);
  for (const std::string& other : {std::string(kConfig) + " ", std::string("{}")}) {
    const auto changed = ParseModelKit(modelkit->manifest_bytes, other);
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().kind, ErrorKind::kCorrupt);
  }
  EXPECT_TRUE(ParseModelKit(modelkit->manifest_bytes, ""));
}

// Not the same as one that is not known.
TEST(ModelKitTest, AnEmptyConfigIsNone) {
  const auto empty = Make("", {});
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().kind, ErrorKind::kInvalid);
  Workbench bench;
  const oci::Descriptor named = {std::string(oci::kModelKitConfigMediaType), bench.PutBlob(""), 2};
  const auto loaded = LoadModelKit(bench.store(), bench.PutBlob(oci::WriteManifest(named, {})));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::kCorrupt);
}

TEST(ModelKitTest, AManifestOfSomethingElseIsUnsupported) {
  const oci::Descriptor config = {"application/vnd.oci.image.config.v1+json", Sha256({}), 0};
  const auto other = ParseModelKit(oci::WriteManifest(config, {}), "");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kUnsupported);
}

TEST(ModelKitTest, AbsentIsNotFoundAndHalfOfItIsCorrupt) {
  Workbench bench;
  const auto absent = LoadModelKit(bench.store(), Sha256({}));
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::kNotFound);

  const Digest id = bench.PutBlob(Make(kConfig, {})->manifest_bytes);
  const auto without_config = LoadModelKit(bench.store(), id);
  ASSERT_FALSE(without_config);
  EXPECT_EQ(without_config.error().kind, ErrorKind::kCorrupt);
}

TEST(PairLayersTest, PairsByOrderWithinEachType) {
  const auto modelkit = Make(kConfig, {Layer("code", "1"), Layer("modelpart", "2"),
                                       Layer("model", "3"), Layer("code", "4")});
  ASSERT_TRUE(modelkit);
  const auto packed = PairLayers(*modelkit);
  ASSERT_TRUE(packed) << packed.error().message;
  std::vector<std::string> paths;
  for (const PackedEntry& entry : *packed)
    paths.push_back(entry.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"a", "t.json", "w.bin", "b"}));
  EXPECT_EQ((*packed)[1].part_type, "tokenizer");
  EXPECT_EQ((*packed)[2].name, "m");
}

TEST(PairLayersTest, WithoutAModelLayerTheModelIsAReference) {
  const auto modelkit =
      Make(R"({"manifestVersion":"","package":{},"model":{"path":"base:v1"}})", {});
  ASSERT_TRUE(modelkit);
  const auto packed = PairLayers(*modelkit);
  ASSERT_TRUE(packed);
  EXPECT_TRUE(packed->empty());
}

TEST(PairLayersTest, TooFewAndTooManyLayersAreInvalid) {
  const std::vector<std::vector<oci::Descriptor>> wrong = {
      {Layer("model", "1"), Layer("modelpart", "2"), Layer("code", "3")},
      {Layer("model", "1"), Layer("modelpart", "2"), Layer("code", "3"), Layer("code", "4"),
       Layer("code", "5")},
      {Layer("model", "1"), Layer("code", "3"), Layer("code", "4")},
      {Layer("model", "1"), Layer("modelpart", "2"), Layer("code", "3"), Layer("code", "4"),
       Layer("docs", "5")}};
  for (const auto& layers : wrong) {
    const auto packed = PairLayers(*Make(kConfig, layers));
    ASSERT_FALSE(packed);
    EXPECT_EQ(packed.error().kind, ErrorKind::kInvalid);
  }
}

TEST(PairLayersTest, ADigestOfAnotherLayerIsInvalid) {
  const std::string digest = Sha256(AsBytes("mine")).ToString();
  const std::string config =
      R"({"manifestVersion":"","package":{},"code":[{"path":"a","digest":")" + digest +
      R"(","diffId":")" + digest + R"("}]})";
  EXPECT_TRUE(PairLayers(*Make(config, {Layer("code", "mine")})));
  const auto packed = PairLayers(*Make(config, {Layer("code", "other")}));
  ASSERT_FALSE(packed);
  EXPECT_EQ(packed.error().kind, ErrorKind::kInvalid);
}

TEST(PairLayersTest, AnUnknownMediaTypeIsUnsupported) {
  const auto packed = PairLayers(*Make(kConfig, {{"application/x-mystery", Sha256({}), 0}}));
  ASSERT_FALSE(packed);
  EXPECT_EQ(packed.error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace plumb::kit
