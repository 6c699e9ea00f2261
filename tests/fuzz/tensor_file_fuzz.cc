// SPDX-License-Identifier: MIT OR Apache-2.0
// Of what is read, every tensor lies within the file and none overlaps another; with a longer start
// of the same file nothing else is read.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "weights/tensor_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace weights = plumb::weights;
  const plumb::ByteSpan bytes = std::as_bytes(std::span(data, size));
  for (const std::uint64_t more : {std::uint64_t{0}, std::uint64_t{1} << 20}) {
    const auto read = weights::ReadTensorHeader(bytes, size + more);
    if (!read || !*read) continue;
    std::uint64_t end = (*read)->header_size;
    for (const weights::TensorPlace& tensor : (*read)->tensors) {
      PLUMB_CHECK(tensor.offset >= end);
      end = tensor.offset + tensor.size;
      PLUMB_CHECK(end <= size + more);
    }
    const auto half = weights::ReadTensorHeader(bytes.first(size / 2), size + more);
    PLUMB_CHECK(half && (!*half || **half == **read));
  }
  return 0;
}
