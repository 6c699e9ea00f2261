// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/bytes.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <limits>

namespace plumb {
namespace {

using namespace std::string_view_literals;

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
  const struct {
    std::uint64_t value;
    std::string_view text;
  } spellings[] = {{0, "\0"sv},
                   {127, "\x7f"},
                   {128, "\x80\x01"},
                   {300, "\xac\x02"},
                   {kMax, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}};
  for (const auto& spelling : spellings) {
    std::string text;
    AppendVarint(text, spelling.value);
    EXPECT_EQ(text, spelling.text);
  }
  for (const std::string_view bad :
       {"\x80\x00"sv, "\xff\x80\x00"sv, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x80\x00"sv, "\x80"sv,
        ""sv, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv,
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv}) {
    ByteReader reader(AsBytes(bad));
    EXPECT_EQ(reader.Varint(), std::nullopt);
    EXPECT_EQ(reader.U8(), std::nullopt);
    EXPECT_FALSE(reader.AtEnd());
  }
  EXPECT_TRUE(rc::check([](std::uint64_t value) {
    value >>= *rc::gen::inRange(0, 64);
    std::string text;
    AppendVarint(text, value);
    text += "x";
    ByteReader reader(AsBytes(text));
    RC_ASSERT(reader.Varint() == value);
    RC_ASSERT(AsText(reader.rest()) == "x");
  }));
}

TEST(Bytes, AReadPastTheEndFailsAllLaterReads) {
  ByteReader whole(AsBytes("abc"));
  EXPECT_EQ(AsText(*whole.Bytes(3)), "abc");
  EXPECT_TRUE(whole.Bytes(0)->empty());
  EXPECT_TRUE(whole.AtEnd());
  ByteReader reader(AsBytes("abc"));
  EXPECT_EQ(reader.Bytes(kMax), std::nullopt);
  EXPECT_EQ(reader.U8(), std::nullopt);
  EXPECT_FALSE(reader.AtEnd());
}

}  // namespace
}  // namespace plumb
