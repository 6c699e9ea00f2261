// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string>
#include <utility>

#include "archive/compression.h"
#include "base/streams.h"
#include "codec/block_codec.h"
#include "store/payload_internal.h"
#include "weights/dtype.h"

namespace plumb::store {
namespace {

// A piece of this size is tried as it is; of a larger one a sixteenth, or as much.
constexpr std::size_t kTriedSizeMax = std::size_t{16} << 10;
constexpr int kZstdLevel = 3;

// The bytes as zstd, or nothing if that does not save two fifths.
Result<std::string> Shrunk(ByteSpan raw) {
  // Zstd's own bound, about.
  MemorySink sink(raw.size() + raw.size() / 128 + 1024);
  const auto compressor = archive::MakeCompressor(archive::Compression::kZstd, kZstdLevel, sink);
  PLUMB_RETURN_IF_ERROR(compressor->Write(raw));
  PLUMB_RETURN_IF_ERROR(compressor->Finish());
  if (sink.text().size() > raw.size() / 5 * 3) return std::string();
  return std::move(sink).TakeText();
}

// Weights do not shrink: a sample from the middle tells, for a fraction of the time.
Result<std::string> ShrunkIfWorthwhile(ByteSpan raw) {
  if (raw.size() > kTriedSizeMax) {
    const std::size_t size = std::max(kTriedSizeMax, raw.size() / 16);
    PLUMB_TRY(const std::string sample, Shrunk(raw.subspan((raw.size() - size) / 2, size)));
    if (sample.empty()) return std::string();
  }
  return Shrunk(raw);
}

codec::Element ElementOf(weights::Dtype dtype) {
  using weights::Dtype;
  switch (dtype) {
    case Dtype::kBf16:
      return codec::Element::kBf16;
    case Dtype::kF16:
      return codec::Element::kF16;
    case Dtype::kF32:
    case Dtype::kC64:
      return codec::Element::kF32;
    case Dtype::kF64:
      return codec::Element::kF64;
    case Dtype::kF8E4M3:
    case Dtype::kF8E4M3Fnuz:
      return codec::Element::kF8E4M3;
    case Dtype::kF8E5M2:
    case Dtype::kF8E5M2Fnuz:
      return codec::Element::kF8E5M2;
    case Dtype::kI8:
    case Dtype::kU8:
      return codec::Element::kI8;
    case Dtype::kQ4_0:
      return codec::Element::kQ4_0;
    case Dtype::kQ4_1:
      return codec::Element::kQ4_1;
    case Dtype::kQ5_0:
      return codec::Element::kQ5_0;
    case Dtype::kQ5_1:
      return codec::Element::kQ5_1;
    case Dtype::kQ8_0:
      return codec::Element::kQ8_0;
    case Dtype::kQ2K:
      return codec::Element::kQ2K;
    case Dtype::kQ3K:
      return codec::Element::kQ3K;
    case Dtype::kQ4K:
      return codec::Element::kQ4K;
    case Dtype::kQ5K:
      return codec::Element::kQ5K;
    case Dtype::kQ6K:
      return codec::Element::kQ6K;
    default:
      return codec::Element::kBytes;
  }
}

// Rows and units are counted from the beginning of the tensor.
codec::BlockHint HintOf(const PieceRole& role) {
  codec::BlockHint hint;
  if (role.tensor_size == 0) return hint;
  hint.element = ElementOf(role.dtype);
  const std::uint64_t unit = weights::UnitOf(role.dtype).bytes;
  hint.phase = static_cast<std::uint32_t>((unit - role.offset % unit) % unit);
  hint.row_size = role.row_size;
  hint.row_phase =
      role.row_size == 0 ? 0 : (role.row_size - role.offset % role.row_size) % role.row_size;
  return hint;
}

Status Expand(ByteSpan stored, MutableByteSpan raw) {
  MemorySource source(stored);
  const auto decoder = archive::MakeDecompressor(archive::Compression::kZstd, source);
  std::size_t filled = 0;
  while (true) {
    // One byte more than there may be, so that too much is noticed.
    PLUMB_TRY(const ByteSpan piece, decoder->Read(raw.size() - filled + 1));
    if (piece.empty()) break;
    if (piece.size() > raw.size() - filled)
      return Error{ErrorKind::kCorrupt, "an object is longer than recorded"};
    std::copy(piece.begin(), piece.end(), raw.begin() + static_cast<std::ptrdiff_t>(filled));
    filled += piece.size();
  }
  if (filled == raw.size()) return Done{};
  return Error{ErrorKind::kCorrupt, "an object is shorter than recorded"};
}

}  // namespace

Result<Payload> EncodePayload(ByteSpan raw, const PieceRole& role, Tier tier) {
  Payload payload = {Encoding::kRaw, raw};
  const codec::BlockHint hint = HintOf(role);
  if (hint.element != codec::Element::kBytes) {
    auto encoded = codec::EncodeBlock(
        raw, hint, tier == Tier::kFast ? codec::Effort::kFast : codec::Effort::kArchive);
    if (encoded) {
      payload.encoding = static_cast<Encoding>(encoded->method);
      payload.buffer = std::move(encoded->bytes);
      payload.stored = payload.buffer;
      return payload;
    }
  }
  // What is known of its elements does not help, but it may repeat itself all the same.
  PLUMB_TRY(const std::string shrunk, ShrunkIfWorthwhile(raw));
  if (shrunk.empty()) return payload;
  payload.encoding = Encoding::kZstd;
  payload.buffer.assign(AsBytes(shrunk).begin(), AsBytes(shrunk).end());
  payload.stored = payload.buffer;
  return payload;
}

Status DecodePayload(Encoding encoding, ByteSpan stored, MutableByteSpan raw) {
  switch (encoding) {
    case Encoding::kRaw:
      if (stored.size() != raw.size())
        return Error{ErrorKind::kCorrupt, "an object is not as long as recorded"};
      std::ranges::copy(stored, raw.begin());
      return Done{};
    case Encoding::kZstd:
      return Expand(stored, raw);
    case Encoding::kPlanes:
    case Encoding::kEntropy:
      return codec::DecodeBlock(static_cast<codec::Method>(encoding), stored, raw);
    case Encoding::kTree:
      break;
  }
  return Error{ErrorKind::kCorrupt, "an object has no such encoding"};
}

}  // namespace plumb::store
