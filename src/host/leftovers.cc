// SPDX-License-Identifier: MIT OR Apache-2.0
#include "host/leftovers.h"

#include <utility>

namespace plumb::host {
namespace {

constexpr int kTriesMax = 10;
// Who takes it for a leftover holds it for as long as removing it takes.
constexpr std::uint64_t kLockTimeoutMs = 1000;

// Whether that name is still that of the file.
Result<bool> IsAt(Directory& directory, const std::string& path, File& file) {
  PLUMB_TRY(const FileState ours, file.State());
  const auto there = directory.State(path);
  if (!there && there.error().kind == ErrorKind::kNotFound) return false;
  if (!there) return there.error();
  return there->inode == ours.inode && there->device == ours.device;
}

}  // namespace

Result<LockedFile> CreateLocked(Directory& directory, const std::string& path, std::uint32_t mode) {
  // More often than a few times nobody can be that unlucky: then what is wrong is something else.
  for (int tries = 0;; ++tries) {
    LockedFile made;
    PLUMB_TRY(made.file, directory.Open(path, OpenHow::kCreateNew, mode));
    auto lock = made.file->Lock(LockKind::kExclusive, kLockTimeoutMs);
    if (!lock && lock.error().kind != ErrorKind::kUnsupported) return std::move(lock).error();
    if (lock) made.lock = *std::move(lock);
    // Between the two it may have been taken for a leftover: then it is made again.
    PLUMB_TRY(const bool is_there, IsAt(directory, path, *made.file));
    if (is_there) return made;
    if (tries == kTriesMax)
      return Error{ErrorKind::kUnavailable, "'" + path + "' is taken away again and again"};
  }
}

void RemoveLeftovers(Directory& directory, const std::string& path,
                     const std::function<bool(std::string_view name)>& is_ours) {
  const auto entries = directory.List(path);
  if (!entries) return;
  for (const DirectoryEntry& entry : *entries) {
    if (entry.type != FileType::kRegular || !is_ours(entry.name)) continue;
    const std::string place = path.empty() ? entry.name : path + "/" + entry.name;
    const auto file = directory.Open(place, OpenHow::kReadWrite);
    if (!file) continue;
    // Held until it is gone: who has just made it finds that it is no more, and makes it again. Who
    // was done with it has moved it, and what has this name now is another's.
    const auto lock = (*file)->Lock(LockKind::kExclusive, 0);
    if (lock && IsAt(directory, place, **file).value_or(false))
      static_cast<void>(directory.Remove(place));
  }
}

}  // namespace plumb::host
