// SPDX-License-Identifier: MIT OR Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include "host/posix_error_internal.h"
#include "host/posix_file_internal.h"

namespace plumb::host {
namespace {

// Linux moves at most 0x7ffff000 bytes in one call.
constexpr std::size_t kCallSizeMax = std::size_t{1} << 30;
// Larger writes make the kernel take huge pages for its cache, and a virtual machine may first have
// to ask its host for those: 4 MiB at a time took three times as long as 1 MiB, for the same bytes.
constexpr std::size_t kWriteSizeMax = std::size_t{512} << 10;
// How much may be written before the system is asked to begin writing it back.
constexpr std::uint64_t kWritebackSize = std::uint64_t{8} << 20;

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

// Without waiting; -1 and errno as of fcntl.
int SetLock(int descriptor, short type, LockRange range) {
  struct flock request = {};
  request.l_type = type;
  request.l_whence = SEEK_SET;
  request.l_start = static_cast<off_t>(range.offset);
  request.l_len = static_cast<off_t>(range.size);
  return ::fcntl(descriptor, F_OFD_SETLK, &request);
}

short TypeOf(LockKind kind) { return kind == LockKind::kShared ? F_RDLCK : F_WRLCK; }

bool IsHeldByOthers(int number) { return number == EAGAIN || number == EACCES || number == EINTR; }

// For nobody there, whoever holds what: file systems without locks, some that lie in a network.
bool HasNoLocks(int number) {
  return number == ENOLCK || number == EOPNOTSUPP || number == ENOSYS || number == EINVAL;
}

Error CannotLock(int number, const std::string& path) {
  Error error = PosixError(number, "cannot lock", path);
  if (HasNoLocks(number)) error.kind = ErrorKind::kUnsupported;
  return error;
}

Error HeldByOthers(const std::string& path) {
  return Error{ErrorKind::kUnavailable, "cannot lock '" + path + "': others hold it"};
}

// Has a descriptor of its own, so that it may outlive the file it was taken on.
class PosixLock final : public FileLock {
 public:
  PosixLock(Descriptor descriptor, LockRange range, std::string path)
      : descriptor_(std::move(descriptor)), range_(range), path_(std::move(path)) {}
  ~PosixLock() override { static_cast<void>(SetLock(descriptor_.number(), F_UNLCK, range_)); }
  PosixLock(const PosixLock&) = delete;
  PosixLock& operator=(const PosixLock&) = delete;

  Status Convert(LockKind kind) override {
    if (SetLock(descriptor_.number(), TypeOf(kind), range_) == 0) return Done{};
    if (!IsHeldByOthers(errno)) return CannotLock(errno, path_);
    return HeldByOthers(path_);
  }

 private:
  const Descriptor descriptor_;
  const LockRange range_;
  const std::string path_;
};

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<std::size_t> ReadAt(std::uint64_t offset, MutableByteSpan buffer) override {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
      const std::size_t size = std::min(buffer.size() - filled, kCallSizeMax);
      const ssize_t got = ::pread(descriptor_.number(), buffer.data() + filled, size,
                                  static_cast<off_t>(offset + filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return PosixError(errno, "cannot read", path_);
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    return filled;
  }

  Status WriteAt(std::uint64_t offset, ByteSpan bytes) override {
    std::size_t written = 0;
    while (written < bytes.size()) {
      const std::size_t size = std::min(bytes.size() - written, kWriteSizeMax);
      const ssize_t put = ::pwrite(descriptor_.number(), bytes.data() + written, size,
                                   static_cast<off_t>(offset + written));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return PosixError(errno, "cannot write", path_);
      written += static_cast<std::size_t>(put);
    }
    if (will_sync_.load(std::memory_order_relaxed)) BeginWriteback(offset + bytes.size());
    return Done{};
  }

  void WillSync() override { will_sync_ = true; }

  Status Truncate(std::uint64_t size) override {
    if (::ftruncate(descriptor_.number(), static_cast<off_t>(size)) != 0)
      return PosixError(errno, "cannot truncate", path_);
    return Done{};
  }

  Status Sync() override {
    if (::fsync(descriptor_.number()) != 0) return PosixError(errno, "cannot sync", path_);
    return Done{};
  }

  Result<FileState> State() override {
    struct stat info = {};
    if (::fstat(descriptor_.number(), &info) != 0)
      return PosixError(errno, "cannot look at", path_);
    return StateOf(info);
  }

  Result<std::unique_ptr<FileLock>> Lock(LockKind kind, std::uint64_t timeout_ms,
                                         LockRange range) override {
    using std::chrono::milliseconds;
    const auto deadline = std::chrono::steady_clock::now() + milliseconds(timeout_ms);
    milliseconds pause(1);
    Descriptor twin(::fcntl(descriptor_.number(), F_DUPFD_CLOEXEC, 0));
    if (twin.number() < 0) return PosixError(errno, "cannot lock", path_);
    while (SetLock(twin.number(), TypeOf(kind), range) != 0) {
      if (!IsHeldByOthers(errno)) return CannotLock(errno, path_);
      if (std::chrono::steady_clock::now() >= deadline) return HeldByOthers(path_);
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, milliseconds(20));
    }
    return std::unique_ptr<FileLock>(std::make_unique<PosixLock>(std::move(twin), range, path_));
  }

 private:
  // Only a hint, so failures do not matter: Sync() tells.
  void BeginWriteback(std::uint64_t end) {
    std::uint64_t begin = writeback_begun_.load(std::memory_order_relaxed);
    if (end < begin + kWritebackSize) return;
    if (!writeback_begun_.compare_exchange_strong(begin, end)) return;
    static_cast<void>(::sync_file_range(descriptor_.number(), static_cast<off64_t>(begin),
                                        static_cast<off64_t>(end - begin), SYNC_FILE_RANGE_WRITE));
  }

  Descriptor descriptor_;
  std::string path_;
  std::atomic<bool> will_sync_ = false;
  std::atomic<std::uint64_t> writeback_begun_ = 0;
};

FileType TypeOf(mode_t mode) {
  if (S_ISREG(mode)) return FileType::kRegular;
  if (S_ISDIR(mode)) return FileType::kDirectory;
  if (S_ISLNK(mode)) return FileType::kSymlink;
  return FileType::kOther;
}

std::int64_t Nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * kNsPerSecond + time.tv_nsec;
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

FileState StateOf(const struct stat& info) {
  FileState state;
  state.type = TypeOf(info.st_mode);
  state.mode = info.st_mode & 07777U;
  state.size = static_cast<std::uint64_t>(info.st_size);
  state.device = info.st_dev;
  state.inode = info.st_ino;
  state.names = info.st_nlink;
  state.modified_ns = Nanoseconds(info.st_mtim);
  state.changed_ns = Nanoseconds(info.st_ctim);
  return state;
}

std::unique_ptr<File> MakePosixFile(Descriptor descriptor, std::string path) {
  return std::make_unique<PosixFile>(std::move(descriptor), std::move(path));
}

}  // namespace plumb::host
