// SPDX-License-Identifier: MIT OR Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/text.h"
#include "host/posix_error_internal.h"
#include "host/posix_file_internal.h"
#include "host/special_file.h"

namespace plumb::host {
namespace {

class SpecialFile final : public ByteSink {
 public:
  SpecialFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Status Write(ByteSpan bytes) override {
    while (!bytes.empty()) {
      const ssize_t put = ::write(descriptor_.number(), bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0 && errno == EPIPE)
        return Error{ErrorKind::kInterrupted, "who read '" + Printable(path_) + "' went away"};
      if (put < 0) return PosixError(errno, "cannot write", path_);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    return Done{};
  }

 private:
  const Descriptor descriptor_;
  const std::string path_;
};

Status CheckSpecial(const struct stat& info, const std::string& path) {
  if (S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode)) return Done{};
  return Error{ErrorKind::kInvalid,
               "'" + Printable(path) + "' is neither a file, nor a pipe or a character device"};
}

}  // namespace

Result<std::unique_ptr<ByteSink>> OpenSpecialFile(const std::string& path) {
  // Before it is opened, which may do something to a device, and after, when it cannot change.
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0) return PosixError(errno, "cannot open", path);
  PLUMB_RETURN_IF_ERROR(CheckSpecial(info, path));
  Descriptor opened(::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
  if (opened.number() < 0) return PosixError(errno, "cannot open", path);
  if (::fstat(opened.number(), &info) != 0) return PosixError(errno, "cannot look at", path);
  PLUMB_RETURN_IF_ERROR(CheckSpecial(info, path));
  return std::unique_ptr<ByteSink>(std::make_unique<SpecialFile>(std::move(opened), path));
}

}  // namespace plumb::host
