// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/build.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "archive/tar_reader.h"
#include "tests/workbench.h"

namespace plumb::kit {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class BuildTest : public testing::Test {
 protected:
  BuildReport Build(const std::string& kitfile, const BuildOptions& options = {}) {
    auto built = bench_.BuildKitfile("manifestVersion: 1.0.0\n" + kitfile, options);
    EXPECT_TRUE(built) << built.error().message;
    return built ? *std::move(built) : BuildReport{};
  }
  Error Failure(const std::string& kitfile, const BuildOptions& options = {}) {
    const auto built = bench_.BuildKitfile("manifestVersion: 1.0.0\n" + kitfile, options);
    EXPECT_FALSE(built);
    return built ? Error{ErrorKind::kUnsupported, ""} : built.error();
  }

  // "name" or, of a directory, "name/", of every entry of a layer.
  Names EntriesOf(const Digest& layer) {
    Names names;
    const auto blob = *bench_.store().OpenBlob(layer, 0);
    archive::TarReader tar(*blob);
    for (auto entry = tar.Next(); entry && *entry; entry = tar.Next())
      names.push_back((*entry)->name + ((*entry)->type == archive::TarEntryType::kFile ? "" : "/"));
    return names;
  }

  Workbench bench_;
};

// docs/format.md, "Layers": golden layers.
TEST_F(BuildTest, GoldenLayers) {
  for (const char* name :
       {"test-file.txt", "test-dir/test-subfile.txt", "model/my-model.bin", "code/my-code.py"}) {
    const bool has_dot =
        std::string(name).starts_with("model") || std::string(name).starts_with("code");
    bench_.Write(name, std::string("testing: ") + (has_dot ? "./" : "") + name);
  }
  fs::create_directory(bench_.Context("none"));
  bench_.Write(".kitignore", "none\n!none/x\n");
  const BuildReport built = Build(
      "model: {path: model}\ncode: [{path: code}]\n"
      "docs: [{path: test-file.txt}, {path: test-dir}]\n");
  ASSERT_EQ(built.layers.size(), 4U);
  const std::vector<std::pair<std::uint64_t, std::string>> golden = {
      {2560, "sha256:4ce780974b1587b97d7e75bc39d9b45ed062afbaeb28b38d982139a183169c32"},
      {2560, "sha256:ecad50eb0c0d444307ad97a1ec9c5ebcd3f35be05512797443e93de929d74439"},
      {2048, "sha256:6113dc0196babc14ea7df88a18e47175ae7e77471cbcb56ff970f6a89b1e21cb"},
      {2560, "sha256:6f52a94a0d62d71535e7596c1e3eeb31aaacd563f9b8bc98f83624da16917b0f"}};
  for (std::size_t i = 0; i < golden.size(); ++i) {
    EXPECT_EQ(built.layers[i].size, golden[i].first);
    EXPECT_EQ(built.layers[i].digest.ToString(), golden[i].second);
  }
}

// The empty layer, which by our rules no path gives.
TEST_F(BuildTest, GoldenEmptyLayer) {
  bench_.Write("x", "x");
  bench_.Write(".kitignore", "x\n");
  BuildOptions options;
  options.rules = blueprint::KitRules::kKit17;
  const BuildReport built = Build("docs: [{path: x}]\n", options);
  ASSERT_EQ(built.layers.size(), 1U);
  EXPECT_EQ(built.layers[0].size, 1024U);
  EXPECT_EQ(built.layers[0].digest.ToString(),
            "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");
}

TEST_F(BuildTest, TheIdDependsOnContentAlone) {
  const std::string kitfile = "model: {path: m}\ncode: [{path: src}]\n";
  const auto write = [&](const std::string& where, const Names& names) {
    for (const std::string& name : names)
      bench_.directory().Write(where + "/" + name, "of " + name);
    fs::permissions(bench_.path() + "/" + where + "/src/run", fs::perms(0755));
  };
  write("context", {"m/a", "m/b", "src/run", "src/text"});
  const BuildReport first = Build(kitfile);

  const mode_t before = umask(077);
  write("elsewhere/deep", {"src/text", "src/run", "m/b", "m/a"});
  umask(before);
  fs::permissions(bench_.path() + "/elsewhere/deep/src/run", fs::perms(0711));
  for (const unsigned threads : {1U, 8U}) {
    BuildOptions options;
    options.threads = threads;
    options.rehash = Rehash::kYes;
    options.tags = {{"m", "v" + std::to_string(threads)}};
    options.message = "why";
    const auto again = bench_.BuildFrom(
        "elsewhere/deep", {BlueprintKind::kKitfile, "-", "", "manifestVersion: 1.0.0\n" + kitfile},
        options);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->id, first.id);
  }
}

