// SPDX-License-Identifier: MIT OR Apache-2.0
#include "store/adopter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "archive/tar_writer.h"
#include "store/store.h"
#include "store/upkeep.h"
#include "tests/temporary_directory.h"

namespace plumb::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr unsigned kThreads = 3;
constexpr std::uint64_t kSize = (std::uint64_t{9} << 20) + 5000;

class StoppedProgress final : public Progress {
 public:
  std::unique_ptr<ProgressTask> Begin(std::string_view name, std::uint64_t expected) override {
    return silent_.Begin(name, expected);
  }
  void Warn(std::string_view /*text*/) override {}
  void Note(std::string_view /*text*/) override {}
  bool StopRequested() const override { return true; }

 private:
  SilentProgress silent_;
};

// By hard links, which every file system of a test has. Reflinks: tests/interop/file_systems.py.
class AdopterTest : public testing::Test {
 protected:
  AdopterTest() {
    for (std::uint64_t i = 0; content_.size() < kSize; ++i)
      content_ += std::to_string(i * 0x9e3779b97f4a7c15U);
    content_.resize(kSize);
    temporary_.Write("model.gguf", content_);
    store_ = *OpenStore(*files_, *clock_, *entropy_, temporary_.path() + "/store");
    adopter_ = *OpenAdopter(*files_, *links_, *entropy_, temporary_.path() + "/store", kThreads);
  }

  Result<std::uint64_t> Adopt(const std::string& name) {
    return adopter_->Adopt(temporary_.path() + "/" + name, AdoptHow::kHardLink, progress_);
  }

  // A layer with the file in it, which is the only one of a kit without a manifest of its own.
  Digest Put() {
    const auto session = store_->Begin();
    const auto writer = *session->CreateBlob(Shape::kTar);
    const std::string tar =
        *archive::TarHeader({"model.gguf", archive::TarEntryType::kFile, 0644, content_.size()}) +
        content_ + std::string(archive::TarPadding(content_.size()), '\0') + archive::TarEnd();
    EXPECT_TRUE(writer->Write(AsBytes(tar)));
    const BlobInfo info = *writer->Finish();
    session->AddKit({info.digest, {}});
    session->MoveRef({{"m", "v1"}, info.digest, ""});
    EXPECT_TRUE(session->Commit());
    return info.digest;
  }

  std::unique_ptr<Upkeep> OpenKeeper() {
    return *OpenUpkeep(*files_, *clock_, *entropy_, temporary_.path() + "/store");
  }

  CollectReport Collect() {
    CollectRequest request;
    request.find_needs = NeedsNothing;
    request.keep_untagged_ns = 0;
    return *OpenKeeper()->Collect(request, progress_);
  }

  CheckReport Check(Depth depth) {
    CheckRequest request;
    request.find_needs = NeedsNothing;
    request.depth = depth;
    return *OpenKeeper()->Check(request, progress_);
  }

  void RemoveKit(const Digest& kit) {
    const auto session = store_->Begin();
    session->MoveRef({{"m", "v1"}, std::nullopt, ""});
    session->RemoveKit(kit);
    ASSERT_TRUE(session->Commit());
  }

  std::uint64_t Links() const {
    return std::filesystem::hard_link_count(temporary_.path() + "/model.gguf");
  }

  void ChangeInPlace() {
    std::string changed = content_;
    changed[kSize / 2] = 'x';
    temporary_.Write("model.gguf", changed);
  }

  static Result<KitNeeds> NeedsNothing(Store& /*store*/, const Digest& /*manifest*/) {
    return KitNeeds{};
  }

  std::uint64_t SizeOfPacks() const {
    std::uint64_t size = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(temporary_.path() + "/store/packs"))
      if (entry.path().extension() == ".pack") size += entry.file_size();
    return size;
  }

  std::string content_;
  TemporaryDirectory temporary_;
  SilentProgress progress_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Links> links_ = host::MakeLinks();
  std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  std::unique_ptr<Store> store_;
  std::unique_ptr<Adopter> adopter_;
};

