// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_PULL_H_
#define PLUMB_VERBS_PULL_H_

#include <functional>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "registry/transfer.h"
#include "verbs/place.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct PullReport;

struct PullOptions {
  std::string source;         // HOST/REPOSITORY[:TAG][@DIGEST] or oci:DIRECTORY[:TAG][@DIGEST]
  std::string name = {};      // what it shall be called here; empty: as there
  std::string platform = {};  // "os/architecture", of an index that has several
  NetworkOptions network = {};
  // Called once, when the work begins, with the source.
  std::function<void(const PullReport&)> on_begin = {};
};

struct PullReport {
  std::string source;
  std::string name;  // under which it is here; empty: only under its ModelKitID
  registry::TransferReport transfer;
};

// Fetches a kit into the store. Nothing is visible before all of it is here and checked.
Result<PullReport> Pull(Workspace& workspace, const PullOptions& options, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_PULL_H_
