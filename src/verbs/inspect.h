// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_INSPECT_H_
#define PLUMB_VERBS_INSPECT_H_

#include <string>

#include "base/json.h"
#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "verbs/read_kit.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct InspectOptions {
  KitSource kit;
};

// All that a ModelKitID stands for, as it was received.
struct InspectReport {
  Digest digest;
  std::string cli_version;  // of the kit that made it, if it says so; else "unknown"
  Json kitfile;             // of a ModelPack: as `info` shows it, with digests
  Json manifest;
  Json config;  // of a ModelPack; else null: it is the Kitfile
};

Result<InspectReport> Inspect(Workspace& workspace, const InspectOptions& options,
                              Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_INSPECT_H_
