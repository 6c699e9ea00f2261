// SPDX-License-Identifier: MIT OR Apache-2.0
#include "codec/choices_internal.h"
#include "codec/kernels_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

// AVX2 with BMI2 (Haswell, Zen and later). What AVX-512 has instructions for, to gather or spread
// some of eight bytes, is a shuffle here.
#define PLUMB_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))

namespace plumb::codec {
namespace {

PLUMB_AVX2 inline __m256i Load(const void* at) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(at));
}
PLUMB_AVX2 inline void Store(void* at, __m256i v) {
  _mm256_storeu_si256(static_cast<__m256i*>(at), v);
}
PLUMB_AVX2 inline __m128i Load8(const void* at) {
  return _mm_loadl_epi64(static_cast<const __m128i*>(at));
}
PLUMB_AVX2 inline __m256i Bytes(unsigned value) {
  return _mm256_set1_epi8(static_cast<char>(value));
}
PLUMB_AVX2 inline std::size_t Ones(std::uint64_t word) {
  return static_cast<std::size_t>(_mm_popcnt_u64(word));
}
PLUMB_AVX2 inline std::uint32_t HighBits(__m256i v) {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(v));
}
// Of 64 symbols those that are chosen, to the front.
PLUMB_AVX2 inline std::size_t Compress64(const std::uint8_t* symbols, std::uint64_t chosen,
                                         std::uint8_t* to) {
  std::uint8_t* const begin = to;
  for (std::size_t i = 0; i < 64; i += 8, chosen >>= 8U) {
    const auto choice = static_cast<std::uint8_t>(chosen);
    const __m128i order = Load8(kChoices.compress[choice].data());
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_shuffle_epi8(Load8(symbols + i), order));
    to += Ones(choice);
  }
  return static_cast<std::size_t>(to - begin);
}

// 32 values of two bytes: the low bytes (high bytes) of both vectors, in order.
PLUMB_AVX2 inline __m256i InOrder(__m256i packed_by_halves) {
  return _mm256_permute4x64_epi64(packed_by_halves, 0xD8);
}
PLUMB_AVX2 inline __m256i LowBytes(__m256i a, __m256i b) {
  const __m256i mask = _mm256_set1_epi16(0xFF);
  return InOrder(_mm256_packus_epi16(_mm256_and_si256(a, mask), _mm256_and_si256(b, mask)));
}
PLUMB_AVX2 inline __m256i HighBytes(__m256i a, __m256i b) {
  return InOrder(_mm256_packus_epi16(_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8)));
}
PLUMB_AVX2 inline __m256i RotateLeft16(__m256i v) {
  return _mm256_or_si256(_mm256_slli_epi16(v, 1), _mm256_srli_epi16(v, 15));
}
PLUMB_AVX2 inline __m256i RotateRight16(__m256i v) {
  return _mm256_or_si256(_mm256_srli_epi16(v, 1), _mm256_slli_epi16(v, 15));
}

struct Pair {
  __m256i low;
  __m256i high;
};
PLUMB_AVX2 inline Pair HalvesInOrder(__m256i low, __m256i high) {
  return {_mm256_permute2x128_si256(low, high, 0x20), _mm256_permute2x128_si256(low, high, 0x31)};
}
PLUMB_AVX2 inline Pair InterleaveBytes(__m256i low_bytes, __m256i high_bytes) {
  return HalvesInOrder(_mm256_unpacklo_epi8(low_bytes, high_bytes),
                       _mm256_unpackhi_epi8(low_bytes, high_bytes));
}
PLUMB_AVX2 inline Pair InterleaveWords(__m256i low_words, __m256i high_words) {
  return HalvesInOrder(_mm256_unpacklo_epi16(low_words, high_words),
                       _mm256_unpackhi_epi16(low_words, high_words));
}

PLUMB_AVX2 inline void Split32Bf16(Pair values, std::uint8_t* exponents, std::uint8_t* mantissas) {
  const __m256i low = RotateLeft16(values.low);
  const __m256i high = RotateLeft16(values.high);
  Store(exponents, HighBytes(low, high));
  Store(mantissas, LowBytes(low, high));
}
PLUMB_AVX2 inline Pair Merge32Bf16(const std::uint8_t* exponents, const std::uint8_t* mantissas) {
  const Pair rotated = InterleaveBytes(Load(mantissas), Load(exponents));
  return {RotateRight16(rotated.low), RotateRight16(rotated.high)};
}

