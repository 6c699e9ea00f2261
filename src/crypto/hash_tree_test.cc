// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/hash_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace plumb {
namespace {

std::vector<std::byte> Noise(std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::uint32_t state = 1;
  for (std::byte& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::byte>(state >> 24U);
  }
  return bytes;
}

std::vector<GroupHash> GroupsOf(ByteSpan bytes) {
  std::vector<GroupHash> groups;
  for (std::size_t at = 0; at < bytes.size(); at += kHashGroupSize)
    groups.push_back(HashGroup(bytes.subspan(at, std::min(kHashGroupSize, bytes.size() - at)),
                               at / kHashGroupSize));
  return groups;
}

// The reference is BLAKE3 itself, at every shape of the tree: whole and broken blocks, chunks and
// groups, and numbers of groups around powers of two.
TEST(HashTree, RootIsBlake3) {
  const std::vector<std::byte> noise = Noise(9 * kHashGroupSize);
  std::vector<std::size_t> sizes;
  for (std::size_t groups = 1; groups < 9; ++groups)
    for (const std::size_t more :
         {std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65}, std::size_t{1023},
          std::size_t{1024}, std::size_t{1025}, std::size_t{2049}, std::size_t{3 * 1024},
          std::size_t{511 * 1024}, std::size_t{512 * 1024 + 7}, kHashGroupSize - 1, kHashGroupSize})
      sizes.push_back(groups * kHashGroupSize + more);
  for (const std::size_t size : sizes) {
    const ByteSpan bytes = ByteSpan(noise).first(size);
    ASSERT_EQ(RootOf(GroupsOf(bytes)), Blake3(bytes)) << size;
  }
}

TEST(HashTree, GroupIsThatOfItsPlace) {
  const std::vector<std::byte> noise = Noise(5000);
  EXPECT_NE(HashGroup(noise, 0), HashGroup(noise, 1));
  // Part of something longer, and the whole: two names.
  EXPECT_NE(HashGroup(noise, 0).bytes, Blake3(noise).bytes);
}

}  // namespace
}  // namespace plumb
