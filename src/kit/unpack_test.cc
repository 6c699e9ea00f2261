// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/unpack.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "kit/layer_reader_internal.h"
#include "kit/target_names_internal.h"
#include "tests/workbench.h"

namespace plumb::kit {
namespace {

using Names = std::vector<std::string>;
namespace fs = std::filesystem;

constexpr char kKitfile[] = R"(manifestVersion: 1.0.0
package:
  name: demo
model:
  name: m
  path: ./model/
  parts:
    - name: tok
      path: tok.json
      type: tokenizer
code:
  - path: src
docs:
  - path: README.md
)";

class UnpackTest : public testing::Test {
 protected:
  void WriteContext() const {
    bench_.Write("model/w.bin", std::string(3'000'000, 'w'));
    bench_.Write("model/deep/er/v.bin", "v");
    bench_.Write("tok.json", "{}");
    bench_.Write("src/run.sh", "echo");
    bench_.Write("README.md", "");
    fs::create_directory(bench_.Context("src/empty"));
    fs::permissions(bench_.Context("src/run.sh"), fs::perms(0755));
  }
  Digest BuildAll(const BuildOptions& options = {}) {
    WriteContext();
    const auto built = bench_.BuildKitfile(kKitfile, options);
    EXPECT_TRUE(built) << built.error().message;
    return built->id;
  }
  Digest Rebuild(BlueprintKind kind) {
    const std::string name = kind == BlueprintKind::kKitfile ? "Kitfile" : "Modelfile";
    const auto built = bench_.BuildFrom("target", {kind, name, name, bench_.ReadTarget(name)});
    EXPECT_TRUE(built) << built.error().message;
    return built ? built->id : Digest{};
  }
  static fs::perms Mode(const fs::path& path) { return fs::status(path).permissions(); }

  Workbench bench_;
};

const Names kAll = {"Kitfile",        "README.md",           "model/",      "model/deep/",
                    "model/deep/er/", "model/deep/er/v.bin", "model/w.bin", "src/",
                    "src/empty/",     "src/run.sh",          "tok.json"};

TEST_F(UnpackTest, GivesBackWhatWasBuilt) {
  const Digest id = BuildAll();
  const auto unpacked = bench_.Unpack(id);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench_.List(), kAll);
  EXPECT_EQ(bench_.ReadTarget("model/w.bin"), std::string(3'000'000, 'w'));
  EXPECT_EQ(bench_.ReadTarget("README.md"), "");
  EXPECT_EQ(unpacked->id, id);
  EXPECT_EQ(unpacked->files, 6U);
  EXPECT_EQ(unpacked->bytes, 3'000'000 + 1 + 2 + 4 + bench_.ReadTarget("Kitfile").size());
  Names entries;
  for (const UnpackedEntry& entry : unpacked->entries)
    entries.push_back(entry.type + " " + entry.name + " " + entry.path);
  EXPECT_EQ(entries, (Names{"model m ./model/", "modelpart tok tok.json", "code  src",
                            "docs  README.md", "config  Kitfile"}));
}

TEST_F(UnpackTest, ModesAreTwoWhateverTheUmask) {
  const Digest id = BuildAll();
  const mode_t before = umask(077);
  const auto unpacked = bench_.Unpack(id);
  umask(before);
  ASSERT_TRUE(unpacked);
  EXPECT_EQ(Mode(bench_.Target("src/run.sh")), fs::perms(0755));
  EXPECT_EQ(Mode(bench_.Target("tok.json")), fs::perms(0644));
  EXPECT_EQ(Mode(bench_.Target("Kitfile")), fs::perms(0644));
  EXPECT_EQ(Mode(bench_.Target("model/deep")), fs::perms(0755));
}

TEST_F(UnpackTest, WritesTheKitfileWithoutDigests) {
  ASSERT_TRUE(bench_.Unpack(BuildAll()));
  EXPECT_EQ(bench_.ReadTarget("Kitfile"), kKitfile);
}

TEST_F(UnpackTest, BuildingAgainGivesTheSameModelKitId) {
  for (const auto compression :
       {archive::Compression::kNone, archive::Compression::kGzip, archive::Compression::kZstd}) {
    BuildOptions options;
    options.compression = compression;
    const Digest plain = BuildAll();
    UnpackOptions overwrite;
    overwrite.existing = Existing::kOverwrite;
    const auto unpacked = bench_.Unpack(BuildAll(options), overwrite);
    ASSERT_TRUE(unpacked) << unpacked.error().message;
    EXPECT_EQ(Rebuild(BlueprintKind::kKitfile), plain);
  }
}

