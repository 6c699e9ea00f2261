// SPDX-License-Identifier: MIT OR Apache-2.0
#include <type_traits>

#include "codec/kernels_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

// AVX-512 with VBMI2 (Ice Lake, Zen 4 and later): 64 symbols are one vector, the words of the
// format are its masks, and VPCOMPRESSB and VPEXPANDB are what a level does.
#define PLUMB_AVX512 \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx2,bmi,bmi2,popcnt")))

namespace plumb::codec {
namespace {

PLUMB_AVX512 inline __m512i Load(const void* at) { return _mm512_loadu_si512(at); }
PLUMB_AVX512 inline void Store(void* at, __m512i v) { _mm512_storeu_si512(at, v); }
PLUMB_AVX512 inline __m512i Bytes(unsigned value) {
  return _mm512_set1_epi8(static_cast<char>(value));
}
PLUMB_AVX512 inline std::size_t Ones(std::uint64_t word) {
  return static_cast<std::size_t>(_mm_popcnt_u64(word));
}

// Where the bytes (and 16-bit words) of a vector come from, out of two.
template <typename Lane, std::size_t kCount>
struct Index {
  alignas(64) std::array<Lane, kCount> lanes = {};
  PLUMB_AVX512 __m512i Get() const { return _mm512_load_si512(lanes.data()); }
};
template <typename Lane>
using IndexOf = Index<Lane, 64 / sizeof(Lane)>;

// Every second one, from the first or from the second on.
template <typename Lane>
constexpr IndexOf<Lane> EverySecond(std::size_t first) {
  IndexOf<Lane> index;
  for (std::size_t i = 0; i < index.lanes.size(); ++i)
    index.lanes[i] = static_cast<Lane>(2 * i + first);
  return index;
}
// By turns from both, from where `begin` says on.
template <typename Lane>
constexpr IndexOf<Lane> ByTurns(std::size_t begin) {
  IndexOf<Lane> index;
  const std::size_t count = index.lanes.size();
  for (std::size_t i = 0; i < count; ++i)
    index.lanes[i] = static_cast<Lane>(begin + i / 2 + (i % 2 == 0 ? 0 : count));
  return index;
}
constexpr auto kEvenBytes = EverySecond<std::uint8_t>(0);
constexpr auto kOddBytes = EverySecond<std::uint8_t>(1);
constexpr auto kEvenWords = EverySecond<std::uint16_t>(0);
constexpr auto kOddWords = EverySecond<std::uint16_t>(1);
constexpr auto kTurnsOfBytesLow = ByTurns<std::uint8_t>(0);
constexpr auto kTurnsOfBytesHigh = ByTurns<std::uint8_t>(32);
constexpr auto kTurnsOfWordsLow = ByTurns<std::uint16_t>(0);
constexpr auto kTurnsOfWordsHigh = ByTurns<std::uint16_t>(16);

PLUMB_AVX512 inline __m512i EvenBytes(__m512i a, __m512i b) {
  return _mm512_permutex2var_epi8(a, kEvenBytes.Get(), b);
}
PLUMB_AVX512 inline __m512i OddBytes(__m512i a, __m512i b) {
  return _mm512_permutex2var_epi8(a, kOddBytes.Get(), b);
}
PLUMB_AVX512 inline __m512i RotateLeft16(__m512i v) { return _mm512_shldi_epi16(v, v, 1); }
PLUMB_AVX512 inline __m512i RotateRight16(__m512i v) { return _mm512_shrdi_epi16(v, v, 1); }

// 64 values of two bytes.
struct Pair {
  __m512i low;
  __m512i high;
};
PLUMB_AVX512 inline Pair Interleave(__m512i low_bytes, __m512i high_bytes) {
  return {_mm512_permutex2var_epi8(low_bytes, kTurnsOfBytesLow.Get(), high_bytes),
          _mm512_permutex2var_epi8(low_bytes, kTurnsOfBytesHigh.Get(), high_bytes)};
}

PLUMB_AVX512 inline void Split64Bf16(Pair values, std::uint8_t* exponents,
                                     std::uint8_t* mantissas) {
  const __m512i low = RotateLeft16(values.low);
  const __m512i high = RotateLeft16(values.high);
  Store(exponents, OddBytes(low, high));
  Store(mantissas, EvenBytes(low, high));
}
PLUMB_AVX512 inline Pair Merge64Bf16(const std::uint8_t* exponents, const std::uint8_t* mantissas) {
  const Pair rotated = Interleave(Load(mantissas), Load(exponents));
  return {RotateRight16(rotated.low), RotateRight16(rotated.high)};
}

PLUMB_AVX512 inline void Split64F16(const std::byte* values, std::uint8_t* const* planes,
                                    std::size_t i) {
  const __m512i low = RotateLeft16(Load(values));
  const __m512i high = RotateLeft16(Load(values + 64));
  Store(planes[0] + i, EvenBytes(_mm512_srli_epi16(low, 11), _mm512_srli_epi16(high, 11)));
  Store(planes[1] + i, EvenBytes(_mm512_srli_epi16(low, 3), _mm512_srli_epi16(high, 3)));
  Store(planes[2] + i, EvenBytes(_mm512_slli_epi16(low, 5), _mm512_slli_epi16(high, 5)));
}
PLUMB_AVX512 inline void Merge32F16(const std::uint8_t* const* planes, std::size_t i,
                                    std::byte* values) {
  __m512i plane[3];
  for (int p = 0; p < 3; ++p)
    plane[p] =
        _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(planes[p] + i)));
  const __m512i rotated = _mm512_or_si512(
      _mm512_or_si512(_mm512_slli_epi16(plane[0], 11), _mm512_slli_epi16(plane[1], 3)),
      _mm512_srli_epi16(plane[2], 5));
  Store(values, RotateRight16(rotated));
}

