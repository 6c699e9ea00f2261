// SPDX-License-Identifier: MIT OR Apache-2.0
// Each kernel of each level against the plain one: every length, and every symbol.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "codec/kernels_internal.h"
#include "codec/test_weights_internal.h"

namespace plumb::codec {
namespace {

using Symbols = std::vector<std::uint8_t>;

constexpr Value kValues[] = {Value::kBytes, Value::kBf16,   Value::kF16,   Value::kF32,
                             Value::kF64,   Value::kF8E4M3, Value::kF8E5M2};
constexpr std::uint8_t kUntouched = 0xA5;

std::vector<std::size_t> Lengths() {
  std::vector<std::size_t> lengths;
  for (std::size_t n = 1; n <= 300; ++n)
    lengths.push_back(n);
  for (const std::size_t n : {1023U, 4096U, 16320U, 16383U, 16384U})
    lengths.push_back(n);
  return lengths;
}

// Exponents, or any symbols whatever, or one only.
Symbols MakeSymbols(const std::string& kind, std::size_t n) {
  TestWeights weights(static_cast<std::uint32_t>(n));
  Symbols symbols(n + kSlack, kUntouched);
  for (std::size_t i = 0; i < n; ++i)
    symbols[i] =
        kind == "constant" ? 0x7C
        : kind == "any"
            ? static_cast<std::uint8_t>(weights.Bits())
            : static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(weights.Next()) >> 23U);
  return symbols;
}

class EachLevel : public testing::TestWithParam<Instructions> {
 protected:
  const Kernels& kernels_ = KernelsOf(GetParam());
};

TEST_P(EachLevel, SplitsAndMergesAnyBits) {
  for (const Value value : kValues) {
    for (const std::size_t n : Lengths()) {
      TestWeights random(static_cast<std::uint32_t>(n));
      std::vector<std::byte> values;
      while (values.size() < n * SizeOf(value))
        TestWeights::Append(values, random.Bits());
      values.resize(n * SizeOf(value));
      std::array<Symbols, kFieldPlanesMax> expected;
      std::array<Symbols, kFieldPlanesMax> found;
      std::array<std::uint8_t*, kFieldPlanesMax> to_expected = {};
      std::array<std::uint8_t*, kFieldPlanesMax> to_found = {};
      std::array<const std::uint8_t*, kFieldPlanesMax> from = {};
      for (std::size_t plane = 0; plane < PlanesOf(value); ++plane) {
        expected[plane].resize(n + kSlack);
        found[plane].resize(n + kSlack);
        to_expected[plane] = expected[plane].data();
        to_found[plane] = found[plane].data();
      }
      PlainKernels().split(value, values.data(), n, to_expected.data());
      kernels_.split(value, values.data(), n, to_found.data());
      for (std::size_t plane = 0; plane < PlanesOf(value); ++plane) {
        expected[plane].resize(n);
        found[plane].resize(n);
        found[plane].shrink_to_fit();  // what is read beyond it, a sanitizer sees
        from[plane] = found[plane].data();
        ASSERT_EQ(found[plane], expected[plane]) << static_cast<int>(value) << ' ' << n;
      }
      std::vector<std::byte> merged(values.size() + 1, std::byte{kUntouched});
      kernels_.merge(value, from.data(), n, merged.data());
      EXPECT_EQ(merged.back(), std::byte{kUntouched});
      merged.pop_back();
      ASSERT_EQ(merged, values) << static_cast<int>(value) << ' ' << n;
    }
  }
}

// Symbols that no value splits into: a payload may have them.
TEST_P(EachLevel, MergesAnySymbolsAlike) {
  for (const Value value : kValues) {
    const std::size_t n = 1000;
    Symbols any = MakeSymbols("any", n * kFieldPlanesMax);
    std::array<const std::uint8_t*, kFieldPlanesMax> from = {};
    for (std::size_t plane = 0; plane < kFieldPlanesMax; ++plane)
      from[plane] = any.data() + plane * n;
    std::vector<std::byte> expected(n * SizeOf(value));
    std::vector<std::byte> found(n * SizeOf(value));
    PlainKernels().merge(value, from.data(), n, expected.data());
    kernels_.merge(value, from.data(), n, found.data());
    EXPECT_EQ(found, expected) << static_cast<int>(value);
  }
}

TEST_P(EachLevel, RanksReducesAndExpands) {
  const RankSymbols frequent = {0x79, 0x7A, 0x78, 0x77, 0x76, 0x7B,
                                0x75, 0x74, 0x7B, 0x73, 0x10, 0};
  for (const std::string kind : {"exponents", "any", "constant"}) {
    for (const std::size_t n : Lengths()) {
      const Symbols symbols = MakeSymbols(kind, n);
      Symbols expected(n + kSlack);
      Symbols expected_escapes(n + kSlack);
      Symbols ranks(n + kSlack);
      Symbols escapes(n + kSlack);
      const std::size_t expected_count = PlainKernels().rank(
          symbols.data(), n, frequent, expected.data(), expected_escapes.data());
      const std::size_t count =
          kernels_.rank(symbols.data(), n, frequent, ranks.data(), escapes.data());
      ASSERT_EQ(count, expected_count) << kind << ' ' << n;
      ASSERT_TRUE(std::equal(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(n),
                             expected.begin()));
      ASSERT_TRUE(std::equal(escapes.begin(), escapes.begin() + static_cast<std::ptrdiff_t>(count),
                             expected_escapes.begin()));

      for (const unsigned width : {1U, 2U}) {
        std::vector<std::byte> expected_words(WordsFor(n) * width * kWordSize);
        std::vector<std::byte> words(expected_words.size());
        Symbols expected_next(n + kSlack);
        Symbols next = ranks;  // in place
        const std::size_t expected_more = PlainKernels().reduce(
            expected.data(), n, width, expected_words.data(), expected_next.data());
        const std::size_t more = kernels_.reduce(next.data(), n, width, words.data(), next.data());
        ASSERT_EQ(more, expected_more) << kind << ' ' << n;
        ASSERT_EQ(words, expected_words) << kind << ' ' << n;
        ASSERT_TRUE(std::equal(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(more),
                               expected_next.begin()));
        ASSERT_EQ(kernels_.count(words.data(), n, width), more);

        // Any symbols may be behind the highest codes: ranks will do.
        Symbols expanded(n + kSlack);
        const LevelWords level = {width, frequent.data(), words.data()};
        PlainKernels().expand(level, n, next.data(), expected_next.data());
        kernels_.expand(level, n, next.data(), expanded.data());
        ASSERT_TRUE(std::equal(expanded.begin(), expanded.begin() + static_cast<std::ptrdiff_t>(n),
                               expected_next.begin()));
      }
    }
  }
}

TEST_P(EachLevel, PacksAndUnpacks) {
  for (const std::size_t n : Lengths()) {
    for (unsigned width = 1; width <= 8; ++width) {
      const auto base = static_cast<std::uint8_t>(n);
      Symbols symbols = MakeSymbols("any", n);
      for (std::size_t i = 0; i < n; ++i)
        symbols[i] = static_cast<std::uint8_t>((symbols[i] & 0xFF00U >> width) ^ base);
      std::vector<std::byte> expected(WordsFor(n) * width * kWordSize);
      std::vector<std::byte> words(expected.size());
      PlainKernels().pack(symbols.data(), n, base, width, expected.data());
      kernels_.pack(symbols.data(), n, base, width, words.data());
      ASSERT_EQ(words, expected) << width << ' ' << n;
      Symbols unpacked(n + kSlack);
      kernels_.unpack(words.data(), n, base, width, unpacked.data());
      unpacked.resize(n);
      symbols.resize(n);
      ASSERT_EQ(unpacked, symbols) << width << ' ' << n;
    }
  }
}

struct Stream {
  std::vector<std::byte> bytes;
  RansStates states;
};

Stream Encode(const Kernels& kernels, const RansEncoder& encoder, const Symbols& symbols,
              std::size_t n) {
  std::vector<std::byte> words(n * sizeof(std::uint16_t) + kSlack);
  Stream stream;
  stream.states.fill(kStateMin);
  std::byte* end = words.data() + words.size();
  std::byte* begin = kernels.rans_encode(encoder, symbols.data(), n, stream.states, end);
  stream.bytes.assign(begin, end);
  return stream;
}

std::string Stored(const Frequencies& frequencies, const Stream& stream) {
  std::string stored;
  AppendTable(frequencies, stored);
  for (const std::uint32_t state : stream.states)
    AppendU32(stored, state);
  return stored + std::string(AsText(stream.bytes));
}

TEST_P(EachLevel, CodesToTheEntropy) {
  for (const std::string kind : {"exponents", "any"}) {
    for (const std::size_t n : Lengths()) {
      const Symbols symbols = MakeSymbols(kind, n);
      Counter counter;
      counter.Add(symbols.data(), n);
      const auto frequencies = Normalise(counter.Sum());
      if (!frequencies) continue;  // one symbol only
      RansEncoder encoder;
      Prepare(*frequencies, encoder);
      const Stream expected = Encode(PlainKernels(), encoder, symbols, n);
      const Stream found = Encode(kernels_, encoder, symbols, n);
      ASSERT_EQ(found.bytes, expected.bytes) << kind << ' ' << n;
      ASSERT_EQ(found.states, expected.states) << kind << ' ' << n;

      const std::string stored = Stored(*frequencies, found);
      const auto decoder = std::make_unique<RansDecoder>();
      ASSERT_TRUE(OpenRans(AsBytes(stored), *decoder));
      Symbols decoded(n + kSlack);
      ASSERT_TRUE(kernels_.rans_decode(*decoder, n, decoded.data()));
      ASSERT_TRUE(IsDone(*decoder));
      ASSERT_TRUE(std::equal(decoded.begin(), decoded.begin() + static_cast<std::ptrdiff_t>(n),
                             symbols.begin()));
    }
  }
}

// What is behind the last word is somebody else's, and is not read.
TEST_P(EachLevel, StopsWhereAStreamEndsEarly) {
  const std::size_t n = 1000;
  const Symbols symbols = MakeSymbols("any", n);
  Counter counter;
  counter.Add(symbols.data(), n);
  const Frequencies frequencies = *Normalise(counter.Sum());
  RansEncoder encoder;
  Prepare(frequencies, encoder);
  const Stream stream = Encode(kernels_, encoder, symbols, n);
  const std::string whole = Stored(frequencies, stream);
  const auto decoder = std::make_unique<RansDecoder>();
  for (std::size_t missing = 2; missing <= stream.bytes.size(); missing += 2) {
    const std::string stored = whole.substr(0, whole.size() - missing);
    ASSERT_TRUE(OpenRans(AsBytes(stored), *decoder));
    Symbols decoded(n + kSlack);
    EXPECT_FALSE(kernels_.rans_decode(*decoder, n, decoded.data())) << missing;
    EXPECT_EQ(decoder->next, decoder->end) << missing;
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, EachLevel, testing::ValuesIn(InstructionsHere()),
                         [](const auto& test) { return NameOf(test.param); });

TEST(Rans, FrequenciesAddUp) {
  TestWeights random(1);
  for (int round = 0; round < 300; ++round) {
    Histogram histogram = {};
    const std::size_t occurring = 2 + random.Bits() % 255;
    for (std::size_t i = 0; i < occurring; ++i)
      histogram[random.Bits() % 256] +=
          static_cast<std::uint32_t>(1 + random.Bits() % (1U << round % 20));
    const auto frequencies = Normalise(histogram);
    if (!frequencies) continue;
    std::uint32_t sum = 0;
    for (std::size_t s = 0; s < 256; ++s) {
      EXPECT_EQ((*frequencies)[s] == 0, histogram[s] == 0);
      sum += (*frequencies)[s];
    }
    EXPECT_EQ(sum, kFrequencySum);
  }
  Histogram one = {};
  one[7] = 100'000;
  EXPECT_FALSE(Normalise(one));
  one[8] = 1;
  ASSERT_TRUE(Normalise(one));
  EXPECT_EQ((*Normalise(one))[8], 1);
}

TEST(Rans, EntropyIsThatOfEqualShares) {
  Histogram histogram = {};
  for (std::size_t s = 0; s < 256; s += 2)
    histogram[s] = 100;
  EXPECT_NEAR(static_cast<double>(EntropyBits256(histogram)) / 256, 12800 * 7, 12800 * 7 * 0.001);
  EXPECT_EQ(EntropyBits256({}), 0U);
}

}  // namespace
}  // namespace plumb::codec
