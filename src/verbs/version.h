// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_VERSION_H_
#define PLUMB_VERBS_VERSION_H_

#include <string>
#include <string_view>

namespace plumb::verbs {

inline constexpr std::string_view kVersion = "0.1.0";

struct VersionReport {
  std::string version;   // "MAJOR.MINOR.PATCH"
  std::string compiler;  // that it was made with
};

// Needs no workspace: it works where nothing else does.
VersionReport Version();

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_VERSION_H_
