// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_BUILD_H_
#define PLUMB_VERBS_BUILD_H_

#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "kit/build.h"
#include "verbs/blueprint_file.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

using kit::FollowSymlinks;
using kit::Rehash;

struct BuildOptions {
  std::string directory = ".";
  BlueprintChoice blueprint = {};
  std::vector<std::string> tags = {};  // each "REF[:t1,t2…]"; none: an untagged kit
  std::string compression = "none";    // or gzip, gzip-fastest, zstd
  std::string kit_compatibility = {};  // or "1.7"
  std::string format = {};             // "modelkit", the default, or "cncf"
  std::string layer_format = {};       // "tar" or "raw"; by default as the format has it
  std::string message = {};            // why; recorded with the moves of the tags
  Rehash rehash = Rehash::kNo;
  FollowSymlinks follow_symlinks = FollowSymlinks::kNo;
};

struct BuildReport {
  kit::BuildReport built;
  std::vector<std::string> tags;  // "m:v1"
};

// Makes a ModelKit of a blueprint and the files it names, and points the tags at it.
Result<BuildReport> Build(Workspace& workspace, const BuildOptions& options, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_BUILD_H_