PLUMB_AVX512 inline void Split64F32(const std::byte* values, std::uint8_t* const* planes,
                                    std::size_t i) {
  __m512i v[4];
  for (std::size_t part = 0; part < 4; ++part)
    v[part] = Load(values + 64 * part);
  const __m512i odd = kOddWords.Get();
  const __m512i even = kEvenWords.Get();
  const Pair upper = {_mm512_permutex2var_epi16(v[0], odd, v[1]),
                      _mm512_permutex2var_epi16(v[2], odd, v[3])};
  const Pair lower = {_mm512_permutex2var_epi16(v[0], even, v[1]),
                      _mm512_permutex2var_epi16(v[2], even, v[3])};
  Split64Bf16(upper, planes[0] + i, planes[1] + i);
  Store(planes[2] + i, OddBytes(lower.low, lower.high));
  Store(planes[3] + i, EvenBytes(lower.low, lower.high));
}
PLUMB_AVX512 inline void Merge64F32(const std::uint8_t* const* planes, std::size_t i,
                                    std::byte* values) {
  const Pair upper = Merge64Bf16(planes[0] + i, planes[1] + i);
  const Pair lower = Interleave(Load(planes[3] + i), Load(planes[2] + i));
  const __m512i low = kTurnsOfWordsLow.Get();
  const __m512i high = kTurnsOfWordsHigh.Get();
  Store(values, _mm512_permutex2var_epi16(lower.low, low, upper.low));
  Store(values + 64, _mm512_permutex2var_epi16(lower.low, high, upper.low));
  Store(values + 128, _mm512_permutex2var_epi16(lower.high, low, upper.high));
  Store(values + 192, _mm512_permutex2var_epi16(lower.high, high, upper.high));
}

// Bytes shifted as such, by shifting 16 bits and removing what came from the neighbour.
PLUMB_AVX512 inline __m128i By(unsigned count) {
  return _mm_cvtsi32_si128(static_cast<int>(count));
}
PLUMB_AVX512 inline __m512i ShiftLeft8(__m512i v, unsigned count) {
  return _mm512_and_si512(_mm512_sll_epi16(v, By(count)), Bytes(0xFFU << count));
}
PLUMB_AVX512 inline __m512i ShiftRight8(__m512i v, unsigned count) {
  return _mm512_and_si512(_mm512_srl_epi16(v, By(count)), Bytes(0xFFU >> count));
}
PLUMB_AVX512 inline void Split64F8(__m512i v, unsigned low_bits, std::uint8_t* exponents,
                                   std::uint8_t* rest) {
  const __m512i rotated = _mm512_or_si512(ShiftLeft8(v, 1), ShiftRight8(v, 7));
  Store(exponents, ShiftRight8(rotated, low_bits));
  Store(rest, ShiftLeft8(rotated, 8 - low_bits));
}
PLUMB_AVX512 inline __m512i Merge64F8(__m512i exponents, __m512i rest, unsigned low_bits) {
  const __m512i rotated =
      _mm512_or_si512(ShiftLeft8(exponents, low_bits), ShiftRight8(rest, 8 - low_bits));
  return _mm512_or_si512(ShiftRight8(rotated, 1), ShiftLeft8(rotated, 7));
}

