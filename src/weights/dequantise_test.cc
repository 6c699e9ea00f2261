// SPDX-License-Identifier: MIT OR Apache-2.0
#include "weights/dequantise.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"

namespace plumb::weights {
namespace {

std::optional<Dtype> DtypeNamed(std::string_view name) {
  for (std::uint32_t number = 0; number < 64; ++number) {
    const auto dtype = DtypeOfGguf(number);
    if (dtype && DtypeName(*dtype) == name) return dtype;
  }
  return DtypeOfSafetensors(name);
}

std::string HexOf(float value) {
  if (std::isnan(value)) return "nan";
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (auto bits = std::bit_cast<std::uint32_t>(value); bits != 0 || text.empty(); bits /= 16)
    text.insert(text.begin(), kDigits[bits % 16]);
  return text;
}

std::vector<float> Floats(Dtype dtype, ByteSpan bytes) {
  const DtypeUnit unit = UnitOf(dtype);
  std::vector<float> floats(bytes.size() / unit.bytes * unit.elements);
  EXPECT_TRUE(ToFloats(dtype, bytes, floats));
  return floats;
}

// tests/fixtures/dequantise.py says how they were made.
TEST(DequantiseTest, GivesWhatOthersGive) {
  std::ifstream lines("tests/fixtures/dequantise.txt");
  std::set<std::string> types;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const std::vector<std::string_view> words = Split(line, ' ');
    ASSERT_EQ(words.size(), 3U) << line;
    const auto dtype = DtypeNamed(words[0]);
    ASSERT_TRUE(dtype) << words[0];
    types.emplace(words[0]);
    std::vector<std::byte> bytes(words[1].size() / 2);
    ASSERT_TRUE(DecodeHex(words[1], bytes));
    const std::vector<float> floats = Floats(*dtype, bytes);
    const std::vector<std::string_view> expected = Split(words[2], ',');
    ASSERT_EQ(floats.size(), expected.size()) << line;
    for (std::size_t i = 0; i < floats.size(); ++i)
      EXPECT_EQ(HexOf(floats[i]), expected[i]) << words[0] << " " << words[1] << ": " << i;
  }
  // Each that can be converted was.
  for (int i = 0; i <= static_cast<int>(Dtype::kNvfp4); ++i) {
    const auto dtype = static_cast<Dtype>(i);
    EXPECT_EQ(HasFloats(dtype), types.contains(std::string(DtypeName(dtype)))) << DtypeName(dtype);
  }
}

TEST(DequantiseTest, EveryHalfIsItsValue) {
  for (unsigned bits = 0; bits < 0x10000U; ++bits) {
    const std::byte bytes[] = {static_cast<std::byte>(bits & 0xFFU),
                               static_cast<std::byte>(bits >> 8U)};
    const float value = Floats(Dtype::kF16, bytes).front();
    const int exponent = static_cast<int>(bits >> 10U & 31U);
    const auto fraction = static_cast<double>(bits & 1023U);
    EXPECT_EQ(std::signbit(value), bits >= 0x8000U);
    if (exponent == 31) {
      EXPECT_EQ(std::isnan(value), fraction != 0);
      EXPECT_EQ(std::isinf(value), fraction == 0);
      continue;
    }
    const double digits = exponent == 0 ? fraction : 1024 + fraction;
    EXPECT_EQ(std::fabs(value), std::ldexp(digits, (exponent == 0 ? 1 : exponent) - 25));
  }
}

// Values come from neighbouring blocks only by their own bytes, wherever these lie in memory.
TEST(DequantiseTest, BlocksAreIndependent) {
  std::vector<std::byte> bytes(1 + 3 * 210);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>(i * 37 % 61);
  const ByteSpan three = ByteSpan(bytes).subspan(1);
  const std::vector<float> all = Floats(Dtype::kQ6K, three);
  for (std::size_t i = 0; i < 3; ++i) {
    const std::vector<float> one = Floats(Dtype::kQ6K, three.subspan(i * 210, 210));
    EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + static_cast<long>(i) * 256));
  }
}

TEST(DequantiseTest, RefusesAnotherSize) {
  std::vector<float> out(32);
  const std::vector<std::byte> bytes(19);
  for (const std::size_t size : {0U, 17U, 19U})
    EXPECT_EQ(ToFloats(Dtype::kQ4_0, ByteSpan(bytes).first(size), out).error().kind,
              ErrorKind::kInvalid);
  EXPECT_EQ(
      ToFloats(Dtype::kQ4_0, ByteSpan(bytes).first(18), std::span(out).first(31)).error().kind,
      ErrorKind::kInvalid);
  EXPECT_TRUE(ToFloats(Dtype::kQ4_0, {}, {}));
}

TEST(DequantiseTest, SaysWhatItDoesNotKnow) {
  std::vector<float> out(256);
  const std::vector<std::byte> bytes(66);
  const Status done = ToFloats(Dtype::kIq2Xxs, bytes, out);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(done.error().message, "elements of IQ2_XXS cannot be made floats");
}

}  // namespace
}  // namespace plumb::weights
