// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_HOST_POSIX_ERROR_INTERNAL_H_
#define PLUMB_HOST_POSIX_ERROR_INTERNAL_H_

#include <string_view>

#include "base/result.h"

namespace plumb::host {

// The one place where an errno becomes a kind: "cannot open 'x': permission denied".
Error PosixError(int number, std::string_view doing, std::string_view path);

}  // namespace plumb::host

#endif  // PLUMB_HOST_POSIX_ERROR_INTERNAL_H_
