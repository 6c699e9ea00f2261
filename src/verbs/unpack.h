// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_UNPACK_H_
#define PLUMB_VERBS_UNPACK_H_

#include <functional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "kit/unpack.h"
#include "verbs/place.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

using kit::Existing;

struct UnpackReport;

struct UnpackOptions {
  std::string kit;
  std::string directory = ".";            // made if it is missing
  std::vector<std::string> filters = {};  // "<type>[,…][:<name-or-path>[,…]]"
  Existing existing = Existing::kRefuse;
  NetworkOptions network = {};
  // Called once, when the work begins, with the directory.
  std::function<void(const UnpackReport&)> on_begin = {};
};

struct UnpackReport {
  std::string directory;  // absolute
  kit::UnpackReport unpacked;
};

// Writes the files of a kit into a directory. A kit that is not here, and whose name has a
// host, is pulled first; so are its bases; that is said (Note).
Result<UnpackReport> Unpack(Workspace& workspace, const UnpackOptions& options, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_UNPACK_H_
