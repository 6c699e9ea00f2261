// SPDX-License-Identifier: MIT OR Apache-2.0
// Any bytes as a stored block: all levels say the same of it and give the same. Any bytes as
// weights: they come back, from bytes that are the same at each level.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "codec/kernels_internal.h"

namespace {

using plumb::ByteSpan;
using plumb::codec::BlockHint;
using plumb::codec::DecodeBlockWith;
using plumb::codec::Effort;
using plumb::codec::Element;
using plumb::codec::EncodeBlockWith;
using plumb::codec::Has;
using plumb::codec::Instructions;
using plumb::codec::kBlockSizeMax;
using plumb::codec::KernelsOf;
using plumb::codec::kInstructionsAll;
using plumb::codec::Method;
using Block = std::vector<std::byte>;

void Decode(Method method, ByteSpan stored, std::size_t raw_size) {
  std::optional<Block> first;
  std::optional<bool> verdict;
  for (const Instructions instructions : kInstructionsAll) {
    if (!Has(instructions)) continue;
    Block raw(raw_size);
    const plumb::Status status = DecodeBlockWith(KernelsOf(instructions), method, stored, raw);
    PLUMB_CHECK(status || status.error().kind == plumb::ErrorKind::kCorrupt);
    PLUMB_CHECK(!verdict || *verdict == status.has_value());
    verdict = status.has_value();
    PLUMB_CHECK(!status || !first || raw == *first);
    if (status) first = std::move(raw);
  }
}

void RoundTrip(ByteSpan raw, const BlockHint& hint, Effort effort) {
  const auto expected = EncodeBlockWith(KernelsOf(Instructions::kPlain), raw, hint, effort);
  for (const Instructions instructions : kInstructionsAll) {
    if (!Has(instructions)) continue;
    const auto encoded = EncodeBlockWith(KernelsOf(instructions), raw, hint, effort);
    PLUMB_CHECK(encoded.has_value() == expected.has_value());
    if (!encoded) continue;
    PLUMB_CHECK(encoded->bytes == expected->bytes && encoded->method == expected->method);
    Block decoded(raw.size());
    PLUMB_CHECK(DecodeBlockWith(KernelsOf(instructions), encoded->method, encoded->bytes, decoded));
    PLUMB_CHECK(std::equal(raw.begin(), raw.end(), decoded.begin()));
  }
}

}  // namespace

// Four bytes say what to do with the rest: what and how, the element, and a size of 16 bits or a
// phase.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const ByteSpan rest = std::as_bytes(std::span(data + 4, size - 4));
  const unsigned number = data[2] | unsigned{data[3]} << 8U;
  if ((data[0] & 1U) == 0) {
    Decode((data[0] & 2U) == 0 ? Method::kPlanes : Method::kEntropy, rest, number);
  } else if (rest.size() <= kBlockSizeMax) {
    RoundTrip(rest, {.element = static_cast<Element>(data[1]), .phase = number},
              (data[0] & 2U) == 0 ? Effort::kFast : Effort::kArchive);
  }
  return 0;
}
