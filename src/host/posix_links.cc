// SPDX-License-Identifier: MIT OR Apache-2.0
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "host/links.h"
#include "host/posix_error_internal.h"

namespace plumb::host {
namespace {

constexpr mode_t kMode = 0600;

// An open file, closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  const int number_;
};

// That it cannot be done here is no failure of the disk.
Error LinkError(int error, std::string_view doing, const std::string& path) {
  Error result = PosixError(error, doing, path);
  const bool cannot = error == EXDEV || error == EOPNOTSUPP || error == ENOTTY || error == EINVAL ||
                      error == ENOSYS || error == EMLINK || error == EPERM;
  if (cannot) result.kind = ErrorKind::kUnsupported;
  return result;
}

Status CheckRegular(int file, const std::string& path) {
  struct stat state = {};
  if (::fstat(file, &state) != 0) return PosixError(errno, "cannot look at", path);
  if (S_ISREG(state.st_mode)) return Done{};
  return Error{ErrorKind::kDenied, "'" + path + "' is no regular file"};
}

class PosixLinks final : public Links {
 public:
  Status Reflink(const std::string& source, const std::string& target) override {
    const Descriptor from(::open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (from.number() < 0) return PosixError(errno, "cannot open", source);
    PLUMB_RETURN_IF_ERROR(CheckRegular(from.number(), source));
    const Descriptor to(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode));
    if (to.number() < 0) return PosixError(errno, "cannot make", target);
    if (::ioctl(to.number(), FICLONE, from.number()) == 0) return Done{};
    const int error = errno;
    ::unlink(target.c_str());
    return LinkError(error, "cannot share the blocks of", source);
  }

  Status HardLink(const std::string& source, const std::string& target) override {
    // By what was opened and looked at, not by the name once more.
    const Descriptor from(::open(source.c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW));
    if (from.number() < 0) return PosixError(errno, "cannot open", source);
    PLUMB_RETURN_IF_ERROR(CheckRegular(from.number(), source));
    const std::string opened = "/proc/self/fd/" + std::to_string(from.number());
    if (::linkat(AT_FDCWD, opened.c_str(), AT_FDCWD, target.c_str(), AT_SYMLINK_FOLLOW) == 0)
      return Done{};
    return LinkError(errno, "cannot link", source);
  }
};

}  // namespace

std::unique_ptr<Links> MakeLinks() { return std::make_unique<PosixLinks>(); }

}  // namespace plumb::host
