// SPDX-License-Identifier: MIT OR Apache-2.0
// The files within a blob whose digests are wanted too.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "archive/tar_writer.h"
#include "store/store.h"
#include "tests/temporary_directory.h"

namespace plumb::store {
namespace {

constexpr std::size_t kPiece = std::size_t{4} << 20;

std::string Noise(std::size_t size, std::uint32_t seed) {
  std::minstd_rand random(seed + 1);
  std::string noise(size, '\0');
  for (std::size_t i = 0; i < size; i += 1 + size / 5000)
    noise[i] = static_cast<char>(random());
  return noise;
}

class BlobPipelineTest : public testing::Test {
 protected:
  // Writes in parts of sizes of its own choice, by either of the two ways.
  static void Write(BlobWriter& writer, std::string_view text, std::minstd_rand& random) {
    while (!text.empty()) {
      const std::size_t wanted = std::min<std::size_t>(text.size(), 1 + random() % (kPiece / 3));
      std::size_t size = wanted;
      if (random() % 2 == 0) {
        ASSERT_TRUE(writer.Write(AsBytes(text.substr(0, size))));
      } else {
        const MutableByteSpan space = *writer.Space();
        size = std::min(size, space.size());
        std::ranges::copy(AsBytes(text.substr(0, size)), space.begin());
        ASSERT_TRUE(writer.Filled(size));
      }
      text.remove_prefix(size);
    }
  }

  // Of a blob that is files with something between them, if `gap_size_max` is not 0.
  static void WriteFiles(Session& session, const std::vector<std::size_t>& sizes,
                         std::uint32_t gap_size_max, std::uint32_t seed) {
    std::minstd_rand random(seed + 1);
    const auto writer = *session.CreateBlob(Shape::kOpaque);
    std::string whole;
    std::vector<Digest> files;
    for (const std::size_t size : sizes) {
      const std::string gap = Noise(gap_size_max > 0 ? random() % gap_size_max : 0, seed);
      const std::string file = Noise(size, static_cast<std::uint32_t>(size) + seed);
      Write(*writer, gap, random);
      writer->BeginFile();
      Write(*writer, file, random);
      writer->EndFile();
      files.push_back(Sha256(AsBytes(file)));
      whole += gap + file;
    }
    const auto info = writer->Finish();
    ASSERT_TRUE(info);
    EXPECT_EQ(info->digest, Sha256(AsBytes(whole)));
    EXPECT_EQ(info->size, whole.size());
    EXPECT_EQ(info->files, files);
  }

  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  std::unique_ptr<Store> store_ =
      *OpenStore(*files_, *clock_, *entropy_, temporary_.path() + "/store");
};

TEST_F(BlobPipelineTest, FilesOfEverySizeAtEveryPlaceHaveTheirDigests) {
  const auto session = store_->Begin();
  const std::vector<std::size_t> sizes = {
      0, 1, 63, 64, 65, 100'000, kPiece, kPiece - 1, 2 * kPiece, 0, kPiece + 1, 3, kPiece * 6 + 7};
  for (const std::uint32_t gap_size_max : {0U, 2U, 1U << 20U})
    WriteFiles(*session, sizes, gap_size_max, gap_size_max);
}

TEST_F(BlobPipelineTest, FilesOfAnySizesHaveTheirDigests) {
  const auto session = store_->Begin();
  for (std::uint32_t seed = 0; seed < 12; ++seed) {
    std::minstd_rand random(seed + 100);
    std::vector<std::size_t> sizes(1 + random() % 9);
    for (std::size_t& size : sizes)
      size = random() % (std::size_t{1} << random() % 24);
    WriteFiles(*session, sizes, 1U << random() % 20, seed);
  }
}

TEST_F(BlobPipelineTest, SeveralBlobsAtOnce) {
  const auto session = store_->Begin();
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < 5; ++i)
    threads.emplace_back(
        [&session, i] { WriteFiles(*session, {kPiece * 3 + i, i, kPiece * 2}, 1000, i); });
  for (std::thread& thread : threads)
    thread.join();
}

// There the cuts fall beside the pieces' ends.
TEST_F(BlobPipelineTest, TheFilesOfATar) {
  const auto session = store_->Begin();
  const auto writer = *session->CreateBlob(Shape::kTar);
  std::minstd_rand random(1);
  std::vector<Digest> files;
  for (const std::size_t size : {std::size_t{100}, kPiece + 77, std::size_t{0}, 2 * kPiece + 100,
                                 std::size_t{1} << 20, 3 * kPiece}) {
    const std::string file = Noise(size, 1);
    Write(*writer, *archive::TarHeader({"f", archive::TarEntryType::kFile, 0644, size}), random);
    writer->BeginFile();
    Write(*writer, file, random);
    writer->EndFile();
    files.push_back(Sha256(AsBytes(file)));
    Write(*writer, std::string(archive::TarPadding(size), '\0'), random);
  }
  EXPECT_EQ(writer->Finish()->files, files);
}

// Many of them in a piece.
TEST_F(BlobPipelineTest, SmallFilesHaveTheirDigests) {
  const auto session = store_->Begin();
  for (const std::size_t count : {std::size_t{1}, std::size_t{40}, std::size_t{3000}}) {
    std::vector<std::size_t> sizes(count);
    for (std::size_t i = 0; i < count; ++i)
      sizes[i] = i * 7 % 6000;
    for (const std::uint32_t gap_size_max : {0U, 600U})
      WriteFiles(*session, sizes, gap_size_max, 1);
  }
}

TEST_F(BlobPipelineTest, AWriterThatIsDroppedAmidAFileLeavesNothing) {
  const auto session = store_->Begin();
  std::minstd_rand random(1);
  for (const std::size_t size : {std::size_t{5}, 3 * kPiece + 5}) {
    const auto writer = *session->CreateBlob(Shape::kOpaque);
    writer->BeginFile();
    Write(*writer, Noise(size, 1), random);
  }
  EXPECT_TRUE(session->Commit());
  EXPECT_FALSE(*store_->FindBlob(Sha256(AsBytes(Noise(5, 1)))));
}

}  // namespace
}  // namespace plumb::store