PLUMB_AVX2 inline void Split32F16(const std::byte* values, std::uint8_t* const* planes,
                                  std::size_t i) {
  const __m256i low = RotateLeft16(Load(values));
  const __m256i high = RotateLeft16(Load(values + 32));
  Store(planes[0] + i, LowBytes(_mm256_srli_epi16(low, 11), _mm256_srli_epi16(high, 11)));
  Store(planes[1] + i, LowBytes(_mm256_srli_epi16(low, 3), _mm256_srli_epi16(high, 3)));
  Store(planes[2] + i, LowBytes(_mm256_slli_epi16(low, 5), _mm256_slli_epi16(high, 5)));
}
PLUMB_AVX2 inline void Merge16F16(const std::uint8_t* const* planes, std::size_t i,
                                  std::byte* values) {
  __m256i plane[3];
  for (int p = 0; p < 3; ++p)
    plane[p] =
        _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(planes[p] + i)));
  const __m256i rotated = _mm256_or_si256(
      _mm256_or_si256(_mm256_slli_epi16(plane[0], 11), _mm256_slli_epi16(plane[1], 3)),
      _mm256_srli_epi16(plane[2], 5));
  Store(values, RotateRight16(rotated));
}

// The upper (lower) halves of sixteen values of four bytes.
PLUMB_AVX2 inline __m256i UpperWords(__m256i a, __m256i b) {
  return InOrder(_mm256_packus_epi32(_mm256_srli_epi32(a, 16), _mm256_srli_epi32(b, 16)));
}
PLUMB_AVX2 inline __m256i LowerWords(__m256i a, __m256i b) {
  const __m256i mask = _mm256_set1_epi32(0xFFFF);
  return InOrder(_mm256_packus_epi32(_mm256_and_si256(a, mask), _mm256_and_si256(b, mask)));
}
PLUMB_AVX2 inline void Split32F32(const std::byte* values, std::uint8_t* const* planes,
                                  std::size_t i) {
  __m256i v[4];
  for (std::size_t part = 0; part < 4; ++part)
    v[part] = Load(values + 32 * part);
  Split32Bf16({UpperWords(v[0], v[1]), UpperWords(v[2], v[3])}, planes[0] + i, planes[1] + i);
  const Pair lower = {LowerWords(v[0], v[1]), LowerWords(v[2], v[3])};
  Store(planes[2] + i, HighBytes(lower.low, lower.high));
  Store(planes[3] + i, LowBytes(lower.low, lower.high));
}
PLUMB_AVX2 inline void Merge32F32(const std::uint8_t* const* planes, std::size_t i,
                                  std::byte* values) {
  const Pair upper = Merge32Bf16(planes[0] + i, planes[1] + i);
  const Pair lower = InterleaveBytes(Load(planes[3] + i), Load(planes[2] + i));
  const Pair first = InterleaveWords(lower.low, upper.low);
  const Pair second = InterleaveWords(lower.high, upper.high);
  Store(values, first.low);
  Store(values + 32, first.high);
  Store(values + 64, second.low);
  Store(values + 96, second.high);
}

// Bytes shifted as such, by shifting 16 bits and removing what came from the neighbour.
PLUMB_AVX2 inline __m256i ShiftLeft8(__m256i v, unsigned count) {
  return _mm256_and_si256(_mm256_slli_epi16(v, static_cast<int>(count)), Bytes(0xFFU << count));
}
PLUMB_AVX2 inline __m256i ShiftRight8(__m256i v, unsigned count) {
  return _mm256_and_si256(_mm256_srli_epi16(v, static_cast<int>(count)), Bytes(0xFFU >> count));
}
PLUMB_AVX2 inline void Split32F8(__m256i v, unsigned low_bits, std::uint8_t* exponents,
                                 std::uint8_t* rest) {
  const __m256i rotated = _mm256_or_si256(ShiftLeft8(v, 1), ShiftRight8(v, 7));
  Store(exponents, ShiftRight8(rotated, low_bits));
  Store(rest, ShiftLeft8(rotated, 8 - low_bits));
}
PLUMB_AVX2 inline __m256i Merge32F8(__m256i exponents, __m256i rest, unsigned low_bits) {
  const __m256i rotated =
      _mm256_or_si256(ShiftLeft8(exponents, low_bits), ShiftRight8(rest, 8 - low_bits));
  return _mm256_or_si256(ShiftRight8(rotated, 1), ShiftLeft8(rotated, 7));
}