TEST_F(UnpackTest, AModelfileKitIsBuiltAgainFromEitherBlueprint) {
  bench_.Write("m.gguf", "weights");
  bench_.Write("adapters/a.gguf", "adapter");
  const auto built = bench_.BuildModelfile(
      "FROM m.gguf\nADAPTER ./adapters/a.gguf\nPARAMETER temperature 0.5\nPARAMETER stop "
      "\"<|x|>\"\n"
      "SYSTEM \"\"\"two\nlines\"\"\"\nLICENSE MIT\nLICENSE \"\"\"\nMore: text\n\"\"\"\n"
      "MESSAGE user hi: there\n");
  ASSERT_TRUE(built) << built.error().message;
  ASSERT_TRUE(bench_.Unpack(built->id));
  EXPECT_EQ(bench_.List(), (Names{"Kitfile", "LICENSE", "LICENSE.2", "Modelfile", "adapters/",
                                  "adapters/a.gguf", "m.gguf"}));
  EXPECT_EQ(Rebuild(BlueprintKind::kKitfile), built->id);
  EXPECT_EQ(Rebuild(BlueprintKind::kModelfile), built->id);
}

TEST_F(UnpackTest, TheNumberOfThreadsChangesNothing) {
  const Digest id = BuildAll();
  for (const unsigned threads : {0U, 1U, 7U}) {
    UnpackOptions options;
    options.threads = threads;
    options.existing = Existing::kOverwrite;
    ASSERT_TRUE(bench_.Unpack(id, options));
    EXPECT_EQ(bench_.List(), kAll);
  }
}

TEST_F(UnpackTest, AnExistingFileIsAConflictAndNothingIsWritten) {
  const Digest id = BuildAll();
  for (const char* name : {"README.md", "Kitfile", "model/deep/er/v.bin"}) {
    bench_.directory().Write(std::string("target/") + name, "");
    const Names before = bench_.List();
    const auto unpacked = bench_.Unpack(id);
    ASSERT_FALSE(unpacked);
    EXPECT_EQ(unpacked.error().kind, ErrorKind::kConflict);
    EXPECT_EQ(unpacked.error().message, "'" + std::string(name) + "' is there already");
    EXPECT_EQ(bench_.List(), before);
    fs::remove(bench_.Target(name));
  }
}

TEST_F(UnpackTest, OverwriteReplacesAndIgnoreKeeps) {
  const Digest id = BuildAll();
  bench_.directory().Write("target/tok.json", "old");
  UnpackOptions options;
  options.existing = Existing::kIgnore;
  const auto ignored = bench_.Unpack(id, options);
  ASSERT_TRUE(ignored);
  EXPECT_EQ(ignored->files, 5U);
  EXPECT_EQ(bench_.ReadTarget("tok.json"), "old");
  EXPECT_EQ(bench_.List(), kAll);

  // What is open or linked elsewhere keeps its content: the name alone changes.
  fs::create_hard_link(bench_.Target("tok.json"), bench_.path() + "/other");
  options.existing = Existing::kOverwrite;
  ASSERT_TRUE(bench_.Unpack(id, options));
  EXPECT_EQ(bench_.ReadTarget("tok.json"), "{}");
  EXPECT_EQ(bench_.directory().Read("other"), "old");
  EXPECT_EQ(bench_.List(), kAll);
}

TEST_F(UnpackTest, ADirectoryInTheWayIsAConflictWhateverTheOptions) {
  const Digest id = BuildAll();
  fs::create_directory(bench_.Target("tok.json"));
  for (const Existing existing : {Existing::kRefuse, Existing::kOverwrite, Existing::kIgnore}) {
    UnpackOptions options;
    options.existing = existing;
    const auto unpacked = bench_.Unpack(id, options);
    ASSERT_FALSE(unpacked);
    EXPECT_EQ(unpacked.error().kind, ErrorKind::kConflict);
    EXPECT_EQ(bench_.List(), Names{"tok.json/"});
  }
}

