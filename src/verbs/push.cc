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

// Other repositories of the same registry that this store knows to have layers in common
// with the kit: the registry may take them from there.
Result<std::vector<std::string>> Siblings(store::Store& store, const kit::ModelKit& modelkit,
                                          const oci::Reference& target) {
  std::vector<std::string> siblings;
  if (target.host.empty()) return siblings;
  const std::set<Digest> wanted = LayersOf(modelkit);
  PLUMB_TRY(const std::vector<store::Ref> refs, store.ListRefs());
  const std::string prefix = target.host + "/";
  for (const store::Ref& ref : refs) {
    if (!ref.name.repository.starts_with(prefix)) continue;
    const std::string repository = ref.name.repository.substr(prefix.size());
    if (repository == target.repository) continue;
    if (!siblings.empty() && siblings.back() == repository) continue;
    // A damaged neighbour is no reason not to push this kit.
    const auto neighbour = kit::LoadModelKit(store, ref.manifest);
    if (!neighbour) continue;
    const std::set<Digest> layers = LayersOf(*neighbour);
    if (std::ranges::any_of(wanted, [&](const Digest& layer) { return layers.contains(layer); })) {
      siblings.push_back(repository);
    }
  }
  return siblings;
}

}  // namespace

Result<PushReport> Push(Workspace& workspace, const PushOptions& options, Progress& progress) {
  PLUMB_TRY(const KitName source, KitName::Parse(options.source));
  PLUMB_TRY(PlaceName target, TargetOf(options, source));
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(const Digest id, FindKit(*store, source));
  PLUMB_RETURN_IF_ERROR(CompleteTarget(source, id, target));
  PLUMB_TRY(const kit::ModelKit modelkit, kit::LoadModelKit(*store, id));
  PLUMB_TRY(const std::unique_ptr<registry::Remote> remote,
            Connect(workspace, target, options.network, progress));

  registry::PushRequest request;
  request.manifest = id;
  if (!target.reference.tag.empty()) request.tags.push_back(target.reference.tag);
  PLUMB_TRY(request.mount_from, Siblings(*store, modelkit, target.reference));
  request.connections = options.network.connections;

  PushReport report;
  report.source = source.ToString();
  report.target = target.ToString();
  auto transfer = registry::Push(*store, *remote, request, progress);
  if (!transfer) {
    return std::move(transfer).error().While("cannot push '" + report.source + "' to '" +
                                             report.target + "'");
  }
  report.transfer = *transfer;
  return report;
}

}  // namespace plumb::verbs