PLUMB_AVX2 void Split(Value value, const std::byte* values, std::size_t n,
                      std::uint8_t* const* planes) {
  const std::size_t size = SizeOf(value);
  const bool by_vectors = value != Value::kBytes && value != Value::kF64;
  const unsigned low_bits = value == Value::kF8E4M3 ? 4 : 3;
  std::size_t i = 0;
  for (; by_vectors && i + 32 <= n; i += 32) {
    const std::byte* at = values + i * size;
    if (value == Value::kBf16) {
      Split32Bf16({Load(at), Load(at + 32)}, planes[0] + i, planes[1] + i);
    } else if (value == Value::kF32) {
      Split32F32(at, planes, i);
    } else if (value == Value::kF16) {
      Split32F16(at, planes, i);
    } else {
      Split32F8(Load(at), low_bits, planes[0] + i, planes[1] + i);
    }
  }
  SplitRest(value, values, i, n, planes);
}

PLUMB_AVX2 void Merge(Value value, const std::uint8_t* const* planes, std::size_t n,
                      std::byte* values) {
  const std::size_t size = SizeOf(value);
  const bool by_vectors = value != Value::kBytes && value != Value::kF64;
  const unsigned low_bits = value == Value::kF8E4M3 ? 4 : 3;
  std::size_t i = 0;
  for (; by_vectors && i + 32 <= n; i += 32) {
    std::byte* at = values + i * size;
    if (value == Value::kBf16) {
      const Pair merged = Merge32Bf16(planes[0] + i, planes[1] + i);
      Store(at, merged.low);
      Store(at + 32, merged.high);
    } else if (value == Value::kF32) {
      Merge32F32(planes, i, at);
    } else if (value == Value::kF16) {
      Merge16F16(planes, i, at);
      Merge16F16(planes, i + 16, at + 32);
    } else {
      Store(at, Merge32F8(Load(planes[0] + i), Load(planes[1] + i), low_bits));
    }
  }
  MergeRest(value, planes, i, n, values);
}

// Compared with each frequent symbol, the most frequent last.
PLUMB_AVX2 inline __m256i Rank32(__m256i v, const RankSymbols& frequent) {
  __m256i rank = Bytes(kRankCount);
#pragma GCC unroll 12
  for (std::size_t k = kRankCount; k-- > 0;) {
    const __m256i equal = _mm256_cmpeq_epi8(v, Bytes(frequent[k]));
    rank = _mm256_blendv_epi8(rank, Bytes(static_cast<unsigned>(k)), equal);
  }
  return rank;
}

PLUMB_AVX2 std::size_t Rank(const std::uint8_t* symbols, std::size_t n, const RankSymbols& frequent,
                            std::uint8_t* ranks, std::uint8_t* escapes) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; i += 64) {
    const __m256i low = Rank32(Load(symbols + i), frequent);
    const __m256i high = Rank32(Load(symbols + i + 32), frequent);
    Store(ranks + i, low);
    Store(ranks + i + 32, high);
    const std::uint64_t escape =
        (HighBits(_mm256_cmpeq_epi8(low, Bytes(kRankCount))) |
         std::uint64_t{HighBits(_mm256_cmpeq_epi8(high, Bytes(kRankCount)))} << 32U) &
        MaskOf(n - i);
    if (escape != 0) count += Compress64(symbols + i, escape, escapes + count);
  }
  return count;
}

