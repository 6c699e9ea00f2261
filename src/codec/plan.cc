// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <bit>
#include <cstring>

#include "codec/plan_internal.h"

namespace plumb::codec {
namespace {

constexpr std::uint64_t kWidthBits = 4;  // what a group takes beside its symbols

// A mode other than raw costs time, so it must save more than a 32nd of the plane; one that is
// entropy-coded a 256th of what the others leave, since who asks for that has time.
constexpr std::uint64_t kWorthwhile = 32;
constexpr std::uint64_t kWorthwhileEntropy = 256;

RankSymbols MostFrequent(const Histogram& histogram) {
  std::array<std::uint8_t, 256> order;
  for (std::size_t s = 0; s < order.size(); ++s)
    order[s] = static_cast<std::uint8_t>(s);
  std::partial_sort(order.begin(), order.begin() + kRankCount, order.end(),
                    [&](std::uint8_t a, std::uint8_t b) {
                      return histogram[a] != histogram[b] ? histogram[a] > histogram[b] : a < b;
                    });
  RankSymbols symbols;
  std::copy_n(order.begin(), kRankCount, symbols.begin());
  return symbols;
}

// What a sample of `size` symbols takes as ranks.
std::uint64_t RanksBits(const Histogram& histogram, std::uint64_t size,
                        const RankSymbols& symbols) {
  std::uint64_t bits = 0;
  std::uint64_t left = size;
  for (std::size_t rank = 0; rank < kRankCount; ++rank) {
    if (rank % 3 == 0) bits += 2 * left;
    left -= histogram[symbols[rank]];
  }
  return bits + 8 * left;
}

}  // namespace

unsigned WidthOf(const std::uint8_t* symbols, std::size_t n, std::uint8_t base) {
  const std::uint64_t bases = base * std::uint64_t{0x0101010101010101};
  std::uint64_t difference = 0;
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, symbols + i, 8);
    difference |= eight ^ bases;
  }
  for (; i < n; ++i)
    difference |= static_cast<unsigned>(symbols[i] ^ base);
  difference |= difference >> 32U;
  difference |= difference >> 16U;
  difference |= difference >> 8U;
  difference &= 0xFF;
  return difference == 0 ? 0 : 8U - static_cast<unsigned>(std::countr_zero(difference));
}

void PlaneSample::Add(const std::uint8_t* symbols, std::size_t n) {
  counter_.Add(symbols, n);
  for (std::size_t i = 0; i < n; i += kGroupSize) {
    const std::size_t size = std::min(kGroupSize, n - i);
    bits_of_groups_ += kWidthBits + size * WidthOf(symbols + i, size, 0);
  }
  size_ += n;
  last_ = symbols[n - 1];
}

PlaneSample::Plan PlaneSample::Choose(Effort effort) const {
  Plan raw = {{}, 8 * size_};
  const Histogram histogram = counter_.Sum();
  if (histogram[last_] == size_) return {{Mode::kBits, last_, {}}, 0};
  Plan best = raw;
  if (bits_of_groups_ < best.sample_bits) best = {{Mode::kBits, 0, {}}, bits_of_groups_};
  const RankSymbols frequent = MostFrequent(histogram);
  const std::uint64_t ranks_bits = RanksBits(histogram, size_, frequent);
  if (ranks_bits < best.sample_bits) best = {{Mode::kRanks, 0, frequent}, ranks_bits};
  if (raw.sample_bits - best.sample_bits < raw.sample_bits / kWorthwhile) best = raw;
  if (effort == Effort::kArchive) {
    const std::uint64_t bits = EntropyBits256(histogram) / 256;
    if (bits < best.sample_bits && best.sample_bits - bits > best.sample_bits / kWorthwhileEntropy)
      best = {{Mode::kRans, 0, {}}, bits};
  }
  return best;
}

}  // namespace plumb::codec