// Whatever is made of the layer, and wherever in it the file lies.
TEST_F(BuildTest, FilesAreWhatTheyMustBe) {
  const std::string large(9'000'000, 'l');
  bench_.Write("src/a", "small");
  bench_.Write("src/b", large);
  bench_.Write("src/c", "");
  const std::map<std::string, std::string> texts = {
      {"src/a", "small"}, {"src/b", large}, {"src/c", ""}};
  for (const auto format : {LayerFormat::kTar, LayerFormat::kRaw}) {
    for (const auto compression : {archive::Compression::kNone, archive::Compression::kZstd}) {
      if (format == LayerFormat::kRaw && compression != archive::Compression::kNone) continue;
      BuildOptions options;
      options.layer_format = format;
      options.compression = compression;
      for (const auto& [name, text] : texts)
        options.file_digests[name] = Sha256(AsBytes(text));
      options.file_digests["nowhere"] = Digest{};
      const BuildReport built = Build("code: [{path: src}]\n", options);
      for (const auto& [name, text] : texts) {
        BuildOptions wrong = options;
        wrong.file_digests[name] = Sha256(AsBytes(text + "x"));
        const Error error = Failure("code: [{path: src}]\n", wrong);
        EXPECT_EQ(error.kind, ErrorKind::kCorrupt);
        EXPECT_NE(error.message.find("'" + name + "' is not the blob '"), std::string::npos);
      }
      options.file_digests.clear();
      EXPECT_EQ(Build("code: [{path: src}]\n", options).id, built.id);
    }
  }
}

