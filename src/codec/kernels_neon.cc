// SPDX-License-Identifier: MIT OR Apache-2.0
#include "codec/kernels_internal.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include "codec/choices_internal.h"

// NEON, which every AArch64 has. Its loads take bytes apart by turns, two or four ways, and its
// stores put them together; "shift right and insert" joins the bits of two bytes. Most of what
// follows is made of these.
namespace plumb::codec {
namespace {

constexpr std::size_t kStep = 16;  // symbols of a vector

inline const std::uint8_t* AsSymbols(const std::byte* at) {
  return reinterpret_cast<const std::uint8_t*>(at);
}
inline std::uint8_t* AsSymbols(std::byte* at) { return reinterpret_cast<std::uint8_t*>(at); }

// Of each two bytes one: what follows the kCount highest bits of `high`, then those of `low`.
template <int kCount>
inline uint8x16_t Join(uint8x16_t high, uint8x16_t low) {
  return vsriq_n_u8(vshlq_n_u8(high, kCount), low, 8 - kCount);
}

// 16 values of two bytes: their lower and their upper bytes.
inline uint8x16x2_t RotateLeft(const uint8x16x2_t& v) {
  return {{Join<1>(v.val[0], v.val[1]), Join<1>(v.val[1], v.val[0])}};
}
inline uint8x16x2_t RotateRight(const uint8x16x2_t& v) {
  return {{Join<7>(v.val[1], v.val[0]), Join<7>(v.val[0], v.val[1])}};
}

inline void SplitBf16(const std::byte* values, std::uint8_t* const* planes, std::size_t i) {
  const uint8x16x2_t rotated = RotateLeft(vld2q_u8(AsSymbols(values)));
  vst1q_u8(planes[0] + i, rotated.val[1]);
  vst1q_u8(planes[1] + i, rotated.val[0]);
}
inline void MergeBf16(const std::uint8_t* const* planes, std::size_t i, std::byte* values) {
  const uint8x16x2_t rotated = {{vld1q_u8(planes[1] + i), vld1q_u8(planes[0] + i)}};
  vst2q_u8(AsSymbols(values), RotateRight(rotated));
}

inline void SplitF16(const std::byte* values, std::uint8_t* const* planes, std::size_t i) {
  const uint8x16x2_t rotated = RotateLeft(vld2q_u8(AsSymbols(values)));
  vst1q_u8(planes[0] + i, vshrq_n_u8(rotated.val[1], 3));
  vst1q_u8(planes[1] + i, Join<5>(rotated.val[1], rotated.val[0]));
  vst1q_u8(planes[2] + i, vshlq_n_u8(rotated.val[0], 5));
}
inline void MergeF16(const std::uint8_t* const* planes, std::size_t i, std::byte* values) {
  const uint8x16_t middle = vld1q_u8(planes[1] + i);
  const uint8x16x2_t rotated = {
      {Join<3>(middle, vld1q_u8(planes[2] + i)), Join<3>(vld1q_u8(planes[0] + i), middle)}};
  vst2q_u8(AsSymbols(values), RotateRight(rotated));
}

inline void SplitF32(const std::byte* values, std::uint8_t* const* planes, std::size_t i) {
  const uint8x16x4_t bytes = vld4q_u8(AsSymbols(values));
  const uint8x16x2_t rotated = RotateLeft({{bytes.val[2], bytes.val[3]}});
  vst1q_u8(planes[0] + i, rotated.val[1]);
  vst1q_u8(planes[1] + i, rotated.val[0]);
  vst1q_u8(planes[2] + i, bytes.val[1]);
  vst1q_u8(planes[3] + i, bytes.val[0]);
}
inline void MergeF32(const std::uint8_t* const* planes, std::size_t i, std::byte* values) {
  const uint8x16x2_t upper = RotateRight({{vld1q_u8(planes[1] + i), vld1q_u8(planes[0] + i)}});
  const uint8x16x4_t bytes = {
      {vld1q_u8(planes[3] + i), vld1q_u8(planes[2] + i), upper.val[0], upper.val[1]}};
  vst4q_u8(AsSymbols(values), bytes);
}

inline void SplitF64(const std::byte* values, std::uint8_t* const* planes, std::size_t i) {
  const uint8x16x4_t first = vld4q_u8(AsSymbols(values));
  const uint8x16x4_t second = vld4q_u8(AsSymbols(values) + 4 * kStep);
  uint8x16_t bytes[8];
  for (std::size_t k = 0; k < 4; ++k) {
    bytes[k] = vuzp1q_u8(first.val[k], second.val[k]);
    bytes[k + 4] = vuzp2q_u8(first.val[k], second.val[k]);
  }
  vst1q_u8(planes[0] + i, Join<4>(bytes[7], bytes[6]));
  vst1q_u8(planes[1] + i, vsriq_n_u8(Join<4>(bytes[6], bytes[5]), bytes[7], 7));
  vst1q_u8(planes[2] + i, vandq_u8(vshlq_n_u8(bytes[7], 1), vdupq_n_u8(0xE0)));
  for (std::size_t plane = 3; plane < 8; ++plane)
    vst1q_u8(planes[plane] + i, Join<3>(bytes[8 - plane], bytes[7 - plane]));
  vst1q_u8(planes[8] + i, vshlq_n_u8(bytes[0], 3));
}
inline void MergeF64(const std::uint8_t* const* planes, std::size_t i, std::byte* values) {
  uint8x16_t plane[9];
  for (std::size_t p = 0; p < 9; ++p)
    plane[p] = vld1q_u8(planes[p] + i);
  uint8x16_t bytes[8];
  bytes[7] = vsliq_n_u8(vsriq_n_u8(vshrq_n_u8(plane[2], 1), plane[0], 4), plane[1], 7);
  bytes[6] = Join<4>(plane[0], plane[1]);
  bytes[5] = vsriq_n_u8(vshlq_n_u8(plane[1], 4), plane[3], 3);
  for (std::size_t k = 0; k < 5; ++k)
    bytes[k] = Join<5>(plane[7 - k], plane[8 - k]);
  uint8x16x4_t first;
  uint8x16x4_t second;
  for (std::size_t k = 0; k < 4; ++k) {
    first.val[k] = vzip1q_u8(bytes[k], bytes[k + 4]);
    second.val[k] = vzip2q_u8(bytes[k], bytes[k + 4]);
  }
  vst4q_u8(AsSymbols(values), first);
  vst4q_u8(AsSymbols(values) + 4 * kStep, second);
}

template <int kLowBits>
inline void SplitF8(const std::byte* values, std::uint8_t* const* planes, std::size_t i) {
  const uint8x16_t value = vld1q_u8(AsSymbols(values));
  const uint8x16_t rotated = Join<1>(value, value);
  vst1q_u8(planes[0] + i, vshrq_n_u8(rotated, kLowBits));
  vst1q_u8(planes[1] + i, vshlq_n_u8(rotated, 8 - kLowBits));
}
template <int kLowBits>
inline void MergeF8(const std::uint8_t* const* planes, std::size_t i, std::byte* values) {
  const uint8x16_t rotated = Join<kLowBits>(vld1q_u8(planes[0] + i), vld1q_u8(planes[1] + i));
  vst1q_u8(AsSymbols(values), Join<7>(rotated, rotated));
}

// By steps of 16 values, and the rest as plain.
template <auto kSplit16>
void SplitBy(Value value, const std::byte* values, std::size_t n, std::uint8_t* const* planes) {
  std::size_t i = 0;
  for (; i + kStep <= n; i += kStep)
    kSplit16(values + i * SizeOf(value), planes, i);
  SplitRest(value, values, i, n, planes);
}
template <auto kMerge16>
void MergeBy(Value value, const std::uint8_t* const* planes, std::size_t n, std::byte* values) {
  std::size_t i = 0;
  for (; i + kStep <= n; i += kStep)
    kMerge16(planes, i, values + i * SizeOf(value));
  MergeRest(value, planes, i, n, values);
}

void Split(Value value, const std::byte* values, std::size_t n, std::uint8_t* const* planes) {
  switch (value) {
    case Value::kBytes:
      return PlainKernels().split(value, values, n, planes);
    case Value::kBf16:
      return SplitBy<SplitBf16>(value, values, n, planes);
    case Value::kF16:
      return SplitBy<SplitF16>(value, values, n, planes);
    case Value::kF32:
      return SplitBy<SplitF32>(value, values, n, planes);
    case Value::kF64:
      return SplitBy<SplitF64>(value, values, n, planes);
    case Value::kF8E4M3:
      return SplitBy<SplitF8<4>>(value, values, n, planes);
    case Value::kF8E5M2:
      return SplitBy<SplitF8<3>>(value, values, n, planes);
  }
}

void Merge(Value value, const std::uint8_t* const* planes, std::size_t n, std::byte* values) {
  switch (value) {
    case Value::kBytes:
      return PlainKernels().merge(value, planes, n, values);
    case Value::kBf16:
      return MergeBy<MergeBf16>(value, planes, n, values);
    case Value::kF16:
      return MergeBy<MergeF16>(value, planes, n, values);
    case Value::kF32:
      return MergeBy<MergeF32>(value, planes, n, values);
    case Value::kF64:
      return MergeBy<MergeF64>(value, planes, n, values);
    case Value::kF8E4M3:
      return MergeBy<MergeF8<4>>(value, planes, n, values);
    case Value::kF8E5M2:
      return MergeBy<MergeF8<3>>(value, planes, n, values);
  }
}

// The highest bits of 64 bytes, which are in four vectors by turns.
inline std::uint64_t HighBits(const uint8x16x4_t& by_turns) {
  const uint8x16_t first = vsriq_n_u8(by_turns.val[1], by_turns.val[0], 1);
  const uint8x16_t second = vsriq_n_u8(by_turns.val[3], by_turns.val[2], 1);
  const uint8x16_t four = vsriq_n_u8(second, first, 2);  // in the upper half of each byte
  const uint16x8_t twice = vreinterpretq_u16_u8(vsriq_n_u8(four, four, 4));
  return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(twice, 4)), 0);
}