PLUMB_AVX512 void Split(Value value, const std::byte* values, std::size_t n,
                        std::uint8_t* const* planes) {
  const std::size_t size = SizeOf(value);
  const bool by_vectors = value != Value::kBytes && value != Value::kF64;
  const unsigned low_bits = value == Value::kF8E4M3 ? 4 : 3;
  std::size_t i = 0;
  for (; by_vectors && i + 64 <= n; i += 64) {
    const std::byte* at = values + i * size;
    if (value == Value::kBf16) {
      Split64Bf16({Load(at), Load(at + 64)}, planes[0] + i, planes[1] + i);
    } else if (value == Value::kF32) {
      Split64F32(at, planes, i);
    } else if (value == Value::kF16) {
      Split64F16(at, planes, i);
    } else {
      Split64F8(Load(at), low_bits, planes[0] + i, planes[1] + i);
    }
  }
  SplitRest(value, values, i, n, planes);
}

PLUMB_AVX512 void Merge(Value value, const std::uint8_t* const* planes, std::size_t n,
                        std::byte* values) {
  const std::size_t size = SizeOf(value);
  const bool by_vectors = value != Value::kBytes && value != Value::kF64;
  const unsigned low_bits = value == Value::kF8E4M3 ? 4 : 3;
  std::size_t i = 0;
  for (; by_vectors && i + 64 <= n; i += 64) {
    std::byte* at = values + i * size;
    if (value == Value::kBf16) {
      const Pair merged = Merge64Bf16(planes[0] + i, planes[1] + i);
      Store(at, merged.low);
      Store(at + 64, merged.high);
    } else if (value == Value::kF32) {
      Merge64F32(planes, i, at);
    } else if (value == Value::kF16) {
      Merge32F16(planes, i, at);
      Merge32F16(planes, i + 32, at + 64);
    } else {
      Store(at, Merge64F8(Load(planes[0] + i), Load(planes[1] + i), low_bits));
    }
  }
  MergeRest(value, planes, i, n, values);
}

// What a table of 256 has for each of 64 symbols.
PLUMB_AVX512 inline __m512i LookUp(const __m512i (&table)[4], __m512i v) {
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(v),
                                _mm512_permutex2var_epi8(table[0], v, table[1]),
                                _mm512_permutex2var_epi8(table[2], v, table[3]));
}

PLUMB_AVX512 std::size_t Rank(const std::uint8_t* symbols, std::size_t n,
                              const RankSymbols& frequent, std::uint8_t* ranks,
                              std::uint8_t* escapes) {
  alignas(64) std::array<std::uint8_t, 256> rank_of;
  rank_of.fill(kRankCount);
  for (std::size_t rank = kRankCount; rank-- > 0;)
    rank_of[frequent[rank]] = static_cast<std::uint8_t>(rank);
  __m512i table[4];
  for (std::size_t part = 0; part < 4; ++part)
    table[part] = Load(rank_of.data() + 64 * part);
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; i += 64) {
    const __m512i v = Load(symbols + i);
    const __m512i rank = LookUp(table, v);
    Store(ranks + i, rank);
    const __mmask64 escape = _mm512_cmpeq_epi8_mask(rank, Bytes(kRankCount)) & MaskOf(n - i);
    if (escape == 0) continue;
    Store(escapes + count, _mm512_maskz_compress_epi8(escape, v));
    count += Ones(escape);
  }
  return count;
}

PLUMB_AVX512 std::size_t Reduce(const std::uint8_t* ranks, std::size_t n, unsigned width,
                                std::byte* words, std::uint8_t* next) {
  const __m512i reached = Bytes((1U << width) - 1);
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; i += 64, words += width * kWordSize) {
    const __mmask64 valid = MaskOf(n - i);
    const __m512i rank = Load(ranks + i);
    const __m512i code = _mm512_min_epu8(rank, reached);
    const __mmask64 more = _mm512_mask_cmpge_epu8_mask(valid, rank, reached);
    StoreWord<std::uint64_t>(_mm512_mask_test_epi8_mask(valid, code, Bytes(1)), words);
    if (width == 2)
      StoreWord<std::uint64_t>(_mm512_mask_test_epi8_mask(valid, code, Bytes(2)),
                               words + kWordSize);
    Store(next + count, _mm512_maskz_compress_epi8(more, _mm512_sub_epi8(rank, reached)));
    count += Ones(more);
  }
  return count;
}