// What was built without is read again.
TEST_F(BuildTest, AnUnchangedFileIsComparedOnceToo) {
  bench_.Write("m", "weights");
  fs::last_write_time(bench_.Context("m"),
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  Build("model: {path: m}\n");
  BuildOptions options;
  options.file_digests["m"] = Digest{};
  EXPECT_EQ(Failure("model: {path: m}\n", options).kind, ErrorKind::kCorrupt);
}

TEST_F(BuildTest, TheDeeperEntryOwnsAndNamesAreComparedByParts) {
  for (const char* name : {"model/w", "model/tok/t", "model-card.md", "x"})
    bench_.Write(name, name);
  const BuildReport built =
      Build("model: {path: model, parts: [{path: model/tok}]}\ncode: [{path: .}]\n");
  ASSERT_EQ(built.layers.size(), 3U);
  EXPECT_EQ(EntriesOf(built.layers[0].digest), (Names{"model/", "model/w"}));
  EXPECT_EQ(EntriesOf(built.layers[1].digest), (Names{"model/", "model/tok/", "model/tok/t"}));
  EXPECT_EQ(EntriesOf(built.layers[2].digest), (Names{"model-card.md", "x"}));
}

TEST_F(BuildTest, WhatIsReservedIsNeverPackedAndWhatNobodyTakesIsReported) {
  for (const char* name : {"src/a", "src/.git/config", "src/deep/.DS_Store", "src/.plumb-unpack-0",
                           "Kitfile", "Kitfile.lock", ".kitignore", "other/b", "src/Kitfile"})
    bench_.Write(name, std::string(name) == ".kitignore" ? "!**/.git\n" : "x");
  const BuildReport built = Build("code: [{path: src}]\n");
  EXPECT_EQ(EntriesOf(built.layers[0].digest),
            (Names{"src/", "src/Kitfile", "src/a", "src/deep/"}));
  EXPECT_TRUE(bench_.progress().Warned("because no entry of the blueprint names it: 'other/b'"));
}

TEST_F(BuildTest, KitignoreIsObeyed) {
  for (const char* name : {"d/a.tmp", "d/keep.tmp", "d/b", "d/sub/c.tmp"})
    bench_.Write(name, name);
  bench_.Write(".kitignore", "# litter\n**/*.tmp\n!d/keep.tmp\n");
  const BuildReport built = Build("code: [{path: d}]\n");
  EXPECT_EQ(EntriesOf(built.layers[0].digest), (Names{"d/", "d/b", "d/keep.tmp", "d/sub/"}));
}

TEST_F(BuildTest, PathsThatGiveNothingAreInvalid) {
  bench_.Write("d/x", "x");
  bench_.Write("i/x", "x");
  bench_.Write(".kitignore", "i\n");
  for (const char* path : {"absent", "d/absent", "i", "i/x", "../d", "Kitfile", ".git"}) {
    const Error error = Failure(std::string("code: [{path: ") + path + "}]\n");
    EXPECT_EQ(error.kind, ErrorKind::kInvalid) << path << ": " << error.message;
  }
}

TEST_F(BuildTest, SymlinksAndPipesAreInvalid) {
  bench_.Write("d/x", "x");
  fs::create_symlink("x", bench_.Context("d/link"));
  const Error link = Failure("code: [{path: d}]\n");
  EXPECT_EQ(link.kind, ErrorKind::kInvalid);
  EXPECT_EQ(link.message, "symlinks cannot be packed: 'd/link'");
  EXPECT_EQ(link.hint, "plumb build --follow-symlinks");
  EXPECT_EQ(Failure("code: [{path: d/link}]\n").kind, ErrorKind::kInvalid);

  fs::remove(bench_.Context("d/link"));
  ASSERT_EQ(mkfifo(bench_.Context("d/pipe").c_str(), 0600), 0);
  EXPECT_EQ(Failure("code: [{path: d}]\n").message,
            "only files and directories can be packed: 'd/pipe'");
}

TEST_F(BuildTest, SymlinksAreFollowedWithinTheContextOnly) {
  bench_.Write("blobs/1", "weights");
  bench_.Write("tree/a/b", "b");
  fs::create_directory(bench_.Context("d"));
  fs::create_symlink("../blobs/1", bench_.Context("d/w.bin"));
  fs::create_symlink("../tree", bench_.Context("d/t"));
  BuildOptions follow;
  follow.follow_symlinks = FollowSymlinks::kYes;
  const BuildReport built = Build("model: {path: d}\n", follow);
  EXPECT_EQ(EntriesOf(built.layers[0].digest),
            (Names{"d/", "d/t/", "d/t/a/", "d/t/a/b", "d/w.bin"}));

  bench_.directory().Write("outside", "secret");
  fs::create_symlink("../../outside", bench_.Context("d/out"));
  EXPECT_EQ(Failure("model: {path: d}\n", follow).kind, ErrorKind::kInvalid);
  fs::remove(bench_.Context("d/out"));
  fs::create_symlink("..", bench_.Context("d/up"));
  EXPECT_EQ(Failure("model: {path: d}\n", follow).kind, ErrorKind::kInvalid);
}

TEST_F(BuildTest, SymlinksThatLeadInACircleAreInvalid) {
  BuildOptions follow;
  follow.follow_symlinks = FollowSymlinks::kYes;
  bench_.Write("a/x", "x");
  bench_.Write("b/y", "y");
  fs::create_symlink("../b", bench_.Context("a/to-b"));
  EXPECT_EQ(Build("code: [{path: a}]\n", follow).layers.size(), 1U);
  fs::create_symlink("../a", bench_.Context("b/to-a"));
  const Error error = Failure("code: [{path: a}]\n", follow);
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_EQ(error.message, "symlink 'a/to-b/to-a' leads to a directory above it");
}

TEST_F(BuildTest, NamesThatCannotBeUnpackedAreInvalid) {
  bench_.Write("d/a\xff", "x");
  EXPECT_EQ(Failure("code: [{path: d}]\n").kind, ErrorKind::kInvalid);
  fs::remove(bench_.Context("d/a\xff"));
  fs::current_path(bench_.Context("d"));
  for (int i = 0; i < 17; ++i) {
    fs::create_directory(std::string(240, 'd'));
    fs::current_path(std::string(240, 'd'));
  }
  fs::current_path("/");
  EXPECT_EQ(Failure("code: [{path: d}]\n").kind, ErrorKind::kInvalid);
}

TEST_F(BuildTest, OrderIsThatOfBytesWithinEachDirectory) {
  for (const char* name : {"d/b", "d/a/z", "d/a.b", "d/a-b", "d/B", "d/\xc3\xa9", "d/a/-", "d/~"})
    bench_.Write(name, name);
  const BuildReport built = Build("code: [{path: d}]\n");
  EXPECT_EQ(
      EntriesOf(built.layers[0].digest),
      (Names{"d/", "d/B", "d/a/", "d/a/-", "d/a/z", "d/a-b", "d/a.b", "d/b", "d/~", "d/\xc3\xa9"}));
}

// docs/format.md, "Layers": directories above what a layer holds, and those with nothing taken.
TEST_F(BuildTest, DirectoriesAreEntriesUnlessIgnored) {
  for (const char* name :
       {"a/b/c/file", "a/other", "ignored/kept", "ignored/empty/x", "void/x.tmp"})
    bench_.Write(name, name);
  fs::create_directories(bench_.Context("empty/er"));
  fs::create_directories(bench_.Context("gone/er"));
  bench_.Write(".kitignore", "ignored\n!ignored/kept\ngone\n*/x.tmp\n");
  const BuildReport built = Build(
      "code: [{path: a/b/c}, {path: .}]\n"
      "docs: [{path: a/b/../other}, {path: ignored/kept}]\n");
  EXPECT_EQ(EntriesOf(built.layers[0].digest), (Names{"a/", "a/b/", "a/b/c/", "a/b/c/file"}));
  EXPECT_EQ(EntriesOf(built.layers[1].digest),
            (Names{"a/", "a/b/", "empty/", "empty/er/", "void/"}));
  EXPECT_EQ(EntriesOf(built.layers[2].digest), (Names{"a/", "a/other"}));
  EXPECT_EQ(EntriesOf(built.layers[3].digest), (Names{"ignored/", "ignored/kept"}));
}

TEST_F(BuildTest, ModesAreTwo) {
  std::map<std::uint32_t, std::uint32_t> made;
  for (const std::uint32_t mode :
       {0000U, 0600U, 0644U, 0666U, 0100U, 0710U, 0655U, 04755U, 01644U}) {
    const std::string name = "d/" + std::to_string(mode);
    bench_.Write(name, "x");
    ASSERT_EQ(chmod(bench_.Context(name).c_str(), mode | 0400), 0);
    made[mode] = (mode & 0111) != 0 ? 0755 : 0644;
  }
  ASSERT_EQ(chmod(bench_.Context("d").c_str(), 01777), 0);
  const BuildReport built = Build("code: [{path: d}]\n");
  const auto blob = *bench_.store().OpenBlob(built.layers[0].digest, 0);
  archive::TarReader tar(*blob);
  EXPECT_EQ((*tar.Next())->mode, 0755U);
  for (auto entry = tar.Next(); entry && *entry; entry = tar.Next())
    EXPECT_EQ((*entry)->mode,
              made[static_cast<std::uint32_t>(std::stoul((*entry)->name.substr(2)))])
        << (*entry)->name;
}

TEST_F(BuildTest, NamesThatCollideElsewhereAreWarnedOf) {
  bench_.Write("d/Readme", "x");
  bench_.Write("d/README", "y");
  Build("code: [{path: d}]\n");
  EXPECT_TRUE(bench_.progress().Warned("are one name on some machines"));
}

void MakeOld(const fs::path& path) {
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file())
      fs::last_write_time(entry, fs::file_time_type::clock::now() - std::chrono::hours(1));
}