// How many of eight, of sixteen and so on are chosen, in a byte each.
class Sums {
 public:
  explicit Sums(std::uint64_t chosen)
      : sums_(vget_lane_u64(vreinterpret_u64_u8(vcnt_u8(vcreate_u8(chosen))), 0) *
              0x0101010101010101) {}
  std::size_t Before(std::size_t eight) const { return sums_ << 8U >> 8 * eight & 0xFFU; }
  std::size_t All() const { return sums_ >> 56U; }

 private:
  std::uint64_t sums_;
};
inline std::uint8_t EightOf(std::uint64_t word, std::size_t eight) {
  return static_cast<std::uint8_t>(word >> 8 * eight);
}

// Of 64 symbols those that are chosen, less `reached`, to the front.
inline std::size_t Compress64(const std::uint8_t* symbols, std::uint64_t chosen,
                              std::uint8_t reached, std::uint8_t* to) {
  const Sums sums(chosen);
  for (std::size_t eight = 0; eight < 8; ++eight) {
    const uint8x8_t order = vld1_u8(kChoices.compress[EightOf(chosen, eight)].data());
    const uint8x8_t left = vsub_u8(vld1_u8(symbols + 8 * eight), vdup_n_u8(reached));
    vst1_u8(to + sums.Before(eight), vtbl1_u8(left, order));
  }
  return sums.All();
}

