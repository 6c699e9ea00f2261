// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "blueprint/kit17_ignore.h"
#include "kit/kit17_internal.h"
#include "kit/plan_internal.h"
#include "kit/rules_internal.h"

namespace plumb::kit {
namespace {

constexpr std::string_view kAlwaysIgnored = "\nKitfile\nkitfile\n.kitfile\n.kitignore\n";

// Wherever a symlink leads; nothing if it leads nowhere.
Result<std::string> ReadKitignore(const BuildContext& context) {
  const auto file = context.files.Canonical(context.directory_path + "/.kitignore");
  if (!file && file.error().kind == ErrorKind::kNotFound) return std::string();
  if (!file) return file.error();
  return host::ReadFile(context.files, *file, kKitignoreSizeMax);
}

// The walk of kit 1.7.0: once through the context for each layer, ownership by comparing
// strings, what is not a file or directory passed over in silence.
class Kit17Walk {
 public:
  static Result<Kit17Walk> Make(const PlanRequest& request) {
    PLUMB_TRY(const std::string patterns, ReadKitignore(request.context));
    PLUMB_TRY(auto rules,
              blueprint::Kit17IgnoreRules::Parse(patterns + std::string(kAlwaysIgnored)));
    return Kit17Walk(request, std::move(rules));
  }

  // kit cleans them twice: of "./ x" the first time leaves " x".
  void Own(std::string_view path) { owned_.push_back(CleanKit17Path(CleanKit17Path(path))); }

  Status Fill(PlannedLayer& layer) {
    const std::string path = blueprint::CleanPath(layer.path);
    if (request_.context.bygone == nullptr) PLUMB_RETURN_IF_ERROR(CheckPath(path, layer));
    PLUMB_TRY(const bool is_ignored, Ignores(path, path));
    if (is_ignored) request_.progress.Warn(layer.label + " with path '" + path + "' is ignored");
    PLUMB_TRY(const auto entries, request_.context.directory.List(""));
    PLUMB_RETURN_IF_ERROR(WalkEntries("", entries, path, layer));
    if (!layer.HoldsFiles())
      request_.progress.Warn(layer.label + " with path '" + path + "' holds no file");
    return Done{};
  }

 private:
  Kit17Walk(const PlanRequest& request, blueprint::Kit17IgnoreRules rules)
      : request_(request), rules_(std::move(rules)) {}

  Status CheckPath(const std::string& path, const PlannedLayer& layer) const {
    const BuildContext& context = request_.context;
    Result<host::FileState> state = context.files.State(context.directory_path + "/" + path);
    if (!state) {
      Error error = std::move(state).error();
      if (error.kind != ErrorKind::kNotFound) return error;
      return Error{ErrorKind::kInvalid,
                   "path '" + layer.path + "' of " + layer.label + " does not exist"};
    }
    if (state->type != host::FileType::kRegular && state->type != host::FileType::kDirectory)
      return Error{ErrorKind::kInvalid, "path '" + layer.path + "' of " + layer.label +
                                            " is neither a file nor a directory"};
    return Done{};
  }

  Result<bool> Ignores(std::string_view name, std::string_view layer_path) const {
    const std::string path = CleanKit17Path(name);
    PLUMB_TRY(const bool by_pattern, rules_.Ignores(path));
    if (by_pattern) return true;
    const std::string layer = CleanKit17Path(layer_path);
    return std::ranges::any_of(owned_, [&](const std::string& owned) {
      return !layer.starts_with(owned) && path.starts_with(owned);
    });
  }

  Status WalkEntries(const std::string& directory, const std::vector<host::DirectoryEntry>& entries,
                     const std::string& layer_path, PlannedLayer& layer) {
    if (request_.progress.StopRequested()) return Interrupted();
    for (const host::DirectoryEntry& entry : entries) {
      const bool is_directory = entry.type == host::FileType::kDirectory;
      if (!is_directory && entry.type != host::FileType::kRegular) continue;
      const std::string name = JoinPath(directory, entry.name);
      // kit lists a directory before it looks whether it wants to: it must be readable.
      std::vector<host::DirectoryEntry> beneath;
      if (is_directory) {
        PLUMB_TRY(beneath, request_.context.directory.List(name));
      }
      if (!InOneKit17Tree(layer_path, name)) continue;
      PLUMB_TRY(const bool ignored, Ignores(name, layer_path));
      if (ignored && (!rules_.has_exceptions() || !is_directory)) continue;
      const bool is_entry = !ignored && !(is_directory && IsNoEntry(name));
      if (is_entry) PLUMB_RETURN_IF_ERROR(Take(name, is_directory, layer));
      if (is_directory) PLUMB_RETURN_IF_ERROR(WalkEntries(name, beneath, layer_path, layer));
    }
    return Done{};
  }

  bool IsNoEntry(const std::string& name) const {
    const BygoneContext* const bygone = request_.context.bygone;
    return bygone != nullptr && bygone->no_entries.contains(name);
  }

  Status Take(const std::string& name, bool is_directory, PlannedLayer& layer) {
    host::Directory& context = request_.context.directory;
    PLUMB_TRY(const host::FileState state, context.State(name));
    if (is_directory) {
      layer.AddEntry({{name, archive::TarEntryType::kDirectory, state.mode, 0}, {}});
    } else {
      layer.AddEntry({{name, archive::TarEntryType::kFile, state.mode, state.size},
                      {&context, name, state, {}}});
    }
    return Done{};
  }

  const PlanRequest& request_;
  blueprint::Kit17IgnoreRules rules_;
  std::vector<std::string> owned_;
};

}  // namespace

Result<std::vector<PlannedLayer>> PlanKit17Layers(const PlanRequest& request,
                                                  ReadBlueprint& blueprint) {
  PLUMB_TRY(Kit17Walk walk, Kit17Walk::Make(request));
  blueprint::Kitfile bases = MergeBases(blueprint.bases);
  for (blueprint::Kitfile* kitfile : {&blueprint.kitfile, &bases}) {
    const bool has_path = kitfile->model && !kitfile->model->path.empty();
    for (const EntryView& entry :
         EntriesOf(*kitfile, has_path ? ModelLayer::kYes : ModelLayer::kNo))
      walk.Own(entry.path);
  }
  std::vector<PlannedLayer> layers;
  for (const EntryView& entry : EntriesOf(blueprint.kitfile, blueprint.model_layer)) {
    layers.emplace_back(entry);
    PLUMB_RETURN_IF_ERROR(walk.Fill(layers.back()));
  }
  return layers;
}

}  // namespace plumb::kit
