// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/push.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "kit/modelkit.h"
#include "verbs/kit_name.h"

namespace plumb::verbs {
namespace {

constexpr std::size_t kSiblingCountMax = 4;  // each may cost a question for each blob

Result<PlaceName> TargetOf(const PushOptions& options, const KitName& source) {
  if (!options.target.empty()) return PlaceName::Parse(options.target);
  if (!source.reference().host.empty()) return PlaceName{source.reference()};
  return Error{ErrorKind::kInvalid, "'" + source.ToString() + "' names no registry to push to",
               "plumb push " + source.ToString() + " HOST/REPOSITORY:TAG"};
}

// A tag for a target that was named without one, and a check of one named by digest.
Status CompleteTarget(const KitName& source, const Digest& id, PlaceName& target) {
  oci::Reference& reference = target.reference;
  if (reference.digest && *reference.digest != id) {
    return Error{ErrorKind::kInvalid, "'" + source.ToString() + "' is " + id.ToString() +
                                          ", and cannot be pushed as another digest"};
  }
  if (reference.tag.empty() && !reference.digest) {
    if (source.HasDigest()) {
      reference.digest = id;
    } else {
      reference.tag = source.RefName().tag;
    }
  }
  return Done{};
}

std::set<Digest> LayersOf(const kit::ModelKit& modelkit) {
  std::set<Digest> layers;
  for (const oci::Descriptor& layer : modelkit.manifest.layers)
    layers.insert(layer.digest);
  return layers;
}

// Where kits of this store are in the target's registry: where they were pushed to or pulled from,
// the newest first, and where they are named after.
Result<std::vector<registry::KnownPlace>> Neighbours(Workspace& workspace, store::Store& store,
                                                     const oci::Reference& target) {
  PLUMB_TRY(registry::KnownPlaces * known, workspace.KnownPlaces());
  std::vector<registry::KnownPlace> neighbours = known->Of(target.host);
  PLUMB_TRY(const std::vector<store::Ref> refs, store.ListRefs());
  const std::string prefix = target.host + "/";
  for (const store::Ref& ref : refs)
    if (ref.name.repository.starts_with(prefix))
      neighbours.push_back({ref.name.repository.substr(prefix.size()), ref.manifest});
  return neighbours;
}

// Other repositories of the same registry that are known to have layers in common with the kit: the
// registry may take them from there.
Result<std::vector<std::string>> Siblings(Workspace& workspace, const kit::ModelKit& modelkit,
                                          const oci::Reference& target) {
  std::vector<std::string> siblings;
  if (target.host.empty()) return siblings;
  PLUMB_TRY(store::Store * store, workspace.Store());
  const std::set<Digest> wanted = LayersOf(modelkit);
  PLUMB_TRY(const auto neighbours, Neighbours(workspace, *store, target));
  for (const registry::KnownPlace& neighbour : neighbours) {
    if (siblings.size() == kSiblingCountMax) break;
    if (neighbour.repository == target.repository) continue;
    if (std::ranges::find(siblings, neighbour.repository) != siblings.end()) continue;
    // A damaged neighbour is no reason not to push this kit.
    const auto other = kit::LoadModelKit(*store, neighbour.manifest);
    if (!other) continue;
    const std::set<Digest> layers = LayersOf(*other);
    if (std::ranges::any_of(wanted, [&](const Digest& layer) { return layers.contains(layer); }))
      siblings.push_back(neighbour.repository);
  }
  return siblings;
}

}  // namespace

Result<PushReport> Push(Workspace& workspace, const PushOptions& options, Progress& progress) {
  PLUMB_RETURN_IF_ERROR(workspace.RequireStore());
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(const KitName source, NameHere(*store, options.source));
  PLUMB_TRY(PlaceName target, TargetOf(options, source));
  PLUMB_TRY(const Digest id, FindKit(*store, source));
  PLUMB_RETURN_IF_ERROR(CompleteTarget(source, id, target));
  PLUMB_TRY(const kit::ModelKit modelkit, kit::LoadModelKit(*store, id));
  PLUMB_TRY(const std::unique_ptr<registry::Remote> remote,
            Connect(workspace, target, options.network, progress));

  registry::PushRequest request;
  request.manifest = id;
  if (!target.reference.tag.empty()) request.tags.push_back(target.reference.tag);
  PLUMB_TRY(request.mount_from, Siblings(workspace, modelkit, target.reference));
  PLUMB_TRY(request.connections, ConcurrencyFor(workspace, options.network));

  PushReport report;
  report.source = source.ToString();
  report.target = target.ToString();
  if (options.on_begin) options.on_begin(report);
  auto transfer = registry::Push(*store, *remote, request, progress);
  if (!transfer) {
    return std::move(transfer).error().While("cannot push '" + report.source + "' to '" +
                                             report.target + "'");
  }
  report.transfer = *transfer;
  PLUMB_RETURN_IF_ERROR(RememberPlace(workspace, target, id));
  return report;
}

}  // namespace plumb::verbs