TEST_F(BuildTest, WhatDidNotChangeIsNotReadAgain) {
  bench_.Write("a/x", "x");
  bench_.Write("b/y", "y");
  MakeOld(bench_.Context(""));
  // The grain of the clock must pass: until then a change could go unseen.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const std::string kitfile = "code: [{path: a}, {path: b}]\n";
  const BuildReport first = Build(kitfile);
  EXPECT_EQ(bench_.progress().begun.size(), 2U);
  EXPECT_FALSE(first.layers[0].was_known);

  bench_.progress().begun.clear();
  const BuildReport second = Build(kitfile);
  EXPECT_TRUE(bench_.progress().begun.empty());
  EXPECT_TRUE(second.layers[0].was_known);
  EXPECT_EQ(second.id, first.id);
  EXPECT_TRUE(second.manifest_was_known);

  bench_.Write("b/y", "z");  // the same size
  MakeOld(bench_.Context("b"));
  bench_.progress().begun.clear();
  const BuildReport third = Build(kitfile);
  EXPECT_EQ(bench_.progress().begun, Names{"code layer b"});
  EXPECT_NE(third.id, first.id);

  BuildOptions rehash;
  rehash.rehash = Rehash::kYes;
  bench_.progress().begun.clear();
  EXPECT_EQ(Build(kitfile, rehash).id, third.id);
  EXPECT_EQ(bench_.progress().begun.size(), 2U);
}

