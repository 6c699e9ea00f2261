// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string_view>
#include <utility>

#include "store/inventory_internal.h"
#include "store/measurer_internal.h"

namespace plumb::store {
namespace {

// How many kits need something, and the last that was found to.
struct Share {
  std::uint64_t stored = 0;
  std::uint64_t kits = 0;
  std::size_t last = 0;
};

class Measurer {
 public:
  Measurer(const Inventory& inventory, MeasureReport& report)
      : inventory_(inventory), report_(report) {}

  void Add(const Digest& manifest, const std::set<Digest>& blobs) {
    const std::size_t index = report_.kits.size();
    KitUse& use = report_.kits.emplace_back(KitUse{manifest});
    for (const Digest& digest : blobs) {
      const BlobEntry& blob = inventory_.blobs.at(digest);
      use.size += blob.size;
      use.stored += Count(blobs_[digest], blob.stored_size, index);
      for (const ObjectId& id : blob.objects) {
        const auto found = inventory_.objects.find(id);
        if (found != inventory_.objects.end())
          use.stored += Count(objects_[id], found->second.stored_size, index);
      }
    }
  }

  void Finish() {
    for (const auto& [digest, share] : blobs_)
      Charge(share);
    for (const auto& [id, share] : objects_)
      Charge(share);
    report_.needed = report_.shared;
    for (const KitUse& use : report_.kits)
      report_.needed += use.only;
    for (const auto& [digest, blob] : inventory_.blobs)
      if (!blobs_.contains(digest)) report_.unneeded += blob.stored_size;
    for (const auto& [id, place] : inventory_.objects)
      if (!objects_.contains(id)) report_.unneeded += place.stored_size;
  }

 private:
  // What the kit takes more because of this.
  static std::uint64_t Count(Share& share, std::uint64_t stored, std::size_t kit) {
    if (share.kits > 0 && share.last == kit) return 0;
    share.stored = stored;
    share.last = kit;
    ++share.kits;
    return stored;
  }

  void Charge(const Share& share) {
    (share.kits == 1 ? report_.kits[share.last].only : report_.shared) += share.stored;
  }

  const Inventory& inventory_;
  MeasureReport& report_;
  std::unordered_map<Digest, Share, HashOfHash> blobs_;
  std::unordered_map<ObjectId, Share, HashOfHash> objects_;
};

// Adds what packs hold that no row of the catalog speaks of.
Status AddPacks(const StoreParts& parts, const Inventory& inventory, MeasureReport& report) {
  const FrameJudge judge(inventory);
  PLUMB_TRY(const auto names, parts.packs->List());
  for (const PackName& name : names) {
    auto pack = parts.packs->Open(name);
    if (!pack && pack.error().kind == ErrorKind::kNotFound) continue;
    PLUMB_TRY(const auto opened, std::move(pack));
    PLUMB_TRY(const std::uint64_t size, opened->Size());
    report.on_disk += size;
    const auto record = std::ranges::lower_bound(inventory.packs, name, {}, &PackRecord::name);
    const bool is_named =
        record != inventory.packs.end() && record->name == name && record->unneeded_since == 0;
    // Of somebody who is at work, or of somebody who was killed.
    if (!is_named) {
      report.unneeded += size;
      continue;
    }
    auto use = judge.Judge(*opened, *record);
    if (!use && use.error().kind != ErrorKind::kCorrupt) return std::move(use).error();
    if (!use) continue;
    report.unneeded += use->dead_size;
    if (use->kind == PackKind::kAdopted) report.adopted += size;
  }
  return Done{};
}

}  // namespace

Result<MeasureReport> Measure(const StoreParts& parts, Store& store, const MeasureRequest& request,
                              Progress& progress) {
  const auto task = progress.Begin("kits", 0);
  DamagedBlobs damaged;
  PLUMB_TRY(const Inventory inventory, TakeInventory(*parts.catalog, &damaged));
  NeedsCache needs(request.find_needs, store);
  MeasureReport report;
  Measurer measurer(inventory, report);
  for (const Kit& kit : inventory.kits) {
    if (progress.StopRequested()) return Interrupted();
    const auto blobs = needs.BlobsOf(kit.manifest, inventory);
    if (blobs) {
      measurer.Add(kit.manifest, *blobs);
    } else if (blobs.error().kind == ErrorKind::kUnavailable) {
      return blobs.error();
    } else {
      progress.Warn("cannot tell what kit '" + kit.manifest.ToString() +
                    "' needs: " + blobs.error().message);
    }
  }
  measurer.Finish();
  PLUMB_RETURN_IF_ERROR(AddPacks(parts, inventory, report));
  // What the catalog holds of blobs is a copy.
  for (const std::string_view file : {"catalog.sqlite", "reserve"})
    if (const auto state = parts.directory->State(file)) report.on_disk += state->size;
  report.overhead = report.on_disk - std::min(report.on_disk, report.needed + report.unneeded);
  return report;
}

}  // namespace plumb::store
