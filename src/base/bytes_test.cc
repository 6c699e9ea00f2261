// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/bytes.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace plumb {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(Bytes, CheckedArithmeticGivesNothingWhereItWouldWrap) {
  EXPECT_EQ(CheckedAdd(1, 2), 3U);
  EXPECT_EQ(CheckedAdd(kMax, 0), kMax);
  EXPECT_EQ(CheckedAdd(kMax, 1), std::nullopt);
  EXPECT_EQ(CheckedMultiply(std::uint64_t{1} << 32, std::uint64_t{1} << 31),
            std::uint64_t{1} << 63);
  EXPECT_EQ(CheckedMultiply(std::uint64_t{1} << 32, std::uint64_t{1} << 32), std::nullopt);
}

TEST(Bytes, FixedIntegersAreLittleEndianAndReadBack) {
  std::string text;
  AppendU16(text, 0x0102);
  AppendU32(text, 0x03040506);
  AppendU64(text, 0x0708090a0b0c0d0eULL);
  EXPECT_EQ(text.substr(0, 2), "\x02\x01");
  ByteReader reader(AsBytes(text));
  EXPECT_EQ(reader.U16(), 0x0102);
  EXPECT_EQ(reader.U32(), 0x03040506U);
  EXPECT_EQ(reader.U64(), 0x0708090a0b0c0d0eULL);
  EXPECT_TRUE(reader.AtEnd());
}

TEST(Bytes, VarintsReadBackInTheirShortestFormOnly) {
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128},
                                    std::uint64_t{300}, kMax - 1, kMax}) {
    std::string text;
    AppendVarint(text, value);
    ByteReader reader(AsBytes(text));
    EXPECT_EQ(reader.Varint(), value);
    EXPECT_TRUE(reader.AtEnd());
  }
  using namespace std::string_view_literals;
  for (const std::string_view bad :
       {"\x80\x00"sv, "\x80"sv, ""sv, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv,
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv}) {
    ByteReader reader(AsBytes(bad));
    EXPECT_EQ(reader.Varint(), std::nullopt);
  }
}

TEST(Bytes, AReadPastTheEndFailsAllLaterReads) {
  ByteReader reader(AsBytes("abc"));
  EXPECT_EQ(reader.Bytes(kMax), std::nullopt);
  EXPECT_EQ(reader.U8(), std::nullopt);
  EXPECT_FALSE(reader.AtEnd());
}

}  // namespace
}  // namespace plumb
