// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "archive/tar_reader.h"
#include "base/text.h"
#include "kit/plan_internal.h"
#include "kit/rules_internal.h"

namespace plumb::kit {
namespace {

// As many as a person reads in one message.
constexpr std::size_t kNamesShown = 10;

std::string Shown(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i)
    text += (i == 0 ? "'" : ", '") + Printable(names[i]) + "'";
  if (names.size() > kNamesShown)
    text += " and " + std::to_string(names.size() - kNamesShown) + " more";
  return text;
}

// Something the walk has come to: its name in the context, and where it really is (which
// differs beneath a symlink that is followed).
struct Place {
  std::string name;
  std::string source;
  host::FileType type = host::FileType::kOther;
};

// Who takes what lies at or beneath a path: a layer, by its index; a base, which brings its own
// file of that name; a file that is provided and not looked for; or nobody.
using Owner = std::optional<std::size_t>;
constexpr std::size_t kBaseOwner = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kProvidedOwner = kBaseOwner - 1;

bool IsLayer(Owner owner) { return owner && *owner < kProvidedOwner; }

// One walk through the whole context, which gives every file to the layer that owns it
// (docs/format.md, "Layers").
class ContextWalk {
 public:
  ContextWalk(const PlanRequest& request, const ContextRules& rules,
              std::vector<PlannedLayer>& layers)
      : request_(request), rules_(rules), layers_(layers), seen_(layers.size()) {}

  void Own(const std::string& path, std::size_t layer) {
    owners_.emplace(path, layer);
    for (std::string_view above = DirectoryOf(path); !above.empty(); above = DirectoryOf(above)) {
      above_owned_.emplace(above);
      if (layer == kBaseOwner) above_bases_.emplace(above);
    }
  }

  Status Run() {
    const Owner root = OwnerAt(".", std::nullopt);
    PLUMB_RETURN_IF_ERROR(WalkDirectory({"", "", host::FileType::kDirectory}, root));
    if (!links_.empty() && request_.options.follow_symlinks == FollowSymlinks::kYes)
      return Error{ErrorKind::kInvalid,
                   "symlinks that lead to nothing within the context: " + Shown(links_)};
    if (!links_.empty())
      return Error{ErrorKind::kInvalid, "symlinks cannot be packed: " + Shown(links_),
                   "plumb build --follow-symlinks"};
    if (!special_.empty())
      return Error{ErrorKind::kInvalid,
                   "only files and directories can be packed: " + Shown(special_)};
    if (!unfit_.empty())
      return Error{ErrorKind::kInvalid, "names that cannot be unpacked: " + Shown(unfit_)};
    return Done{};
  }

  // Whether the walk came by the path of a layer.
  bool Saw(std::size_t layer) const { return seen_[layer]; }
  // Files that are in no layer.
  const std::vector<std::string>& left_out() const { return left_out_; }
  // Files that are in no layer, because of their names.
  const std::vector<std::string>& other_blueprints() const { return other_blueprints_; }

 private:
  Owner OwnerAt(const std::string& name, Owner above) {
    const auto found = owners_.find(name);
    if (found == owners_.end()) return above;
    if (IsLayer(found->second)) seen_[found->second] = true;
    return found->second;
  }

  Status WalkDirectory(const Place& place, Owner owner) {
    if (request_.progress.StopRequested()) return Interrupted();
    walked_.push_back(place.source);
    PLUMB_RETURN_IF_ERROR(VisitAllIn(place, owner));
    walked_.pop_back();
    return Done{};
  }

  Status VisitAllIn(const Place& place, Owner owner) {
    auto listed = request_.context.directory.List(place.source);
    if (!listed) {
      // What nobody wants need not be readable.
      const bool is_wanted = owner || above_owned_.contains(place.name) || place.name.empty();
      if (!is_wanted) return Done{};
      return std::move(listed).error();
    }
    for (const host::DirectoryEntry& entry : *listed) {
      PLUMB_RETURN_IF_ERROR(
          Visit({JoinPath(place.name, entry.name), JoinPath(place.source, entry.name), entry.type},
                owner));
    }
    return Done{};
  }

  Status Visit(Place place, Owner above) {
    const Owner owner = OwnerAt(place.name, above);
    if (rules_.IsReserved(place.name)) {
      if (rules_.IsOtherBlueprint(place.name)) other_blueprints_.push_back(place.name);
      return Done{};
    }
    const bool ignored = rules_.Ignores(place.name);
    const bool is_wanted = owner ? IsLayer(owner) && !ignored : above_owned_.contains(place.name);
    if (place.type == host::FileType::kSymlink) {
      if (!is_wanted) return Done{};
      PLUMB_TRY(const bool followed, Follow(place));
      if (!followed) {
        links_.push_back(place.name);
        return Done{};
      }
    }
    if (place.type == host::FileType::kDirectory) {
      if (ignored && !rules_.MayTakeBeneath(place.name)) return Done{};
      if (owner && is_wanted) {
        if (!CheckName(place.name)) return Done{};
        // Where a base was unpacked there are directories that it brought along.
        if (!above_bases_.contains(place.name)) layers_[*owner].AddDirectory(place.name);
      }
      return WalkDirectory(place, owner);
    }
    if (ignored || owner == kProvidedOwner) return Done{};
    if (!IsLayer(owner)) {
      left_out_.push_back(place.name);
      return Done{};
    }
    if (place.type != host::FileType::kRegular) {
      special_.push_back(place.name);
      return Done{};
    }
    return TakeFile(place, layers_[*owner]);
  }

