// SPDX-License-Identifier: MIT OR Apache-2.0
// What every machine can do, and what the other levels do with what is left over from their
// vectors. Written to be read beside docs/format.md.
#include <algorithm>

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

std::size_t Rank(const std::uint8_t* symbols, std::size_t n, const RankSymbols& frequent,
                 std::uint8_t* ranks, std::uint8_t* escapes) {
  std::array<std::uint8_t, 256> rank_of;
  rank_of.fill(kEscape);
  for (std::size_t rank = kRankCount; rank-- > 0;)
    rank_of[frequent[rank]] = static_cast<std::uint8_t>(rank);
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i) {
    ranks[i] = rank_of[symbols[i]];
    escapes[count] = symbols[i];  // kept only if it is one
    count += ranks[i] == kEscape ? 1 : 0;
  }
  return count;
}

std::size_t Reduce(const std::uint8_t* ranks, std::size_t n, unsigned width, std::byte* words,
                   std::uint8_t* next) {
  const unsigned reached = (1U << width) - 1;
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; i += kWordSymbols) {
    std::array<std::uint64_t, 2> bits = {};
    for (std::size_t k = 0; k < std::min(kWordSymbols, n - i); ++k) {
      const unsigned rank = ranks[i + k];
      const std::uint64_t code = std::min(rank, reached);
      bits[0] |= (code & 1U) << k;
      bits[1] |= (code >> 1U) << k;
      next[count] = static_cast<std::uint8_t>(rank - reached);
      count += code == reached ? 1 : 0;
    }
    for (unsigned bit = 0; bit < width; ++bit, words += kWordSize)
      StoreWord(bits[bit], words);
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
  const std::size_t reached = (std::size_t{1} << level.width) - 1;
  std::array<std::uint8_t, 4> meaning = {};
  std::copy_n(level.symbols, reached, meaning.begin());
  const std::byte* words = level.words;
  for (std::size_t i = 0; i < n; i += kWordSymbols, words += level.width * kWordSize) {
    auto low = LoadWord<std::uint64_t>(words);
    auto high = level.width == 2 ? LoadWord<std::uint64_t>(words + kWordSize) : 0;
    for (std::size_t k = i; k < std::min(i + kWordSymbols, n); ++k) {
      const std::size_t code = (low & 1U) | (high & 1U) << 1U;
      meaning[reached] = *next;
      symbols[k] = meaning[code];
      next += code == reached ? 1 : 0;
      low >>= 1U;
      high >>= 1U;
    }
  }
}

void Pack(const std::uint8_t* symbols, std::size_t n, std::uint8_t base, unsigned width,
          std::byte* words) {
  for (std::size_t i = 0; i < n; i += kWordSymbols) {
    const std::size_t size = std::min(kWordSymbols, n - i);
    for (unsigned bit = 0; bit < width; ++bit, words += kWordSize) {
      std::uint64_t word = 0;
      for (std::size_t k = 0; k < size; ++k)
        word |= ((std::uint64_t{symbols[i + k]} ^ base) >> (7 - bit) & 1U) << k;
      StoreWord(word, words);
    }
  }
}

void Unpack(const std::byte* words, std::size_t n, std::uint8_t base, unsigned width,
            std::uint8_t* symbols) {
  for (std::size_t i = 0; i < n; i += kWordSymbols) {
    const std::size_t size = std::min(kWordSymbols, n - i);
    std::fill_n(symbols + i, size, base);
    for (unsigned bit = 0; bit < width; ++bit, words += kWordSize) {
      const auto word = LoadWord<std::uint64_t>(words);
      for (std::size_t k = 0; k < size; ++k)
        symbols[i + k] = Low8(symbols[i + k] ^ ((word >> k & 1U) << (7 - bit)));
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

}  // namespace plumb::codec
