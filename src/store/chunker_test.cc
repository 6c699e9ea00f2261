// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "store/chunker_internal.h"

namespace plumb::store {
namespace {

std::string Noise(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes)
    byte = static_cast<char>(random());
  return bytes;
}

// The chunks of what comes `step` bytes at a time.
std::vector<std::string> Chunks(const std::string& bytes, std::size_t step) {
  Chunker chunker;
  std::vector<std::string> chunks = {""};
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = std::min({step, bytes.size() - at, chunker.Room()});
    const auto [taken, is_cut] = chunker.Take(AsBytes(bytes).subspan(at, size));
    chunks.back() += bytes.substr(at, taken);
    at += taken;
    if (is_cut) chunks.emplace_back();
  }
  return chunks;
}

TEST(ChunkerTest, SizesAreWithinBounds) {
  const auto chunks = Chunks(Noise(std::size_t{24} << 20, 1), 1 << 20);
  EXPECT_GT(chunks.size(), 24U * 2);
  EXPECT_LT(chunks.size(), 24U * 8);
  for (std::size_t i = 0; i + 1 < chunks.size(); ++i) {
    EXPECT_GE(chunks[i].size(), kChunkSizeMin);
    EXPECT_LE(chunks[i].size(), kChunkSizeMax);
  }
}

TEST(ChunkerTest, DoesNotDependOnHowTheBytesCome) {
  const std::string bytes = Noise(std::size_t{3} << 20, 2);
  const auto whole = Chunks(bytes, bytes.size());
  EXPECT_EQ(Chunks(bytes, 1), whole);
  EXPECT_EQ(Chunks(bytes, 4099), whole);
}

TEST(ChunkerTest, FindsItsWayBackBehindAnInsertion) {
  const std::string bytes = Noise(std::size_t{8} << 20, 3);
  std::string changed = bytes;
  changed.insert(100'000, "something new");
  auto before = Chunks(bytes, 1 << 20);
  const auto after = Chunks(changed, 1 << 20);
  std::ranges::sort(before);
  const auto lost = std::ranges::count_if(
      after, [&](const std::string& chunk) { return !std::ranges::binary_search(before, chunk); });
  EXPECT_LE(lost, 4);
}

TEST(ChunkerTest, WhatNeverChangesIsCutAtTheMaximum) {
  const auto chunks = Chunks(std::string(kChunkSizeMax * 2 + 1, 'w'), 1 << 20);
  ASSERT_EQ(chunks.size(), 3U);
  EXPECT_EQ(chunks[0].size(), kChunkSizeMax);
}

}  // namespace
}  // namespace plumb::store
