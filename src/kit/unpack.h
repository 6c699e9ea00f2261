// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_UNPACK_H_
#define PLUMB_KIT_UNPACK_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "host/files.h"
#include "kit/base_resolver.h"
#include "kit/modelkit.h"
#include "store/store.h"

namespace plumb::kit {

// <type>[,<type>…][:<name-or-path>[,…]] with types kitfile, model, datasets, code, docs, prompts,
// mcpservers. What matches any of several filters is unpacked; without filters, everything.
struct Filter {
  std::vector<std::string> types;
  std::vector<std::string> names;  // empty: any; matched against name, path, cleaned path, glob

  static Result<Filter> Parse(std::string_view text);
};

// What to do with a file that is there already.
enum class Existing : std::uint8_t { kRefuse, kOverwrite, kIgnore };

struct UnpackOptions {
  std::vector<Filter> filters;
  Existing existing = Existing::kRefuse;
  unsigned threads = 2;
};

// Where a ModelKit comes from and where it goes; all of it must outlive the call.
struct UnpackContext {
  store::Store& store;
  BaseResolver& bases;
  host::Directory& target;
};

struct UnpackedEntry {
  std::string type;  // as oci::LayerTypeName; "config": the Kitfile
  std::string name;
  std::string path;  // where it went, relative to the target

  friend bool operator==(const UnpackedEntry&, const UnpackedEntry&) = default;
};

struct UnpackReport {
  Digest id;
  std::vector<UnpackedEntry> entries;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

// Writes the files of a ModelKit into a directory: models and parts of its bases, its own layers,
// and last its Kitfile. Streaming; every byte is checked before it is written.
//
// Promises: a file appears whole, or not at all (nothing is synced: a power cut may spoil it). Only
// regular files and directories are made, of modes 0644 or 0755, beneath `target`, at or beneath
// the path of the entry they belong to, and never through a symlink (docs/threat-model.md;
// tests/attacks). Nothing at all is written if any name is refused (kDenied), or with kRefuse if
// any file is there already (kConflict, named).
//
// What unpackings that were killed left in the directories that are written to (files
// ".plumb-unpack-N" that nobody has locked) is removed.
//
// After a failure with kRefuse the files that were made are removed again, directories stay; with
// the others whole files that came before stay. kCorrupt: damaged bytes. kInvalid: a filter matches
// nothing.
Result<UnpackReport> Unpack(const UnpackContext& context, const ModelKit& modelkit,
                            const UnpackOptions& options, Progress& progress);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_UNPACK_H_
