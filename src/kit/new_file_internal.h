// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_NEW_FILE_INTERNAL_H_
#define PLUMB_KIT_NEW_FILE_INTERNAL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "host/files.h"
#include "host/leftovers.h"

namespace plumb::kit {

// A file on its way: written under another name in the directory where it will be, so that under
// its own it is whole or absent. Nothing is synced: like what git checks out, an unpacked
// file can be had again.
class NewFile {
 public:
  // `temporary` is made; kConflict if it is there.
  static Result<std::unique_ptr<NewFile>> Create(host::Directory& directory,
                                                 const std::string& temporary, std::uint32_t mode);
  // Removes it, unless it was moved.
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  Status Append(ByteSpan bytes);
  // Call once, at the end. kConflict if `path` is there and may not be overwritten.
  Status MoveTo(const std::string& path, host::Overwrite overwrite);

 private:
  NewFile(host::Directory& directory, std::string temporary, host::LockedFile file)
      : directory_(directory), temporary_(std::move(temporary)), file_(std::move(file)) {}

  host::Directory& directory_;
  const std::string temporary_;
  host::LockedFile file_;
  std::uint64_t size_ = 0;
  bool is_moved_ = false;
};

}  // namespace plumb::kit

#endif  // PLUMB_KIT_NEW_FILE_INTERNAL_H_
