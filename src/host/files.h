// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_HOST_FILES_H_
#define PLUMB_HOST_FILES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// The disk, as everything above this room sees it. The real one is MakeFiles(); tests put
// faulty ones behind the same interfaces (tests/sim).
//
// Errors, everywhere below: ENOENT and ENOTDIR are kNotFound; EEXIST, ENOTEMPTY and EISDIR
// kConflict; EACCES, EPERM, EROFS, ELOOP and EXDEV (an escape from a directory) kDenied; ENOSPC,
// EDQUOT, EMFILE, ENFILE, EFBIG and ENOMEM kExhausted; EIO kUnavailable; names that are too long,
// or no names, kInvalid. Messages name the path.
namespace plumb::host {

enum class FileType : std::uint8_t { kRegular, kDirectory, kSymlink, kOther };

// What a stat call tells. Equal `FileState`s with unequal content are possible only if the
// file was changed within the clock's grain of `changed_ns` (git's "racy" files).
struct FileState {
  FileType type = FileType::kOther;
  std::uint32_t mode = 0;  // permission bits, with setuid, setgid and sticky
  std::uint64_t size = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t names = 1;       // hard links to it
  std::int64_t modified_ns = 0;  // mtime since 1970
  std::int64_t changed_ns = 0;   // ctime since 1970

  friend bool operator==(const FileState&, const FileState&) = default;
};

struct DirectoryEntry {
  std::string name;
  FileType type = FileType::kOther;
};

enum class LockKind : std::uint8_t { kShared, kExclusive };

// A part of a file that is locked; it may lie behind the end. By default all of it.
struct LockRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  // 0: all from `offset` on
};

// Held until destroyed, or until the process ends however it ends.
class FileLock {
 public:
  virtual ~FileLock() = default;

  // Makes it one of the other kind, at once and without a moment in between. kUnavailable if
  // others keep it from that: then it is what it was.
  virtual Status Convert(LockKind kind) = 0;
};

// An open file. Closed when destroyed. Threads: any number at once, at distinct ranges.
class File {
 public:
  virtual ~File() = default;

  // Fills `buffer` from `offset` until it is full or the file ends; returns how much.
  virtual Result<std::size_t> ReadAt(std::uint64_t offset, MutableByteSpan buffer) = 0;

  // Writes all of `bytes`. Not durable before Sync().
  virtual Status WriteAt(std::uint64_t offset, ByteSpan bytes) = 0;

  virtual Status Truncate(std::uint64_t size) = 0;

  // Says that Sync() will follow what is written from now on: the system is asked to begin
  // writing back early, so that it is short.
  virtual void WillSync() = 0;

  // On return content and size are durable (the name is after Directory::Sync). A failure
  // means that nobody knows what is durable: discard the file, never retry the call.
  virtual Status Sync() = 0;

  virtual Result<FileState> State() = 0;

  // Takes an advisory lock (an open file description lock: other threads and other processes
  // wait alike). Waits at most `timeout_ms`; kUnavailable after that. kUnsupported where the file
  // system has no locks. Locks that were taken by one File never keep each other out: ranges of
  // those that are held at once must be distinct.
  virtual Result<std::unique_ptr<FileLock>> Lock(LockKind kind, std::uint64_t timeout_ms,
                                                 LockRange range = {}) = 0;
};

enum class OpenHow : std::uint8_t {
  kRead,        // must exist; never waits on a pipe
  kReadFollow,  // the same, and symlinks are followed as long as they stay beneath
  kReadWrite,   // must exist
  kCreate,      // read and write, created if missing
  kCreateNew,   // read and write, must not exist
};

enum class Overwrite : std::uint8_t { kNo, kYes };

// A directory held open. Every path is relative to it, '/'-separated, without "." or ".."
// parts ("" is the directory itself), and is resolved beneath it: no symlink is followed
// (but by kReadFollow), no path leaves it, even while an enemy moves things about
// (openat2 RESOLVE_BENEATH). Threads: any number at once.
class Directory {
 public:
  virtual ~Directory() = default;

  // `mode` is what a file that this creates gets, whatever the umask; 0 means 0666 less the
  // umask. Opening anything but a regular file is kDenied (with kCreateNew kConflict).
  virtual Result<std::unique_ptr<File>> Open(std::string_view path, OpenHow how,
                                             std::uint32_t mode = 0) = 0;

  // Of the thing itself, not of what a symlink points at.
  virtual Result<FileState> State(std::string_view path) = 0;

  // In byte order of names, "." and ".." left out.
  virtual Result<std::vector<DirectoryEntry>> List(std::string_view path) = 0;

  // Parents must exist; kConflict if there is something of that name. `mode` as in Open
  // (0 means 0777 less the umask).
  virtual Status MakeDirectory(std::string_view path, std::uint32_t mode = 0) = 0;

  // Atomic. With kNo, something at `target` is kConflict.
  virtual Status Rename(std::string_view source, std::string_view target, Overwrite overwrite) = 0;

  // A file, a symlink, or an empty directory.
  virtual Status Remove(std::string_view path) = 0;

  // On return the names in the directory `path` are durable.
  virtual Status Sync(std::string_view path) = 0;
};

enum class IfMissing : std::uint8_t { kFail, kCreate };

// Where directories come from. Threads: any number at once.
class Files {
 public:
  virtual ~Files() = default;

  // `path` is a path of the machine, absolute or relative to the working directory;
  // symlinks in it are followed. kCreate makes it and its parents, durably, with
  // `mode` (0: 0777 less the umask).
  virtual Result<std::unique_ptr<Directory>> OpenDirectory(const std::string& path,
                                                           IfMissing if_missing,
                                                           std::uint32_t mode = 0) = 0;

  // Of what the path leads to, symlinks followed.
  virtual Result<FileState> State(const std::string& path) = 0;

  // Absolute, without symlinks, "." and "..". The path must exist.
  virtual Result<std::string> Canonical(const std::string& path) = 0;
};

std::unique_ptr<Files> MakeFiles();

// The two parts of a machine path: "a/b/c" is {"a/b", "c"}, "c" is {".", "c"}, "/c" is {"/", "c"}.
struct PathParts {
  std::string directory;
  std::string name;
};
PathParts SplitPath(std::string_view path);

// Whole small files by machine path. ReadFile gives kExhausted over `size_max`.
Result<std::string> ReadFile(Files& files, const std::string& path, std::uint64_t size_max);
// Atomic and durable: a reader sees the old content or the new, also after a crash.
Status WriteFileDurably(Files& files, const std::string& path, std::string_view text,
                        std::uint32_t mode);

// As WriteFileDurably and ReadFile, of a path beneath an open directory.
Result<std::string> ReadFile(Directory& directory, std::string_view path, std::uint64_t size_max);
Status WriteFileDurably(Directory& directory, std::string_view path, std::string_view text,
                        std::uint32_t mode);

// Makes the names of a directory and of all above it durable, whoever made them: one that was
// stopped between making a directory and syncing its name left it to others. Those that may not
// be read are passed over: they are not ours.
Status SyncParents(Files& files, const std::string& path);

// Makes `path` and its missing parents beneath `directory`. kConflict if `path` is there and is no
// directory, kDenied if it is a symlink, even to one.
Status MakeDirectories(Directory& directory, std::string_view path, std::uint32_t mode = 0);

}  // namespace plumb::host

#endif  // PLUMB_HOST_FILES_H_
