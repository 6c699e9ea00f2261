// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_WEIGHTS_TENSOR_FILE_H_
#define PLUMB_WEIGHTS_TENSOR_FILE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "weights/dtype.h"

namespace plumb::weights {

enum class TensorFormat : std::uint8_t { kSafetensors, kGguf };
std::string_view TensorFormatName(TensorFormat format);  // "safetensors", "gguf"

// A tensor as it lies in a file.
struct TensorPlace {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<std::uint64_t> shape = {};  // outermost dimension first, row-major; empty: a scalar
  std::uint64_t offset = 0;               // of its data, in the file
  std::uint64_t size = 0;                 // bytes; 0 if a dimension is 0

  friend bool operator==(const TensorPlace&, const TensorPlace&) = default;
};

// What a file says of itself beside its tensors. Of GGUF, arrays keep only what they are.
struct MetadataEntry {
  std::string name;
  std::string type;  // "str", "u32", "arr[str,32000]"; of safetensors always "str"
  std::string text;  // UTF-8; of a number its digits; of an array empty

  friend bool operator==(const MetadataEntry&, const MetadataEntry&) = default;
};

// What the first bytes of a file of weights say: which tensors lie where.
//
// Promises: every tensor lies within the file and behind the header, none overlaps another, and its
// size is that of its type and shape; names are unique.
struct TensorFile {
  TensorFormat format = TensorFormat::kSafetensors;
  std::uint64_t header_size = 0;        // where the data begins: all before it, with padding
  std::vector<TensorPlace> tensors;     // in order of offset; empty ones first
  std::vector<MetadataEntry> metadata;  // as written

  friend bool operator==(const TensorFile&, const TensorFile&) = default;
};

// Headers above these are refused (kExhausted).
struct HeaderLimits {
  std::uint64_t size_max = 100'000'000;  // the limit of safetensors' reference implementation
  std::size_t tensor_count_max = std::size_t{1} << 20;
  std::size_t metadata_count_max = std::size_t{1} << 16;
};

// Reads the header of a file of either format. `start` is its first bytes, `file_size` how many it
// has. Gives nothing if `start` is too short to hold the whole header: call again with about twice
// as much. With all of the file it always gives a header or an error.
//
// Trust: the bytes are an enemy's. No count and no length is used to allocate before the bytes it
// speaks of are there; memory is a small multiple of `start`. kInvalid: it is neither format, or
// breaks its rules (safetensors, "Format", and GGUF v2 and v3 as ggml's docs/gguf.md and its
// reader have them); kUnsupported: a version, byte order or type of element that is not known here;
// kExhausted: above a limit.
Result<std::optional<TensorFile>> ReadTensorHeader(ByteSpan start, std::uint64_t file_size,
                                                   const HeaderLimits& limits = {});

}  // namespace plumb::weights

#endif  // PLUMB_WEIGHTS_TENSOR_FILE_H_
