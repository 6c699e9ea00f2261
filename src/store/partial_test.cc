// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "store/partial_internal.h"
#include "store/store.h"
#include "tests/noise.h"
#include "tests/temporary_directory.h"

namespace plumb::store {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t kMiB = std::size_t{1} << 20;

constexpr std::size_t kHeaderSize = 8192;

// A safetensors file of tensors of these sizes, behind a header of kHeaderSize.
std::string Weights(const std::vector<std::size_t>& sizes, unsigned seed) {
  std::string header = "{";
  std::size_t end = 0;
  for (const std::size_t size : sizes) {
    header += (end == 0 ? "\"t" : ",\"t") + std::to_string(end) + R"(":{"dtype":"U8","shape":[)" +
              std::to_string(size) + R"(],"data_offsets":[)" + std::to_string(end) + ",";
    end += size;
    header += std::to_string(end) + "]}";
  }
  header += "}";
  header.resize(kHeaderSize - 8, ' ');
  std::string file;
  AppendU64(file, header.size());
  return file + header + Noise(end, seed);
}

// Either way it is cut every MiB behind its header.
enum class Kind : std::uint8_t { kObjects, kBlocks };

std::string BlobOf(Kind kind, unsigned seed) {
  std::vector<std::size_t> sizes = {18 * kMiB + 777};
  if (kind == Kind::kObjects) {
    sizes.assign(18, kMiB);
    sizes.push_back(777);
  }
  return Weights(sizes, seed);
}

// Where the blob is cut behind so many pieces and the header.
std::size_t At(std::size_t pieces) { return kHeaderSize + pieces * kMiB; }

class PartialTest : public testing::TestWithParam<Kind> {
 protected:
  PartialTest() : store_(Open("store")) {}

  std::unique_ptr<Store> Open(const std::string& name) {
    return *OpenStore(*files_, *clock_, *entropy_, Path(name));
  }
  std::string Path(const std::string& name) const { return temporary_.path() + "/" + name; }
  std::string Record(const std::string& store = "store") const {
    return store + "/partial/" + Sha256(AsBytes(blob_)).ToHex();
  }
  bool HasRecord(const std::string& store = "store") const {
    return fs::exists(Path(Record(store)));
  }
  BlobPlan Plan() const {
    BlobPlan plan = Shape::kOpaque;
    plan.expected = Sha256(AsBytes(blob_));
    plan.expected_size = blob_.size();
    return plan;
  }

  // Writes that much, and lets go of it as who is stopped does.
  void Stop(std::size_t size) {
    const auto session = store_->Begin();
    const auto writer = *session->CreateBlob(Plan());
    ASSERT_TRUE(writer->Write(AsBytes(blob_).first(size)));
  }
  // The same, and killed: what the disk holds while it is at work.
  void Kill(std::size_t size, const std::string& copy) {
    const auto session = store_->Begin();
    const auto writer = *session->CreateBlob(Plan());
    ASSERT_TRUE(writer->Write(AsBytes(blob_).first(size)));
    const std::size_t pieces = size / kMiB;
    for (int tries = 0; tries < 1000 && Lines(Record()) < pieces + 1; ++tries)
      clock_->SleepMs(10);
    ASSERT_GE(Lines(Record()), pieces + 1);
    fs::copy(Path("store"), Path(copy), fs::copy_options::recursive);
  }
  std::size_t Lines(const std::string& file) const {
    std::ifstream in(Path(file));
    std::size_t count = 0;
    for (std::string line; std::getline(in, line);)
      ++count;
    return count;
  }

  // Takes what was kept, writes the rest and commits; `taken_` is how much came of each call.
  Status GoOn(Store& store) {
    const auto session = store.Begin();
    PLUMB_TRY(const auto writer, session->CreateBlob(Plan()));
    std::uint64_t size = 0;
    taken_.clear();
    while (true) {
      PLUMB_TRY(const std::uint64_t one, writer->TakeKept());
      if (one == 0) break;
      taken_.push_back(one);
      size += one;
    }
    PLUMB_RETURN_IF_ERROR(writer->Write(AsBytes(blob_).subspan(size)));
    PLUMB_RETURN_IF_ERROR(writer->Finish());
    return session->Commit();
  }
  Result<std::string> Get(Store& store) {
    return ReadBlob(store, Sha256(AsBytes(blob_)), blob_.size());
  }
  std::uint64_t PackBytes() const {
    std::uint64_t size = 0;
    for (const auto& entry : fs::directory_iterator(Path("store/packs")))
      size += entry.file_size();
    return size;
  }

  const TemporaryDirectory temporary_;
  const std::unique_ptr<host::Files> files_ = host::MakeFiles();
  const std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  const std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  std::unique_ptr<Store> store_;
  std::string blob_ = BlobOf(GetParam(), 1);
  std::vector<std::uint64_t> taken_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, PartialTest, testing::Values(Kind::kObjects, Kind::kBlocks),
                         [](const auto& kind) {
                           return std::string(kind.param == Kind::kObjects ? "Objects" : "Blocks");
                         });

TEST_P(PartialTest, WhatAStoppedSessionHasIsTakenUpToTheByte) {
  Stop(At(2) + kMiB / 2);
  ASSERT_TRUE(HasRecord());
  const std::uint64_t before = PackBytes();
  const Status done = GoOn(*store_);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_THAT(taken_, ElementsAre(kHeaderSize, kMiB, kMiB, kMiB / 2));
  EXPECT_EQ(*Get(*store_), blob_);
  EXPECT_FALSE(HasRecord());
  // Only blocks are, as they must stand before their tree.
  const std::size_t most = GetParam() == Kind::kObjects ? 17 * kMiB : 19 * kMiB;
  EXPECT_LT(PackBytes() - before, most) << "what was kept is not written again";
}

TEST_P(PartialTest, MayBeStoppedAgainAndAgain) {
  for (std::size_t size = kMiB; size < blob_.size(); size += 3 * kMiB) {
    const auto session = store_->Begin();
    const auto writer = *session->CreateBlob(Plan());
    std::uint64_t taken = 0;
    for (std::uint64_t one = 1; one > 0; taken += one)
      one = *writer->TakeKept();
    EXPECT_EQ(taken, size == kMiB ? 0 : size - 3 * kMiB);
    ASSERT_TRUE(writer->Write(AsBytes(blob_).subspan(taken, size - taken)));
  }
  ASSERT_TRUE(GoOn(*store_));
  EXPECT_EQ(*Get(*Open("store")), blob_);
}

TEST_P(PartialTest, StoppedWhileItTakesLosesNothing) {
  Stop(At(2) + kMiB / 2);
  {
    const auto session = store_->Begin();
    const auto writer = *session->CreateBlob(Plan());
    ASSERT_EQ(*writer->TakeKept(), kHeaderSize);
    ASSERT_EQ(*writer->TakeKept(), kMiB);
  }
  ASSERT_TRUE(GoOn(*store_));
  EXPECT_THAT(taken_, ElementsAre(kHeaderSize, kMiB, kMiB, kMiB / 2));
}

TEST_P(PartialTest, AKilledSessionLeavesTornPacksThatAreReadAllTheSame) {
  Kill(13 * kMiB, "killed");
  const auto store = Open("killed");
  ASSERT_TRUE(GoOn(*store));
  ASSERT_GE(taken_.size(), 3U);
  EXPECT_EQ(*Get(*Open("killed")), blob_);
  EXPECT_FALSE(HasRecord("killed"));
}

TEST_P(PartialTest, ACompleteBlobOfASessionThatFailedIsNotFetchedAgain) {
  {
    const auto session = store_->Begin();
    const auto writer = *session->CreateBlob(Plan());
    ASSERT_TRUE(writer->Write(AsBytes(blob_)));
    ASSERT_TRUE(writer->Finish());
  }
  ASSERT_TRUE(GoOn(*store_));
  EXPECT_EQ(taken_.size(), 20U);
  EXPECT_EQ(*Get(*store_), blob_);
}

TEST_P(PartialTest, AfterADamagedPieceTheRestComesAgain) {
  Stop(At(3));
  for (const auto& pack : fs::directory_iterator(Path("store/packs"))) {
    std::fstream file(pack.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(kMiB + kMiB / 2);
    file.put('\0').put('\1').put('\2');
  }
  ASSERT_TRUE(GoOn(*store_));
  EXPECT_THAT(taken_, ElementsAre(kHeaderSize, kMiB));
  EXPECT_EQ(*Get(*Open("store")), blob_);
}

// A power cut may do this to a pack that was not ended: neither fsck nor gc would find the frame.
TEST_P(PartialTest, APieceWithoutItsHeaderIsNotTaken) {
  Stop(At(3));
  // Behind the header, which begins at 4096; a block is not aligned.
  const std::size_t payload_at =
      4096 + kHeaderSize + (GetParam() == Kind::kObjects ? std::size_t{4096} : std::size_t{128});
  for (const auto& pack : fs::directory_iterator(Path("store/packs"))) {
    std::fstream file(pack.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(payload_at + kMiB));
    file << std::string(128, '\0');
  }
  ASSERT_TRUE(GoOn(*store_));
  EXPECT_THAT(taken_, ElementsAre(kHeaderSize, kMiB));
  EXPECT_EQ(*Get(*Open("store")), blob_);
}

// A gc takes the packs of a record that is old, but not of one that was taken up.
TEST_P(PartialTest, AnOldRecordIsAsGoodAsNoneAndAYoungOneIsYoungAgain) {
  const auto now = fs::file_time_type::clock::now();
  Stop(10 * kMiB);
  fs::last_write_time(Path(Record()), now - std::chrono::days(13));
  {
    const auto session = store_->Begin();
    const auto writer = *session->CreateBlob(Plan());
    EXPECT_GT(fs::last_write_time(Path(Record())), now - std::chrono::days(1));
  }
  fs::last_write_time(Path(Record()), now - std::chrono::days(15));
  ASSERT_TRUE(GoOn(*store_));
  EXPECT_THAT(taken_, testing::IsEmpty());
  EXPECT_EQ(*Get(*store_), blob_);
}

TEST_P(PartialTest, AndIsNotedAnewWhereItIsNow) {
  Stop(At(3));
  for (const auto& pack : fs::directory_iterator(Path("store/packs")))
    fs::resize_file(pack.path(), kMiB + kMiB / 2);
  {
    const auto session = store_->Begin();
    const auto writer = *session->CreateBlob(Plan());
    ASSERT_EQ(*writer->TakeKept(), kHeaderSize);
    ASSERT_EQ(*writer->TakeKept(), kMiB);
    ASSERT_EQ(*writer->TakeKept(), 0U);
    ASSERT_TRUE(writer->Write(AsBytes(blob_).subspan(At(1), kMiB)));
  }
  ASSERT_TRUE(GoOn(*store_));
  EXPECT_THAT(taken_, ElementsAre(kHeaderSize, kMiB, kMiB));
}

TEST_P(PartialTest, PiecesOfAnotherBlobAreFoundOutAndForgotten) {
  const std::string wanted = blob_;
  blob_ = BlobOf(GetParam(), 2);
  Stop(9 * kMiB);
  const std::string other = temporary_.Read(Record());
  blob_ = wanted;
  temporary_.Write(Record(), "plumb-partial 1 " + Sha256(AsBytes(blob_)).ToString() +
                                 other.substr(other.find('\n')));
  const Status done = GoOn(*store_);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(done.error().message, HasSubstr("came with other bytes"));
  EXPECT_FALSE(HasRecord());
  EXPECT_LT(PackBytes(), 10 * kMiB) << "what nobody remembers does not stay";
  ASSERT_TRUE(GoOn(*store_));
  EXPECT_TRUE(taken_.empty());
  EXPECT_EQ(*Get(*store_), blob_);
}

TEST_P(PartialTest, OddRecordsAreAsGoodAsNone) {
  Stop(kHeaderSize);
  const std::string good = temporary_.Read(Record());
  const std::string line = good.substr(good.find('\n') + 1);
  const std::string head = good.substr(0, good.find('\n') + 1);
  const std::string twice = line + line;
  for (const std::string& odd :
       {std::string(), std::string("\n"), line, head, head + line.substr(0, line.size() - 1),
        "plumb-partial 2" + good.substr(15), head + "\n" + line, head + "object\n",
        head + "bytes 00 00\n", head + std::string(1000, '\0'),
        "plumb-partial 1 " + Sha256(AsBytes("other")).ToString() + "\n" + line}) {
    temporary_.Write(Record(), odd);
    const auto session = store_->Begin();
    const auto writer = *session->CreateBlob(Plan());
    EXPECT_EQ(*writer->TakeKept(), 0U) << odd;
    ASSERT_TRUE(writer->Write(AsBytes(blob_)));
    EXPECT_TRUE(writer->Finish()) << odd;
  }
  temporary_.Write(Record(), head + twice);
  EXPECT_FALSE(GoOn(*store_));
  EXPECT_THAT(taken_, ElementsAre(kHeaderSize, kHeaderSize));
  ASSERT_TRUE(GoOn(*store_));
  EXPECT_EQ(*Get(*store_), blob_);
}

TEST_P(PartialTest, TwoWhoTakeTheSameBlobDoNotDisturbEachOther) {
  Stop(At(1));
  const auto first = store_->Begin();
  const auto first_writer = *first->CreateBlob(Plan());
  EXPECT_EQ(*first_writer->TakeKept(), kHeaderSize);
  // Of another process, as far as locks know.
  const auto other = Open("store");
  ASSERT_TRUE(GoOn(*other));
  EXPECT_TRUE(taken_.empty());
  EXPECT_EQ(*first_writer->TakeKept(), kMiB);
  ASSERT_TRUE(first_writer->Write(AsBytes(blob_).subspan(At(1))));
  EXPECT_TRUE(first_writer->Finish());
  EXPECT_TRUE(first->Commit());
  EXPECT_EQ(*Get(*store_), blob_);
  EXPECT_FALSE(HasRecord());
}

TEST_P(PartialTest, SmallBlobsAndBlobsThatNobodyExpectsLeaveNoRecord) {
  blob_ = Noise(60'000, 3);
  Stop(blob_.size());
  EXPECT_FALSE(HasRecord());
  blob_ = Noise(8 * kMiB, 4);
  {
    const auto session = store_->Begin();
    const auto writer = *session->CreateBlob(Shape::kOpaque);
    ASSERT_TRUE(writer->Write(AsBytes(blob_)));
  }
  EXPECT_FALSE(HasRecord());
  EXPECT_EQ(PackBytes(), 0U);
}

// The blocks of an object that was not whole count for nothing once it is.
TEST_P(PartialTest, AWholeTensorIsTakenByItsTree) {
  blob_ = Weights({3 * kMiB, 2 * kMiB + 100, 5 * kMiB}, 5);
  Stop(At(7));
  const std::uint64_t before = PackBytes();
  ASSERT_TRUE(GoOn(*store_));
  EXPECT_EQ(taken_, (std::vector<std::uint64_t>{kHeaderSize, kMiB, kMiB, kMiB, kMiB, kMiB, 100,
                                                kMiB, kMiB - 100}));
  EXPECT_LT(PackBytes() - before, 6 * kMiB) << "only the last is written again";
  EXPECT_EQ(*Get(*Open("store")), blob_);
}

TEST(PartialLineTest, SaysWhatItIsMadeOf) {
  ObjectRecord object = {Blake3(AsBytes("x")), {{}, 4096, 10, 20, Encoding::kZstd}};
  const std::string line = WritePartialLine(object);
  const auto run = ParsePartialLine(line.substr(0, line.size() - 1));
  ASSERT_TRUE(run);
  EXPECT_EQ(run->object->place, object.place);
  EXPECT_EQ(run->object->id, object.id);
  BlockPlace block = {{}, 7, {{}, 128, 10, 20, Encoding::kZstd}};
  block.hash.bytes = object.id.bytes;
  const std::string block_line = WritePartialLine(block);
  const auto block_run = ParsePartialLine(block_line.substr(0, block_line.size() - 1));
  ASSERT_TRUE(block_run && block_run->block);
  EXPECT_EQ(block_run->block->place, block.place);
  EXPECT_EQ(block_run->block->hash, block.hash);
  EXPECT_EQ(block_run->block->index, block.index);
  // Byte for byte as docs/format.md says.
  EXPECT_EQ(WritePartialLine(AsBytes("x")), "bytes " + object.id.ToHex().substr(0, 32) + " 78\n");
  EXPECT_EQ(ParsePartialLine("bytes " + object.id.ToHex().substr(0, 32) + " 78")->bytes, "x");
  const std::string id = object.id.ToHex();
  const std::string pack(32, '0');
  for (const std::string& odd :
       {std::string(), std::string("bytes"), "bytes " + id.substr(0, 32) + " 79",
        "bytes " + id.substr(0, 32) + " 7", "object " + id + " " + pack + " 1 1 1 5",
        "object " + id + " " + pack + " 1 2 1 0", "object " + id + " " + pack + " 1 0 0 0",
        "object " + id + " " + pack + " 1 1 4194305 0", "object " + id + " " + pack + " -1 1 1 0",
        "object " + id + " " + pack + " 1 1 1 0 ", "block " + id + " " + pack + " 1 1 1 0",
        "block " + id + " -1 " + pack + " 1 1 1 0", "block " + id + " 0 " + pack + " 1 1 1 4",
        "block " + id + " 0 " + pack + " 1 2 1 0", "block " + id + " 0 " + pack + " 1 1 1048577 1",
        "block " + id + " 1048576 " + pack + " 1 1 1 0",
        "object " + pack + " " + pack + " 1 1 1 0"})
    EXPECT_FALSE(ParsePartialLine(odd)) << odd;
}

}  // namespace
}  // namespace plumb::store