TEST_F(BuildTest, AFileThatChangedAMomentAgoIsReadAgain) {
  bench_.Write("a/x", "x");
  Build("code: [{path: a}]\n");
  bench_.progress().begun.clear();
  Build("code: [{path: a}]\n");
  EXPECT_EQ(bench_.progress().begun.size(), 1U);
}

TEST_F(BuildTest, AFileThatChangesWhileItIsReadIsAConflict) {
  bench_.Write("a/x", std::string(3'000'000, 'x'));
  bench_.progress().on_begin = [&] {
    std::ofstream(bench_.Context("a/x"), std::ios::app) << "more";
  };
  const Error error = Failure("code: [{path: a}]\n");
  EXPECT_EQ(error.kind, ErrorKind::kConflict);
  EXPECT_TRUE(bench_.store().ListKits()->empty());
}

TEST_F(BuildTest, AFileThatGoesBeforeItIsReadIsAConflict) {
  bench_.Write("a/x", "x");
  bench_.progress().on_begin = [&] { fs::remove(bench_.Context("a/x")); };
  EXPECT_EQ(Failure("code: [{path: a}]\n").kind, ErrorKind::kConflict);
}

TEST_F(BuildTest, StopsWhenAskedTo) {
  bench_.Write("a/x", std::string(3'000'000, 'x'));
  bench_.progress().on_advance = [&] { bench_.progress().stop = true; };
  EXPECT_EQ(Failure("code: [{path: a}]\n").kind, ErrorKind::kInterrupted);
  EXPECT_TRUE(bench_.store().ListKits()->empty());
}

