// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include "blueprint/source_internal.h"

namespace plumb::blueprint {
namespace {

int CountPrintable(char32_t plane) {
  int count = 0;
  for (char32_t c = plane << 16; c < (plane + 1) << 16; ++c)
    count += IsPrintable(c) ? 1 : 0;
  return count;
}

// The numbers that Go 1.26 counts with strconv.IsPrint.
TEST(Printable, IsUnicode15) {
  EXPECT_EQ(CountPrintable(0), 55508);
  EXPECT_EQ(CountPrintable(1), 23246);
  EXPECT_EQ(CountPrintable(2), 60873);
  EXPECT_EQ(CountPrintable(3), 9131);
  EXPECT_EQ(CountPrintable(14), 240);
  for (const char32_t plane : {4U, 5U, 6U, 7U, 8U, 9U, 10U, 11U, 12U, 13U, 15U, 16U})
    EXPECT_EQ(CountPrintable(plane), 0);
}

TEST(Printable, KnowsTheTrickyOnes) {
  for (const char32_t yes : {U' ', U'~', U'\u00e9', U'\u3042', U'\ufffd', U'\U0001f600'})
    EXPECT_TRUE(IsPrintable(yes)) << static_cast<unsigned>(yes);
  for (const char32_t no :
       {U'\0', U'\t', U'\x7f', U'\u0085', U'\u00a0', U'\u00ad', U'\u200d', U'\u2028', U'\u202e',
        U'\u3000', U'\ufeff', U'\U000e0001', U'\U0010ffff', static_cast<char32_t>(0x110000)})
    EXPECT_FALSE(IsPrintable(no)) << static_cast<unsigned>(no);
}

}  // namespace
}  // namespace plumb::blueprint
