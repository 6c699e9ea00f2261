// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/version.h"

namespace plumb::verbs {

VersionReport Version() {
#ifdef __clang__
  return {std::string(kVersion), __VERSION__};
#else
  return {std::string(kVersion), std::string("GCC ") + __VERSION__};
#endif
}

}  // namespace plumb::verbs