TEST_F(BuildTest, TagsAreMovedToTheResult) {
  bench_.Write("w", "w");
  BuildOptions options;
  options.tags = {{"m", "v1"}, {"m", "v2"}};
  const BuildReport built = Build("model: {path: w}\n", options);
  for (const char* tag : {"v1", "v2"})
    EXPECT_EQ(*bench_.store().FindRef({"m", tag}), built.id);
}

TEST_F(BuildTest, ABaseIsPinnedByItsDigest) {
  bench_.Write("w", "w");
  BuildOptions options;
  options.tags = {{"base", "v1"}};
  const BuildReport base = Build("model: {path: w}\n", options);
  fs::remove(bench_.Context("w"));
  bench_.Write("d", "d");
  const BuildReport child = Build("model: {path: 'base:v1'}\ndocs: [{path: d}]\n");
  const auto modelkit = LoadModelKit(bench_.store(), child.id);
  ASSERT_TRUE(modelkit);
  EXPECT_EQ(modelkit->kitfile.model->path, "base@" + base.id.ToString());
  EXPECT_EQ(modelkit->manifest.layers.size(), 1U);

  EXPECT_EQ(Failure("model: {path: 'absent:v1'}\n").kind, ErrorKind::kNotFound);
  EXPECT_EQ(Failure("model: {path: absent}\n").kind, ErrorKind::kInvalid);
  // What the base brings along and the child brings too.
  bench_.Write("w", "other");
  EXPECT_EQ(Failure("model: {path: 'base:v1', parts: [{path: ./w}]}\n").kind, ErrorKind::kInvalid);
}

// Beside what its base brought along, a ModelKit is built again as it was.
TEST_F(BuildTest, ABasesFilesAndTheDirectoriesAboveThemBelongToTheBase) {
  bench_.Write("m/deep/w", "w");
  bench_.Write("p", "p");
  BuildOptions options;
  options.tags = {{"base", "v1"}};
  Build("model: {path: m/deep, parts: [{path: p}]}\n", options);
  fs::remove_all(bench_.Context("m"));
  fs::remove(bench_.Context("p"));
  bench_.Write("d", "d");
  const std::string kitfile = "model: {path: 'base:v1'}\ncode: [{path: .}]\n";
  const BuildReport child = Build(kitfile);
  EXPECT_EQ(EntriesOf(child.layers[0].digest), Names{"d"});

  ASSERT_TRUE(bench_.Unpack(child.id));
  EXPECT_EQ(bench_.ReadTarget("m/deep/w"), "w");
  const auto again = bench_.BuildFrom(
      "target", {BlueprintKind::kKitfile, "Kitfile", "Kitfile", bench_.ReadTarget("Kitfile")});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->id, child.id);
}

TEST_F(BuildTest, AFileWinsOverAReferenceOfItsName) {
  bench_.Write("w", "w");
  const BuildReport built = Build("model: {path: w}\n");
  EXPECT_EQ(built.layers.size(), 1U);
}

TEST_F(BuildTest, Kit17CannotReadZstd) {
  BuildOptions options;
  options.rules = blueprint::KitRules::kKit17;
  options.compression = archive::Compression::kZstd;
  EXPECT_EQ(Failure("docs: []\n", options).kind, ErrorKind::kInvalid);
}

TEST_F(BuildTest, CompressionKeepsTheDiffId) {
  bench_.Write("w", std::string(100'000, 'w'));
  const BuildReport plain = Build("model: {path: w}\n");
  for (const auto compression : {archive::Compression::kGzip, archive::Compression::kZstd}) {
    BuildOptions options;
    options.compression = compression;
    const BuildReport built = Build("model: {path: w}\n", options);
    EXPECT_LT(built.layers[0].size, plain.layers[0].size);
    const auto modelkit = LoadModelKit(bench_.store(), built.id);
    EXPECT_EQ(modelkit->kitfile.model->layer->diff_id, plain.layers[0].digest);
  }
}

}  // namespace
}  // namespace plumb::kit
