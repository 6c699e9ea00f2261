// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <bit>

#include "codec/eight_internal.h"
#include "codec/rans_internal.h"

namespace plumb::codec {
namespace {

// Logarithms are integers, so that choices are the same everywhere: in 1/65536 of a bit, those of
// 1 to 2 in steps of 1/256 by squaring, and between them by a straight line.
constexpr unsigned kLogBits = 16;
constexpr unsigned kLogSteps = 256;
constexpr auto kLogs = [] {
  std::array<std::uint32_t, kLogSteps + 1> logs = {};
  for (std::size_t i = 0; i < kLogSteps; ++i) {
    std::uint64_t mantissa = std::uint64_t{kLogSteps + i} << 23U;  // 2^31 is 1
    for (unsigned bit = 0; bit < kLogBits; ++bit) {
      mantissa = mantissa * mantissa >> 31U;
      const auto carry = static_cast<std::uint32_t>(mantissa >> 32U);
      mantissa >>= carry;
      logs[i] = logs[i] << 1U | carry;
    }
  }
  logs[kLogSteps] = 1U << kLogBits;
  return logs;
}();

// Log2 of v from 1 to 2^32 - 1 in 1/65536, but for the last bit or two.
std::uint32_t Log2(std::uint64_t v) {
  const auto whole = static_cast<unsigned>(std::bit_width(v) - 1);
  const std::uint64_t mantissa = v << (31 - whole) & 0x7FFFFFFFU;
  const std::uint32_t* const step = kLogs.data() + (mantissa >> 23U);
  const std::uint64_t between = (mantissa & 0x7FFFFFU) * (step[1] - step[0]) >> 23U;
  return (whole << kLogBits) + step[0] + static_cast<std::uint32_t>(between);
}

std::uint64_t Sum(const Histogram& histogram) {
  std::uint64_t sum = 0;
  for (const std::uint32_t count : histogram)
    sum += count;
  return sum;
}

// The symbol whose frequency is best made one higher (one lower): where that saves most (costs
// least).
std::size_t BestToRaise(const Histogram& histogram, const Frequencies& frequencies) {
  std::size_t best = 0;
  for (std::size_t s = 1; s < frequencies.size(); ++s)
    if (std::uint64_t{histogram[s]} * (frequencies[best] + 1U) >
        std::uint64_t{histogram[best]} * (frequencies[s] + 1U))
      best = s;
  return best;
}
std::size_t BestToLower(const Histogram& histogram, const Frequencies& frequencies) {
  std::size_t best = frequencies.size();
  for (std::size_t s = 0; s < frequencies.size(); ++s) {
    if (frequencies[s] < 2) continue;
    if (best == frequencies.size() || std::uint64_t{histogram[s]} * (frequencies[best] - 1U) <
                                          std::uint64_t{histogram[best]} * (frequencies[s] - 1U))
      best = s;
  }
  return best;
}

}  // namespace

void Counter::Add(const std::uint8_t* symbols, std::size_t n) {
  std::size_t i = 0;
  for (; i + counts_.size() <= n; i += counts_.size()) {
    const Eight eight = LoadEight(symbols + i);
#pragma GCC unroll 8
    for (std::size_t k = 0; k < counts_.size(); ++k)
      ++counts_[k][eight >> 8 * k & 0xFFU];
  }
  for (; i < n; ++i)
    ++counts_[0][symbols[i]];
}

Histogram Counter::Sum() const {
  Histogram sum = {};
  for (const Histogram& counts : counts_)
    for (std::size_t s = 0; s < sum.size(); ++s)
      sum[s] += counts[s];
  return sum;
}

std::optional<Frequencies> Normalise(const Histogram& histogram) {
  const std::uint64_t total = Sum(histogram);
  Frequencies frequencies = {};
  std::uint32_t sum = 0;
  int occurring = 0;
  for (std::size_t s = 0; s < histogram.size(); ++s) {
    if (histogram[s] == 0) continue;
    ++occurring;
    const std::uint64_t share = (std::uint64_t{histogram[s]} * kFrequencySum + total / 2) / total;
    frequencies[s] = static_cast<std::uint16_t>(share == 0 ? 1 : share);
    sum += frequencies[s];
  }
  if (occurring < 2) return std::nullopt;
  for (; sum < kFrequencySum; ++sum)
    ++frequencies[BestToRaise(histogram, frequencies)];
  for (; sum > kFrequencySum; --sum)
    --frequencies[BestToLower(histogram, frequencies)];
  return frequencies;
}

std::uint64_t EntropyBits256(const Histogram& histogram) {
  const std::uint64_t total = Sum(histogram);
  if (total == 0) return 0;
  const std::uint64_t of_total = Log2(total);
  std::uint64_t bits = 0;
  for (const std::uint32_t count : histogram)
    if (count > 0) bits += count * (of_total - Log2(count));
  return bits >> (kLogBits - 8);
}

std::size_t Occurring(const Histogram& histogram) {
  return histogram.size() -
         static_cast<std::size_t>(std::count(histogram.begin(), histogram.end(), 0U));
}

Histogram WithoutLowBits(const Histogram& histogram, unsigned low_bits) {
  Histogram high = {};
  for (std::size_t s = 0; s < histogram.size(); ++s)
    high[s >> low_bits] += histogram[s];
  return high;
}

void TakeHighBits(const std::uint8_t* symbols, std::size_t n, unsigned low_bits,
                  std::uint8_t* high) {
  const Eight mask = InEach(0xFFU >> low_bits);
  for (std::size_t i = 0; i < n; i += 8)
    StoreEight(LoadEight(symbols + i) >> low_bits & mask, high + i);
}

void TakeLowBits(const std::uint8_t* symbols, std::size_t n, unsigned low_bits, std::uint8_t* low) {
  const Eight mask = InEach((1U << low_bits) - 1);
  for (std::size_t i = 0; i < n; i += 8)
    StoreEight((LoadEight(symbols + i) & mask) << (8 - low_bits), low + i);
}

void AddLowBits(const std::uint8_t* low, std::size_t n, unsigned low_bits, std::uint8_t* symbols) {
  const Eight mask = InEach((1U << low_bits) - 1);
  const Eight high_mask = InEach(0xFFU >> low_bits);
  for (std::size_t i = 0; i < n; i += 8)
    StoreEight((LoadEight(symbols + i) & high_mask) << low_bits |
                   (LoadEight(low + i) >> (8 - low_bits) & mask),
               symbols + i);
}

void Prepare(const Frequencies& frequencies, RansEncoder& encoder) {
  encoder = {};
  std::uint32_t start = 0;
  for (std::size_t s = 0; s < frequencies.size(); ++s) {
    const std::uint32_t frequency = frequencies[s];
    if (frequency == 0) continue;
    // Granlund and Montgomery's division by a constant, for dividends below 2^31.
    const auto bits = static_cast<unsigned>(std::bit_width(frequency - 1));
    std::uint32_t shift = 0;
    std::uint32_t bias = start;
    if (frequency == 1) {
      encoder.reciprocal[s] = ~0U;
      bias += kFrequencySum - 1;
    } else {
      shift = bits - 1;
      encoder.reciprocal[s] = static_cast<std::uint32_t>(
          ((std::uint64_t{1} << (bits + 31)) + frequency - 1) / frequency);
    }
    encoder.packed[s] = bias | frequency << kPackedFrequency | shift << kPackedShift;
    if (encoder.occurring < kFewSymbols) {
      encoder.places[s] = static_cast<std::uint8_t>(encoder.occurring);
      encoder.few_reciprocals[encoder.occurring] = encoder.reciprocal[s];
      encoder.few_packed[encoder.occurring] = encoder.packed[s];
    }
    ++encoder.occurring;
    start += frequency;
  }
}

void AppendTable(const Frequencies& frequencies, std::string& out) {
  std::string bitmap(kRansBitmapSize, '\0');
  for (std::size_t s = 0; s < frequencies.size(); ++s)
    if (frequencies[s] > 0) bitmap[s / 8] = static_cast<char>(bitmap[s / 8] | 1 << s % 8);
  out += bitmap;
  for (const std::uint16_t frequency : frequencies)
    if (frequency > 0) AppendU16(out, frequency);
}

bool OpenRans(ByteSpan stream, RansDecoder& decoder) {
  ByteReader reader(stream);
  const auto bitmap = reader.Bytes(kRansBitmapSize);
  if (!bitmap) return false;
  std::uint32_t start = 0;
  decoder.occurring = 0;
  decoder.few_starts.fill(kFrequencySum);
  decoder.few_slots.fill(0);
  for (std::uint32_t s = 0; s < 256; ++s) {
    if ((std::to_integer<unsigned>((*bitmap)[s / 8]) >> s % 8 & 1U) == 0) continue;
    const auto frequency = reader.U16();
    // Below the sum: one symbol alone is no table.
    if (!frequency || *frequency == 0 || *frequency >= kFrequencySum ||
        *frequency > kFrequencySum - start)
      return false;
    for (std::uint32_t offset = 0; offset < *frequency; ++offset)
      decoder.slots[start + offset] = s | std::uint32_t{*frequency} << 8U | offset << 20U;
    if (decoder.occurring < kFewSymbols) {
      decoder.few_starts[decoder.occurring] = start;
      decoder.few_slots[decoder.occurring] = decoder.slots[start];
    }
    ++decoder.occurring;
    start += *frequency;
  }
  if (start != kFrequencySum) return false;
  for (std::uint32_t& state : decoder.states) {
    const auto stored = reader.U32();
    if (!stored || *stored < kStateMin || *stored >= kStateEnd) return false;
    state = *stored;
  }
  const ByteSpan words = reader.rest();
  if (words.size() % sizeof(std::uint16_t) != 0) return false;
  decoder.next = words.data();
  decoder.end = words.data() + words.size();
  return true;
}

bool IsDone(const RansDecoder& decoder) {
  for (const std::uint32_t state : decoder.states)
    if (state != kStateMin) return false;
  return decoder.next == decoder.end;
}

}  // namespace plumb::codec