TEST_F(AdopterTest, WhatIsAdoptedIsNotWritten) {
  const auto adopted = Adopt("model.gguf");
  ASSERT_TRUE(adopted) << adopted.error().message;
  EXPECT_EQ(*adopted, kSize);
  const Digest layer = Put();
  EXPECT_LT(SizeOfPacks(), 64U << 10);
  const auto blob = ReadBlob(*store_, layer, kSize + 4096);
  ASSERT_TRUE(blob) << blob.error().message;
  EXPECT_EQ(Sha256(AsBytes(*blob)), layer);
}

// More threads than there are pieces, and none, which is one.
TEST_F(AdopterTest, HoweverManyThreads) {
  for (const unsigned threads : {0U, 1U, 2U, 16U}) {
    const std::string path = temporary_.path() + "/store" + std::to_string(threads);
    store_ = *OpenStore(*files_, *clock_, *entropy_, path);
    adopter_ = *OpenAdopter(*files_, *links_, *entropy_, path, threads);
    EXPECT_EQ(*Adopt("model.gguf"), kSize);
    const Digest layer = Put();
    EXPECT_EQ(Sha256(AsBytes(*ReadBlob(*store_, layer, kSize + 4096))), layer);
    std::uint64_t written = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path + "/packs"))
      if (entry.path().extension() == ".pack") written += entry.file_size();
    EXPECT_LT(written, 64U << 10);
  }
}

TEST_F(AdopterTest, AStopIsObeyed) {
  StoppedProgress progress;
  const auto adopted =
      adopter_->Adopt(temporary_.path() + "/model.gguf", AdoptHow::kHardLink, progress);
  ASSERT_FALSE(adopted);
  EXPECT_EQ(adopted.error().kind, ErrorKind::kInterrupted);
  EXPECT_EQ(Links(), 1U);
}