// Compared with each frequent symbol, the most frequent last.
inline uint8x16_t Rank16(uint8x16_t v, const RankSymbols& frequent) {
  uint8x16_t rank = vdupq_n_u8(kRankCount);
  for (std::size_t k = kRankCount; k-- > 0;)
    rank = vbslq_u8(vceqq_u8(v, vdupq_n_u8(frequent[k])), vdupq_n_u8(static_cast<std::uint8_t>(k)),
                    rank);
  return rank;
}

std::size_t Rank(const std::uint8_t* symbols, std::size_t n, const RankSymbols& frequent,
                 std::uint8_t* ranks, std::uint8_t* escapes) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; i += kWordSymbols) {
    uint8x16x4_t v = vld4q_u8(symbols + i);
    for (uint8x16_t& part : v.val)
      part = Rank16(part, frequent);
    vst4q_u8(ranks + i, v);
    for (uint8x16_t& part : v.val)
      part = vceqq_u8(part, vdupq_n_u8(kRankCount));
    const std::uint64_t escape = HighBits(v) & MaskOf(n - i);
    if (escape != 0) count += Compress64(symbols + i, escape, 0, escapes + count);
  }
  return count;
}

std::size_t Reduce(const std::uint8_t* ranks, std::size_t n, unsigned width, std::byte* words,
                   std::uint8_t* next) {
  const auto reached = static_cast<std::uint8_t>((1U << width) - 1);
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; i += kWordSymbols, words += width * kWordSize) {
    uint8x16x4_t low = vld4q_u8(ranks + i);
    uint8x16x4_t high;
    for (std::size_t part = 0; part < 4; ++part) {
      const uint8x16_t code = vminq_u8(low.val[part], vdupq_n_u8(reached));
      low.val[part] = vshlq_n_u8(code, 7);
      high.val[part] = vshlq_n_u8(code, 6);
    }
    const std::uint64_t valid = MaskOf(n - i);
    const std::uint64_t low_bits = HighBits(low) & valid;
    const std::uint64_t high_bits = width == 2 ? HighBits(high) & valid : low_bits;
    StoreWord(low_bits, words);
    StoreWord(high_bits, words + (width - 1) * kWordSize);
    count += Compress64(ranks + i, low_bits & high_bits, reached, next + count);
  }
  return count;
}