PLUMB_AVX2 std::size_t Reduce(const std::uint8_t* ranks, std::size_t n, unsigned width,
                              std::byte* words, std::uint8_t* next) {
  const __m256i reached = Bytes((1U << width) - 1);
  std::size_t count = 0;
  alignas(32) std::array<std::uint8_t, kWordSymbols> left;
  for (std::size_t i = 0; i < n; i += 64, words += width * kWordSize) {
    const std::uint64_t valid = MaskOf(n - i);
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    for (std::size_t half = 0; half < 64; half += 32) {
      const __m256i rank = Load(ranks + i + half);
      const __m256i code = _mm256_min_epu8(rank, reached);
      low |= std::uint64_t{HighBits(_mm256_slli_epi16(code, 7))} << half;
      high |= std::uint64_t{HighBits(_mm256_slli_epi16(code, 6))} << half;
      Store(left.data() + half, _mm256_sub_epi8(rank, reached));
    }
    StoreWord(low & valid, words);
    if (width == 2) StoreWord(high & valid, words + kWordSize);
    const std::uint64_t more = width == 2 ? low & high : low;
    count += Compress64(left.data(), more & valid, next + count);
  }
  return count;
}

PLUMB_AVX2 std::size_t Count(const std::byte* words, std::size_t n, unsigned width) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; i += 64, words += width * kWordSize)
    count += Ones(LoadWord<std::uint64_t>(words) &
                  LoadWord<std::uint64_t>(words + (width - 1) * kWordSize));
  return count;
}

// Bits 0 to 31 of a word as bytes 0 or 0xFF.
PLUMB_AVX2 inline __m256i Spread32(std::uint32_t word) {
  const __m256i byte_of =
      _mm256_set_epi64x(0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0);
  const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
  const __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(word)), byte_of);
  return _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit);
}

PLUMB_AVX2 inline __m128i Expand8(const std::uint8_t* next, std::uint8_t chosen) {
  return _mm_shuffle_epi8(Load8(next), Load8(kChoices.expand[chosen].data()));
}
// The next symbols at the places of 32 that `more` says.
PLUMB_AVX2 inline __m256i Expand32(const std::uint8_t*& next, std::uint32_t more) {
  __m128i eight[4];
  for (__m128i& expanded : eight) {
    const auto chosen = static_cast<std::uint8_t>(more);
    expanded = Expand8(next, chosen);
    next += Ones(chosen);
    more >>= 8U;
  }
  return _mm256_set_m128i(_mm_unpacklo_epi64(eight[2], eight[3]),
                          _mm_unpacklo_epi64(eight[0], eight[1]));
}

PLUMB_AVX2 void ExpandNarrow(const LevelWords& level, std::size_t n, const std::uint8_t* next,
                             std::uint8_t* symbols) {
  const __m256i zero = Bytes(level.symbols[0]);
  for (std::size_t i = 0; i < n; i += 32) {
    const auto more = LoadWord<std::uint32_t>(level.words + i / 8);
    Store(symbols + i, _mm256_blendv_epi8(zero, Expand32(next, more), Spread32(more)));
  }
}

PLUMB_AVX2 void Expand(const LevelWords& level, std::size_t n, const std::uint8_t* next,
                       std::uint8_t* symbols) {
  if (level.width == 1) return ExpandNarrow(level, n, next, symbols);
  const __m256i zero = Bytes(level.symbols[0]);
  const __m256i one = Bytes(level.symbols[1]);
  const __m256i two = Bytes(level.symbols[2]);
  for (std::size_t i = 0; i < n; i += 32) {
    // Half a pair of words at a time.
    const std::byte* pair = level.words + i / kWordSymbols * 2 * kWordSize + i % kWordSymbols / 8;
    const auto low = LoadWord<std::uint32_t>(pair);
    const auto high = LoadWord<std::uint32_t>(pair + kWordSize);
    const __m256i expanded = Expand32(next, low & high);
    const __m256i is_odd = Spread32(low);
    const __m256i is_high = Spread32(high);
    __m256i v = _mm256_blendv_epi8(zero, one, is_odd);
    v = _mm256_blendv_epi8(v, _mm256_blendv_epi8(two, expanded, is_odd), is_high);
    Store(symbols + i, v);
  }
}

