// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_INFO_H_
#define PLUMB_VERBS_INFO_H_

#include <string>

#include "base/json.h"
#include "base/progress.h"
#include "base/result.h"
#include "verbs/read_kit.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct InfoOptions {
  KitSource kit;
  std::string filter = {};  // ".model.path": only that part
};

// What a kit's Kitfile says, without digests: the whole, or the part that was asked for.
struct InfoReport {
  Json value;
  std::string yaml;  // the same; a text by itself stands without quotes
};

// kInvalid for a filter that names nothing of a Kitfile.
Result<InfoReport> Info(Workspace& workspace, const InfoOptions& options, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_INFO_H_
