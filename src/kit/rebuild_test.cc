// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/rebuild.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "kit/layer_tree_internal.h"
#include "tests/workbench.h"

namespace plumb::kit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kKitfile[] =
    "manifestVersion: 1.0.0\nmodel: {path: ./w.bin}\ncode: [{path: src/}]\n"
    "docs: [{path: docs/é.md}]\n";

class RebuildTest : public testing::Test {
 protected:
  RebuildTest() {
    bench_.Write("w.bin", std::string(3'000'000, 'w'));
    for (const char* name : {"src/a/x", "src/a-b", "src/a.py", "src/z"})
      bench_.Write(name, name);
    std::filesystem::create_directory(bench_.Context("src/empty"));
    std::filesystem::permissions(bench_.Context("src/z"), std::filesystem::perms(0711));
    bench_.Write("docs/é.md", "text");
  }

  Result<RebuildReport> Again(const Digest& id) {
    PLUMB_TRY(const ModelKit modelkit, LoadModelKit(bench_.store(), id));
    HomeOnly environment(bench_.path() + "/home");
    const auto clock = host::MakeClock();
    return Rebuild({bench_.store(), bench_.bases(), *clock, environment}, modelkit,
                   bench_.progress());
  }

  void ExpectSame(const Result<BuildReport>& built) {
    ASSERT_TRUE(built) << built.error().message;
    const auto again = Again(built->id);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->id, built->id);
    EXPECT_THAT(again->differences, ElementsAre());
  }

  Workbench bench_;
};

TEST_F(RebuildTest, GivesTheSameIdWithoutTheFiles) {
  const auto built = bench_.BuildKitfile(kKitfile);
  std::filesystem::remove_all(bench_.path() + "/context");
  const auto before = bench_.List("store/packs");
  ExpectSame(built);
  EXPECT_EQ(bench_.List("store/packs"), before);
}

TEST_F(RebuildTest, HoweverLayersAreCompressed) {
  for (const auto& [compression, level] :
       {std::pair(archive::Compression::kGzip, 0), std::pair(archive::Compression::kGzip, 1),
        std::pair(archive::Compression::kZstd, 0)}) {
    BuildOptions options;
    options.compression = compression;
    options.compression_level = level;
    ExpectSame(bench_.BuildKitfile(kKitfile, options));
  }
}

TEST_F(RebuildTest, ByTheRulesOfKit17) {
  std::filesystem::permissions(bench_.Context("src/a.py"), std::filesystem::perms(0640));
  BuildOptions options;
  options.rules = blueprint::KitRules::kKit17;
  ExpectSame(bench_.BuildKitfile(kKitfile, options));
}

// What kit 1.7 passed over is not in the layers: no entry for an ignored directory above an
// excepted file, an empty layer for a path that is ignored or a symlink.
TEST_F(RebuildTest, ByTheRulesOfKit17WithoutWhatItPassedOver) {
  bench_.Write("data/keep.txt", "keep");
  bench_.Write("data/drop.txt", "drop");
  bench_.Write("secret/key", "key");
  bench_.Write("src/deep/down/file", "file");
  std::filesystem::create_symlink("w.bin", bench_.Context("link.bin"));
  bench_.Write(".kitignore", "data\n!data/keep.txt\nsecret\nsrc/deep/down\n");
  BuildOptions options;
  options.rules = blueprint::KitRules::kKit17;
  ExpectSame(bench_.BuildKitfile("model: {path: w.bin}\ncode: [{path: .}]\n", options));
  ExpectSame(
      bench_.BuildKitfile("model: {path: link.bin}\ncode: [{path: secret/key}]\n"
                          "docs: [{path: src/deep/down/file}, {path: data}]\n",
                          options));
}

// Another version's rules are not known: what differs proves nothing.
TEST_F(RebuildTest, OfAnotherKitItIsSaid) {
  BuildOptions options;
  options.rules = blueprint::KitRules::kKit17;
  const auto built = bench_.BuildKitfile(kKitfile, options);
  ASSERT_TRUE(built) << built.error().message;
  std::string manifest = LoadModelKit(bench_.store(), built->id)->manifest_bytes;
  manifest.replace(manifest.find("\"1.7.0\""), 7, "\"1.6.1\"");
  const auto again = Again(bench_.PutBlob(manifest));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->other_kit, "1.6.1");
}

TEST_F(RebuildTest, WithItsBaseByDigest) {
  BuildOptions options;
  options.tags = {{"a", "v1"}};
  ASSERT_TRUE(bench_.BuildKitfile(kKitfile, options));
  const std::string child = "manifestVersion: 1.0.0\nmodel: {path: 'a:v1'}\ncode: [{path: .}]\n";
  const auto built = bench_.BuildKitfile(child);
  bench_.Write("w.bin", "another");
  ASSERT_TRUE(bench_.BuildKitfile(kKitfile, options));
  ExpectSame(built);
}