PLUMB_AVX2 void Pack(const std::uint8_t* symbols, std::size_t n, std::uint8_t base, unsigned width,
                     std::byte* words) {
  for (std::size_t i = 0; i < n; i += 64) {
    const std::uint64_t valid = MaskOf(n - i);
    __m256i low = _mm256_xor_si256(Load(symbols + i), Bytes(base));
    __m256i high = _mm256_xor_si256(Load(symbols + i + 32), Bytes(base));
    for (unsigned bit = 0; bit < width; ++bit, words += kWordSize) {
      StoreWord((HighBits(low) | std::uint64_t{HighBits(high)} << 32U) & valid, words);
      low = _mm256_add_epi8(low, low);
      high = _mm256_add_epi8(high, high);
    }
  }
}

PLUMB_AVX2 void Unpack(const std::byte* words, std::size_t n, std::uint8_t base, unsigned width,
                       std::uint8_t* symbols) {
  for (std::size_t i = 0; i < n; i += 64) {
    __m256i low = Bytes(base);
    __m256i high = Bytes(base);
    for (unsigned bit = 0; bit < width; ++bit, words += kWordSize) {
      const __m256i value = Bytes(0x80U >> bit);
      const auto first = LoadWord<std::uint32_t>(words);
      const auto second = LoadWord<std::uint32_t>(words + 4);
      low = _mm256_xor_si256(low, _mm256_and_si256(Spread32(first), value));
      high = _mm256_xor_si256(high, _mm256_and_si256(Spread32(second), value));
    }
    Store(symbols + i, low);
    Store(symbols + i + 32, high);
  }
}

constexpr std::size_t kVectors = 8;  // of eight lanes

PLUMB_AVX2 inline __m256i Words(std::uint32_t value) {
  return _mm256_set1_epi32(static_cast<int>(value));
}
PLUMB_AVX2 inline __m256i Load8As32(const std::uint8_t* at) {
  return _mm256_cvtepu8_epi32(Load8(at));
}
PLUMB_AVX2 inline __m256i Gather(const std::uint32_t* table, __m256i index) {
  return _mm256_i32gather_epi32(reinterpret_cast<const int*>(table), index, 4);
}
PLUMB_AVX2 inline std::uint8_t LanesOf(__m256i mask) {
  return static_cast<std::uint8_t>(_mm256_movemask_ps(_mm256_castsi256_ps(mask)));
}
// The low 16 bits of eight lanes.
PLUMB_AVX2 inline __m128i Low16(__m256i v) {
  const __m256i low = _mm256_and_si256(v, Words(0xFFFF));
  return _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
}

// One symbol on each of eight lanes; where the words that they give begin. Before these, 16 bytes
// in all are written over.
PLUMB_AVX2 inline std::byte* Encode8(const RansEncoder& encoder, const std::uint8_t* symbols,
                                     __m256i& state, std::byte* end) {
  const __m256i symbol = Load8As32(symbols);
  const __m256i reciprocal = Gather(encoder.reciprocal.data(), symbol);
  const __m256i packed = Gather(encoder.packed.data(), symbol);
  const __m256i frequency =
      _mm256_and_si256(_mm256_srli_epi32(packed, kPackedFrequency), Words(kPackedMask));
  const __m256i fits = _mm256_cmpgt_epi32(_mm256_slli_epi32(frequency, 31 - kFrequencyBits), state);
  const auto full = static_cast<std::uint8_t>(~LanesOf(fits));
  const std::size_t size = Ones(full) * sizeof(std::uint16_t);
  const __m256i order = Load8As32(kChoices.compress[full].data());
  const __m128i words =
      _mm_shuffle_epi8(Low16(_mm256_permutevar8x32_epi32(state, order)),
                       _mm_loadu_si128(reinterpret_cast<const __m128i*>(kToTheEnd.data() + size)));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(end) - 1, words);
  state = _mm256_blendv_epi8(_mm256_srli_epi32(state, kRansWordBits), state, fits);
  const __m256i even = _mm256_srli_epi64(_mm256_mul_epu32(state, reciprocal), 32);
  const __m256i odd =
      _mm256_mul_epu32(_mm256_srli_epi64(state, 32), _mm256_srli_epi64(reciprocal, 32));
  const __m256i quotient = _mm256_srlv_epi32(_mm256_blend_epi32(even, odd, 0xAA),
                                             _mm256_srli_epi32(packed, kPackedShift));
  state = _mm256_add_epi32(
      _mm256_add_epi32(state, _mm256_and_si256(packed, Words(kPackedMask))),
      _mm256_mullo_epi32(quotient, _mm256_sub_epi32(Words(kFrequencySum), frequency)));
  return end - size;
}