PLUMB_AVX512 std::size_t Count(const std::byte* words, std::size_t n, unsigned width) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; i += 64, words += width * kWordSize)
    count += Ones(LoadWord<std::uint64_t>(words) &
                  LoadWord<std::uint64_t>(words + (width - 1) * kWordSize));
  return count;
}

PLUMB_AVX512 void ExpandNarrow(const LevelWords& level, std::size_t n, const std::uint8_t* next,
                               std::uint8_t* symbols) {
  const __m512i zero = Bytes(level.symbols[0]);
  const std::byte* words = level.words;
  for (std::size_t i = 0; i < n; i += 64, words += kWordSize) {
    const __mmask64 more = LoadWord<std::uint64_t>(words);
    Store(symbols + i, _mm512_mask_expand_epi8(zero, more, Load(next)));
    next += Ones(more);
  }
}

PLUMB_AVX512 void Expand(const LevelWords& level, std::size_t n, const std::uint8_t* next,
                         std::uint8_t* symbols) {
  if (level.width == 1) return ExpandNarrow(level, n, next, symbols);
  const __m512i zero = Bytes(level.symbols[0]);
  const __m512i one = Bytes(level.symbols[1]);
  const __m512i two = Bytes(level.symbols[2]);
  const std::byte* words = level.words;
  for (std::size_t i = 0; i < n; i += 64, words += 2 * kWordSize) {
    const __mmask64 low = LoadWord<std::uint64_t>(words);
    const __mmask64 high = LoadWord<std::uint64_t>(words + kWordSize);
    const __mmask64 more = low & high;
    __m512i v = _mm512_mask_blend_epi8(low, zero, one);
    v = _mm512_mask_mov_epi8(v, high, two);
    Store(symbols + i, _mm512_mask_expand_epi8(v, more, Load(next)));
    next += Ones(more);
  }
}

PLUMB_AVX512 void Pack(const std::uint8_t* symbols, std::size_t n, std::uint8_t base,
                       unsigned width, std::byte* words) {
  for (std::size_t i = 0; i < n; i += 64) {
    const __mmask64 valid = MaskOf(n - i);
    __m512i v = _mm512_xor_si512(Load(symbols + i), Bytes(base));
    for (unsigned bit = 0; bit < width; ++bit, words += kWordSize) {
      StoreWord<std::uint64_t>(_mm512_movepi8_mask(v) & valid, words);
      v = _mm512_add_epi8(v, v);
    }
  }
}

PLUMB_AVX512 void Unpack(const std::byte* words, std::size_t n, std::uint8_t base, unsigned width,
                         std::uint8_t* symbols) {
  for (std::size_t i = 0; i < n; i += 64) {
    __m512i v = Bytes(base);
    for (unsigned bit = 0; bit < width; ++bit, words += kWordSize)
      v = _mm512_xor_si512(
          v, _mm512_maskz_mov_epi8(LoadWord<std::uint64_t>(words), Bytes(0x80U >> bit)));
    Store(symbols + i, v);
  }
}

constexpr std::size_t kVectors = 4;  // of sixteen lanes

// A table of 2 to the power of `bits`, at most 32, from which sixteen are looked up at once.
template <unsigned bits>
struct FewTable {
  __m512i low;
  __m512i high;
  PLUMB_AVX512 explicit FewTable(const FewWords& words)
      : low(Load(words.data())), high(Load(words.data() + 16)) {}
  PLUMB_AVX512 __m512i At(__m512i place) const {
    if constexpr (bits < 5) return _mm512_permutexvar_epi32(place, low);
    return _mm512_permutex2var_epi32(low, place, high);
  }
};
PLUMB_AVX512 inline __m512i Words(std::uint32_t value) {
  return _mm512_set1_epi32(static_cast<int>(value));
}

// Symbols that are looked up in memory, and those that are few.
struct EncodeAny {
  const RansEncoder& encoder;
  PLUMB_AVX512 explicit EncodeAny(const RansEncoder& e) : encoder(e) {}
  PLUMB_AVX512 void Look(__m512i symbol, __m512i& reciprocal, __m512i& packed) const {
    reciprocal = _mm512_i32gather_epi32(symbol, encoder.reciprocal.data(), 4);
    packed = _mm512_i32gather_epi32(symbol, encoder.packed.data(), 4);
  }
};
template <unsigned bits>
struct EncodeFew {
  FewTable<bits> reciprocals;
  FewTable<bits> packeds;
  PLUMB_AVX512 explicit EncodeFew(const RansEncoder& e)
      : reciprocals(e.few_reciprocals), packeds(e.few_packed) {}
  PLUMB_AVX512 void Look(__m512i place, __m512i& reciprocal, __m512i& packed) const {
    reciprocal = reciprocals.At(place);
    packed = packeds.At(place);
  }
};

