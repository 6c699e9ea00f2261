// SPDX-License-Identifier: MIT OR Apache-2.0
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "host/posix_error_internal.h"

namespace plumb::host {
namespace {

ErrorKind KindOf(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorKind::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
    case EISDIR:
      return ErrorKind::kConflict;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
    case EXDEV:
      return ErrorKind::kDenied;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case EFBIG:
    case ENOMEM:
      return ErrorKind::kExhausted;
    case ENAMETOOLONG:
    case EINVAL:
      return ErrorKind::kInvalid;
    default:
      return ErrorKind::kUnavailable;
  }
}

}  // namespace

Error PosixError(int number, std::string_view doing, std::string_view path) {
  std::string reason = strerrordesc_np(number) != nullptr ? strerrordesc_np(number) : "unknown";
  if (!reason.empty()) reason[0] = ToLowerAscii(reason.substr(0, 1))[0];
  return Error{KindOf(number), std::string(doing) + " '" + Printable(path) + "': " + reason};
}

}  // namespace plumb::host
