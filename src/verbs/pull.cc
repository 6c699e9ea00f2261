// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/pull.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "kit/base_resolver.h"
#include "kit/modelkit.h"
#include "verbs/kit_name.h"

namespace plumb::verbs {
namespace {

// What the kit is called here. A pull by digest moves no tag, and a layout has no name of
// its own.
Result<std::optional<store::RefName>> NameHere(const PullOptions& options,
                                               const PlaceName& source) {
  if (!options.name.empty()) {
    PLUMB_TRY(const KitName name, KitName::Parse(options.name));
    if (name.HasDigest()) {
      return Error{ErrorKind::kInvalid, "a kit cannot be named '" + options.name + "'",
                   "plumb pull " + options.source + " NAME:TAG"};
    }
    return std::optional(name.RefName());
  }
  if (source.IsLayout() || source.reference.digest) return std::optional<store::RefName>();
  return std::optional(KitName(source.reference).RefName());
}

// A kit whose model is another kit cannot be unpacked without that one.
Status WarnOfMissingBase(store::Store& store, const kit::ModelKit& modelkit, Progress& progress) {
  const auto base = kit::BaseOf(modelkit);
  if (!base || !*base || !(*base)->digest) return Done{};
  PLUMB_TRY(const bool here, HasKit(store, *(*base)->digest));
  if (here) return Done{};
  const std::string missing = "its base '" + (*base)->ToString() + "' is not in this store";
  if ((*base)->host.empty()) {
    progress.Warn(missing + ", and its name tells no registry");
  } else {
    progress.Note(missing + "; unpack will pull it");
  }
  return Done{};
}

}  // namespace

Result<PullReport> Pull(Workspace& workspace, const PullOptions& options, Progress& progress) {
  PLUMB_TRY(PlaceName source, PlaceName::Parse(options.source));
  PLUMB_TRY(const std::unique_ptr<registry::Remote> remote,
            Connect(workspace, source, options.network, progress));
  registry::PullRequest request;
  PLUMB_TRY(request.name, NameHere(options, source));
  PLUMB_RETURN_IF_ERROR(CompleteTag(*remote, source));
  request.connections = options.network.connections;
  PLUMB_TRY(store::Store * store, workspace.Store());

  PullReport report;
  report.source = source.ToString();
  if (request.name) report.name = request.name->ToString();
  std::vector<store::Ref> before;
  if (request.name) {
    PLUMB_TRY(before, FindRefs(*store, {*request.name}));
  }
  // Looked at first: what is no ModelKit must not take the place of one.
  const std::string doing = "cannot pull '" + report.source + "'";
  auto modelkit = FetchModelKit(*remote, source.reference, progress, options.platform);
  if (!modelkit) return std::move(modelkit).error().While(doing);
  request.digest = modelkit->id;
  auto transfer = registry::Pull(*store, *remote, request, progress);
  if (!transfer) {
    return std::move(transfer).error().While(doing);
  }
  report.transfer = *transfer;
  if (!request.name && !source.reference.digest) {
    const std::string id = report.transfer.manifest.ToString();
    progress.Note("it has no name here yet: plumb tag " + id + " NAME:TAG");
  }
  PLUMB_RETURN_IF_ERROR(RememberPlace(workspace, source, modelkit->id));
  NoteMoves(before, report.transfer.manifest, progress);
  PLUMB_RETURN_IF_ERROR(WarnOfMissingBase(*store, *modelkit, progress));
  return report;
}

}  // namespace plumb::verbs
