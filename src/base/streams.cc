// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/streams.h"

#include <algorithm>

namespace plumb {
namespace {

constexpr std::size_t kCopySize = std::size_t{1} << 20;

}  // namespace

Result<bool> ByteSource::Skip(std::uint64_t size) {
  while (size > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, kCopySize));
    PLUMB_TRY(const ByteSpan piece, Read(wanted));
    if (piece.empty()) return false;
    size -= piece.size();
  }
  return true;
}

Result<ByteSpan> MemorySource::Read(std::size_t size_max) {
  const ByteSpan piece = rest_.first(std::min(size_max, rest_.size()));
  rest_ = rest_.subspan(piece.size());
  return piece;
}

Status MemorySink::Write(ByteSpan bytes) {
  if (bytes.size() > size_max_ - text_.size()) {
    return Error{ErrorKind::kExhausted, "more than " + std::to_string(size_max_) + " bytes"};
  }
  text_ += AsText(bytes);
  return Done{};
}

Status CopyAll(ByteSource& source, ByteSink& sink) {
  for (;;) {
    PLUMB_TRY(const ByteSpan piece, source.Read(kCopySize));
    if (piece.empty()) return Done{};
    PLUMB_RETURN_IF_ERROR(sink.Write(piece));
  }
}

Result<std::string> ReadAll(ByteSource& source, std::size_t size_max) {
  MemorySink sink(size_max);
  PLUMB_RETURN_IF_ERROR(CopyAll(source, sink));
  return std::move(sink).TakeText();
}

}  // namespace plumb
