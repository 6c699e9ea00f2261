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

// <type>[,<type>…][:<name-or-path>[,…]] with types kitfile, model, datasets, code, docs,
// prompts, mcpservers. Several filters are OR-ed; none means everything.
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

struct UnpackedEntry {
  std::string type;  // "model", "code", …; "config" for the Kitfile
  std::string name;
  std::string path;  // where it went, relative to the target
};

struct UnpackReport {
  Digest id;
  std::vector<UnpackedEntry> entries;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

// Writes the files of a ModelKit into a directory: its base's model and parts first, then its
// own layers, then its Kitfile. Streaming; each byte is checked before it is written,
// each file appears whole or not at all; directories beneath the target only, regular files only, modes of
// 0644 or 0755 beneath… and nothing is written through a symlink (trust.md §7; tests/attacks).
// Nothing is written if a name of any layer is refused, or (kRefuse) if a file is there
// already (kConflict, naming it).
Result<UnpackReport> Unpack(store::Store& store, BaseResolver& bases, const ModelKit& modelkit,
                            host::Directory& target, const UnpackOptions& options,
                            Progress& progress);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_UNPACK_H_