std::size_t Count(const std::byte* words, std::size_t n, unsigned width) {
  constexpr std::size_t kTwoWords = 2 * kWordSymbols;
  uint32x4_t count = vdupq_n_u32(0);
  std::size_t i = 0;
  for (; i + kTwoWords <= n; i += kTwoWords, words += 2 * kWordSize * width) {
    const uint64x2_t first = vreinterpretq_u64_u8(vld1q_u8(AsSymbols(words)));
    const uint64x2_t second =
        vreinterpretq_u64_u8(vld1q_u8(AsSymbols(words) + (width - 1) * kStep));
    const uint64x2_t more =
        width == 1 ? first : vandq_u64(vuzp1q_u64(first, second), vuzp2q_u64(first, second));
    count = vpadalq_u16(count, vpaddlq_u8(vcntq_u8(vreinterpretq_u8_u64(more))));
  }
  return vaddvq_u32(count) + PlainKernels().count(words, n - i, width);
}

// The bits of a word as bytes 0 or 0xFF, in order.
inline uint8x16x4_t Spread(std::uint64_t word) {
  const uint8x16_t bytes = vreinterpretq_u8_u64(vdupq_n_u64(word));
  const uint8x16_t bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  const uint8x16_t first_two = vcombine_u8(vdup_n_u8(0), vdup_n_u8(1));
  uint8x16x4_t spread;
  for (std::uint8_t part = 0; part < 4; ++part) {
    const uint8x16_t byte_of = vaddq_u8(first_two, vdupq_n_u8(static_cast<std::uint8_t>(2 * part)));
    spread.val[part] = vtstq_u8(vqtbl1q_u8(bytes, byte_of), bit);
  }
  return spread;
}

