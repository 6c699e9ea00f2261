// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_HOST_LEFTOVERS_H_
#define PLUMB_HOST_LEFTOVERS_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "host/files.h"

namespace plumb::host {

// A file under a passing name, and the lock that tells others that somebody still writes to it.
struct LockedFile {
  std::unique_ptr<File> file;
  std::unique_ptr<FileLock> lock;  // null where the file system has no locks
};

// Makes it, locked. kConflict if there is something of that name; kUnavailable if others keep it
// locked or take it away all the time.
Result<LockedFile> CreateLocked(Directory& directory, const std::string& path, std::uint32_t mode);

// Removes from the directory `path` what those left that were killed: the regular files whose names
// `is_ours` takes and on which nobody holds a lock. What cannot be removed stays: as a rule it does
// no harm, so that there is nothing to fail for.
void RemoveLeftovers(Directory& directory, const std::string& path,
                     const std::function<bool(std::string_view name)>& is_ours);

}  // namespace plumb::host

#endif  // PLUMB_HOST_LEFTOVERS_H_
