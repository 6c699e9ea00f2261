// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/read_kit.h"

#include <memory>
#include <utility>

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
  PLUMB_TRY(const KitName name, KitName::Parse(source.name));
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

}  // namespace plumb::verbs
