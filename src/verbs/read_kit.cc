// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/read_kit.h"

#include <memory>
#include <utility>

#include "kit/base_resolver.h"
#include "registry/connect.h"
#include "verbs/kit_name.h"

namespace plumb::verbs {

Result<kit::ModelKit> ReadKit(Workspace& workspace, const KitSource& source, Progress& progress) {
  if (source.where == Where::kElsewhere) {
    PLUMB_TRY(PlaceName place, PlaceName::Parse(source.name));
    PLUMB_TRY(const std::unique_ptr<registry::Remote> remote,
              Connect(workspace, place, source.network, progress));
    PLUMB_RETURN_IF_ERROR(CompleteTag(*remote, place));
    auto modelkit = FetchModelKit(*remote, place.reference, progress);
    if (!modelkit)
      return std::move(modelkit).error().While("cannot look at '" + place.ToString() + "'");
    return modelkit;
  }
  if (registry::ParseLayoutName(source.name)) {
    return Error{ErrorKind::kInvalid, "'" + source.name + "' is no kit of this store",
                 "add --remote to look there"};
  }
  PLUMB_RETURN_IF_ERROR(workspace.RequireStore());
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(const KitName name, NameHere(*store, source.name));
  auto id = FindKit(*store, name);
  if (!id) {
    Error error = std::move(id).error();
    if (error.kind == ErrorKind::kNotFound && !name.reference().host.empty()) {
      error.hint = "add --remote to ask the registry";
    }
    return error;
  }
  return kit::LoadModelKit(*store, *id);
}

blueprint::Kitfile WithoutDigests(blueprint::Kitfile kitfile) {
  if (kitfile.model) {
    kitfile.model->layer.reset();
    for (blueprint::ModelPart& part : kitfile.model->parts)
      part.layer.reset();
  }
  const auto drop = [](auto& entries) {
    for (auto& entry : entries)
      entry.layer.reset();
  };
  drop(kitfile.code);
  drop(kitfile.datasets);
  drop(kitfile.docs);
  drop(kitfile.prompts);
  drop(kitfile.mcp_servers);
  return kitfile;
}

Status WarnOfMissingBase(store::Store& store, const kit::ModelKit& modelkit, Progress& progress) {
  const auto base = kit::PinnedBaseOf(modelkit);
  if (!base) return Done{};
  PLUMB_TRY(const bool here, HasKit(store, base->id));
  if (here) return Done{};
  const std::string missing = "its base '" + base->reference.ToString() + "' is not in this store";
  if (base->reference.host.empty()) {
    progress.Warn(missing + ", and its name tells no registry");
  } else {
    progress.Note(missing + "; unpack will pull it");
  }
  return Done{};
}

}  // namespace plumb::verbs