TEST_F(UnpackTest, WhatIsStoppedIsTakenBackUnlessItMayHaveReplacedSomething) {
  const Digest id = BuildAll();
  bench_.directory().Write("target/mine", "kept");
  UnpackOptions options;
  options.threads = 1;
  // Stops once the first file is there.
  bool was_there = false;
  bench_.progress().on_begin = [&] {
    for (const auto& entry : fs::recursive_directory_iterator(bench_.Target("")))
      was_there = was_there || (entry.is_regular_file() && entry.path().filename() == "w.bin");
    bench_.progress().stop = was_there;
  };
  for (const Existing existing : {Existing::kRefuse, Existing::kOverwrite}) {
    options.existing = existing;
    was_there = false;
    bench_.progress().stop = false;
    const auto unpacked = bench_.Unpack(id, options);
    ASSERT_FALSE(unpacked);
    EXPECT_EQ(unpacked.error().kind, ErrorKind::kInterrupted);
    EXPECT_TRUE(was_there);
    EXPECT_EQ(fs::exists(bench_.Target("model/w.bin")), existing == Existing::kOverwrite);
    EXPECT_EQ(bench_.ReadTarget("mine"), "kept");
  }
}

TEST_F(UnpackTest, FiltersChooseLayers) {
  const Digest id = BuildAll();
  UnpackOptions options;
  options.filters = {*Filter::Parse("model:tok"), *Filter::Parse("docs")};
  ASSERT_TRUE(bench_.Unpack(id, options));
  EXPECT_EQ(bench_.List(), (Names{"README.md", "tok.json"}));

  options.filters = {*Filter::Parse("kitfile")};
  const auto kitfile = bench_.Unpack(id, options);
  ASSERT_TRUE(kitfile);
  EXPECT_EQ(kitfile->files, 1U);
  EXPECT_EQ(bench_.List(), (Names{"Kitfile", "README.md", "tok.json"}));

  options.filters = {*Filter::Parse("prompts")};
  EXPECT_EQ(bench_.Unpack(id, options).error().kind, ErrorKind::kInvalid);
}

TEST_F(UnpackTest, ABaseBringsItsModelAndParts) {
  WriteContext();
  BuildOptions options;
  options.tags = {{"base", "v1"}};
  ASSERT_TRUE(bench_.BuildKitfile(kKitfile, options));
  fs::remove_all(bench_.Context("model"));
  fs::remove_all(bench_.Context("src"));
  fs::remove(bench_.Context("tok.json"));
  bench_.Write("README.md", "the child's");
  const auto child = bench_.BuildKitfile(
      "manifestVersion: 1.0.0\nmodel: {path: 'base:v1'}\ndocs: [{path: README.md}]\n");
  ASSERT_TRUE(child) << child.error().message;

  const auto unpacked = bench_.Unpack(child->id);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench_.List(), (Names{"Kitfile", "README.md", "model/", "model/deep/", "model/deep/er/",
                                  "model/deep/er/v.bin", "model/w.bin", "tok.json"}));
  EXPECT_EQ(bench_.ReadTarget("README.md"), "the child's");
  EXPECT_EQ(Rebuild(BlueprintKind::kKitfile), child->id);
}

TEST_F(UnpackTest, ABaseThatNothingIsWantedOfMayBeMissing) {
  const std::string config =
      R"({"manifestVersion":"1.0.0","package":{},"model":{"path":"gone:v1"}})";
  const Digest id = bench_.PutKit(config, {});
  UnpackOptions options;
  options.filters = {*Filter::Parse("kitfile")};
  const auto unpacked = bench_.Unpack(id, options);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench_.List(), (Names{"Kitfile"}));
  options.filters = {*Filter::Parse("kitfile"), *Filter::Parse("model:x")};
  EXPECT_EQ(bench_.Unpack(id, options).error().kind, ErrorKind::kNotFound);
}

TEST_F(UnpackTest, ABasesModelfileStaysBehind) {
  bench_.Write("m.gguf", "weights");
  BuildOptions options;
  options.tags = {{"base", "v1"}};
  ASSERT_TRUE(bench_.BuildModelfile("FROM m.gguf\nSYSTEM base\n", options));
  fs::remove(bench_.Context("m.gguf"));
  const auto child = bench_.BuildModelfile("FROM base:v1\nSYSTEM child\n");
  ASSERT_TRUE(child) << child.error().message;
  const auto unpacked = bench_.Unpack(child->id);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench_.List(), (Names{"Kitfile", "Modelfile", "m.gguf"}));
  EXPECT_NE(bench_.ReadTarget("Modelfile").find("child"), std::string::npos);
  EXPECT_EQ(Rebuild(BlueprintKind::kKitfile), child->id);
  EXPECT_EQ(Rebuild(BlueprintKind::kModelfile), child->id);
}

