// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_FSCK_H_
#define PLUMB_VERBS_FSCK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "store/rebuild.h"
#include "store/upkeep.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

// Whether the catalog is made again from the packs before anything is looked at.
enum class RebuildCatalog : std::uint8_t { kNo, kYes };

struct FsckOptions {
  store::Depth depth = store::Depth::kStructure;
  RebuildCatalog rebuild = RebuildCatalog::kNo;
};

struct FsckReport {
  // A kit that is not whole.
  struct Sufferer {
    std::string kit;  // its tag; of several a line each; of none its digest
    Digest digest;
    std::vector<std::string> layers;  // "model ./w.bin", "config", "manifest"
  };
  struct Line {
    std::string what;
    std::string why;
    std::vector<Digest> blobs;
    std::vector<Sufferer> needed_by;
  };
  std::vector<Line> damages;
  std::string hint;            // what mends them; empty if there are none
  store::CheckReport checked;  // its damages are those above
  std::optional<store::RebuildReport> rebuilt;
};

// Looks for damage, and tells who needs what is damaged. That something is damaged is no error of
// this call; kCorrupt is, when the catalog cannot be opened at all.
Result<FsckReport> Fsck(Workspace& workspace, const FsckOptions& options, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_FSCK_H_