// The next symbols at the places of 64 that `more` says.
inline uint8x16x4_t Expand64(const std::uint8_t*& next, std::uint64_t more) {
  const Sums sums(more);
  uint8x8_t eight[8];
  for (std::size_t k = 0; k < 8; ++k)
    eight[k] =
        vtbl1_u8(vld1_u8(next + sums.Before(k)), vld1_u8(kChoices.expand[EightOf(more, k)].data()));
  next += sums.All();
  uint8x16x4_t expanded;
  for (std::size_t part = 0; part < 4; ++part)
    expanded.val[part] = vcombine_u8(eight[2 * part], eight[2 * part + 1]);
  return expanded;
}

void ExpandNarrow(const LevelWords& level, std::size_t n, const std::uint8_t* next,
                  std::uint8_t* symbols) {
  const uint8x16_t zero = vdupq_n_u8(level.symbols[0]);
  for (std::size_t i = 0; i < n; i += kWordSymbols) {
    const auto more = LoadWord<std::uint64_t>(level.words + i / 8);
    const uint8x16x4_t expanded = Expand64(next, more);
    const uint8x16x4_t is_more = Spread(more);
    for (std::size_t part = 0; part < 4; ++part)
      vst1q_u8(symbols + i + part * kStep, vbslq_u8(is_more.val[part], expanded.val[part], zero));
  }
}

void Expand(const LevelWords& level, std::size_t n, const std::uint8_t* next,
            std::uint8_t* symbols) {
  if (level.width == 1) return ExpandNarrow(level, n, next, symbols);
  const uint8x16_t zero = vdupq_n_u8(level.symbols[0]);
  const uint8x16_t one = vdupq_n_u8(level.symbols[1]);
  const uint8x16_t two = vdupq_n_u8(level.symbols[2]);
  for (std::size_t i = 0; i < n; i += kWordSymbols) {
    const auto low = LoadWord<std::uint64_t>(level.words + i / 4);
    const auto high = LoadWord<std::uint64_t>(level.words + i / 4 + kWordSize);
    const uint8x16x4_t expanded = Expand64(next, low & high);
    const uint8x16x4_t is_odd = Spread(low);
    const uint8x16x4_t is_high = Spread(high);
    for (std::size_t part = 0; part < 4; ++part) {
      const uint8x16_t if_low = vbslq_u8(is_odd.val[part], one, zero);
      const uint8x16_t if_high = vbslq_u8(is_odd.val[part], expanded.val[part], two);
      vst1q_u8(symbols + i + part * kStep, vbslq_u8(is_high.val[part], if_high, if_low));
    }
  }
}

void Pack(const std::uint8_t* symbols, std::size_t n, std::uint8_t base, unsigned width,
          std::byte* words) {
  for (std::size_t i = 0; i < n; i += kWordSymbols) {
    uint8x16x4_t v = vld4q_u8(symbols + i);
    for (uint8x16_t& part : v.val)
      part = veorq_u8(part, vdupq_n_u8(base));
    for (unsigned bit = 0; bit < width; ++bit, words += kWordSize) {
      StoreWord(HighBits(v) & MaskOf(n - i), words);
      for (uint8x16_t& part : v.val)
        part = vshlq_n_u8(part, 1);
    }
  }
}

void Unpack(const std::byte* words, std::size_t n, std::uint8_t base, unsigned width,
            std::uint8_t* symbols) {
  for (std::size_t i = 0; i < n; i += kWordSymbols, words += width * kWordSize) {
    uint8x16x4_t v = {};
    // The lowest first: each further bit goes on top, and moves down what there is.
    for (unsigned bit = width; bit-- > 0;) {
      const uint8x16x4_t is_set = Spread(LoadWord<std::uint64_t>(words + bit * kWordSize));
      for (std::size_t part = 0; part < 4; ++part)
        v.val[part] = vsriq_n_u8(is_set.val[part], v.val[part], 1);
    }
    for (std::size_t part = 0; part < 4; ++part)
      vst1q_u8(symbols + i + part * kStep, veorq_u8(v.val[part], vdupq_n_u8(base)));
  }
}

