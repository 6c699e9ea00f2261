// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/fsck.h"

#include <algorithm>
#include <map>
#include <utility>

#include "kit/modelkit.h"
#include "kit/needs.h"
#include "oci/media_types.h"
#include "store/catalog.h"

namespace plumb::verbs {
namespace {

class Namer {
 public:
  Namer(store::Store& store, const std::vector<store::Ref>& refs) : store_(store) {
    for (const store::Ref& ref : refs)
      tags_[ref.manifest].push_back(ref.name.ToString());
  }

  // A line for each tag of the kit.
  std::vector<FsckReport::Sufferer> SufferersOf(const Digest& kit,
                                                const std::vector<Digest>& blobs) {
    std::vector<std::string> layers;
    for (const Digest& blob : blobs) {
      const std::string name = NameOf(kit, blob);
      if (!name.empty()) layers.push_back(name);
    }
    std::vector<std::string> names = tags_[kit];
    if (names.empty()) names.push_back(kit.ToString());
    std::vector<FsckReport::Sufferer> sufferers;
    sufferers.reserve(names.size());
    for (const std::string& name : names)
      sufferers.push_back({name, kit, layers});
    return sufferers;
  }

 private:
  // What the blob is to the kit; empty if it is a base's.
  std::string NameOf(const Digest& kit, const Digest& blob) {
    if (kit == blob) return "manifest";
    const auto loaded = kit::LoadModelKit(store_, kit);
    if (!loaded) return {};
    if (loaded->manifest.config.digest == blob) return "config";
    const auto entries = kit::PairLayers(*loaded);
    if (!entries) return {};
    for (const kit::PackedEntry& entry : *entries) {
      if (entry.layer.digest == blob)
        return std::string(oci::LayerTypeName(entry.media_type.type)) + " layer " + entry.path;
    }
    return {};
  }

  store::Store& store_;
  std::map<Digest, std::vector<std::string>> tags_;
};

std::string HintFor(const store::CheckReport& checked) {
  if (checked.is_catalog_damaged) return std::string(store::kCatalogDamagedHint);
  if (checked.is_adopted_changed) return "build, pull or import the kits that need them again";
  return "plumb fsck --repair FROM, or build or pull the kits that need them again";
}

Result<store::RebuildReport> Rebuild(Workspace& workspace, Progress& progress) {
  store::RebuildRequest request;
  request.find_needs = kit::NeedsOf;
  PLUMB_TRY(request.threads, workspace.Threads());
  PLUMB_TRY(const std::string path, workspace.StorePath());
  const Machine& machine = workspace.machine();
  return store::RebuildCatalog({machine.files, machine.links, machine.clock, machine.entropy, path},
                               request, progress);
}

}  // namespace

Result<FsckReport> Fsck(Workspace& workspace, const FsckOptions& options, Progress& progress) {
  store::CheckRequest request;
  request.find_needs = kit::NeedsOf;
  request.depth = options.depth;
  PLUMB_TRY(request.threads, workspace.Threads());
  PLUMB_RETURN_IF_ERROR(workspace.RequireStore());
  FsckReport report;
  if (options.rebuild == RebuildCatalog::kYes) {
    PLUMB_TRY(report.rebuilt, Rebuild(workspace, progress));
  }
  PLUMB_TRY(store::Upkeep * upkeep, workspace.Upkeep());
  auto checked = upkeep->Check(request, progress);
  if (!checked) return std::move(checked).error().While("cannot check the store");
  report.checked = *std::move(checked);
  if (report.checked.damages.empty()) return report;
  report.hint = HintFor(report.checked);

  PLUMB_TRY(store::Store * store, workspace.Store());
  const auto refs = store->ListRefs();
  Namer namer(*store, refs ? *refs : std::vector<store::Ref>());
  for (const store::Damage& damage : report.checked.damages) {
    FsckReport::Line line = {damage.what, damage.why, damage.blobs, {}};
    for (const Digest& kit : damage.kits) {
      for (FsckReport::Sufferer& sufferer : namer.SufferersOf(kit, damage.blobs))
        line.needed_by.push_back(std::move(sufferer));
    }
    std::ranges::sort(line.needed_by, {}, &FsckReport::Sufferer::kit);
    report.damages.push_back(std::move(line));
  }
  return report;
}

}  // namespace plumb::verbs
