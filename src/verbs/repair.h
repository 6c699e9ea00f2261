// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_REPAIR_H_
#define PLUMB_VERBS_REPAIR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "verbs/fsck.h"
#include "verbs/place.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct RepairOptions {
  std::string source;  // HOST/REPOSITORY, oci:DIRECTORY, or a bundle's FILE
  NetworkOptions network = {};
  RebuildCatalog rebuild = RebuildCatalog::kNo;  // first
};

struct RepairReport {
  struct Failure {
    Digest blob;
    std::string why;
  };
  std::string source;
  std::vector<Digest> mended;
  std::vector<Failure> failures;  // not mended: a check says what it is needed by
  std::uint64_t bytes_moved = 0;  // from the source
  FsckReport left;                // what a check in depth finds in the end
};

// Reads every byte, and stores anew what is damaged or missing: from what is here if another copy
// of it can be read, else from the source, by its digest. What the source does not have, or has
// with other bytes, stays as it is. Packs that are damaged where nothing is lost are written anew,
// as a gc does it.
// kInvalid: the source names one kit, where a whole place is meant; kUnsupported: a bundle whose
// parts can only be had in their order; else as Fsck and pulls fail. What was mended until then
// stays so.
// Trust: the source is not trusted: what comes is hashed before it counts.
Result<RepairReport> Repair(Workspace& workspace, const RepairOptions& options, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_REPAIR_H_