// rANS: eight lanes at once, whose tables are read one by one; what the branches of plain decide,
// and a processor cannot foresee, is chosen by masks.
struct Eight32 {
  uint32x4_t half[2];
};
inline Eight32 LoadStates(const std::uint32_t* states) {
  return {{vld1q_u32(states), vld1q_u32(states + 4)}};
}
inline void StoreStates(const Eight32& v, std::uint32_t* states) {
  vst1q_u32(states, v.half[0]);
  vst1q_u32(states + 4, v.half[1]);
}

// By way of the other registers: their loads take an index.
inline uint32x4_t Four(std::uint64_t first, std::uint64_t second, std::uint64_t third,
                       std::uint64_t fourth) {
  return vcombine_u32(vcreate_u32(first | second << 32U), vcreate_u32(third | fourth << 32U));
}
inline uint32x4_t LookUp(const std::uint32_t* table, const std::uint8_t* symbols) {
  return Four(table[symbols[0]], table[symbols[1]], table[symbols[2]], table[symbols[3]]);
}
inline uint32x4_t SlotsOf(const RansDecoder& decoder, uint32x4_t states) {
  constexpr std::uint64_t kMask = kFrequencySum - 1;
  const std::uint64_t low = vgetq_lane_u64(vreinterpretq_u64_u32(states), 0);
  const std::uint64_t high = vgetq_lane_u64(vreinterpretq_u64_u32(states), 1);
  const std::uint32_t* slots = decoder.slots.data();
  return Four(slots[low & kMask], slots[low >> 32U & kMask], slots[high & kMask],
              slots[high >> 32U & kMask]);
}

inline uint16x8_t Low16(const Eight32& v) {
  return vcombine_u16(vmovn_u32(v.half[0]), vmovn_u32(v.half[1]));
}

// Which of eight lanes are all ones (the others are zero).
struct Chosen {
  explicit Chosen(const Eight32& mask) {
    const uint8x8_t bytes = vmovn_u16(Low16(mask));
    choice = vaddv_u8(vand_u8(bytes, vcreate_u8(0x8040201008040201)));
    size = static_cast<std::uint8_t>(-vaddv_u8(bytes)) * sizeof(std::uint16_t);
  }
  std::uint8_t choice;
  std::size_t size;  // of a word of 16 bits for each
};
// Words of 16 bits as a row of kChoices orders them; any where it says nowhere.
inline uint8x16_t InOrder(uint8x16_t words, const std::array<std::uint8_t, 8>& order) {
  const uint8x8_t lower = vshl_n_u8(vld1_u8(order.data()), 1);
  const uint8x8_t upper = vorr_u8(lower, vdup_n_u8(1));
  return vqtbl1q_u8(words, vcombine_u8(vzip1_u8(lower, upper), vzip2_u8(lower, upper)));
}

// One symbol on each of eight lanes; where the words that they give begin. Before these, 16 bytes
// in all are written over.
inline std::byte* Encode8(const RansEncoder& encoder, const std::uint8_t* symbols,
                          std::uint32_t* lanes, std::byte* end) {
  Eight32 states = LoadStates(lanes);
  const uint32x4_t mask = vdupq_n_u32(kPackedMask);
  Eight32 packed;
  Eight32 frequency;
  Eight32 is_full;
  for (std::size_t k = 0; k < 2; ++k) {
    packed.half[k] = LookUp(encoder.packed.data(), symbols + 4 * k);
    frequency.half[k] = vandq_u32(vshrq_n_u32(packed.half[k], kPackedFrequency), mask);
    is_full.half[k] =
        vcgeq_u32(states.half[k], vshlq_n_u32(frequency.half[k], 31 - kFrequencyBits));
  }
  const Chosen full(is_full);
  const uint8x16_t words =
      InOrder(vreinterpretq_u8_u16(Low16(states)), kChoices.compress[full.choice]);
  vst1q_u8(AsSymbols(end) - 16, vqtbl1q_u8(words, vld1q_u8(kToTheEnd.data() + full.size)));
  for (std::size_t k = 0; k < 2; ++k) {
    uint32x4_t& state = states.half[k];
    state = vbslq_u32(is_full.half[k], vshrq_n_u32(state, kRansWordBits), state);
    const uint32x4_t reciprocal = LookUp(encoder.reciprocal.data(), symbols + 4 * k);
    const uint64x2_t low = vmull_u32(vget_low_u32(state), vget_low_u32(reciprocal));
    const uint64x2_t high = vmull_high_u32(state, reciprocal);
    const uint32x4_t upper = vuzp2q_u32(vreinterpretq_u32_u64(low), vreinterpretq_u32_u64(high));
    const int32x4_t shift = vreinterpretq_s32_u32(vshrq_n_u32(packed.half[k], kPackedShift));
    const uint32x4_t quotient = vshlq_u32(upper, vnegq_s32(shift));  // to the right
    state = vmlaq_u32(vaddq_u32(state, vandq_u32(packed.half[k], mask)), quotient,
                      vsubq_u32(vdupq_n_u32(kFrequencySum), frequency.half[k]));
  }
  StoreStates(states, lanes);
  return end - full.size;
}

