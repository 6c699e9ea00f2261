// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CODEC_BLOCK_CODEC_H_
#define PLUMB_CODEC_BLOCK_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// Blocks of weights, shrunk by what their numbers are: floats are taken apart into planes
// (exponents, mantissas, the scales of quantised units), and each plane is written as its symbols
// allow.
//
// Promises: what is decoded is what was encoded, bit for bit, NaNs and all, on every machine and
// at every level of its instruction set; the same block, hint and effort give the same bytes.
// Trust: the stored bytes are anybody's. They are checked before they are used; memory is bounded
// by 1 MiB, work by the sizes of both sides. The hint is never believed: a wrong one costs ratio.
// Threads: no state; any number at once.
// Format: docs/format.md, "Encodings".
namespace plumb::codec {

// Of a block, in bytes: what a reader of one number must decode at most.
inline constexpr std::size_t kBlockSizeMax = std::size_t{1} << 20;

// What the bytes are, as far as it is known; numbers of the format. It decides what is tried, never
// what comes back.
enum class Element : std::uint8_t {
  kBytes,  // nothing is known, nothing is tried
  kBf16,
  kF16,
  kF32,
  kF64,
  kF8E4M3,
  kF8E5M2,
  kI8,
  // NOLINTBEGIN(readability-identifier-naming): as ggml spells them.
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  // NOLINTEND(readability-identifier-naming)
  kQ2K,
  kQ3K,
  kQ4K,
  kQ5K,
  kQ6K,
};

struct BlockHint {
  Element element = Element::kBytes;
  std::uint32_t phase =
      0;  // bytes of the block before its first whole unit (of an element, or of GGUF)
  std::uint64_t row_size = 0;   // bytes of a row of the tensor; 0: unknown. For encoders to come:
  std::uint64_t row_phase = 0;  // today's find rows that have something in common by themselves
};

// As frames of packs number encodings.
enum class Method : std::uint8_t { kPlanes = 2, kEntropy = 3 };

enum class Effort : std::uint8_t {
  kFast,     // kPlanes only: decodes at the speed of memory, or nearly
  kArchive,  // as small as it gets: planes that gain by it are entropy-coded
};

struct Encoded {
  Method method;
  std::vector<std::byte> bytes;
};

// `raw`: at most kBlockSizeMax. Nothing if it would save less than 2 %, by a sample of 1/16 first,
// then by the result.
std::optional<Encoded> EncodeBlock(ByteSpan raw, const BlockHint& hint, Effort effort);

// Fills all of `raw`, whose size is that of the block; kCorrupt otherwise, and then what is in
// `raw` means nothing.
Status DecodeBlock(Method method, ByteSpan stored, MutableByteSpan raw);

}  // namespace plumb::codec

#endif  // PLUMB_CODEC_BLOCK_CODEC_H_
