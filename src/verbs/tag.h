// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_TAG_H_
#define PLUMB_VERBS_TAG_H_

#include <optional>
#include <string>

#include "base/result.h"
#include "crypto/digest.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct TagOptions {
  std::string source;
  std::string target;
  std::string message = {};  // why; recorded with the move
};

struct TagReport {
  std::string source;
  std::string target;
  Digest digest;
  std::optional<Digest> previous;  // where the target pointed, if that was elsewhere
};

// Gives a kit of this store one more name. A name in use moves.
Result<TagReport> Tag(Workspace& workspace, const TagOptions& options);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_TAG_H_
