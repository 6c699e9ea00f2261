// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_HOST_FILE_STREAMS_H_
#define PLUMB_HOST_FILE_STREAMS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/streams.h"
#include "host/files.h"

namespace plumb::host {

// Open files as streams; the file must outlive them.

// A file, from one offset to another. Threads: any number of sources may share the file.
class FileSource final : public ByteSource {
 public:
  FileSource(File& file, std::uint64_t offset, std::uint64_t end = UINT64_MAX)
      : file_(file), offset_(offset), end_(end), buffer_(kReadSize) {}

  Result<ByteSpan> Read(std::size_t size_max) override {
    const std::uint64_t wanted = std::min<std::uint64_t>(size_max, end_ - offset_);
    const auto room = MutableByteSpan(buffer_).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(wanted, buffer_.size())));
    PLUMB_TRY(const std::size_t size, file_.ReadAt(offset_, room));
    offset_ += size;
    return ByteSpan(room.first(size));
  }

  // Where the next bytes come from.
  std::uint64_t offset() const { return offset_; }

  Result<bool> Skip(std::uint64_t size) override {
    PLUMB_TRY(const FileState state, file_.State());
    const std::uint64_t end = std::min(end_, state.size);
    if (offset_ > end || size > end - offset_) return false;
    offset_ += size;
    return true;
  }

 private:
  static constexpr std::size_t kReadSize = std::size_t{1} << 20;

  File& file_;
  std::uint64_t offset_;
  const std::uint64_t end_;
  std::vector<std::byte> buffer_;
};

// A file from its beginning on.
class FileSink final : public ByteSink {
 public:
  explicit FileSink(File& file) : file_(file) {}

  Status Write(ByteSpan bytes) override {
    PLUMB_RETURN_IF_ERROR(file_.WriteAt(offset_, bytes));
    offset_ += bytes.size();
    return Done{};
  }

 private:
  File& file_;
  std::uint64_t offset_ = 0;
};

}  // namespace plumb::host

#endif  // PLUMB_HOST_FILE_STREAMS_H_
