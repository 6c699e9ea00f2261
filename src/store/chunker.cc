// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "store/chunker_internal.h"

namespace plumb::store {
namespace {

constexpr std::size_t kChunkSizeAim = std::size_t{256} << 10;
// A byte's number leaves the hash after as many others.
constexpr std::size_t kWindow = 64;
// Before the aim two bits more must be zero than at random would give it, behind it two fewer. The
// upper ones: those that depend on the whole window.
constexpr std::uint64_t kHardMask = ~std::uint64_t{0} << (64U - 20U);
constexpr std::uint64_t kEasyMask = ~std::uint64_t{0} << (64U - 16U);

// Random numbers, one for each byte, always the same (SplitMix64 from 0).
constexpr std::array<std::uint64_t, 256> kGear = [] {
  std::array<std::uint64_t, 256> numbers = {};
  std::uint64_t state = 0;
  for (std::uint64_t& number : numbers) {
    state += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    number = mixed ^ (mixed >> 31U);
  }
  return numbers;
}();

std::uint64_t Roll(std::uint64_t hash, std::byte byte) {
  return (hash << 1U) + kGear[std::to_integer<std::size_t>(byte)];
}

}  // namespace

Chunker::Taken Chunker::Take(ByteSpan bytes) {
  PLUMB_CHECK(bytes.size() <= Room());
  // Where a chunk of that size ends in these bytes, or they end.
  const auto end_of = [&](std::size_t chunk_size) {
    return std::clamp(chunk_size, size_, size_ + bytes.size()) - size_;
  };
  // In registers: a byte waits for the one before it.
  std::uint64_t hash = hash_;
  const std::byte* const data = bytes.data();
  // No cut is here, and no byte before the window tells.
  std::size_t i = end_of(kChunkSizeMin - kWindow);
  for (const std::size_t end = end_of(kChunkSizeMin); i < end; ++i)
    hash = Roll(hash, data[i]);
  bool is_cut = false;
  for (const auto& [end, mask] :
       {std::pair(end_of(kChunkSizeAim), kHardMask), std::pair(bytes.size(), kEasyMask)}) {
    while (!is_cut && i < end) {
      hash = Roll(hash, data[i++]);
      is_cut = (hash & mask) == 0;
    }
  }
  size_ += i;
  hash_ = hash;
  if (!is_cut && size_ < kChunkSizeMax) return {i, false};
  Restart();
  return {i, true};
}

void Chunker::Restart() {
  size_ = 0;
  hash_ = 0;
}

}  // namespace plumb::store
