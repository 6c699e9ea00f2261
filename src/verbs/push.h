// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_PUSH_H_
#define PLUMB_VERBS_PUSH_H_

#include <functional>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "registry/transfer.h"
#include "verbs/place.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct PushReport;

struct PushOptions {
  std::string source;       // a kit of this store
  std::string target = {};  // a place; empty: where its name says
  NetworkOptions network = {};
  // Called once, when the work begins, with source and target.
  std::function<void(const PushReport&)> on_begin = {};
};

struct PushReport {
  std::string source;
  std::string target;
  registry::TransferReport transfer;
};

// Sends a kit of this store elsewhere, under the target's tag; a target without one takes the
// tag of the source. kInvalid if neither name has a host.
Result<PushReport> Push(Workspace& workspace, const PushOptions& options, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_PUSH_H_
