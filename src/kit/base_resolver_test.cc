// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/base_resolver.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/workbench.h"

namespace plumb::kit {
namespace {

ModelKit KitWithPath(const std::string& path) {
  ModelKit modelkit;
  modelkit.kitfile.model.emplace();
  modelkit.kitfile.model->path = path;
  modelkit.id = Sha256(AsBytes(path));
  return modelkit;
}

ModelKit KitWithLayer(const std::string& path) {
  ModelKit modelkit = KitWithPath(path);
  modelkit.manifest.layers.push_back({kModelTar, Sha256({}), 0});
  return modelkit;
}

class FakeResolver final : public BaseResolver {
 public:
  Result<ModelKit> Resolve(const oci::Reference& reference) override {
    const auto found = kits.find(reference.ToString());
    if (found == kits.end())
      return Error{ErrorKind::kNotFound, "no '" + reference.ToString() + "'"};
    return found->second;
  }
  std::map<std::string, ModelKit> kits;
};

oci::Reference Name(const std::string& text) { return *oci::Reference::Parse(text); }

TEST(BaseOfTest, IsThePathOfAModelWithoutALayer) {
  EXPECT_EQ(**BaseOf(KitWithPath("base:v1")), Name("base:v1"));
  EXPECT_FALSE(*BaseOf(KitWithLayer("base:v1")));
  EXPECT_FALSE(*BaseOf(KitWithPath("")));
  EXPECT_FALSE(*BaseOf(ModelKit{}));
}

TEST(BaseOfTest, APathThatIsNoReferenceIsInvalid) {
  const auto base = BaseOf(KitWithPath("./No/Reference"));
  ASSERT_FALSE(base);
  EXPECT_EQ(base.error().kind, ErrorKind::kInvalid);
}

TEST(ResolveBasesTest, GivesTheNearestFirst) {
  FakeResolver resolver;
  resolver.kits["b:1"] = KitWithPath("c:1");
  resolver.kits["c:1"] = KitWithLayer("w.bin");
  const auto bases = ResolveBases(Name("b:1"), resolver);
  ASSERT_TRUE(bases);
  ASSERT_EQ(bases->size(), 2U);
  EXPECT_EQ((*bases)[0].kitfile.model->path, "c:1");
  EXPECT_EQ((*bases)[1].kitfile.model->path, "w.bin");
}

TEST(ResolveBasesTest, ACycleIsInvalid) {
  FakeResolver resolver;
  resolver.kits["a:1"] = KitWithPath("b:1");
  resolver.kits["b:1"] = KitWithPath("a:1");
  const auto bases = ResolveBases(Name("a:1"), resolver);
  ASSERT_FALSE(bases);
  EXPECT_EQ(bases.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(bases.error().message, "Found cycle in modelkit references: [a:1=>b:1=>a:1]");
}

TEST(ResolveBasesTest, ComingBackToWhatIsBuiltIsACycle) {
  FakeResolver resolver;
  resolver.kits["b:1"] = KitWithPath("me:1");
  resolver.kits["me:1"] = KitWithPath("b:1");
  const auto bases = ResolveBases(Name("b:1"), resolver, "me:1");
  ASSERT_FALSE(bases);
  EXPECT_EQ(bases.error().message, "Found cycle in modelkit references: [me:1=>b:1=>me:1]");
}

TEST(ResolveBasesTest, AKitThatComesBackUnderAnotherNameIsACycle) {
  FakeResolver resolver;
  resolver.kits["b"] = KitWithPath("c:1");
  resolver.kits["c:1"] = KitWithPath("b:latest");
  resolver.kits["b:latest"] = resolver.kits["b"];
  const auto bases = ResolveBases(Name("b"), resolver, "me:1");
  ASSERT_FALSE(bases);
  EXPECT_EQ(bases.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(bases.error().message, "Found cycle in modelkit references: [b=>c:1=>b:latest]");
}

TEST(ResolveBasesTest, TheChainIsLimited) {
  FakeResolver resolver;
  for (std::size_t i = 0; i < kBaseDepthMax; ++i) {
    const bool is_last = i + 1 == kBaseDepthMax;
    resolver.kits["k:" + std::to_string(i)] =
        is_last ? KitWithLayer("w.bin") : KitWithPath("k:" + std::to_string(i + 1));
  }
  EXPECT_EQ(ResolveBases(Name("k:0"), resolver)->size(), kBaseDepthMax);

  resolver.kits["start:1"] = KitWithPath("k:0");
  const auto bases = ResolveBases(Name("start:1"), resolver);
  ASSERT_FALSE(bases);
  EXPECT_EQ(bases.error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(bases.error().message.starts_with(
      "reached maximum number of model references: [start:1=>k:0=>k:1=>"))
      << bases.error().message;
}

TEST(ResolveBasesTest, AMissingBaseIsNotFound) {
  FakeResolver resolver;
  EXPECT_EQ(ResolveBases(Name("a:1"), resolver).error().kind, ErrorKind::kNotFound);
}

TEST(StoreResolverTest, FindsTagsAndDigests) {
  Workbench bench;
  bench.Write("w.bin", "weights");
  BuildOptions options;
  options.tags = {{"m", "latest"}, {"m", "v1"}};
  const auto built = bench.BuildKitfile("manifestVersion: 1.0.0\nmodel: {path: w.bin}\n", options);
  ASSERT_TRUE(built) << built.error().message;
  for (const std::string& text :
       {std::string("m"), std::string("m:v1"), "m@" + built->id.ToString(),
        "other:v9@" + built->id.ToString()}) {
    const auto found = bench.bases().Resolve(Name(text));
    ASSERT_TRUE(found) << text << ": " << found.error().message;
    EXPECT_EQ(found->id, built->id);
  }
}

TEST(StoreResolverTest, WhatIsNotThereIsNotFoundWithAHint) {
  Workbench bench;
  const auto absent = bench.bases().Resolve(Name("m:v1"));
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(absent.error().hint, "plumb list");
  const auto remote = bench.bases().Resolve(Name("host.io/m:v1"));
  ASSERT_FALSE(remote);
  EXPECT_EQ(remote.error().hint, "plumb pull host.io/m:v1");
  const auto digest = bench.bases().Resolve(Name("m@" + Sha256({}).ToString()));
  EXPECT_EQ(digest.error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace plumb::kit
