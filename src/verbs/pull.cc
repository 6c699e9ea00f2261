// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/pull.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

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
Status WarnOfMissingBase(store::Store& store, const Digest& id, Progress& progress) {
  PLUMB_TRY(const kit::ModelKit modelkit, kit::LoadModelKit(store, id));
  const auto& model = modelkit.kitfile.model;
  if (!model || model->layer) return Done{};
  const auto base = KitName::Parse(model->path);
  if (!base || !base->HasDigest()) return Done{};
  PLUMB_TRY(const bool here, HasKit(store, *base->reference().digest));
  if (!here) progress.Warn("its base '" + base->ToString() + "' is not in this store");
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
  request.tag = source.reference.tag;
  request.digest = source.reference.digest;
  request.connections = options.network.connections;
  PLUMB_TRY(store::Store * store, workspace.Store());

  PullReport report;
  report.source = source.ToString();
  if (request.name) report.name = request.name->ToString();
  std::vector<store::Ref> before;
  if (request.name) {
    PLUMB_TRY(before, FindRefs(*store, {*request.name}));
  }
  auto transfer = registry::Pull(*store, *remote, request, progress);
  if (!transfer) {
    return std::move(transfer).error().While("cannot pull '" + report.source + "'");
  }
  report.transfer = *transfer;
  if (!request.name && !request.digest) {
    const std::string id = report.transfer.manifest.ToString();
    progress.Note("it has no name here yet: plumb tag " + id + " NAME:TAG");
  }
  NoteMoves(before, report.transfer.manifest, progress);
  PLUMB_RETURN_IF_ERROR(WarnOfMissingBase(*store, report.transfer.manifest, progress));
  return report;
}

}  // namespace plumb::verbs