PLUMB_AVX2 std::byte* RansEncode(const RansEncoder& encoder, const std::uint8_t* symbols,
                                 std::size_t n, RansStates& states, std::byte* end) {
  const std::size_t whole = n / kLanes * kLanes;
  end = PlainKernels().rans_encode(encoder, symbols + whole, n - whole, states, end);
  __m256i state[kVectors];
  for (std::size_t k = 0; k < kVectors; ++k)
    state[k] = Load(states.data() + 8 * k);
  for (std::size_t i = whole; i > 0; i -= kLanes)
#pragma GCC unroll 8
    for (std::size_t k = kVectors; k-- > 0;)
      end = Encode8(encoder, symbols + i - kLanes + 8 * k, state[k], end);
  for (std::size_t k = 0; k < kVectors; ++k)
    Store(states.data() + 8 * k, state[k]);
  return end;
}

PLUMB_AVX2 inline const std::byte* Decode8(const RansDecoder& decoder, const std::byte* next,
                                           __m256i& state, std::uint8_t* symbols) {
  const __m256i mask = Words(kFrequencySum - 1);
  const __m256i slot = Gather(decoder.slots.data(), _mm256_and_si256(state, mask));
  const __m128i symbols16 = Low16(_mm256_and_si256(slot, Words(0xFF)));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(symbols), _mm_packus_epi16(symbols16, symbols16));
  const __m256i frequency = _mm256_and_si256(_mm256_srli_epi32(slot, 8), mask);
  state = _mm256_add_epi32(_mm256_mullo_epi32(frequency, _mm256_srli_epi32(state, kFrequencyBits)),
                           _mm256_srli_epi32(slot, 20));
  const __m256i is_low = _mm256_cmpgt_epi32(Words(kStateMin), state);
  const std::uint8_t low = LanesOf(is_low);
  const __m256i words =
      _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(next)));
  const __m256i order = Load8As32(kChoices.expand[low].data());
  const __m256i refilled = _mm256_or_si256(_mm256_slli_epi32(state, kRansWordBits),
                                           _mm256_permutevar8x32_epi32(words, order));
  state = _mm256_blendv_epi8(state, refilled, is_low);
  return next + Ones(low) * sizeof(std::uint16_t);
}

PLUMB_AVX2 bool RansDecode(RansDecoder& decoder, std::size_t n, std::uint8_t* symbols) {
  // A step takes at most a word for each lane, and reads no further.
  constexpr std::ptrdiff_t kStepSize = kLanes * sizeof(std::uint16_t);
  __m256i state[kVectors];
  for (std::size_t k = 0; k < kVectors; ++k)
    state[k] = Load(decoder.states.data() + 8 * k);
  const std::byte* next = decoder.next;
  std::size_t i = 0;
  for (; i + kLanes <= n && decoder.end - next >= kStepSize; i += kLanes)
#pragma GCC unroll 8
    for (std::size_t k = 0; k < kVectors; ++k)
      next = Decode8(decoder, next, state[k], symbols + i + 8 * k);
  for (std::size_t k = 0; k < kVectors; ++k)
    Store(decoder.states.data() + 8 * k, state[k]);
  decoder.next = next;
  return PlainKernels().rans_decode(decoder, n - i, symbols + i);
}

constexpr Kernels kKernels = {Split,  Merge, Rank,   Reduce,     Count,
                              Expand, Pack,  Unpack, RansEncode, RansDecode};

}  // namespace

const Kernels& Avx2Kernels() { return kKernels; }

}  // namespace plumb::codec

#endif
