// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <bit>

#include "codec/eight_internal.h"
#include "codec/plan_internal.h"

namespace plumb::codec {
namespace {

constexpr std::uint64_t kWidthBits = 4;  // what a group takes beside its symbols

// A mode other than raw costs time, so it must save more than a 128th of the plane; entropy coding
// a 1024th, beyond what the others save, since who asks for that has time.
constexpr std::uint64_t kWorthwhile = 128;
constexpr std::uint64_t kWorthwhileEntropy = 1024;
// Low bits of mantissas and quants are nearly noise. Fewer symbols are coded faster, up to three
// times, so as many low bits are packed as cost no more than this of the plane.
constexpr std::uint64_t kFewerMayCost = 2048;

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

// The bytes of a piece.
std::size_t RanksSize(const Histogram& histogram, std::size_t n, const PlaneMode& mode) {
  const Levels levels = *LevelsOf(mode.narrow);
  std::size_t bytes = 0;
  for (std::size_t k = 0; k < levels.count; ++k) {
    const Level& level = levels.levels[k];
    bytes += SizeOfWidth(level.width, n);
    for (std::size_t i = level.first; i < level.first + level.symbols(); ++i)
      n -= histogram[mode.symbols[i]];
  }
  return bytes + n;
}
std::size_t BitsSize(const std::uint8_t* symbols, std::size_t n, std::uint8_t base) {
  const GroupWidths groups = WidthsOf(symbols, n, base);
  if (groups.all_equal) return 1 + SizeOfWidth(groups.widths[0], n);
  std::size_t bytes = 1 + ((n + kGroupSize - 1) / kGroupSize + 1) / 2;
  for (std::size_t begin = 0; begin < n; begin += kGroupSize)
    bytes += SizeOfWidth(groups.widths[begin / kGroupSize], std::min(kGroupSize, n - begin));
  return bytes;
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

PlaneSample::Plan PlaneSample::Choose(std::uint64_t symbols, Effort effort) const {
  const Histogram histogram = counter_.Sum();
  if (histogram[last_] == size_) return {{.mode = Mode::kBits, .base = last_}, false, 0};
  const std::uint64_t raw_bits = 8 * size_;
  std::uint64_t bits = raw_bits;
  PlaneMode best;
  if (bits_of_groups_ < bits) {
    best = {.mode = Mode::kBits};
    bits = bits_of_groups_;
  }
  const RankSymbols frequent = MostFrequent(histogram);
  const std::uint8_t narrow = BestLevels(histogram, size_, frequent);
  const std::uint64_t ranks_bits = RanksBits(histogram, size_, frequent, *LevelsOf(narrow));
  if (ranks_bits < bits) {
    best = {.mode = Mode::kRanks, .symbols = frequent, .narrow = narrow};
    bits = ranks_bits;
  }
  if (raw_bits - bits < raw_bits / kWorthwhile) {
    best = {};
    bits = raw_bits;
  }
  bits = bits * symbols / size_;  // fields differ in how much of them was in the sample
  if (effort == Effort::kFast) return {best, false, bits};
  const auto coded = PlanEntropy(histogram, size_, symbols);
  if (!coded || !IsWorthCoding(coded->bits, bits, 8 * symbols)) return {best, false, bits};
  return {best, true, std::min(bits, coded->bits)};
}

std::optional<EntropyPlan> PlanEntropy(const Histogram& histogram, std::uint64_t size,
                                       std::uint64_t symbols) {
  std::array<EntropyPlan, kLowBitsMax + 1> plans;
  std::size_t count = 0;
  std::uint64_t least = ~std::uint64_t{0};
  // With a few symbols left nothing becomes faster.
  for (std::uint64_t occurring = 256; count <= kLowBitsMax && occurring > kFewestSymbols; ++count) {
    const auto low_bits = static_cast<std::uint8_t>(count);
    const Histogram high = WithoutLowBits(histogram, low_bits);
    occurring = Occurring(high);
    if (occurring < 2) break;
    const std::uint64_t fixed = DescriptorSize({.mode = Mode::kRans}) + kRansLengthSize +
                                kRansBitmapSize + 2 * occurring + kRansStatesSize +
                                SizeOfWidth(low_bits, symbols);
    // Miller's correction, 1 / ln 4 bits for each symbol but one: a sample looks less even than
    // what it was taken from.
    const std::uint64_t unseen = (occurring - 1) * (symbols - size) * 185 / 256;
    plans[count] = {low_bits, 8 * fixed + (EntropyBits256(high) * symbols / 256 + unseen) / size};
    least = std::min(least, plans[count].bits);
  }
  while (count > 0 && plans[count - 1].bits > least + symbols * 8 / kFewerMayCost)
    --count;
  if (count == 0) return std::nullopt;
  return plans[count - 1];
}

bool IsWorthCoding(std::uint64_t coded, std::uint64_t otherwise, std::uint64_t raw) {
  return coded + raw / kWorthwhileEntropy < otherwise;
}

GroupWidths WidthsOf(const std::uint8_t* symbols, std::size_t n, std::uint8_t base) {
  GroupWidths groups = {{}, true};
  for (std::size_t begin = 0; begin < n; begin += kGroupSize) {
    std::uint8_t& width = groups.widths[begin / kGroupSize];
    width =
        static_cast<std::uint8_t>(WidthOf(symbols + begin, std::min(kGroupSize, n - begin), base));
    groups.all_equal = groups.all_equal && width == groups.widths[0];
  }
  return groups;
}

std::size_t DescriptorSize(const PlaneMode& mode) {
  switch (mode.mode) {
    case Mode::kRaw:
      return 1;
    case Mode::kBits:
    case Mode::kRans:
      return 2;
    case Mode::kRanks:
      return 2 + kRankCount;
  }
  return 0;
}

void PlaneSize::AddStripe(const std::uint8_t* symbols, std::size_t n) {
  Counter counter;
  counter.Add(symbols, n);
  const Histogram histogram = counter.Sum();
  for (std::size_t s = 0; s < histogram.size(); ++s)
    histogram_[s] += histogram[s];
  if (mode_.mode == Mode::kRaw) bytes_ += n;
  if (mode_.mode == Mode::kBits) bytes_ += BitsSize(symbols, n, mode_.base);
  if (mode_.mode == Mode::kRanks) bytes_ += RanksSize(histogram, n, mode_);
}

}  // namespace plumb::codec
