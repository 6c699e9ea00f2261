// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/pull.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "kit/modelkit.h"
#include "verbs/kit_name.h"
#include "verbs/read_kit.h"

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

}  // namespace

Result<PullReport> Pull(Workspace& workspace, const PullOptions& options, Progress& progress) {
  PLUMB_TRY(PlaceName source, PlaceName::Parse(options.source));
  PLUMB_TRY(const std::unique_ptr<registry::Remote> remote,
            Connect(workspace, source, options.network, progress));
  registry::PullRequest request;
  PLUMB_TRY(const std::optional<store::RefName> name, NameHere(options, source));
  if (name) request.names.push_back(*name);
  PLUMB_RETURN_IF_ERROR(CompleteTag(*remote, source));
  PLUMB_TRY(request.connections, ConcurrencyFor(workspace, options.network));
  PLUMB_TRY(store::Store * store, workspace.Store());

  PullReport report;
  report.source = source.ToString();
  if (name) report.name = name->ToString();
  if (options.on_begin) options.on_begin(report);
  PLUMB_TRY(const std::vector<store::Ref> before, FindRefs(*store, request.names));
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
  if (!name && !source.reference.digest) {
    const std::string id = report.transfer.manifest.ToString();
    progress.Note("it has no name here yet: plumb tag " + id + " NAME:TAG");
  }
  PLUMB_RETURN_IF_ERROR(RememberPlace(workspace, source, modelkit->id));
  NoteMoves(before, report.transfer.manifest, progress);
  PLUMB_RETURN_IF_ERROR(WarnOfMissingBase(*store, *modelkit, progress));
  return report;
}

}  // namespace plumb::verbs
