// SPDX-License-Identifier: MIT OR Apache-2.0
#include "codec/block_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "codec/kernels_internal.h"
#include "codec/test_weights_internal.h"

namespace plumb::codec {
namespace {

using Block = std::vector<std::byte>;

constexpr Effort kEfforts[] = {Effort::kFast, Effort::kArchive};

// Encodes at each level, which must give the same, and decodes at each, which must give `raw`.
std::optional<Encoded> RoundTrip(const Block& raw, const BlockHint& hint, Effort effort) {
  const auto encoded = EncodeBlockWith(PlainKernels(), raw, hint, effort);
  for (const Instructions instructions : InstructionsHere()) {
    const auto again = EncodeBlockWith(KernelsOf(instructions), raw, hint, effort);
    EXPECT_EQ(again.has_value(), encoded.has_value());
    if (!again || !encoded) continue;
    EXPECT_EQ(again->method, encoded->method);
    EXPECT_TRUE(again->bytes == encoded->bytes);
    Block decoded(raw.size(), std::byte{0x55});
    const Status status =
        DecodeBlockWith(KernelsOf(instructions), encoded->method, encoded->bytes, decoded);
    EXPECT_TRUE(status) << (status ? "" : status.error().message);
    EXPECT_TRUE(decoded == raw);
  }
  return encoded;
}

double Ratio(const std::optional<Encoded>& encoded, const Block& raw) {
  return encoded ? static_cast<double>(encoded->bytes.size()) / static_cast<double>(raw.size()) : 1;
}

TEST(BlockCodec, GivesBackEveryElementAtEverySizeAndPhase) {
  for (const Element element : kElements) {
    const std::size_t unit = LayoutOf(element).unit_size;
    for (const std::size_t size :
         {unit, 2 * unit + 1, 64 * unit, 1000 * unit + unit / 2, std::size_t{50'000}}) {
      for (const std::size_t phase : {std::size_t{0}, std::size_t{1} % unit, unit - 1}) {
        TestWeights weights(static_cast<std::uint32_t>(size + phase));
        const Block raw = weights.Block(element, size, phase);
        const BlockHint hint = {.element = element, .phase = static_cast<std::uint32_t>(phase)};
        for (const Effort effort : kEfforts)
          RoundTrip(raw, hint, effort);
      }
    }
  }
}

TEST(BlockCodec, GivesBackWholeBlocks) {
  for (const Element element : kElements) {
    TestWeights weights(7);
    const Block raw = weights.Block(element, kBlockSizeMax);
    RoundTrip(raw, {.element = element}, Effort::kFast);
    EXPECT_TRUE(RoundTrip(raw, {.element = element}, Effort::kArchive))
        << static_cast<int>(element);
  }
}

TEST(BlockCodec, ShrinksFloatsToWhatTheirExponentsAllow) {
  const struct {
    Element element;
    double fast;
    double archive;
  } cases[] = {{Element::kBf16, 0.68, 0.67},
               {Element::kF16, 0.87, 0.86},
               {Element::kF32, 0.84, 0.84},
               {Element::kF8E4M3, 0.86, 0.86}};
  for (const auto& c : cases) {
    TestWeights weights(1);
    const Block raw = weights.Block(c.element, kBlockSizeMax);
    const auto fast = RoundTrip(raw, {.element = c.element}, Effort::kFast);
    const auto archive = RoundTrip(raw, {.element = c.element}, Effort::kArchive);
    EXPECT_LT(Ratio(fast, raw), c.fast) << static_cast<int>(c.element);
    EXPECT_LT(Ratio(archive, raw), c.archive) << static_cast<int>(c.element);
    ASSERT_TRUE(fast && archive);
    EXPECT_EQ(fast->method, Method::kPlanes);
    EXPECT_EQ(archive->method, Method::kEntropy);
  }
}

// The archive tier counts what its streams take, tables and states and all, before it uses them.
TEST(BlockCodec, ArchiveIsNeverLargerThanFast) {
  for (const Element element : kElements) {
    TestWeights weights(11);
    const Block whole = weights.Block(element, kBlockSizeMax);
    for (std::size_t size = 512; size <= kBlockSizeMax; size += size / 2 + 37) {
      for (const std::size_t zeros : {std::size_t{0}, size / 3, size - size / 16}) {
        Block raw(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        std::fill_n(raw.begin(), zeros, std::byte{0});
        const auto fast = EncodeBlock(raw, {.element = element}, Effort::kFast);
        const auto archive = EncodeBlock(raw, {.element = element}, Effort::kArchive);
        EXPECT_LE(archive ? archive->bytes.size() : size, fast ? fast->bytes.size() : size)
            << static_cast<int>(element) << ' ' << size << ' ' << zeros;
      }
    }
    const auto fast = EncodeBlock(whole, {.element = element}, Effort::kFast);
    const auto archive = EncodeBlock(whole, {.element = element}, Effort::kArchive);
    EXPECT_LE(Ratio(archive, whole), Ratio(fast, whole)) << static_cast<int>(element);
  }
}

// Both tiers' blocks of tensors too small for a table and 64 states.
TEST(BlockCodec, SmallBlocksAreArchivedWithoutEntropyCoding) {
  TestWeights weights(12);
  const Block raw = weights.Block(Element::kBf16, 4096);
  const auto archive = RoundTrip(raw, {.element = Element::kBf16}, Effort::kArchive);
  ASSERT_TRUE(archive);
  EXPECT_EQ(archive->method, Method::kPlanes);
}

// NaNs with their payloads, infinities, denormals, both zeros: bits are bits.
TEST(BlockCodec, GivesBackWhatIsNoNumber) {
  const std::uint32_t patterns[] = {0,          0x80000000, 0x7F800000, 0xFF800000,
                                    0x7FC00001, 0xFFFFFFFF, 0x7F812345, 1,
                                    0x807FFFFF, 0x00012345, 0x3C000000};
  for (const Element element : kElements) {
    for (const Effort effort : kEfforts) {
      TestWeights random(3);
      Block raw;
      while (raw.size() < 100'000)
        TestWeights::Append(raw, patterns[random.Bits() % std::size(patterns)]);
      EXPECT_TRUE(RoundTrip(raw, {.element = element}, effort)) << static_cast<int>(element);
    }
  }
}

TEST(BlockCodec, ConstantBlocksAreNearlyNothing) {
  for (const Element element : kElements) {
    for (const std::byte byte : {std::byte{0x00}, std::byte{0x3C}, std::byte{0xFF}}) {
      const Block raw(kBlockSizeMax, byte);
      const auto encoded = RoundTrip(raw, {.element = element}, Effort::kFast);
      EXPECT_LT(Ratio(encoded, raw), 0.002) << static_cast<int>(element);
    }
  }
}

// What the sample did not show: one block of another kind behind each piece of it.
TEST(BlockCodec, SurvivesAnySampleThatLied) {
  TestWeights random(5);
  for (const Element element : kElements) {
    for (const Effort effort : kEfforts) {
      Block raw(200'000);
      for (std::size_t i = 0; i < raw.size(); ++i)
        if (i / 3000 % 7 == 1) raw[i] = static_cast<std::byte>(random.Bits());
      RoundTrip(raw, {.element = element}, effort);
    }
  }
}

// docs/format.md, "Rejected": rows of f32 that are really bf16 or f16 need no word from the hint.
TEST(BlockCodec, FindsRowsOfShorterFloats) {
  const auto ratio_with = [](std::uint32_t kept) {
    TestWeights weights(9);
    Block raw;
    for (std::size_t i = 0; i < kBlockSizeMax / 4; ++i) {
      const std::uint32_t mask =
          i / 768 % 2 == 0 ? ~std::uint32_t{0} : ~std::uint32_t{0} << (32 - kept);
      TestWeights::Append(raw, std::bit_cast<std::uint32_t>(weights.Next()) & mask);
    }
    return Ratio(RoundTrip(raw, {.element = Element::kF32}, Effort::kFast), raw);
  };
  const double whole = ratio_with(32);
  EXPECT_NEAR(ratio_with(16), whole - 0.25, 0.01);           // half of the rows lack 16 of 32 bits
  EXPECT_NEAR(ratio_with(19), whole - 0.5 * 13 / 32, 0.01);  // or 13
}

TEST(BlockCodec, LeavesAloneWhatItCannotShrink) {
  TestWeights random(1);
  Block noise;
  while (noise.size() < 100'000)
    TestWeights::Append(noise, random.Bits());
  for (const Element element : kElements)
    for (const Effort effort : kEfforts)
      EXPECT_FALSE(RoundTrip(noise, {.element = element}, effort));
  const Block zeros(1000);
  EXPECT_FALSE(EncodeBlock(zeros, {.element = Element::kBytes}, Effort::kArchive));
  EXPECT_FALSE(EncodeBlock(zeros, {.element = static_cast<Element>(200)}, Effort::kArchive));
  EXPECT_FALSE(EncodeBlock(zeros, {.element = Element::kF32, .phase = 4}, Effort::kArchive));
  EXPECT_FALSE(EncodeBlock({}, {.element = Element::kF32}, Effort::kArchive));
  EXPECT_FALSE(EncodeBlock(ByteSpan(zeros).first(3), {.element = Element::kF32}, Effort::kArchive));
}

TEST(BlockCodec, FastIsWithoutEntropyCoding) {
  for (const Element element : kElements) {
    TestWeights weights(2);
    const Block raw = weights.Block(element, 100'000);
    const auto encoded = EncodeBlock(raw, {.element = element}, Effort::kFast);
    EXPECT_EQ(encoded ? encoded->method : Method::kPlanes, Method::kPlanes);
  }
}

class Hostile : public testing::Test {
 protected:
  static Block Encode(Element element, Effort effort, std::size_t size) {
    TestWeights weights(4);
    const Block raw = weights.Block(element, size);
    auto encoded = EncodeBlock(raw, {.element = element}, effort);
    return encoded ? std::move(encoded->bytes) : Block{};
  }
  // Every level must say the same, and give the same if it gives anything.
  static bool Decodes(Method method, const Block& stored, std::size_t size) {
    std::optional<Block> first;
    std::optional<bool> verdict;
    for (const Instructions instructions : InstructionsHere()) {
      Block raw(size, std::byte{0x11});
      const Status status = DecodeBlockWith(KernelsOf(instructions), method, stored, raw);
      EXPECT_EQ(status ? ErrorKind::kCorrupt : status.error().kind, ErrorKind::kCorrupt);
      EXPECT_EQ(status.has_value(), verdict.value_or(status.has_value()));
      verdict = status.has_value();
      if (!status) continue;
      EXPECT_TRUE(raw == first.value_or(raw));
      first = std::move(raw);
    }
    return *verdict;
  }
};

TEST_F(Hostile, EveryPrefixAndEveryOtherSizeIsCorrupt) {
  for (const Element element : kElements) {
    for (const Effort effort : kEfforts) {
      const std::size_t size = LayoutOf(element).unit_size * 70 + 3 % LayoutOf(element).unit_size;
      const Block stored = Encode(element, effort, size);
      if (stored.empty()) continue;
      for (std::size_t cut = 0; cut < stored.size(); ++cut)
        ASSERT_FALSE(Decodes(
            Method::kEntropy,
            Block(stored.begin(), stored.begin() + static_cast<std::ptrdiff_t>(cut)), size));
      Block longer = stored;
      longer.push_back(std::byte{0});
      EXPECT_FALSE(Decodes(Method::kEntropy, longer, size));
      for (const std::size_t other :
           {std::size_t{0}, std::size_t{1}, size / 2, 2 * size, kBlockSizeMax, kBlockSizeMax + 1})
        EXPECT_FALSE(Decodes(Method::kEntropy, stored, other));
      EXPECT_TRUE(Decodes(Method::kEntropy, stored, size));
    }
  }
}

TEST_F(Hostile, FlippedBitsNeverDoHarm) {
  for (const Element element : kElements) {
    for (const Effort effort : kEfforts) {
      // Enough for entropy coding to pay.
      const std::size_t size = std::max(LayoutOf(element).unit_size * 70, std::size_t{5000});
      const Block stored = Encode(element, effort, size);
      for (std::size_t i = 0; i < stored.size(); i += 1 + i / 200) {
        Block flipped = stored;
        flipped[i] ^= static_cast<std::byte>(1U << i % 8);
        Decodes(Method::kEntropy, flipped, size);
        flipped[i] = ~stored[i];
        Decodes(Method::kPlanes, flipped, size);
      }
    }
  }
}

// By hand: 64 values of F8_E4M3, 16 of each exponent 0 to 3 as ranks, the rest constant.
TEST_F(Hostile, RulesOfTheFormatAreHeldTo) {
  const auto block = [](std::initializer_list<int> bytes,
                        std::initializer_list<std::uint64_t> words) {
    Block out;
    for (const int byte : bytes)
      out.push_back(static_cast<std::byte>(byte));
    for (const std::uint64_t word : words)
      TestWeights::Append(out, word);
    return out;
  };
  const std::uint64_t threes = 0xFFFF'0000'0000'0000;
  const Block good = block({1, 5, 0, 2, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 0},
                           {0x0000'0000'FFFF'0000 | threes, 0x0000'FFFF'0000'0000 | threes, 0, 0});
  Block whole = good;
  whole.push_back(std::byte{0});  // the width of the other plane
  ASSERT_TRUE(Decodes(Method::kPlanes, whole, 64));
  Block raw(64);
  ASSERT_TRUE(DecodeBlock(Method::kPlanes, whole, raw));
  EXPECT_EQ(raw[0], std::byte{0x00});
  EXPECT_EQ(raw[63], std::byte{3 << 3});

  const auto with = [&](std::size_t at, int byte) {
    Block changed = whole;
    changed[at] = static_cast<std::byte>(byte);
    return Decodes(Method::kPlanes, changed, 64);
  };
  EXPECT_FALSE(with(0, 2)) << "another version";
  EXPECT_FALSE(with(1, 0)) << "no element";
  EXPECT_FALSE(with(1, 18)) << "no element";
  EXPECT_FALSE(with(2, 1)) << "a head as long as a unit";
  EXPECT_FALSE(with(3, 3)) << "entropy among planes";
  EXPECT_FALSE(with(3, 4)) << "no mode";
  EXPECT_FALSE(with(4, 1)) << "levels that come to 13 symbols";
  EXPECT_FALSE(with(4, 0xFF)) << "eight levels that come to 8";
  EXPECT_FALSE(with(4, 0x10)) << "a fifth level";
  EXPECT_FALSE(with(19 + 16 + 2, 1)) << "a code beyond the end of a level";
  EXPECT_FALSE(with(19 + 32, 9)) << "no width";
  EXPECT_FALSE(with(19 + 32, 254)) << "no width";
  EXPECT_FALSE(with(19 + 32, 1)) << "a width without its bits";
}

TEST_F(Hostile, TablesOfFrequenciesMustAddUp) {
  const std::size_t size = 4000;
  const Block stored = Encode(Element::kI8, Effort::kArchive, size);
  ASSERT_FALSE(stored.empty());
  const std::size_t bitmap = 3 + 2 + 4;
  const std::size_t frequencies = bitmap + kRansBitmapSize;
  std::size_t occurring = 0;
  for (std::size_t i = bitmap; i < frequencies; ++i)
    occurring += static_cast<std::size_t>(std::popcount(std::to_integer<unsigned>(stored[i])));
  const std::size_t states = frequencies + 2 * occurring;
  for (std::size_t i = bitmap; i < states; ++i) {
    Block changed = stored;
    changed[i] ^= std::byte{1};
    EXPECT_FALSE(Decodes(Method::kEntropy, changed, size)) << i;
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    for (const std::uint32_t state : {0U, kStateMin - 1, kStateEnd, ~0U}) {
      Block changed = stored;
      StoreWord(state, changed.data() + states + 4 * lane);
      EXPECT_FALSE(Decodes(Method::kEntropy, changed, size));
    }
  }
}

}  // namespace
}  // namespace plumb::codec
