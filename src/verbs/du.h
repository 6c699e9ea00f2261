// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_DU_H_
#define PLUMB_VERBS_DU_H_

#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "store/upkeep.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct DuOptions {
  std::vector<std::string> names = {};  // of kits; empty: all
};

struct DuReport {
  struct Row {
    std::vector<std::string> tags;  // sorted; may be empty
    store::KitUse use;
  };
  std::vector<Row> rows;          // by first tag and digest; kits without one last
  store::MeasureReport measured;  // of the whole store
};

// What each kit takes, and what only it takes. kNotFound if one that is named is not here.
Result<DuReport> Du(Workspace& workspace, const DuOptions& options, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_DU_H_
