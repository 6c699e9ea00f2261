// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace plumb {

void CheckFailed(const char* condition, const char* file, int line) {
  static_cast<void>(
      std::fprintf(stderr, "bug: %s:%d: '%s' does not hold\n", file, line, condition));
  std::abort();
}

}  // namespace plumb
