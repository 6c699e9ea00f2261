// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string>
#include <utility>

#include "archive/compression.h"
#include "base/streams.h"
#include "store/payload_internal.h"

namespace plumb::store {
namespace {

constexpr std::size_t kSampleSize = std::size_t{64} << 10;
constexpr int kZstdLevel = 3;

// The bytes as zstd, or nothing if that does not save two fifths.
Result<std::string> Shrunk(ByteSpan raw) {
  MemorySink sink(raw.size() + kSampleSize);
  const auto compressor = archive::MakeCompressor(archive::Compression::kZstd, kZstdLevel, sink);
  PLUMB_RETURN_IF_ERROR(compressor->Write(raw));
  PLUMB_RETURN_IF_ERROR(compressor->Finish());
  if (sink.text().size() > raw.size() / 5 * 3) return std::string();
  return std::move(sink).TakeText();
}

// Weights do not shrink: a sample from the middle tells, for a hundredth of the time.
Result<std::string> ShrunkIfWorthwhile(ByteSpan raw) {
  if (raw.size() > kSampleSize) {
    PLUMB_TRY(const std::string sample,
              Shrunk(raw.subspan((raw.size() - kSampleSize) / 2, kSampleSize)));
    if (sample.empty()) return std::string();
  }
  return Shrunk(raw);
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

Result<Payload> EncodePayload(ByteSpan raw, [[maybe_unused]] const PieceRole& role) {
  Payload payload = {Encoding::kRaw, raw};
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
    case Encoding::kTree:
      break;
  }
  return Error{ErrorKind::kCorrupt, "an object has no such encoding"};
}

}  // namespace plumb::store
