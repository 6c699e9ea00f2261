// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_GC_H_
#define PLUMB_VERBS_GC_H_

#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "store/upkeep.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct GcOptions {
  store::DryRun dry_run = store::DryRun::kNo;
  // How long kits without tags are kept: "14d", "12h", "30m", "0"; empty: as the settings
  // say, else 14 days behind their arrival and 90 behind the loss of a tag.
  std::string keep_untagged = {};
};

struct GcReport {
  store::DryRun dry_run = store::DryRun::kNo;
  store::CollectReport collected;
};

// Takes away what no kit needs. kInvalid for a time that is none.
Result<GcReport> Gc(Workspace& workspace, const GcOptions& options, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_GC_H_
