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
  auto parsed = KitName::Parse(source.name);
  if (!parsed) {
    Error error = std::move(parsed).error();
    if (registry::ParseLayoutName(source.name)) error.hint = "add --remote to look there";
    return error;
  }
  const KitName& name = *parsed;
  PLUMB_RETURN_IF_ERROR(workspace.RequireStore());
  PLUMB_TRY(store::Store * store, workspace.Store());
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

std::optional<KitName> PinnedBase(const kit::ModelKit& modelkit) {
  const std::optional<oci::Reference> base = kit::BaseOf(modelkit).value_or(std::nullopt);
  if (!base || !base->digest) return std::nullopt;
  return KitName(*base);
}

Status WarnOfMissingBase(store::Store& store, const kit::ModelKit& modelkit, Progress& progress) {
  const std::optional<KitName> base = PinnedBase(modelkit);
  if (!base) return Done{};
  const std::optional<Digest>& digest = base->reference().digest;
  PLUMB_TRY(const bool here, HasKit(store, *digest));
  if (here) return Done{};
  const std::string missing = "its base '" + base->ToString() + "' is not in this store";
  if (base->reference().host.empty()) {
    progress.Warn(missing + ", and its name tells no registry");
  } else {
    progress.Note(missing + "; unpack will pull it");
  }
  return Done{};
}

}  // namespace plumb::verbs
