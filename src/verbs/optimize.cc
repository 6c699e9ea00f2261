// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/optimize.h"

#include <utility>

namespace plumb::verbs {

Result<OptimizeReport> Optimize(Workspace& workspace, const OptimizeOptions& options,
                                Progress& progress) {
  PLUMB_TRY(store::Upkeep * upkeep, workspace.Upkeep());
  auto optimized = upkeep->Optimize({options.tier}, progress);
  if (!optimized) return std::move(optimized).error().While("cannot optimize");
  return OptimizeReport{options.tier, *optimized};
}

}  // namespace plumb::verbs
