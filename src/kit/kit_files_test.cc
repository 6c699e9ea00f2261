// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/kit_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kit/file_list.h"
#include "tests/workbench.h"

namespace plumb::kit {
namespace {

namespace fs = std::filesystem;

constexpr char kKitfile[] =
    "manifestVersion: 1.0.0\n"
    "model:\n  path: model\n  parts:\n    - {path: tok.json, type: tokenizer}\n"
    "code:\n  - path: .\n";

void WriteContext(const Workbench& bench) {
  bench.Write("model/w.safetensors", std::string(9'000'000, 'w'));
  bench.Write("model/deep/er/v.bin", "v");
  bench.Write("model/empty.bin", "");
  bench.Write("about-model.md", "# Card\n");
  bench.Write("tok.json", "{}");
  bench.Write("src/run.sh", "echo");
  bench.Write("src-a.py", "a = 1\n");
  fs::create_directory(bench.Context("nothing"));
}

// The root of what really lies there, found without any of the code that is tested but the list.
Digest RootOnDisk(Workbench& bench, const Digest& id) {
  fs::remove_all(bench.Target(""));
  fs::create_directory(bench.Target(""));
  const auto unpacked = bench.Unpack(id);
  EXPECT_TRUE(unpacked) << unpacked.error().message;
  std::vector<ListedFile> files;
  for (const std::string& name : bench.List())
    if (!name.ends_with('/')) files.push_back({name, Sha256(AsBytes(bench.ReadTarget(name)))});
  EXPECT_EQ(files.size(), unpacked->files);
  return FileList::Make(std::move(files))->Root();
}

// That a build says so, and the store, and that it is so.
void ExpectRoot(Workbench& bench, const Result<BuildReport>& built) {
  ASSERT_TRUE(built) << built.error().message;
  ASSERT_TRUE(built->files_root);
  EXPECT_EQ(*built->files_root, RootOnDisk(bench, built->id));
  EXPECT_EQ(*bench.store().FindFilesRoot(built->id), built->files_root);
}

std::optional<Digest> Found(Workbench& bench, const Digest& id) {
  const auto found = FindFilesRoot(bench.store(), *LoadModelKit(bench.store(), id));
  EXPECT_TRUE(found) << found.error().message;
  return *found;
}

bool HasBegun(Workbench& bench, std::string_view name) {
  return std::ranges::any_of(bench.progress().begun,
                             [&](const std::string& begun) { return begun.starts_with(name); });
}

TEST(KitFilesTest, EveryBuildRecordsTheRootOfWhatIsUnpacked) {
  std::vector<BuildOptions> all(7);
  all[1].compression = archive::Compression::kGzip;
  all[2].compression = archive::Compression::kZstd;
  all[3].layer_format = LayerFormat::kRaw;
  all[4].rules = blueprint::KitRules::kKit17;
  all[5].format = oci::KitFormat::kModelPack;
  all[6].format = oci::KitFormat::kModelPack;
  all[6].layer_format = LayerFormat::kRaw;
  std::vector<Digest> roots;
  for (const BuildOptions& options : all) {
    Workbench bench;
    WriteContext(bench);
    const auto built = bench.BuildKitfile(kKitfile, options);
    ExpectRoot(bench, built);
    roots.push_back(*built->files_root);
  }
  // Whatever the layers are, the files are the same.
  EXPECT_EQ(roots, std::vector<Digest>(all.size(), roots[0]));
}

TEST(KitFilesTest, WhatAModelfileGeneratesIsListed) {
  Workbench bench;
  bench.Write("w.gguf", "GGUF weights");
  ExpectRoot(bench, bench.BuildModelfile("FROM ./w.gguf\nLICENSE MIT\nSYSTEM Be brief.\n"));
}

TEST(KitFilesTest, OfWhatDidNotChangeNothingIsRead) {
  Workbench bench;
  WriteContext(bench);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // or it would count as racy
  const auto first = bench.BuildKitfile(kKitfile);
  bench.progress().begun.clear();
  bench.Write("src/run.sh", "echo 2");
  const auto second = bench.BuildKitfile(kKitfile);
  EXPECT_EQ(bench.progress().begun, std::vector<std::string>{"code layer ."});
  EXPECT_NE(second->files_root, first->files_root);
  ExpectRoot(bench, second);
}

// A store of before files were recorded.
TEST(KitFilesTest, TheNextBuildRecordsWhatIsMissing) {
  Workbench bench;
  WriteContext(bench);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  BuildOptions unlisted;
  unlisted.list_files = ListFiles::kNo;
  const auto before = bench.BuildKitfile(kKitfile, unlisted);
  ASSERT_TRUE(before);
  EXPECT_EQ(before->files_root, std::nullopt);
  EXPECT_EQ(Found(bench, before->id), std::nullopt);
  const auto after = bench.BuildKitfile(kKitfile);
  EXPECT_EQ(after->id, before->id);
  ExpectRoot(bench, after);
  bench.progress().begun.clear();
  EXPECT_EQ(bench.BuildKitfile(kKitfile)->files_root, after->files_root);
  EXPECT_TRUE(bench.progress().begun.empty());
}

TEST(KitFilesTest, TheFilesOfBasesAreListedAndReadAtMostOnce) {
  for (const ListFiles listed : {ListFiles::kYes, ListFiles::kNo}) {
    for (const auto compression : {archive::Compression::kNone, archive::Compression::kGzip}) {
      Workbench bench;
      WriteContext(bench);
      BuildOptions options;
      options.list_files = listed;
      options.compression = compression;
      options.tags = {{"base", "v1"}};
      ASSERT_TRUE(bench.BuildKitfile(kKitfile, options));
      fs::remove_all(bench.Context(""));
      bench.Write("lora.bin", "adapter");
      const std::string upon =
          "manifestVersion: 1.0.0\nmodel:\n  path: base:v1\n  parts: [{path: lora.bin}]\n";
      const auto built = bench.BuildKitfile(upon);
      ExpectRoot(bench, built);
      EXPECT_EQ(HasBegun(bench, "files of"), listed == ListFiles::kNo);
      bench.progress().begun.clear();
      bench.Write("lora.bin", "another");
      const auto next = bench.BuildKitfile(upon);
      EXPECT_FALSE(HasBegun(bench, "files of"));
      EXPECT_NE(next->files_root, built->files_root);
      ExpectRoot(bench, next);
    }
  }
}

TEST(KitFilesTest, OfABaseWithoutItsLayersThereIsNoRoot) {
  Workbench author;
  WriteContext(author);
  BuildOptions options;
  const auto base = author.BuildKitfile(kKitfile);
  options.layer_format = LayerFormat::kRaw;
  const auto raw_base = author.BuildKitfile(kKitfile, options);
  Workbench bench;
  bench.Write("lora.bin", "adapter");
  const auto build_on = [&](const Digest& id) {
    const ModelKit kit = *LoadModelKit(author.store(), id);
    bench.PutBlob(kit.config_bytes);
    bench.PutBlob(kit.manifest_bytes);
    return bench.BuildKitfile("manifestVersion: 1.0.0\nmodel:\n  path: base@" + id.ToString() +
                              "\n  parts: [{path: lora.bin}]\n");
  };
  const auto built = build_on(base->id);
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_EQ(built->files_root, std::nullopt);
  EXPECT_EQ(Found(bench, built->id), std::nullopt);
  EXPECT_TRUE(bench.progress().warnings.empty());
  // Its digests are those of its files.
  const auto upon_raw = build_on(raw_base->id);
  EXPECT_TRUE(upon_raw->files_root);
}

TEST(KitFilesTest, WithoutARecordItFollowsFromWhatIsKnownOfLayers) {
  Workbench bench;
  WriteContext(bench);
  const auto listed = bench.BuildKitfile(kKitfile);
  BuildOptions raw;
  raw.layer_format = LayerFormat::kRaw;
  raw.list_files = ListFiles::kNo;
  const auto of_raw_layers = bench.BuildKitfile(kKitfile, raw);
  EXPECT_EQ(*bench.store().FindFilesRoot(of_raw_layers->id), std::nullopt);
  EXPECT_EQ(Found(bench, of_raw_layers->id), listed->files_root);
}

TEST(KitFilesTest, WhatUnpackRefusesHasNoRoot) {
  Workbench bench;
  const std::string tar = TarFile("w", "1") + TarFile("w", "2") + std::string(1024, '\0');
  const Digest id = bench.PutKit(R"({"manifestVersion":"1.0.0","package":{},"model":{"path":"w"}})",
                                 {{kModelTar, tar}});
  {
    const auto session = bench.store().Begin();
    const Digest layer = Sha256(AsBytes(tar));
    session->AddKit({id, {}, {}, {{layer, {{"w", layer}, {"w", id}}}}});
    ASSERT_TRUE(session->Commit());
  }
  EXPECT_FALSE(bench.Unpack(id));
  EXPECT_EQ(Found(bench, id), std::nullopt);
}

}  // namespace
}  // namespace plumb::kit