  Status TakeFile(const Place& place, PlannedLayer& layer) {
    if (!CheckName(place.name)) return Done{};
    host::Directory& context = request_.context.directory;
    PLUMB_TRY(const host::FileState state, context.State(place.source));
    layer.AddFile(place.name, {&context, place.source, state, {}});
    return Done{};
  }

  bool CheckName(const std::string& name) {
    const Result<std::string> checked = archive::CheckEntryName(name);
    if (checked && *checked == name) return true;
    unfit_.push_back(name);
    return false;
  }

  // Replaces a symlink by what it leads to, if that is wanted and lies in the context.
  Result<bool> Follow(Place& place) {
    if (request_.options.follow_symlinks == FollowSymlinks::kNo) return false;
    const BuildContext& context = request_.context;
    if (root_.empty()) {
      PLUMB_TRY(root_, context.files.Canonical(context.directory_path));
    }
    const auto target = context.files.Canonical(context.directory_path + "/" + place.source);
    if (!target) return false;
    if (!target->starts_with(root_ + "/")) return false;
    std::string source = target->substr(root_.size() + 1);
    const bool is_loop = std::ranges::any_of(walked_, [&](const std::string& walked) {
      return !walked.empty() && IsAtOrBeneath(walked, source);
    });
    if (is_loop)
      return Error{ErrorKind::kInvalid,
                   "symlink '" + Printable(place.name) + "' leads to a directory above it"};
    PLUMB_TRY(const host::FileState state, context.directory.State(source));
    place.source = std::move(source);
    place.type = state.type;
    return true;
  }

  const PlanRequest& request_;
  const ContextRules& rules_;
  std::vector<PlannedLayer>& layers_;
  std::vector<bool> seen_;
  std::unordered_map<std::string, std::size_t> owners_;
  std::set<std::string, std::less<>> above_owned_, above_bases_;
  std::vector<std::string> walked_;  // the directories around, by where they really are
  std::string root_;                 // the context without symlinks; empty until it is needed
  std::vector<std::string> links_, special_, unfit_, left_out_, other_blueprints_;
};

Error NotFound(const PlannedLayer& layer, const PlanRequest& request) {
  const std::string where = "path '" + layer.path + "' of " + layer.label;
  const auto state = request.context.directory.State(blueprint::CleanPath(layer.path));
  if (!state && state.error().kind == ErrorKind::kDenied)
    return Error{ErrorKind::kInvalid, where + " leads through a symlink",
                 "plumb build --follow-symlinks"};
  if (!state) return Error{ErrorKind::kInvalid, where + " does not exist"};
  return Error{ErrorKind::kInvalid, where + " is ignored"};
}

// unpack refuses what some file systems would take for one file: better said now.
void WarnOfCollisions(const std::vector<PlannedLayer>& layers, Progress& progress) {
  std::unordered_map<std::string, std::string> names;
  for (const PlannedLayer& layer : layers) {
    for (const PlannedEntry& entry : layer.entries()) {
      const auto [first, added] = names.emplace(archive::NameFold(entry.tar.name), entry.tar.name);
      if (!added && first->second != entry.tar.name)
        progress.Warn("'" + Printable(first->second) + "' and '" + Printable(entry.tar.name) +
                      "' are one name on some machines: unpack will refuse them");
    }
  }
}

}  // namespace

Result<std::vector<PlannedLayer>> PlanLayers(const PlanRequest& request, ReadBlueprint& blueprint) {
  PLUMB_TRY(const ContextRules rules,
            ContextRules::Load(request.context.directory, request.blueprint.context_path,
                               request.options.reserved));
  std::vector<PlannedLayer> layers;
  for (const EntryView& entry : EntriesOf(blueprint.kitfile, blueprint.model_layer))
    layers.emplace_back(entry);

  ContextWalk walk(request, rules, layers);
  std::vector<bool> is_provided(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string path = blueprint::CleanPath(layers[i].path);
    if (const auto content = blueprint.provided.find(path); content != blueprint.provided.end()) {
      layers[i].AddFile(path, std::move(content->second));
      is_provided[i] = true;
      walk.Own(path, kProvidedOwner);
    } else {
      walk.Own(path, i);
    }
  }
  for (const EntryView& entry : InheritedEntries(blueprint.bases))
    walk.Own(blueprint::CleanPath(entry.path), kBaseOwner);
  PLUMB_RETURN_IF_ERROR(walk.Run());

  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string path = blueprint::CleanPath(layers[i].path);
    const bool is_empty = layers[i].entries().empty();
    if (is_provided[i]) continue;
    if (!walk.Saw(i) || (is_empty && rules.Ignores(path))) return NotFound(layers[i], request);
    if (!layers[i].HoldsFiles())
      request.progress.Warn(layers[i].label + " with path '" + layers[i].path + "' holds no file");
  }
  if (!walk.left_out().empty())
    request.progress.Warn("not packed, because no entry of the blueprint names it: " +
                          Shown(walk.left_out()));
  if (!walk.other_blueprints().empty())
    request.progress.Warn("not packed, though it is not the blueprint: " +
                          Shown(walk.other_blueprints()));
  WarnOfCollisions(layers, request.progress);
  return layers;
}

}  // namespace plumb::kit