TEST_F(UnpackTest, StopsWhenAskedToAndCleansUp) {
  const Digest id = BuildAll();
  bench_.progress().on_advance = [&] { bench_.progress().stop = true; };
  const auto unpacked = bench_.Unpack(id);
  ASSERT_FALSE(unpacked);
  EXPECT_EQ(unpacked.error().kind, ErrorKind::kInterrupted);
  EXPECT_FALSE(fs::exists(bench_.Target("model/w.bin")));
  for (const std::string& name : bench_.List())
    EXPECT_EQ(name.find(".plumb-unpack"), std::string::npos) << name;
}

TEST_F(UnpackTest, TakesAwayWhatAKilledOneLeft) {
  for (const char* name : {".plumb-unpack-0", ".plumb-unpack-12345", "model/.plumb-unpack-7"})
    bench_.directory().Write(std::string("target/") + name, "left");
  for (const char* name :
       {".plumb-unpack-", ".plumb-unpack-1a", "plumb-unpack-1", "x/.plumb-unpack-1"})
    bench_.directory().Write(std::string("target/") + name, "a person's");
  fs::create_symlink("tok.json", bench_.Target(".plumb-unpack-3"));
  fs::create_directory(bench_.Target(".plumb-unpack-4"));
  ASSERT_TRUE(bench_.Unpack(BuildAll()));
  for (const char* name : {".plumb-unpack-0", ".plumb-unpack-12345", "model/.plumb-unpack-7"})
    EXPECT_FALSE(fs::exists(bench_.Target(name))) << name;
  for (const char* name :
       {".plumb-unpack-", ".plumb-unpack-1a", "plumb-unpack-1", "x/.plumb-unpack-1"})
    EXPECT_EQ(bench_.ReadTarget(name), "a person's") << name;
  EXPECT_TRUE(fs::is_symlink(bench_.Target(".plumb-unpack-3")));
  EXPECT_TRUE(fs::exists(bench_.Target(".plumb-unpack-4")));
  EXPECT_EQ(bench_.ReadTarget("tok.json"), "{}");
}

TEST_F(UnpackTest, LeavesAlonePassingFilesOfOneThatIsAtWork) {
  bench_.directory().Write("target/.plumb-unpack-0", "at work");
  const auto files = host::MakeFiles();
  const auto target = files->OpenDirectory(bench_.Target(""), host::IfMissing::kFail);
  ASSERT_TRUE(target);
  const auto file = (*target)->Open(".plumb-unpack-0", host::OpenHow::kReadWrite);
  ASSERT_TRUE(file);
  const auto lock = (*file)->Lock(host::LockKind::kExclusive, 0);
  ASSERT_TRUE(lock);
  ASSERT_TRUE(bench_.Unpack(BuildAll()));
  EXPECT_EQ(bench_.ReadTarget(".plumb-unpack-0"), "at work");
}

TEST_F(UnpackTest, FilesLongEnoughToBeJumpedOverAreWhole) {
  // Three of them, with small ones between.
  Names names;
  for (int i = 0; i < 3; ++i) {
    const std::string seed(1, static_cast<char>('a' + i));
    bench_.Write("model/" + seed, std::string((std::size_t{17} << 20) + 5, seed[0]));
    bench_.Write("model/" + seed + ".txt", seed);
  }
  const auto built = bench_.BuildKitfile("manifestVersion: 1.0.0\nmodel: {path: model}\n");
  ASSERT_TRUE(built);
  const auto unpacked = bench_.Unpack(built->id);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench_.ReadTarget("model/b"), std::string((std::size_t{17} << 20) + 5, 'b'));
  EXPECT_EQ(bench_.ReadTarget("model/c.txt"), "c");
  EXPECT_EQ(Rebuild(BlueprintKind::kKitfile), built->id);
}

