// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <bit>

#include "codec/eight_internal.h"
#include "codec/plan_internal.h"

namespace plumb::codec {
namespace {

constexpr std::uint64_t kWidthBits = 4;  // what a group takes beside its symbols

// A mode other than raw costs time, so it must save more than a 128th of the plane; one that is
// entropy-coded a 256th of what the others leave, since who asks for that has time.
constexpr std::uint64_t kWorthwhile = 128;
constexpr std::uint64_t kWorthwhileEntropy = 256;
// Few symbols are coded three times as fast as many; what of the plane that may cost.
constexpr std::uint64_t kFewMayCost = 512;

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
std::uint64_t RanksBits(const Histogram& histogram, std::uint64_t size, const RankSymbols& symbols,
                        const Levels& levels) {
  std::uint64_t bits = 0;
  std::uint64_t left = size;
  for (std::size_t k = 0; k < levels.count; ++k) {
    const Level& level = levels.levels[k];
    bits += level.width * left;
    for (std::size_t i = level.first; i < level.first + level.symbols(); ++i)
      left -= histogram[symbols[i]];
  }
  return bits + 8 * left;
}

// Levels of two bits are fewer, so others must be better by a 200th.
std::uint8_t BestLevels(const Histogram& histogram, std::uint64_t size,
                        const RankSymbols& symbols) {
  std::uint8_t best = 0;
  std::uint64_t best_bits = RanksBits(histogram, size, symbols, *LevelsOf(0));
  best_bits -= best_bits / 200;
  for (unsigned narrow = 1; narrow < 256; ++narrow) {
    const auto levels = LevelsOf(static_cast<std::uint8_t>(narrow));
    if (!levels) continue;
    const std::uint64_t bits = RanksBits(histogram, size, symbols, *levels);
    if (bits >= best_bits) continue;
    best = static_cast<std::uint8_t>(narrow);
    best_bits = bits;
  }
  return best;
}

}  // namespace

unsigned WidthOf(const std::uint8_t* symbols, std::size_t n, std::uint8_t base) {
  Eight difference = 0;
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8)
    difference |= LoadEight(symbols + i) ^ InEach(base);
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

// With the low bits packed, if that makes the others few and costs little: they are nearly noise in
// mantissas and quants.
PlaneSample::Plan PlaneSample::EntropyPlan(Histogram histogram, std::uint64_t size) {
  const std::uint64_t bits = EntropyBits256(histogram) / 256;
  std::uint8_t low_bits = 0;
  while (std::count_if(histogram.begin(), histogram.end(), [](std::uint32_t n) { return n > 0; }) >
         static_cast<std::ptrdiff_t>(kFewSymbols)) {
    for (std::size_t s = 0; s < histogram.size(); ++s)
      histogram[s] = 2 * s + 1 < histogram.size() ? histogram[2 * s] + histogram[2 * s + 1] : 0;
    ++low_bits;
  }
  const std::uint64_t bits_of_few = EntropyBits256(histogram) / 256 + low_bits * size;
  if (bits_of_few > bits + size * 8 / kFewMayCost) return {{.mode = Mode::kRans}, bits};
  return {{.mode = Mode::kRans, .low_bits = low_bits}, bits_of_few};
}

PlaneSample::Plan PlaneSample::Choose(Effort effort) const {
  Plan raw = {{}, 8 * size_};
  const Histogram histogram = counter_.Sum();
  if (histogram[last_] == size_) return {{.mode = Mode::kBits, .base = last_}, 0};
  Plan best = raw;
  if (bits_of_groups_ < best.sample_bits) best = {{.mode = Mode::kBits}, bits_of_groups_};
  const RankSymbols frequent = MostFrequent(histogram);
  const std::uint8_t narrow = BestLevels(histogram, size_, frequent);
  const std::uint64_t ranks_bits = RanksBits(histogram, size_, frequent, *LevelsOf(narrow));
  if (ranks_bits < best.sample_bits)
    best = {{.mode = Mode::kRanks, .symbols = frequent, .narrow = narrow}, ranks_bits};
  if (raw.sample_bits - best.sample_bits < raw.sample_bits / kWorthwhile) best = raw;
  if (effort == Effort::kFast) return best;
  const Plan coded = EntropyPlan(histogram, size_);
  return coded.sample_bits + best.sample_bits / kWorthwhileEntropy < best.sample_bits ? coded
                                                                                      : best;
}

}  // namespace plumb::codec
