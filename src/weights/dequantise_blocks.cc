// SPDX-License-Identifier: MIT OR Apache-2.0
// The blocks of GGUF. Each function says how the bytes of its block lie; scales are binary16.
//
// Every product of a scale, its factor of at most 6 bits and an element of at most 5 is exact in
// binary32 (11 + 6 + 5 bits), so that a sum of two is rounded once however a compiler fuses it. Of
// Q6_K the last product is rounded, and it comes last here as it does in ggml.
#include <cstddef>
#include <cstdint>

#include "weights/dequantise_internal.h"

namespace plumb::weights {
namespace {

using Bytes = const std::uint8_t*;

float HalfAt(Bytes bytes) { return FloatOfHalf(bytes[0] | std::uint32_t{bytes[1]} << 8U); }
float Signed(std::uint8_t byte) { return static_cast<float>(static_cast<std::int8_t>(byte)); }
float Low(std::uint8_t byte) { return static_cast<float>(byte & 0xFU); }
float High(std::uint8_t byte) { return static_cast<float>(byte >> 4U); }
float Pair(std::uint8_t byte, std::size_t index) {
  return static_cast<float>(byte >> 2U * index & 3U);
}
bool HasBit(std::uint32_t bits, std::size_t index) { return (bits >> index & 1U) != 0; }

constexpr std::size_t kHalf = 16;  // of a block of 32: its first elements are in the low nibbles

// NOLINTBEGIN(readability-identifier-naming): the names are ggml's.

// 2 scale, 16 nibbles.
void DecodeQ4_0(Bytes block, float* out) {
  const float scale = HalfAt(block);
  const Bytes nibbles = block + 2;
  for (std::size_t i = 0; i < kHalf; ++i) {
    out[i] = scale * (Low(nibbles[i]) - 8);
    out[i + kHalf] = scale * (High(nibbles[i]) - 8);
  }
}

// 2 scale, 2 minimum, 16 nibbles.
void DecodeQ4_1(Bytes block, float* out) {
  const float scale = HalfAt(block);
  const float minimum = HalfAt(block + 2);
  const Bytes nibbles = block + 4;
  for (std::size_t i = 0; i < kHalf; ++i) {
    out[i] = scale * Low(nibbles[i]) + minimum;
    out[i + kHalf] = scale * High(nibbles[i]) + minimum;
  }
}

// The fifth bits of 32 elements, one each.
std::uint32_t FifthBitsAt(Bytes bytes) {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < sizeof bits; ++i)
    bits |= std::uint32_t{bytes[i]} << 8U * i;
  return bits;
}
float Fifth(std::uint32_t bits, std::size_t index) { return HasBit(bits, index) ? 16.0F : 0.0F; }

// 2 scale, 4 fifth bits, 16 nibbles.
void DecodeQ5_0(Bytes block, float* out) {
  const float scale = HalfAt(block);
  const std::uint32_t fifths = FifthBitsAt(block + 2);
  const Bytes nibbles = block + 6;
  for (std::size_t i = 0; i < kHalf; ++i) {
    out[i] = scale * (Low(nibbles[i]) + Fifth(fifths, i) - 16);
    out[i + kHalf] = scale * (High(nibbles[i]) + Fifth(fifths, i + kHalf) - 16);
  }
}

// 2 scale, 2 minimum, 4 fifth bits, 16 nibbles.
void DecodeQ5_1(Bytes block, float* out) {
  const float scale = HalfAt(block);
  const float minimum = HalfAt(block + 2);
  const std::uint32_t fifths = FifthBitsAt(block + 4);
  const Bytes nibbles = block + 8;
  for (std::size_t i = 0; i < kHalf; ++i) {
    out[i] = scale * (Low(nibbles[i]) + Fifth(fifths, i)) + minimum;
    out[i + kHalf] = scale * (High(nibbles[i]) + Fifth(fifths, i + kHalf)) + minimum;
  }
}

// 2 scale, 32 signed bytes.
void DecodeQ8_0(Bytes block, float* out) {
  const float scale = HalfAt(block);
  for (std::size_t i = 0; i < 32; ++i)
    out[i] = scale * Signed(block[2 + i]);
}

// NOLINTEND(readability-identifier-naming)

// The K blocks have 256 elements, in runs that share a factor of the block's scale.
constexpr std::size_t kRun = 16;
constexpr std::size_t kRunCount = 16;

// 16 factors (low nibble: of the scale, high: of the minimum), 64 pairs of bits, 2 scale,
// 2 minimum. 32 bytes hold 128 elements: first those in the lowest bits of each, then the next.
void DecodeQ2K(Bytes block, float* out) {
  const Bytes pairs = block + 16;
  const float scale = HalfAt(block + 80);
  const float minimum = HalfAt(block + 82);
  for (std::size_t run = 0; run < kRunCount; ++run) {
    const float run_scale = scale * Low(block[run]);
    const float run_minimum = minimum * High(block[run]);
    const Bytes at = pairs + run / 8 * 32 + run % 2 * kRun;
    for (std::size_t i = 0; i < kRun; ++i)
      out[run * kRun + i] = run_scale * Pair(at[i], run % 8 / 2) - run_minimum;
  }
}

// Twelve bytes hold 16 numbers of 6 bits: the low four bits in the nibbles of the first eight (low
// nibbles first), the high two in the others.
float FactorOfQ3K(Bytes factors, std::size_t index) {
  const std::uint8_t lows = factors[index % 8];
  const float low = index < 8 ? Low(lows) : High(lows);
  return low + 16 * Pair(factors[8 + index % 4], index / 4) - 32;
}

// 32 third bits, 64 pairs of bits as in Q2_K, 12 factors, 2 scale.
void DecodeQ3K(Bytes block, float* out) {
  const Bytes pairs = block + 32;
  const Bytes factors = block + 96;
  const float scale = HalfAt(block + 108);
  for (std::size_t run = 0; run < kRunCount; ++run) {
    const float run_scale = scale * FactorOfQ3K(factors, run);
    const Bytes thirds = block + run % 2 * kRun;
    const Bytes at = pairs + run / 8 * 32 + run % 2 * kRun;
    for (std::size_t i = 0; i < kRun; ++i) {
      const float third = HasBit(thirds[i], run / 2) ? 0.0F : 4.0F;
      out[run * kRun + i] = run_scale * (Pair(at[i], run % 8 / 2) - third);
    }
  }
}

// Twelve bytes hold the factors of eight runs, 6 bits each: of the first four in the low six bits
// of a byte (scales, then minima); of the others the low four bits in the nibbles of the last four
// bytes (scales low, minima high), and the high two on top of the first eight.
struct Factors {
  float scale;
  float minimum;
};
Factors FactorsOfRun(Bytes factors, std::size_t run) {
  if (run < 4)
    return {static_cast<float>(factors[run] & 0x3FU), static_cast<float>(factors[run + 4] & 0x3FU)};
  const std::uint8_t lows = factors[run + 4];
  return {Low(lows) + 16 * Pair(factors[run - 4], 3), High(lows) + 16 * Pair(factors[run], 3)};
}

// 2 scale, 2 minimum, 12 factors, 128 nibbles. 32 bytes hold 64 elements, low nibbles first.
void DecodeQ4K(Bytes block, float* out) {
  const Bytes nibbles = block + 16;
  for (std::size_t run = 0; run < 8; ++run) {
    const Factors factors = FactorsOfRun(block + 4, run);
    const float scale = HalfAt(block) * factors.scale;
    const float minimum = HalfAt(block + 2) * factors.minimum;
    for (std::size_t i = 0; i < 32; ++i) {
      const std::uint8_t both = nibbles[run / 2 * 32 + i];
      const float element = run % 2 == 0 ? Low(both) : High(both);
      out[run * 32 + i] = scale * element - minimum;
    }
  }
}

// 2 scale, 2 minimum, 12 factors, 32 fifth bits, 128 nibbles as in Q4_K.
void DecodeQ5K(Bytes block, float* out) {
  const Bytes fifths = block + 16;
  const Bytes nibbles = block + 48;
  for (std::size_t run = 0; run < 8; ++run) {
    const Factors factors = FactorsOfRun(block + 4, run);
    const float scale = HalfAt(block) * factors.scale;
    const float minimum = HalfAt(block + 2) * factors.minimum;
    for (std::size_t i = 0; i < 32; ++i) {
      const std::uint8_t both = nibbles[run / 2 * 32 + i];
      const float element = (run % 2 == 0 ? Low(both) : High(both)) + Fifth(fifths[i], run);
      out[run * 32 + i] = scale * element - minimum;
    }
  }
}

// 128 nibbles, 64 pairs of high bits, 16 signed factors, 2 scale. Each half of the elements is 64
// bytes of nibbles (of all of them the low ones first) and 32 of pairs (the lowest first).
void DecodeQ6K(Bytes block, float* out) {
  const Bytes pairs = block + 128;
  const Bytes factors = block + 192;
  const float scale = HalfAt(block + 208);
  for (std::size_t run = 0; run < kRunCount; ++run) {
    const float run_scale = scale * Signed(factors[run]);
    const Bytes nibbles = block + run / 8 * 64 + run % 4 * kRun;
    const Bytes at = pairs + run / 8 * 32 + run % 2 * kRun;
    for (std::size_t i = 0; i < kRun; ++i) {
      const float low = run % 8 < 4 ? Low(nibbles[i]) : High(nibbles[i]);
      out[run * kRun + i] = run_scale * (low + 16 * Pair(at[i], run % 8 / 2) - 32);
    }
  }
}

}  // namespace

BlockDecoder BlockDecoderOf(Dtype dtype) {
  switch (dtype) {
    case Dtype::kQ4_0:
      return DecodeQ4_0;
    case Dtype::kQ4_1:
      return DecodeQ4_1;
    case Dtype::kQ5_0:
      return DecodeQ5_0;
    case Dtype::kQ5_1:
      return DecodeQ5_1;
    case Dtype::kQ8_0:
      return DecodeQ8_0;
    case Dtype::kQ2K:
      return DecodeQ2K;
    case Dtype::kQ3K:
      return DecodeQ3K;
    case Dtype::kQ4K:
      return DecodeQ4K;
    case Dtype::kQ5K:
      return DecodeQ5K;
    case Dtype::kQ6K:
      return DecodeQ6K;
    default:
      return nullptr;
  }
}

}  // namespace plumb::weights
