// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_REMOVE_H_
#define PLUMB_VERBS_REMOVE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

enum class RemoveWhat : std::uint8_t {
  kNamed,     // the tags, or the kit if a digest names it
  kUntagged,  // every kit without a tag that no kit which stays is based on
  kAll,       // every kit and every tag
};
enum class RemoveForce : std::uint8_t { kNo, kYes };

struct RemoveOptions {
  RemoveWhat what = RemoveWhat::kNamed;
  std::string name = {};  // "m:v1", "m:v1,v2", "m@sha256:…" or "sha256:…"
  // Whether the kit goes with all its tags, and although others are based on it, which is warned
  // of. Without it such a kit stays (kConflict).
  RemoveForce force = RemoveForce::kNo;
  std::string message = {};  // why; recorded with the moves of the tags
};

struct RemoveReport {
  struct Line {
    enum class Kind : std::uint8_t { kNamed, kUntagged, kKit, kSpared } kind = Kind::kNamed;
    std::string name;  // as it was asked for; of a tag or kit that went with it its own
    Digest digest;
    std::string needed_by = {};  // of one that is spared: the kits that are based on it
  };
  std::vector<Line> lines;
};

// Takes tags or kits away. The bytes stay until they are collected. All or nothing.
Result<RemoveReport> Remove(Workspace& workspace, const RemoveOptions& options, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_REMOVE_H_