TEST_F(AdopterTest, AChangeIsNoticedAndNeverReturned) {
  ASSERT_TRUE(Adopt("model.gguf"));
  const Digest layer = Put();
  ChangeInPlace();
  const auto blob = ReadBlob(*store_, layer, kSize + 4096);
  ASSERT_FALSE(blob);
  EXPECT_EQ(blob.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(blob.error().message, HasSubstr(layer.ToString()));
}

TEST_F(AdopterTest, AFileThatIsTakenAwayStays) {
  ASSERT_TRUE(Adopt("model.gguf"));
  const Digest layer = Put();
  std::filesystem::remove(temporary_.path() + "/model.gguf");
  EXPECT_TRUE(ReadBlob(*store_, layer, kSize + 4096));
}

TEST_F(AdopterTest, WhatIsKnownIsNotAdopted) {
  Put();
  EXPECT_EQ(*Adopt("model.gguf"), 0U);
  EXPECT_EQ(Links(), 1U);
}

TEST_F(AdopterTest, SmallFilesAndOtherThingsAreNotAdopted) {
  temporary_.Write("small", "small");
  EXPECT_EQ(*Adopt("small"), 0U);
  EXPECT_EQ(Adopt("nowhere").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(Adopt("store").error().kind, ErrorKind::kDenied);
}

TEST_F(AdopterTest, GcTakesAwayWhatNothingNeedsOnceNobodyIsAtWork) {
  ASSERT_TRUE(Adopt("model.gguf"));
  EXPECT_TRUE(Collect().others_at_work);
  EXPECT_EQ(Links(), 2U);
  const Digest layer = Put();
  EXPECT_LT(SizeOfPacks(), 64U << 10);  // the gc in between did not make it in vain
  adopter_.reset();
  EXPECT_EQ(Collect().packs, 0U);
  EXPECT_EQ(Links(), 2U);
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
  RemoveKit(layer);
  EXPECT_EQ(Collect().packs, 1U);
  EXPECT_EQ(Links(), 1U);
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
}

TEST_F(AdopterTest, GcTakesAwayALinkThatNobodyNamed) {
  adopter_.reset();
  const std::string litter = temporary_.path() + "/store/packs/" + std::string(32, 'a') + ".file";
  std::filesystem::create_hard_link(temporary_.path() + "/model.gguf", litter);
  EXPECT_EQ(Collect().packs, 1U);
  EXPECT_EQ(Links(), 1U);
}

TEST_F(AdopterTest, FsckSeesThatAFileWasCutShort) {
  ASSERT_TRUE(Adopt("model.gguf"));
  const Digest layer = Put();
  EXPECT_THAT(Check(Depth::kStructure).damages, IsEmpty());
  std::filesystem::resize_file(temporary_.path() + "/model.gguf", kSize - 1);
  const auto damages = Check(Depth::kStructure).damages;
  ASSERT_EQ(damages.size(), 1U);
  EXPECT_THAT(damages[0].why, HasSubstr("was changed"));
  EXPECT_THAT(damages[0].kits, ElementsAre(layer));
}

TEST_F(AdopterTest, WhatFsckFindsChangedIsStoredAgain) {
  ASSERT_TRUE(Adopt("model.gguf"));
  const Digest layer = Put();
  ChangeInPlace();
  EXPECT_THAT(Check(Depth::kStructure).damages, IsEmpty());
  const auto damages = Check(Depth::kContent).damages;
  ASSERT_EQ(damages.size(), 1U);
  EXPECT_THAT(damages[0].why, HasSubstr("(import --link) was changed"));
  EXPECT_THAT(damages[0].blobs, ElementsAre(layer));
  EXPECT_EQ(Put(), layer);
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
  EXPECT_EQ(Sha256(AsBytes(*ReadBlob(*store_, layer, kSize + 4096))), layer);
}

TEST_F(AdopterTest, WhatIsDamagedIsAdoptedFromElsewhere) {
  ASSERT_TRUE(Adopt("model.gguf"));
  Put();
  ChangeInPlace();
  ASSERT_EQ(Check(Depth::kContent).damages.size(), 1U);
  temporary_.Write("again.gguf", content_);
  EXPECT_GT(*Adopt("again.gguf"), 0U);
  Put();
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
}

TEST_F(AdopterTest, WhoReadsWhatWasChangedIsToldWhatHappened) {
  ASSERT_TRUE(Adopt("model.gguf"));
  const Digest layer = Put();
  ChangeInPlace();
  const auto read = ReadBlob(*store_, layer, kSize + 4096);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("(import --link) was changed"));
  EXPECT_THAT(read.error().hint, HasSubstr("import it again"));
}

TEST_F(AdopterTest, WhatSomebodyElseHasAsWellIsNotFreed) {
  for (const bool is_shared : {true, false}) {
    temporary_.Write("model.gguf", content_);
    adopter_ = *OpenAdopter(*files_, *links_, *entropy_, temporary_.path() + "/store", kThreads);
    ASSERT_GT(*Adopt("model.gguf"), 0U);
    adopter_.reset();
    if (!is_shared) std::filesystem::remove(temporary_.path() + "/model.gguf");
    CollectRequest request;
    request.find_needs = NeedsNothing;
    request.dry_run = DryRun::kYes;
    const CollectReport foreseen = *OpenKeeper()->Collect(request, progress_);
    EXPECT_EQ(foreseen.packs, 1U);
    const CollectReport report = Collect();
    EXPECT_EQ(report.packs, 1U);
    for (const CollectReport& said : {foreseen, report}) {
      EXPECT_EQ(said.bytes_shared, is_shared ? kSize : 0U);
      EXPECT_EQ(said.bytes_freed, is_shared ? 0U : kSize);
    }
  }
}

TEST_F(AdopterTest, MeasuredAsWhatOthersMayHaveToo) {
  ASSERT_TRUE(Adopt("model.gguf"));
  Put();
  MeasureRequest request;
  request.find_needs = NeedsNothing;
  const MeasureReport report = *OpenKeeper()->Measure(request, progress_);
  EXPECT_EQ(report.adopted, kSize);
  EXPECT_GE(report.on_disk, kSize);
  EXPECT_LT(report.unneeded, 4096U);
}

}  // namespace
}  // namespace plumb::store
