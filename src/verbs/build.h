// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_BUILD_H_
#define PLUMB_VERBS_BUILD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "kit/build.h"
#include "verbs/blueprint_file.h"
#include "verbs/place.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

using kit::FollowSymlinks;
using kit::Rehash;

// What to do with the lock file beside the blueprint (docs/format.md, "Lock file").
enum class Locking : std::uint8_t {
  kAsNeeded,  // pins hold; it is written if there is a base
  kWrite,     // pins hold; it is written
  kUpdate,    // every base is resolved anew; it is written
  kCheck,     // what is built must be what it says
};

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
  Locking locking = Locking::kAsNeeded;
  NetworkOptions network = {};  // for bases that are not here
};

struct BuildReport {
  kit::BuildReport built;
  std::vector<std::string> tags;  // "m:v1"
  std::string lock_file;          // that was written; empty: none
};

// Makes a ModelKit of a blueprint and the files it names, and points the tags at it. Of a base that
// is not here and whose name has a host, manifest and config are fetched; that is said (Note).
//
// The lock file is written, atomically, after the kit is in the store. kConflict, with each
// difference, if it must hold and does not; kNotFound if it must and is not there.
Result<BuildReport> Build(Workspace& workspace, const BuildOptions& options, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_BUILD_H_
