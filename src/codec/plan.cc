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
  for (std::size_t i = 0; i < n; ++i)
    ++histogram_[symbols[i]];
  for (std::size_t i = 0; i < n; i += kGroupSize) {
    const std::size_t size = std::min(kGroupSize, n - i);
    bits_of_groups_ += kWidthBits + size * WidthOf(symbols + i, size, 0);
  }
  size_ += n;
  last_ = symbols[n - 1];
}

RankSymbols PlaneSample::MostFrequent() const {
  std::array<std::uint8_t, 256> order;
  for (std::size_t s = 0; s < order.size(); ++s)
    order[s] = static_cast<std::uint8_t>(s);
  std::partial_sort(order.begin(), order.begin() + kRankCount, order.end(),
                    [&](std::uint8_t a, std::uint8_t b) {
                      return histogram_[a] != histogram_[b] ? histogram_[a] > histogram_[b] : a < b;
                    });
  RankSymbols symbols;
  std::copy_n(order.begin(), kRankCount, symbols.begin());
  return symbols;
}

std::uint64_t PlaneSample::RanksBits(const RankSymbols& symbols) const {
  std::uint64_t bits = 0;
  std::uint64_t left = size_;
  for (std::size_t rank = 0; rank < kRankCount; ++rank) {
    if (rank % 3 == 0) bits += 2 * left;
    left -= histogram_[symbols[rank]];
  }
  return bits + 8 * left;
}

PlaneSample::Plan PlaneSample::Choose(Effort effort) const {
  Plan raw = {{}, 8 * size_};
  if (histogram_[last_] == size_) return {{Mode::kBits, last_, {}}, 0};
  Plan best = raw;
  if (bits_of_groups_ < best.sample_bits) best = {{Mode::kBits, 0, {}}, bits_of_groups_};
  const RankSymbols frequent = MostFrequent();
  const std::uint64_t ranks_bits = RanksBits(frequent);
  if (ranks_bits < best.sample_bits) best = {{Mode::kRanks, 0, frequent}, ranks_bits};
  if (raw.sample_bits - best.sample_bits < raw.sample_bits / kWorthwhile) best = raw;
  if (effort == Effort::kArchive) {
    const std::uint64_t bits = EntropyBits256(histogram_) / 256;
    if (bits < best.sample_bits && best.sample_bits - bits > best.sample_bits / kWorthwhileEntropy)
      best = {{Mode::kRans, 0, {}}, bits};
  }
  return best;
}

}  // namespace plumb::codec
