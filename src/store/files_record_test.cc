// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "store/files_record_internal.h"
#include "store/pack_index_internal.h"
#include "store/upkeep.h"
#include "tests/temporary_directory.h"

namespace plumb::store {
namespace {

const Digest kLayer = Sha256(AsBytes("layer"));
const Digest kOther = Sha256(AsBytes("other"));

TEST(FilesRecordTest, IsReadAsItIsWritten) {
  const std::vector<FileOfLayer> files = {
      {"model/w.bin", kOther}, {"", kLayer}, {std::string(300, 'n'), kLayer}};
  for (const auto& some : {files, std::vector<FileOfLayer>()}) {
    const std::string record = WriteFilesRecord({kLayer, some});
    EXPECT_EQ(ParseFilesOfLayer(record), some);
    EXPECT_EQ(KeyOfFilesRecord(AsBytes(record)), (FilesKey{FilesKind::kLayer, kLayer}));
    EXPECT_EQ(ParseFilesRoot(record), std::nullopt);
  }
  const std::string record = WriteFilesRecord(kLayer, kOther);
  EXPECT_EQ(ParseFilesRoot(record), kOther);
  EXPECT_EQ(KeyOfFilesRecord(AsBytes(record)), (FilesKey{FilesKind::kKit, kLayer}));
  EXPECT_EQ(ParseFilesOfLayer(record), std::nullopt);
}

TEST(FilesRecordTest, WhatBreaksTheFormatIsNone) {
  for (const std::string& record :
       {WriteFilesRecord({kLayer, {{"w", kOther}}}), WriteFilesRecord(kLayer, kOther)}) {
    for (std::size_t size = 0; size < record.size(); ++size) {
      EXPECT_EQ(ParseFilesOfLayer(record.substr(0, size)), std::nullopt) << size;
      EXPECT_EQ(ParseFilesRoot(record.substr(0, size)), std::nullopt) << size;
    }
    EXPECT_EQ(ParseFilesOfLayer(record + "x"), std::nullopt);
    EXPECT_EQ(ParseFilesRoot(record + "x"), std::nullopt);
    EXPECT_EQ(KeyOfFilesRecord(AsBytes("\x03" + record.substr(1))), std::nullopt);
  }
}

// More files than there are bytes: nothing is allocated for them.
TEST(FilesRecordTest, ACountIsNotBelieved) {
  std::string record = WriteFilesRecord({kLayer, {}});
  record.pop_back();
  AppendVarint(record, std::uint64_t{1} << 62);
  EXPECT_EQ(ParseFilesOfLayer(record + std::string(100, 'x')), std::nullopt);
}

class FilesRecordsTest : public testing::Test {
 protected:
  // A kit of one small layer, the files of both recorded.
  Digest Add(const std::string& tag) {
    const auto session = store_->Begin();
    const Digest layer = (*session->PutBlob(AsBytes("layer " + tag))).digest;
    const Digest manifest = (*session->PutBlob(AsBytes("manifest " + tag))).digest;
    session->AddKit({manifest, {layer}, layer, {{layer, {{"w", manifest}}}}});
    session->MoveRef({{"m", tag}, manifest, ""});
    EXPECT_TRUE(session->Commit());
    return manifest;
  }

  CollectReport Collect(DryRun dry_run) {
    CollectRequest request;
    // Of a manifest that says "manifest X": "layer X".
    request.find_needs = [](Store& store, const Digest& id) -> Result<KitNeeds> {
      PLUMB_TRY(const std::string manifest, ReadBlob(store, id, 100));
      KitNeeds needs;
      needs.blobs = {Sha256(AsBytes("layer " + manifest.substr(9)))};
      return needs;
    };
    request.keep_untagged_ns = 0;
    request.keep_left_ns = 0;
    request.dry_run = dry_run;
    SilentProgress silent;
    auto report = (*OpenUpkeep(*files_, *clock_, *entropy_, path_))->Collect(request, silent);
    EXPECT_TRUE(report) << report.error().message;
    return *report;
  }

  std::size_t CountInPacks() {
    const auto directory = *files_->OpenDirectory(path_ + "/packs", host::IfMissing::kFail);
    const auto packs = MakeFilePackStore(*directory, *entropy_);
    std::size_t count = 0;
    const std::vector<PackName> names = *packs->List();
    for (const PackName& name : names) {
      const auto pack = *packs->Open(name);
      const PackIndex index = *ReadPackIndex(*pack, name);
      for (const PackFrame& frame : index.frames)
        count += frame.type == FrameType::kFiles ? 1U : 0U;
    }
    return count;
  }

  TemporaryDirectory temporary_;
  const std::string path_ = temporary_.path() + "/store";
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  std::unique_ptr<Store> store_ = *OpenStore(*files_, *clock_, *entropy_, path_);
};

// In packs too, for whoever makes the catalog again from them.
TEST_F(FilesRecordsTest, StayAsLongAsTheirKit) {
  std::vector<Digest> kits;
  for (int i = 0; i < 12; ++i)  // so many that their packs are written anew
    kits.push_back(Add("v" + std::to_string(i)));
  {
    const auto session = store_->Begin();
    session->MoveRef({{"m", "v0"}, std::nullopt, ""});
    ASSERT_TRUE(session->Commit());
  }
  EXPECT_EQ(Collect(DryRun::kYes).kits, std::vector<Digest>{kits[0]});
  EXPECT_EQ(CountInPacks(), 24U);
  EXPECT_EQ(Collect(DryRun::kNo).kits, std::vector<Digest>{kits[0]});
  EXPECT_EQ(CountInPacks(), 22U);
  EXPECT_EQ(*store_->FindFilesRoot(kits[0]), std::nullopt);
  EXPECT_EQ(*store_->FindFilesOfLayer(Sha256(AsBytes("layer v0"))), std::nullopt);
  EXPECT_EQ(*store_->FindFilesRoot(kits[1]), Sha256(AsBytes("layer v1")));
  EXPECT_TRUE(*store_->FindFilesOfLayer(Sha256(AsBytes("layer v1"))));
}

}  // namespace
}  // namespace plumb::store