// One symbol (or its place among few) on each of sixteen lanes; where the words that they give
// begin.
template <typename Symbols>
PLUMB_AVX512 inline std::byte* Encode16(const Symbols& symbols, __m512i symbol, __m512i& state,
                                        std::byte* end) {
  __m512i reciprocal;
  __m512i packed;
  symbols.Look(symbol, reciprocal, packed);
  const __m512i mask = Words(kPackedMask);
  const __m512i frequency = _mm512_and_si512(_mm512_srli_epi32(packed, kPackedFrequency), mask);
  const __mmask16 full =
      _mm512_cmpge_epu32_mask(state, _mm512_slli_epi32(frequency, 31 - kFrequencyBits));
  const auto count = static_cast<unsigned>(Ones(full));
  end -= count * sizeof(std::uint16_t);
  _mm256_mask_storeu_epi16(end, static_cast<__mmask16>((1U << count) - 1),
                           _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(full, state)));
  state = _mm512_mask_srli_epi32(state, full, state, kRansWordBits);
  const __m512i even = _mm512_srli_epi64(_mm512_mul_epu32(state, reciprocal), 32);
  const __m512i odd =
      _mm512_mul_epu32(_mm512_srli_epi64(state, 32), _mm512_srli_epi64(reciprocal, 32));
  const __m512i quotient = _mm512_srlv_epi32(_mm512_mask_blend_epi32(0xAAAA, even, odd),
                                             _mm512_srli_epi32(packed, kPackedShift));
  const __m512i complement = _mm512_sub_epi32(Words(kFrequencySum), frequency);
  state = _mm512_add_epi32(_mm512_add_epi32(state, _mm512_and_si512(packed, mask)),
                           _mm512_mullo_epi32(quotient, complement));
  return end;
}

template <typename Symbols>
PLUMB_AVX512 std::byte* RansEncodeWith(const RansEncoder& encoder, const std::uint8_t* symbols,
                                       std::size_t n, RansStates& states, std::byte* end) {
  const Symbols look(encoder);
  __m512i places[4];
  for (std::size_t part = 0; part < 4; ++part)
    places[part] = Load(encoder.places.data() + 64 * part);
  __m512i state[kVectors];
  for (std::size_t k = 0; k < kVectors; ++k)
    state[k] = Load(states.data() + 16 * k);
  for (std::size_t i = n; i > 0; i -= kLanes) {
    __m512i v = Load(symbols + i - kLanes);
    if constexpr (!std::is_same_v<Symbols, EncodeAny>) v = LookUp(places, v);
    const __m128i parts[kVectors] = {_mm512_castsi512_si128(v), _mm512_extracti32x4_epi32(v, 1),
                                     _mm512_extracti32x4_epi32(v, 2),
                                     _mm512_extracti32x4_epi32(v, 3)};
#pragma GCC unroll 4
    for (std::size_t k = kVectors; k > 0; --k)
      end = Encode16(look, _mm512_cvtepu8_epi32(parts[k - 1]), state[k - 1], end);
  }
  for (std::size_t k = 0; k < kVectors; ++k)
    Store(states.data() + 16 * k, state[k]);
  return end;
}

PLUMB_AVX512 std::byte* RansEncode(const RansEncoder& encoder, const std::uint8_t* symbols,
                                   std::size_t n, RansStates& states, std::byte* end) {
  const std::size_t whole = n / kLanes * kLanes;
  end = PlainKernels().rans_encode(encoder, symbols + whole, n - whole, states, end);
  if (encoder.occurring <= 16)
    return RansEncodeWith<EncodeFew<4>>(encoder, symbols, whole, states, end);
  if (encoder.occurring <= kFewSymbols)
    return RansEncodeWith<EncodeFew<5>>(encoder, symbols, whole, states, end);
  return RansEncodeWith<EncodeAny>(encoder, symbols, whole, states, end);
}

