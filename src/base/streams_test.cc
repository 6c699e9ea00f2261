// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/streams.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

TEST(Streams, ASourceGivesAtMostWhatIsAskedAndThenNothing) {
  MemorySource source(AsBytes("hello"));
  EXPECT_EQ(AsText(*source.Read(3)), "hel");
  EXPECT_EQ(AsText(*source.Read(3)), "lo");
  EXPECT_TRUE(source.Read(3)->empty());
}

TEST(Streams, ReadAllHasALimit) {
  MemorySource whole(AsBytes("hello"));
  EXPECT_EQ(*ReadAll(whole, 5), "hello");
  MemorySource again(AsBytes("hello"));
  const auto cut = ReadAll(again, 4);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().kind, ErrorKind::kExhausted);
}

}  // namespace
}  // namespace plumb
