// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_IMPORT_H_
#define PLUMB_VERBS_IMPORT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "base/streams.h"
#include "crypto/digest.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

// Whether the files of models are used where they lie, by hard links, where they cannot share their
// blocks with a copy (reflink). Who writes to them later makes the kit unreadable, never wrong.
enum class LinkFiles : std::uint8_t { kNo, kYes };

struct ImportOptions {
  std::string source;                      // see Import
  std::unique_ptr<ByteSource> input = {};  // a bundle, if the source is "-"
  std::string name = {};                   // what the kit shall be called here
  LinkFiles link_files = LinkFiles::kNo;
};

struct ImportedKit {
  std::string name;  // empty: only its ModelKitID
  Digest digest;
};

struct ImportReport {
  std::string source;
  std::vector<ImportedKit> kits;
  std::uint64_t bytes_moved = 0;    // of layers that were not here
  std::uint64_t bytes_present = 0;  // of those that were
  std::uint64_t bytes_adopted = 0;  // of files that are used where they lie
};

// Takes what lies somewhere on this machine into the store: a bundle ("FILE", or "-" for `input`),
// an OCI layout ("DIRECTORY" or "oci:DIRECTORY[:TAG]"), files of a model, or what Ollama, kit and
// the tools of Hugging Face keep. Everything is checked; each kit is there whole or not at all. Of
// a whole store, what is kInvalid or kUnsupported is passed over with a warning, and an error only
// if nothing else is there. Kits keep the names they have there, unless `name` is given, which
// names one.
Result<ImportReport> Import(Workspace& workspace, ImportOptions options, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_IMPORT_H_
