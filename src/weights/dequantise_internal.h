// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_WEIGHTS_DEQUANTISE_INTERNAL_H_
#define PLUMB_WEIGHTS_DEQUANTISE_INTERNAL_H_

#include <bit>
#include <cstdint>

#include "weights/dtype.h"

namespace plumb::weights {

// Of binary16. Exact; a NaN keeps its bits.
inline float FloatOfHalf(std::uint32_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16U;
  const std::uint32_t rest = half & 0x7FFFU;
  if (rest >= 0x7C00U) return std::bit_cast<float>(sign | 0x7F800000U | (rest & 0x3FFU) << 13U);
  if (rest >= 0x0400U) return std::bit_cast<float>(sign | ((rest << 13U) + (112U << 23U)));
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(rest) * 0x1p-24F);
  return std::bit_cast<float>(sign | bits);
}

// Makes the floats of one block of a GGUF type.
using BlockDecoder = void (*)(const std::uint8_t* block, float* out);

// Null if the type has no blocks, or ToFloats does not know them.
BlockDecoder BlockDecoderOf(Dtype dtype);

}  // namespace plumb::weights

#endif  // PLUMB_WEIGHTS_DEQUANTISE_INTERNAL_H_
