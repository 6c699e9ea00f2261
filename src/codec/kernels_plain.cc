// SPDX-License-Identifier: MIT OR Apache-2.0
// What every machine can do, and what the other levels do with what is left over from their
// vectors. Written to be read beside docs/format.md.
#include <algorithm>

#include "codec/eight_internal.h"
#include "codec/kernels_internal.h"

namespace plumb::codec {
namespace {

constexpr std::uint8_t kEscape = kRankCount;  // the rank of a symbol without a code

std::uint8_t Low8(std::uint64_t bits) { return static_cast<std::uint8_t>(bits & 0xFF); }

template <typename Word>
Word RotateLeft(Word word) {
  return static_cast<Word>(std::rotl(word, 1));
}

template <typename Word>
Word ValueAt(const std::byte* values, std::size_t i) {
  return LoadWord<Word>(values + i * sizeof(Word));
}

void SplitF64(const std::byte* values, std::size_t n, std::uint8_t* const* planes) {
  for (std::size_t i = 0; i < n; ++i) {
    const auto r = RotateLeft(ValueAt<std::uint64_t>(values, i));
    planes[0][i] = Low8(r >> 53U);
    planes[1][i] = Low8((r >> 46U << 1U) | (r & 1U));
    planes[2][i] = Low8(r >> 61U << 5U);
    for (unsigned plane = 3; plane < 8; ++plane)
      planes[plane][i] = Low8(r >> (38 - 8 * (plane - 3)));
    planes[8][i] = Low8(r >> 1U << 3U);
  }
}

void MergeF64(const std::uint8_t* const* planes, std::size_t n, std::byte* values) {
  for (std::size_t i = 0; i < n; ++i) {
    std::uint64_t r = std::uint64_t{planes[2][i]} >> 5U << 61U |
                      std::uint64_t{planes[0][i]} << 53U |
                      std::uint64_t{planes[1][i]} >> 1U << 46U | (planes[1][i] & 1U);
    for (unsigned plane = 3; plane < 8; ++plane)
      r |= std::uint64_t{planes[plane][i]} << (38 - 8 * (plane - 3));
    r |= std::uint64_t{planes[8][i]} >> 3U << 1U;
    StoreWord(std::rotr(r, 1), values + i * sizeof(r));
  }
}

void SplitF32(const std::byte* values, std::size_t n, std::uint8_t* const* planes) {
  for (std::size_t i = 0; i < n; ++i) {
    const auto value = ValueAt<std::uint32_t>(values, i);
    const auto r = RotateLeft(static_cast<std::uint16_t>(value >> 16U));
    planes[0][i] = Low8(r >> 8U);
    planes[1][i] = Low8(r);
    planes[2][i] = Low8(value >> 8U);
    planes[3][i] = Low8(value);
  }
}

void MergeF32(const std::uint8_t* const* planes, std::size_t n, std::byte* values) {
  for (std::size_t i = 0; i < n; ++i) {
    const auto r = static_cast<std::uint16_t>(planes[0][i] << 8U | planes[1][i]);
    const std::uint32_t value =
        std::uint32_t{std::rotr(r, 1)} << 16U | std::uint32_t{planes[2][i]} << 8U | planes[3][i];
    StoreWord(value, values + i * sizeof(value));
  }
}

void Split(Value value, const std::byte* values, std::size_t n, std::uint8_t* const* planes) {
  switch (value) {
    case Value::kBytes:
      std::memcpy(planes[0], values, n);
      return;
    case Value::kF32:
      return SplitF32(values, n, planes);
    case Value::kF64:
      return SplitF64(values, n, planes);
    case Value::kBf16:
      for (std::size_t i = 0; i < n; ++i) {
        const auto r = RotateLeft(ValueAt<std::uint16_t>(values, i));
        planes[0][i] = Low8(r >> 8U);
        planes[1][i] = Low8(r);
      }
      return;
    case Value::kF16:
      for (std::size_t i = 0; i < n; ++i) {
        const auto r = RotateLeft(ValueAt<std::uint16_t>(values, i));
        planes[0][i] = Low8(r >> 11U);
        planes[1][i] = Low8(r >> 3U);
        planes[2][i] = Low8(std::uint32_t{r} << 5U);
      }
      return;
    case Value::kF8E4M3:
    case Value::kF8E5M2: {
      const unsigned low_bits = value == Value::kF8E4M3 ? 4 : 3;
      for (std::size_t i = 0; i < n; ++i) {
        const auto r = RotateLeft(ValueAt<std::uint8_t>(values, i));
        planes[0][i] = Low8(r >> low_bits);
        planes[1][i] = Low8(std::uint32_t{r} << (8 - low_bits));
      }
      return;
    }
  }
}

void Merge(Value value, const std::uint8_t* const* planes, std::size_t n, std::byte* values) {
  switch (value) {
    case Value::kBytes:
      std::memcpy(values, planes[0], n);
      return;
    case Value::kF32:
      return MergeF32(planes, n, values);
    case Value::kF64:
      return MergeF64(planes, n, values);
    case Value::kBf16:
      for (std::size_t i = 0; i < n; ++i) {
        const auto r = static_cast<std::uint16_t>(planes[0][i] << 8U | planes[1][i]);
        StoreWord(std::rotr(r, 1), values + i * sizeof(r));
      }
      return;
    case Value::kF16:
      for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t r = (planes[0][i] & 0x1FU) << 11U | std::uint32_t{planes[1][i]} << 3U |
                                std::uint32_t{planes[2][i]} >> 5U;
        StoreWord(std::rotr(static_cast<std::uint16_t>(r), 1), values + i * sizeof(std::uint16_t));
      }
      return;
    case Value::kF8E4M3:
    case Value::kF8E5M2: {
      const unsigned low_bits = value == Value::kF8E4M3 ? 4 : 3;
      for (std::size_t i = 0; i < n; ++i) {
        const auto r =
            static_cast<std::uint8_t>(planes[0][i] << low_bits | planes[1][i] >> (8 - low_bits));
        values[i] = static_cast<std::byte>(std::rotr(r, 1));
      }
      return;
    }
  }
}

// Bytes of 0 or 1 as the bits of one byte, and back: a multiplication brings each bit to a place of
// its own in the top byte; a copy of all bits in each byte keeps the one that is its own.
std::uint64_t ToBits(Eight flags) { return flags * 0x0102040810204080 >> 56U; }
Eight FromBits(std::uint64_t bits) {
  const Eight own = InEach(bits & 0xFFU) & 0x8040201008040201;
  return (own + InEach(0x7F)) >> 7U & InEach(1);
}
// 1 in each byte that is `limit` or more; bytes and limit are below 128.
Eight AtLeast(Eight eight, std::uint64_t limit) {
  return (eight + InEach(0x80 - limit)) >> 7U & InEach(1);
}
// Takes the lowest bit that is set out of a mask, and says where it was.
std::size_t TakeLowest(std::uint64_t& mask) {
  const auto place = static_cast<std::size_t>(std::countr_zero(mask));
  mask &= mask - 1;
  return place;
}

std::size_t Rank(const std::uint8_t* symbols, std::size_t n, const RankSymbols& frequent,
                 std::uint8_t* ranks, std::uint8_t* escapes) {
  std::array<std::uint8_t, 256> rank_of;
  rank_of.fill(kEscape);
  for (std::size_t rank = kRankCount; rank-- > 0;)
    rank_of[frequent[rank]] = static_cast<std::uint8_t>(rank);
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; i += 8) {
    Eight eight = 0;
#pragma GCC unroll 8
    for (unsigned k = 0; k < 8; ++k)
      eight |= Eight{rank_of[symbols[i + k]]} << 8 * k;
    StoreEight(eight, ranks + i);
    std::uint64_t escape = ToBits(AtLeast(eight, kEscape)) & MaskOf(n - i);
    while (escape != 0)
      escapes[count++] = symbols[i + TakeLowest(escape)];
  }
  return count;
}

