// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_MODELFILE_PLACES_INTERNAL_H_
#define PLUMB_KIT_MODELFILE_PLACES_INTERNAL_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kit/plan_internal.h"
#include "kit/rules_internal.h"

namespace plumb::kit {

// A file that a command takes.
struct TakenFile {
  std::string path;  // where it is packed
  Content content;
  bool is_weights = false;
};

// What FROM, ADAPTER or DRAFT names on this machine.
struct NamedPlace {
  bool is_inside = false;  // the context
  bool is_directory = false;
  std::string machine_path;  // absolute; only its last part may be a symlink
  std::string packed_path;   // in the context, now or once packed; empty for the context itself
};

// Finds the files that the commands of one Modelfile name (docs/format.md, "From a
// Modelfile": Places, Files of a command).
class ModelfilePlaces {
 public:
  ModelfilePlaces(const PlanRequest& request, const ContextRules& rules)
      : request_(request), rules_(rules) {}

  // Nothing if there is nothing of that name.
  Result<std::optional<NamedPlace>> Locate(const std::string& text);

  // A named file. kInvalid if another command has taken it.
  Result<TakenFile> TakeNamed(const NamedPlace& file);
  // The others of its series, if it is the first of one. Call after all TakeNamed.
  Result<std::vector<TakenFile>> TakeSeries(const NamedPlace& file);
  // What a directory stands for. Call after all TakeSeries.
  Result<std::vector<TakenFile>> TakeDirectory(const NamedPlace& directory);

  std::vector<std::unique_ptr<host::Directory>> TakeDirectories() &&;

 private:
  Result<std::string> MachinePath(const std::string& text);
  Status ClaimTopName(const NamedPlace& place);
  Result<std::vector<std::string>> FileNames(const NamedPlace& directory);
  Result<TakenFile> Take(const NamedPlace& file);
  Result<Content> Open(const NamedPlace& file);
  Result<host::Directory*> DirectoryAt(const std::string& machine_path);

  const PlanRequest& request_;
  const ContextRules& rules_;
  std::string context_path_;                      // without symlinks; empty until it is needed
  std::set<std::string> taken_;                   // machine paths
  std::map<std::string, std::string> top_names_;  // of outside places, to their machine paths
  std::map<std::string, std::unique_ptr<host::Directory>> directories_;
};

}  // namespace plumb::kit

#endif  // PLUMB_KIT_MODELFILE_PLACES_INTERNAL_H_
