// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "kit/kit17_internal.h"
#include "kit/plan_internal.h"
#include "kit/rules_internal.h"

namespace plumb::kit {
namespace {

constexpr std::string_view kAlwaysIgnored = "\nKitfile\nkitfile\n.kitfile\n.kitignore\n";

bool HasExceptions(std::string_view kitignore) {
  return std::ranges::any_of(Split(kitignore, '\n'),
                             [](std::string_view line) { return Trim(line).starts_with('!'); });
}

// The walk of kit 1.7.0: once through the context for each layer, ownership by comparing
// strings, what is not a file or directory passed over in silence.
class Kit17Walk {
 public:
  static Result<Kit17Walk> Make(const PlanRequest& request) {
    const std::string file = request.context.directory_path + "/.kitignore";
    Result<std::string> text = host::ReadFile(request.context.files, file, kKitignoreSizeMax);
    if (!text && text.error().kind != ErrorKind::kNotFound) return std::move(text).error();
    std::string patterns = text ? *text : std::string();
    const bool has_exceptions = HasExceptions(patterns);
    patterns += kAlwaysIgnored;
    PLUMB_TRY(auto rules, blueprint::IgnoreRules::Parse(patterns, {}));
    return Kit17Walk(request, std::move(rules), has_exceptions);
  }

  void Own(std::string_view path) { owned_.push_back(CleanKit17Path(path)); }

  Status Fill(PlannedLayer& layer) {
    const std::string path = blueprint::CleanPath(layer.path);
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
    if (Ignores(path, path))
      request_.progress.Warn(layer.label + " with path '" + path + "' is ignored");
    PLUMB_RETURN_IF_ERROR(WalkDirectory("", path, layer));
    if (!layer.HoldsFiles())
      request_.progress.Warn(layer.label + " with path '" + path + "' holds no file");
    return Done{};
  }

 private:
  Kit17Walk(const PlanRequest& request, blueprint::IgnoreRules rules, bool has_exceptions)
      : request_(request), rules_(std::move(rules)), has_exceptions_(has_exceptions) {}

  bool Ignores(std::string_view name, std::string_view layer_path) const {
    const std::string path = CleanKit17Path(name);
    if (rules_.Ignores(path)) return true;
    const std::string layer = CleanKit17Path(layer_path);
    return std::ranges::any_of(owned_, [&](const std::string& owned) {
      return !layer.starts_with(owned) && path.starts_with(owned);
    });
  }

  Status WalkDirectory(const std::string& directory, const std::string& layer_path,
                       PlannedLayer& layer) {
    if (request_.progress.StopRequested()) return Interrupted();
    PLUMB_TRY(const auto entries, request_.context.directory.List(directory));
    for (const host::DirectoryEntry& entry : entries) {
      const bool is_directory = entry.type == host::FileType::kDirectory;
      if (!is_directory && entry.type != host::FileType::kRegular) continue;
      const std::string name = JoinPath(directory, entry.name);
      if (!InOneKit17Tree(layer_path, name)) continue;
      const bool ignored = Ignores(name, layer_path);
      if (ignored && (!has_exceptions_ || !is_directory)) continue;
      if (!ignored) PLUMB_RETURN_IF_ERROR(Take(name, is_directory, layer));
      if (is_directory) PLUMB_RETURN_IF_ERROR(WalkDirectory(name, layer_path, layer));
    }
    return Done{};
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
  blueprint::IgnoreRules rules_;
  bool has_exceptions_;
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