TEST_F(UnpackTest, AMissingLayerIsCorrupt) {
  const oci::Descriptor layer = {kModelTar, Sha256(AsBytes("absent")), 6};
  const std::string config = R"({"manifestVersion":"","package":{},"model":{"path":"w"}})";
  const oci::Descriptor named = {std::string(oci::kModelKitConfigMediaType), bench_.PutBlob(config),
                                 config.size()};
  const auto unpacked = bench_.Unpack(bench_.PutBlob(oci::WriteManifest(named, {layer})));
  ASSERT_FALSE(unpacked);
  EXPECT_EQ(unpacked.error().kind, ErrorKind::kCorrupt);
  EXPECT_TRUE(bench_.List().empty());
}

TEST_F(UnpackTest, ContentThatIsNotTheConfigsIsCorruptBeforeAnythingIsWritten) {
  BuildOptions options;
  options.compression = archive::Compression::kGzip;
  const auto modelkit = LoadModelKit(bench_.store(), BuildAll(options));
  ASSERT_TRUE(modelkit);
  for (const bool is_plain : {false, true}) {
    ModelKit changed = *modelkit;
    if (is_plain) changed = *LoadModelKit(bench_.store(), BuildAll());
    changed.kitfile.model->layer->diff_id = Sha256({});
    const auto target =
        *bench_.files().OpenDirectory(bench_.path() + "/target", host::IfMissing::kFail);
    const auto unpacked =
        Unpack({bench_.store(), bench_.bases(), *target}, changed, {}, bench_.progress());
    ASSERT_FALSE(unpacked);
    EXPECT_EQ(unpacked.error().kind, ErrorKind::kCorrupt);
    EXPECT_TRUE(bench_.List().empty());
  }
}

// What kit 0.4.0 packs of models/w.bin, and of the directory src/lib: names from above the path.
TEST_F(UnpackTest, ArchivesOfKitBefore05AreReadFromAboveTheirPaths) {
  const std::string config =
      R"({"manifestVersion":"1.0.0","package":{},"model":{"path":"./models/w.bin"},)"
      R"("code":[{"path":"src/lib/"}]})";
  const std::string weights = TarFile("w.bin", "weights") + archive::TarEnd();
  const std::string code = TarFile("lib/a.py", "x = 1") + archive::TarEnd();
  const Digest id = bench_.PutKit(config, {{kModelTar, weights}, {kCodeTar, code}});
  const auto unpacked = bench_.Unpack(id);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench_.List(),
            (Names{"Kitfile", "models/", "models/w.bin", "src/", "src/lib/", "src/lib/a.py"}));
  EXPECT_EQ(bench_.ReadTarget("models/w.bin"), "weights");
}

// Whose config has digests names all from the context, as kit does since.
TEST_F(UnpackTest, ArchivesWithDigestsAreReadFromTheContext) {
  const std::string weights = TarFile("w.bin", "weights") + archive::TarEnd();
  const std::string digest = Sha256(AsBytes(weights)).ToString();
  const std::string config =
      R"({"manifestVersion":"1.0.0","package":{},"model":{"path":"models/w.bin","digest":")" +
      digest + R"(","diffId":")" + digest + R"("}})";
  const auto unpacked = bench_.Unpack(bench_.PutKit(config, {{kModelTar, weights}}));
  ASSERT_FALSE(unpacked);
  EXPECT_EQ(unpacked.error().kind, ErrorKind::kDenied);
}

TEST(TargetNamesTest, AreLimited) {
  Workbench bench;
  const auto target =
      *bench.files().OpenDirectory(bench.path() + "/target", host::IfMissing::kFail);
  TargetNames names(*target, Existing::kRefuse);
  const std::string part(200, 'x');
  Status added = Done{};
  std::size_t bytes = 0;
  for (std::size_t i = 0; added; ++i) {
    // Deep, so that each name is long.
    std::string name = std::to_string(i);
    for (int depth = 0; depth < 18; ++depth)
      name += "/" + part;
    added = names.AddFile(name);
    bytes += 18 * 18 / 2 * part.size();
    ASSERT_LT(bytes, 2 * kTargetNameBytesMax);
  }
  EXPECT_EQ(added.error().kind, ErrorKind::kExhausted);
}

TEST(IsBombTest, SmallOnesAreHarmlessAndLargeOnesAreNot) {
  constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
  EXPECT_FALSE(IsBomb(1, kGiB));
  EXPECT_FALSE(IsBomb(100 * kGiB, 1000 * kGiB));
  EXPECT_FALSE(IsBomb(kGiB, 1032 * kGiB));
  EXPECT_TRUE(IsBomb(kGiB / 1024, 17 * kGiB));
}

}  // namespace
}  // namespace plumb::kit
