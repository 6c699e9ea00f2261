// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_EXPORT_H_
#define PLUMB_VERBS_EXPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "base/streams.h"
#include "crypto/digest.h"
#include "host/files.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct ExportOptions {
  std::vector<std::string> kits;
  std::string file;                                  // or
  ByteSink* output = nullptr;                        // where the bundle goes instead
  host::Overwrite overwrite = host::Overwrite::kNo;  // of the file
};

struct ExportedKit {
  std::string name;  // empty: only by its digest
  Digest digest;
};

struct ExportReport {
  std::string file;                // as it was written
  std::vector<ExportedKit> kits;   // in the order in which they were asked for
  std::vector<ExportedKit> bases;  // of those, which came along
  std::uint64_t bytes = 0;         // of the whole file
};

// Writes kits, and the bases that they need, into one file. It appears whole or not at all, and
// the same kits give the same bytes. kConflict if there is such a file; a pipe or a character
// device that is there is written into. kInvalid for a directory, for a symlink that leads nowhere,
// and for the name of a kit of this store, unless it has a '/' or ".tar" in it.
Result<ExportReport> Export(Workspace& workspace, const ExportOptions& options, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_EXPORT_H_
