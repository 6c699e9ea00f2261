// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_OPTIMIZE_H_
#define PLUMB_VERBS_OPTIMIZE_H_

#include "base/progress.h"
#include "base/result.h"
#include "store/upkeep.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct OptimizeOptions {
  store::Tier tier = store::Tier::kFast;
};

struct OptimizeReport {
  store::Tier tier = store::Tier::kFast;
  store::OptimizeReport optimized;
};

// Writes tensors of the store anew where that makes them smaller; the next gc gives their old bytes
// back. Nothing is called otherwise than before.
Result<OptimizeReport> Optimize(Workspace& workspace, const OptimizeOptions& options,
                                Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_OPTIMIZE_H_
