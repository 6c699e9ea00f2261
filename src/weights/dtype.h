// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_WEIGHTS_DTYPE_H_
#define PLUMB_WEIGHTS_DTYPE_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace plumb::weights {

// What the elements of a tensor are: the types of safetensors (`Dtype` of its reference
// implementation) and of GGUF (`ggml_type`). Those that both have are one.
enum class Dtype : std::uint8_t {
  kBool,
  kF4,
  kF6E2M3,
  kF6E3M2,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kF8E8M0,
  kF8E4M3Fnuz,
  kF8E5M2Fnuz,
  kI16,
  kU16,
  kF16,
  kBf16,
  kI32,
  kU32,
  kF32,
  kC64,
  kF64,
  kI64,
  kU64,
  // Of GGUF alone: blocks of elements that share scales.
  // NOLINTBEGIN(readability-identifier-naming): Q4_0 is ggml's name, Q40 nobody's.
  kQ1_0,
  kQ2_0,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ8_1,
  kQ2K,
  kQ3K,
  kQ4K,
  kQ5K,
  kQ6K,
  kQ8K,
  kIq1S,
  kIq1M,
  kIq2Xxs,
  kIq2Xs,
  kIq2S,
  kIq3Xxs,
  kIq3S,
  kIq4Nl,
  kIq4Xs,
  kTq1_0,
  kTq2_0,
  kMxfp4,
  kNvfp4,
  // NOLINTEND(readability-identifier-naming)
};

// As the formats write it: "BF16", "Q4_K".
std::string_view DtypeName(Dtype dtype);

// The least number of elements that fills whole bytes, and how many those are: a number of 16 bits
// is {1, 2}, a block of Q4_0 {32, 18}.
struct DtypeUnit {
  std::uint32_t elements = 0;
  std::uint32_t bytes = 0;
};
DtypeUnit UnitOf(Dtype dtype);

// Nothing if the elements fill no whole units, or the size does not fit 64 bits.
std::optional<std::uint64_t> SizeOf(Dtype dtype, std::uint64_t element_count);

// The names of safetensors, and the numbers of GGUF; nothing for any other.
std::optional<Dtype> DtypeOfSafetensors(std::string_view name);
std::optional<Dtype> DtypeOfGguf(std::uint32_t number);

}  // namespace plumb::weights

#endif  // PLUMB_WEIGHTS_DTYPE_H_