std::byte* RansEncode(const RansEncoder& encoder, const std::uint8_t* symbols, std::size_t n,
                      RansStates& states, std::byte* end) {
  const std::size_t whole = n / kLanes * kLanes;
  end = PlainKernels().rans_encode(encoder, symbols + whole, n - whole, states, end);
  for (std::size_t i = whole; i > 0;) {
    i -= 8;
    end = Encode8(encoder, symbols + i, states.data() + i % kLanes, end);
  }
  return end;
}

inline const std::byte* Decode8(const RansDecoder& decoder, const std::byte* next,
                                std::uint32_t* lanes, std::uint8_t* symbols) {
  Eight32 states = LoadStates(lanes);
  const uint32x4_t mask = vdupq_n_u32(kFrequencySum - 1);
  Eight32 slot;
  Eight32 is_low;
  for (std::size_t k = 0; k < 2; ++k) {
    uint32x4_t& state = states.half[k];
    slot.half[k] = SlotsOf(decoder, state);
    const uint32x4_t frequency = vandq_u32(vshrq_n_u32(slot.half[k], 8), mask);
    state = vmlaq_u32(vshrq_n_u32(slot.half[k], 20), frequency, vshrq_n_u32(state, kFrequencyBits));
    is_low.half[k] = vcltq_u32(state, vdupq_n_u32(kStateMin));
  }
  vst1_u8(symbols, vmovn_u16(Low16(slot)));
  const Chosen low(is_low);
  const uint16x8_t words =
      vreinterpretq_u16_u8(InOrder(vld1q_u8(AsSymbols(next)), kChoices.expand[low.choice]));
  const Eight32 refill = {{vmovl_u16(vget_low_u16(words)), vmovl_high_u16(words)}};
  for (std::size_t k = 0; k < 2; ++k) {
    uint32x4_t& state = states.half[k];
    const uint32x4_t refilled = vorrq_u32(vshlq_n_u32(state, kRansWordBits), refill.half[k]);
    state = vbslq_u32(is_low.half[k], refilled, state);
  }
  StoreStates(states, lanes);
  return next + low.size;
}

bool RansDecode(RansDecoder& decoder, std::size_t n, std::uint8_t* symbols) {
  // A step takes at most a word for each lane, and reads no further.
  constexpr std::ptrdiff_t kStepSize = kLanes * sizeof(std::uint16_t);
  const std::byte* next = decoder.next;
  std::size_t i = 0;
  for (; i + kLanes <= n && decoder.end - next >= kStepSize; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; lane += 8)
      next = Decode8(decoder, next, decoder.states.data() + lane, symbols + i + lane);
  decoder.next = next;
  return PlainKernels().rans_decode(decoder, n - i, symbols + i);
}

constexpr Kernels kKernels = {Split,  Merge, Rank,   Reduce,     Count,
                              Expand, Pack,  Unpack, RansEncode, RansDecode};

}  // namespace

const Kernels& NeonKernels() { return kKernels; }

}  // namespace plumb::codec

#endif
