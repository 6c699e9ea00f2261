// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_HOST_READ_ONLY_H_
#define PLUMB_HOST_READ_ONLY_H_

#include <memory>
#include <string_view>

#include "host/files.h"

// What is made to look like a file or a directory, and of which nothing can be changed (kDenied).
namespace plumb::host {

inline Error CannotChange() { return Error{ErrorKind::kDenied, "this can only be read"}; }

class ReadOnlyFile : public File {
 public:
  Status WriteAt(std::uint64_t /*offset*/, ByteSpan /*bytes*/) final { return CannotChange(); }
  Status Truncate(std::uint64_t /*size*/) final { return CannotChange(); }
  void WillSync() final {}
  Status Sync() final { return Done{}; }
  Result<std::unique_ptr<FileLock>> Lock(LockKind /*kind*/, std::uint64_t /*timeout_ms*/,
                                         LockRange /*range*/) final {
    return CannotChange();
  }
};

class ReadOnlyDirectory : public Directory {
 public:
  Status MakeDirectory(std::string_view /*path*/, std::uint32_t /*mode*/) final {
    return CannotChange();
  }
  Status Rename(std::string_view /*source*/, std::string_view /*target*/,
                Overwrite /*overwrite*/) final {
    return CannotChange();
  }
  Status Remove(std::string_view /*path*/) final { return CannotChange(); }
  Status Sync(std::string_view /*path*/) final { return Done{}; }
};

}  // namespace plumb::host

#endif  // PLUMB_HOST_READ_ONLY_H_