std::size_t Reduce(const std::uint8_t* ranks, std::size_t n, unsigned width, std::byte* words,
                   std::uint8_t* next) {
  const unsigned reached = (1U << width) - 1;
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; i += kWordSymbols) {
    std::array<std::uint64_t, 2> bits = {};
    std::uint64_t more = 0;
    for (std::size_t k = 0; k < kWordSymbols; k += 8) {
      const Eight eight = LoadEight(ranks + i + k);
      const Eight beyond = AtLeast(eight, reached);
      bits[0] |= ToBits(beyond | (eight & InEach(1))) << k;
      bits[1] |= ToBits(beyond | (eight >> 1U & InEach(1))) << k;
      more |= ToBits(beyond) << k;
    }
    const std::uint64_t valid = MaskOf(n - i);
    for (unsigned bit = 0; bit < width; ++bit, words += kWordSize)
      StoreWord(bits[bit] & valid, words);
    for (more &= valid; more != 0;)
      next[count++] = static_cast<std::uint8_t>(ranks[i + TakeLowest(more)] - reached);
  }
  return count;
}

std::size_t Count(const std::byte* words, std::size_t n, unsigned width) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; i += kWordSymbols, words += width * kWordSize)
    count += static_cast<std::size_t>(std::popcount(
        LoadWord<std::uint64_t>(words) & LoadWord<std::uint64_t>(words + (width - 1) * kWordSize)));
  return count;
}

