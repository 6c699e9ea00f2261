// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "archive/tar_writer.h"
#include "store/cutter_internal.h"
#include "store/recipe_internal.h"

namespace plumb::store {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// The sizes of the pieces into which a blob is cut if its bytes come `step` at a time.
std::vector<std::uint64_t> Cut(const std::string& blob, Shape shape, std::size_t step) {
  Cutter cutter(shape);
  std::vector<std::uint64_t> pieces;
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < blob.size();) {
    const auto part = static_cast<std::size_t>(
        std::min<std::uint64_t>({step, blob.size() - i, cutter.Stretch(), kPieceSizeMax - size}));
    const bool is_cut = cutter.Take(AsBytes(blob).subspan(i, part));
    i += part;
    size += part;
    if (is_cut || size == kPieceSizeMax) pieces.push_back(std::exchange(size, 0));
  }
  if (size > 0) pieces.push_back(size);
  return pieces;
}

std::string Entry(const std::string& name, std::size_t size) {
  return *archive::TarHeader({name, archive::TarEntryType::kFile, 0644, size}) +
         std::string(size, 'w') +
         std::string(static_cast<std::size_t>(archive::TarPadding(size)), '\0');
}

TEST(CutterTest, CutsTheContentOfALargeFileFromItsStart) {
  const std::string tar = Entry("w.bin", 9 * kMiB) + archive::TarEnd();
  EXPECT_EQ(Cut(tar, Shape::kTar, 1 << 20),
            (std::vector<std::uint64_t>{512, 4 * kMiB, 4 * kMiB, kMiB, 1024}));
}

TEST(CutterTest, DoesNotDependOnHowTheBytesCome) {
  const std::string tar = Entry("small", 700) + Entry("w.bin", 5 * kMiB + 12345) +
                          Entry("other", 100) + Entry("v.bin", 2 * kMiB) + archive::TarEnd();
  const auto whole = Cut(tar, Shape::kTar, tar.size());
  EXPECT_EQ(Cut(tar, Shape::kTar, 1000), whole);
  EXPECT_EQ(Cut(tar, Shape::kTar, 7), whole);
  EXPECT_EQ(std::accumulate(whole.begin(), whole.end(), std::uint64_t{0}), tar.size());
}

TEST(CutterTest, EqualFilesFallOnEqualCutsWhateverLiesBefore) {
  const std::string weights = Entry("w.bin", 5 * kMiB);
  const auto alone = Cut(weights + archive::TarEnd(), Shape::kTar, 1 << 16);
  const auto behind = Cut(Entry("notes", 3000) + weights + archive::TarEnd(), Shape::kTar, 1 << 16);
  ASSERT_EQ(alone.size(), behind.size());
  EXPECT_TRUE(std::equal(alone.begin() + 1, alone.end(), behind.begin() + 1));
}

TEST(CutterTest, AShortTailJoinsWhatFollows) {
  const std::string tar = Entry("w.bin", 4 * kMiB + 100) + archive::TarEnd();
  EXPECT_EQ(Cut(tar, Shape::kTar, 1 << 20),
            (std::vector<std::uint64_t>{512, 4 * kMiB, 512 + 1024}));
}

TEST(CutterTest, FollowsASizeThatOnlyAPaxRecordTells) {
  // Over 8 GiB: the octal field is 0. Only the headers and the first pieces are looked at.
  const std::string header =
      *archive::TarHeader({"w.bin", archive::TarEntryType::kFile, 0644, std::uint64_t{9} << 30});
  const std::string tar = header + std::string(8 * kMiB, 'w');
  EXPECT_EQ(Cut(tar, Shape::kTar, 1 << 20),
            (std::vector<std::uint64_t>{header.size(), 4 * kMiB, 4 * kMiB}));
}

TEST(CutterTest, WhatIsNoTarIsCutEveryFourMebibytes) {
  const std::string noise(9 * kMiB, 'n');
  const std::vector<std::uint64_t> expected = {4 * kMiB, 4 * kMiB, kMiB};
  EXPECT_EQ(Cut(noise, Shape::kTar, 1 << 20), expected);
  EXPECT_EQ(Cut(noise, Shape::kOpaque, 1 << 20), expected);
}

}  // namespace
}  // namespace plumb::store
