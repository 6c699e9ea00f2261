// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/object_id.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace plumb {
namespace {

// Sizes of one block, one chunk, and a tree of them, as BLAKE3's own test vectors have them.
TEST(ObjectId, KnownAnswers) {
  std::string input;
  for (int i = 0; i < 102400; ++i)
    input += static_cast<char>(i % 251);
  const auto of_first = [&](std::size_t size) {
    return Blake3(AsBytes(input).first(size)).ToHex();
  };
  EXPECT_EQ(of_first(0), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
  EXPECT_EQ(of_first(1), "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213");
  EXPECT_EQ(of_first(1024), "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7");
  EXPECT_EQ(of_first(1025), "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444");
  EXPECT_EQ(of_first(102400), "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085");
}

TEST(ObjectId, OfPiecesIsThatOfTheWhole) {
  EXPECT_TRUE(rc::check([](const std::vector<std::string>& pieces) {
    Blake3Hasher hasher;
    std::string whole;
    for (const std::string& piece : pieces) {
      hasher.Add(AsBytes(piece));
      whole += piece;
      RC_ASSERT(hasher.Finish() == Blake3(AsBytes(whole)));
    }
  }));
}

}  // namespace
}  // namespace plumb