void Expand(const LevelWords& level, std::size_t n, const std::uint8_t* next,
            std::uint8_t* symbols) {
  const bool wide = level.width == 2;
  const Eight zero = InEach(level.symbols[0]);
  // What bits of a code change in the symbol; both set is "see the next level", and written over.
  const Eight if_low = wide ? zero ^ InEach(level.symbols[1]) : 0;
  const Eight if_high = wide ? zero ^ InEach(level.symbols[2]) : 0;
  const std::byte* words = level.words;
  for (std::size_t i = 0; i < n; i += kWordSymbols, words += level.width * kWordSize) {
    const auto low = LoadWord<std::uint64_t>(words);
    const auto high = LoadWord<std::uint64_t>(words + (level.width - 1) * kWordSize);
    for (std::size_t k = 0; k < kWordSymbols; k += 8)
      StoreEight(
          zero ^ (FromBits(low >> k) * 0xFF & if_low) ^ (FromBits(high >> k) * 0xFF & if_high),
          symbols + i + k);
    for (std::uint64_t more = low & high; more != 0;)
      symbols[i + TakeLowest(more)] = *next++;
  }
}

void Pack(const std::uint8_t* symbols, std::size_t n, std::uint8_t base, unsigned width,
          std::byte* words) {
  for (std::size_t i = 0; i < n; i += kWordSymbols) {
    std::array<std::uint64_t, 8> bits = {};
    for (std::size_t k = 0; k < kWordSymbols; k += 8) {
      const Eight eight = LoadEight(symbols + i + k) ^ InEach(base);
      for (unsigned bit = 0; bit < width; ++bit)
        bits[bit] |= ToBits(eight >> (7 - bit) & InEach(1)) << k;
    }
    for (unsigned bit = 0; bit < width; ++bit, words += kWordSize)
      StoreWord(bits[bit] & MaskOf(n - i), words);
  }
}

void Unpack(const std::byte* words, std::size_t n, std::uint8_t base, unsigned width,
            std::uint8_t* symbols) {
  for (std::size_t i = 0; i < n; i += kWordSymbols, words += width * kWordSize) {
    for (std::size_t k = 0; k < kWordSymbols; k += 8) {
      Eight eight = InEach(base);
      for (unsigned bit = 0; bit < width; ++bit)
        eight ^= FromBits(LoadWord<std::uint64_t>(words + bit * kWordSize) >> k) << (7 - bit);
      StoreEight(eight, symbols + i + k);
    }
  }
}

std::byte* RansEncode(const RansEncoder& encoder, const std::uint8_t* symbols, std::size_t n,
                      RansStates& states, std::byte* end) {
  for (std::size_t i = n; i-- > 0;) {
    std::uint32_t& state = states[i % kLanes];
    const std::uint32_t packed = encoder.packed[symbols[i]];
    const std::uint32_t frequency = packed >> kPackedFrequency & kPackedMask;
    if (state >= frequency << (31 - kFrequencyBits)) {
      end -= sizeof(std::uint16_t);
      StoreWord(static_cast<std::uint16_t>(state & 0xFFFFU), end);
      state >>= kRansWordBits;
    }
    const std::uint64_t product = std::uint64_t{state} * encoder.reciprocal[symbols[i]];
    const auto quotient = static_cast<std::uint32_t>(product >> 32U) >> (packed >> kPackedShift);
    state += (packed & kPackedMask) + quotient * (kFrequencySum - frequency);
  }
  return end;
}

bool RansDecode(RansDecoder& decoder, std::size_t n, std::uint8_t* symbols) {
  for (std::size_t i = 0; i < n; ++i) {
    std::uint32_t& state = decoder.states[i % kLanes];
    const std::uint32_t slot = decoder.slots[state & (kFrequencySum - 1)];
    symbols[i] = Low8(slot);
    state = (slot >> 8U & (kFrequencySum - 1)) * (state >> kFrequencyBits) + (slot >> 20U);
    if (state >= kStateMin) continue;
    if (decoder.next == decoder.end) return false;
    state = state << kRansWordBits | LoadWord<std::uint16_t>(decoder.next);
    decoder.next += sizeof(std::uint16_t);
  }
  return true;
}

constexpr Kernels kKernels = {Split,  Merge, Rank,   Reduce,     Count,
                              Expand, Pack,  Unpack, RansEncode, RansDecode};

}  // namespace

const Kernels& PlainKernels() { return kKernels; }

void SplitRest(Value value, const std::byte* values, std::size_t i, std::size_t n,
               std::uint8_t* const* planes) {
  if (i == n) return;
  std::array<std::uint8_t*, kFieldPlanesMax> rest = {};
  for (std::size_t plane = 0; plane < PlanesOf(value); ++plane)
    rest[plane] = planes[plane] + i;
  Split(value, values + i * SizeOf(value), n - i, rest.data());
}

void MergeRest(Value value, const std::uint8_t* const* planes, std::size_t i, std::size_t n,
               std::byte* values) {
  if (i == n) return;
  std::array<const std::uint8_t*, kFieldPlanesMax> rest = {};
  for (std::size_t plane = 0; plane < PlanesOf(value); ++plane)
    rest[plane] = planes[plane] + i;
  Merge(value, rest.data(), n - i, values + i * SizeOf(value));
}

}  // namespace plumb::codec