TEST_F(RebuildTest, OtherContentIsTold) {
  // A build makes it 0644.
  const std::string odd = TarFile("w.bin", "weights", 0600) + archive::TarEnd();
  const Digest digest = Sha256(AsBytes(odd));
  const Digest id = bench_.PutKit(
      R"({"manifestVersion":"1.0.0","package":{},"model":{"path":"w.bin","digest":")" +
          digest.ToString() + R"(","diffId":")" + digest.ToString() + R"("}})",
      {{kModelTar, odd}});
  const auto again = Again(id);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_NE(again->id, id);
  EXPECT_FALSE(again->is_same_content);
  EXPECT_THAT(again->differences, ElementsAre(HasSubstr("model layer 'w.bin': other content, ")));
}

TEST_F(RebuildTest, AnotherOrderIsTheSameContent) {
  const auto at = [](const std::string& path) { return oci::WriteFileAnnotations(path, 0644, 1); };
  const Digest id =
      bench_.PutModelPack({{"application/vnd.cncf.model.doc.v1.raw", "d", at("d.md")},
                           {"application/vnd.cncf.model.weight.v1.raw", "w", at("w.safetensors")}});
  const auto again = Again(id);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_NE(again->id, id);
  EXPECT_TRUE(again->is_same_content);
  EXPECT_THAT(again->differences, ElementsAre("the layers: in another order"));
}

TEST_F(RebuildTest, ANameThatUnpackRefusesIsRefused) {
  const Digest id =
      bench_.PutKit(R"({"manifestVersion":"1.0.0","package":{},"model":{"path":"."}})",
                    {{kModelTar, TarFile("../escape", "x") + archive::TarEnd()}});
  const auto again = Again(id);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kDenied);
}

// Files that lie the other way round than a walk comes by them would be looked for from the
// beginning each time.
TEST_F(RebuildTest, DoesNotReadALayerForEver) {
  std::string layer;
  for (int i = 200; i > 0; --i)
    layer += TarFile("f" + std::to_string(1000 + i), "x");
  const Digest id =
      bench_.PutKit(R"({"manifestVersion":"1.0.0","package":{},"model":{"path":"."}})",
                    {{kModelTar, layer + archive::TarEnd()}});
  const auto again = Again(id);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kExhausted);
}

class LayerTreeTest : public testing::Test {
 protected:
  Result<std::unique_ptr<LayerTree>> Make(const std::string& tar, const std::string& path = ".") {
    const std::string bytes = tar + archive::TarEnd();
    const oci::Descriptor layer{kModelTar, bench_.PutBlob(bytes), bytes.size()};
    const auto type = *oci::LayerMediaType::Parse(kModelTar);
    return LayerTree::Make(bench_.store(), {{type, layer, {}, {}, path}}, bench_.progress());
  }

  Workbench bench_;
};

TEST_F(LayerTreeTest, IsADirectoryThatCanBeRead) {
  const auto tree = Make(TarFile("b/c", "content") + TarFile("a", "first", 0755));
  ASSERT_TRUE(tree) << tree.error().message;
  LayerTree& root = **tree;
  const auto listed = *root.List("");
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].name, "a");
  EXPECT_EQ(listed[1].name, "b");
  EXPECT_EQ(listed[1].type, host::FileType::kDirectory);
  EXPECT_EQ(root.State("a")->mode, 0755U);
  EXPECT_EQ(root.State("b/c")->size, 7U);
  EXPECT_EQ(root.State("b/d").error().kind, ErrorKind::kNotFound);
  // In any order, and not only from the beginning.
  EXPECT_EQ(*host::ReadFile(root, "a", 100), "first");
  EXPECT_EQ(*host::ReadFile(root, "b/c", 100), "content");
  const auto file = *root.Open("b/c", host::OpenHow::kRead, 0);
  std::string buffer(3, '\0');
  ASSERT_EQ(*file->ReadAt(4, std::as_writable_bytes(std::span(buffer))), 3U);
  EXPECT_EQ(buffer, "ent");
  ASSERT_EQ(*file->ReadAt(1, std::as_writable_bytes(std::span(buffer))), 3U);
  EXPECT_EQ(buffer, "ont");
  EXPECT_EQ(*file->ReadAt(7, std::as_writable_bytes(std::span(buffer))), 0U);
}

TEST_F(LayerTreeTest, CannotBeChanged) {
  const auto tree = *Make(TarFile("a", "x"));
  EXPECT_EQ(tree->Open("a", host::OpenHow::kReadWrite, 0).error().kind, ErrorKind::kDenied);
  EXPECT_EQ(tree->Remove("a").error().kind, ErrorKind::kDenied);
  EXPECT_EQ(tree->MakeDirectory("d", 0).error().kind, ErrorKind::kDenied);
}

TEST_F(LayerTreeTest, AFileIsNoDirectory) {
  EXPECT_EQ(Make(TarFile("a", "x") + TarFile("a/b", "y")).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(Make(TarFile("a/b", "y") + TarFile("a", "x")).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(Make(TarFile("b", "x"), "a").error().kind, ErrorKind::kDenied);
}

}  // namespace
}  // namespace plumb::kit