// What the slots of sixteen states say, with how far each is behind its symbol's first: by memory,
// or by halving the few symbols that it could be.
struct DecodeAny {
  const RansDecoder& decoder;
  PLUMB_AVX512 explicit DecodeAny(const RansDecoder& d) : decoder(d) {}
  PLUMB_AVX512 __m512i Look(__m512i slot, __m512i& offset) const {
    const __m512i found = _mm512_i32gather_epi32(slot, decoder.slots.data(), 4);
    offset = _mm512_srli_epi32(found, 20);
    return found;
  }
};
template <unsigned bits>
struct DecodeFew {
  FewTable<bits> starts;
  FewTable<bits> slots;
  PLUMB_AVX512 explicit DecodeFew(const RansDecoder& d)
      : starts(d.few_starts), slots(d.few_slots) {}
  PLUMB_AVX512 __m512i Look(__m512i slot, __m512i& offset) const {
    __m512i place = _mm512_setzero_si512();
    __m512i start = place;
#pragma GCC unroll 5
    for (unsigned step = 0; step < bits; ++step) {
      const __m512i other = _mm512_or_si512(place, Words((1U << (bits - 1)) >> step));
      const __m512i other_start = starts.At(other);
      const __mmask16 behind = _mm512_cmpge_epu32_mask(slot, other_start);
      place = _mm512_mask_mov_epi32(place, behind, other);
      start = _mm512_mask_mov_epi32(start, behind, other_start);
    }
    offset = _mm512_sub_epi32(slot, start);
    return slots.At(place);
  }
};

template <typename Symbols>
PLUMB_AVX512 inline const std::byte* Decode16(const Symbols& look, const std::byte* next,
                                              __m512i& state, std::uint8_t* symbols) {
  const __m512i mask = Words(kFrequencySum - 1);
  __m512i offset;
  const __m512i slot = look.Look(_mm512_and_si512(state, mask), offset);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(symbols), _mm512_cvtepi32_epi8(slot));
  const __m512i frequency = _mm512_and_si512(_mm512_srli_epi32(slot, 8), mask);
  state = _mm512_add_epi32(_mm512_mullo_epi32(frequency, _mm512_srli_epi32(state, kFrequencyBits)),
                           offset);
  const __mmask16 low = _mm512_cmplt_epu32_mask(state, Words(kStateMin));
  const __m512i words =
      _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(next)));
  state = _mm512_mask_or_epi32(state, low, _mm512_slli_epi32(state, kRansWordBits),
                               _mm512_maskz_expand_epi32(low, words));
  return next + Ones(low) * sizeof(std::uint16_t);
}

// Returns how many symbols it decoded: all, but what is left over, and the last for which words may
// be too few.
template <typename Symbols>
PLUMB_AVX512 std::size_t RansDecodeWith(RansDecoder& decoder, std::size_t n,
                                        std::uint8_t* symbols) {
  // A step takes at most a word for each lane, and reads no further.
  constexpr std::ptrdiff_t kStepSize = kLanes * sizeof(std::uint16_t);
  const Symbols look(decoder);
  __m512i state[kVectors];
  for (std::size_t k = 0; k < kVectors; ++k)
    state[k] = Load(decoder.states.data() + 16 * k);
  const std::byte* next = decoder.next;
  std::size_t i = 0;
  for (; i + kLanes <= n && decoder.end - next >= kStepSize; i += kLanes)
#pragma GCC unroll 4
    for (std::size_t k = 0; k < kVectors; ++k)
      next = Decode16(look, next, state[k], symbols + i + 16 * k);
  for (std::size_t k = 0; k < kVectors; ++k)
    Store(decoder.states.data() + 16 * k, state[k]);
  decoder.next = next;
  return i;
}

PLUMB_AVX512 bool RansDecode(RansDecoder& decoder, std::size_t n, std::uint8_t* symbols) {
  std::size_t done = 0;
  if (decoder.occurring <= kFewestSymbols) {
    done = RansDecodeWith<DecodeFew<3>>(decoder, n, symbols);
  } else if (decoder.occurring <= 16) {
    done = RansDecodeWith<DecodeFew<4>>(decoder, n, symbols);
  } else if (decoder.occurring <= kFewSymbols) {
    done = RansDecodeWith<DecodeFew<5>>(decoder, n, symbols);
  } else {
    done = RansDecodeWith<DecodeAny>(decoder, n, symbols);
  }
  return PlainKernels().rans_decode(decoder, n - done, symbols + done);
}

constexpr Kernels kKernels = {Split,  Merge, Rank,   Reduce,     Count,
                              Expand, Pack,  Unpack, RansEncode, RansDecode};

}  // namespace

const Kernels& Avx512Kernels() { return kKernels; }

}  // namespace plumb::codec

#endif
