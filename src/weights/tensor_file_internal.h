// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_WEIGHTS_TENSOR_FILE_INTERNAL_H_
#define PLUMB_WEIGHTS_TENSOR_FILE_INTERNAL_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "weights/tensor_file.h"

// What both formats share: ReadTensorHeader, and what it chooses from.
namespace plumb::weights {

inline constexpr std::string_view kGgufMagic = "GGUF";

Result<std::optional<TensorFile>> ReadSafetensorsHeader(ByteSpan start, std::uint64_t file_size,
                                                        const HeaderLimits& limits);
Result<std::optional<TensorFile>> ReadGgufHeader(ByteSpan start, std::uint64_t file_size,
                                                 const HeaderLimits& limits);

// How many elements a shape has; nothing if that does not fit 64 bits.
std::optional<std::uint64_t> ElementCount(const std::vector<std::uint64_t>& shape);

// Puts the tensors in order and checks what a TensorFile promises of them.
Status CheckTensors(TensorFile& file, std::uint64_t file_size);

Error TooMany(std::string_view what, std::uint64_t count_max);

}  // namespace plumb::weights

#endif  // PLUMB_WEIGHTS_TENSOR_FILE_INTERNAL_H_
