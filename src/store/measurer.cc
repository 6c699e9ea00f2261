// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string_view>
#include <utility>

#include "store/collector_internal.h"
#include "store/inventory_internal.h"
#include "store/measurer_internal.h"
#include "store/partial_internal.h"
#include "store/partial_packs_internal.h"

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
          use.stored += Count(objects_[id], found->second.TotalSize(), index);
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
  }

 private:
  // What the kit takes more because of this.
  std::uint64_t Count(Share& share, std::uint64_t stored, std::size_t kit) {
    if (share.kits > 0 && share.last == kit) return 0;
    if (share.kits == 0) report_.kits[kit].added += stored;
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

// Adds what packs take, whatever is in them.
Status AddPacks(const Measured& measured, const Inventory& inventory, MeasureReport& report) {
  const StoreParts& parts = measured.parts;
  const FrameJudge judge(inventory);
  PLUMB_TRY(const auto spared, PartialPacks(*parts.directory, measured.now_ns - kPartialKeptNs));
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
    if (is_named && opened->kind() == PackKind::kAdopted) report.adopted += size;
    if (!spared.contains(name)) continue;
    if (!is_named) {
      report.unfinished += size;
      continue;
    }
    const auto use = judge.Judge(*opened, *record);
    if (!use && use.error().kind != ErrorKind::kCorrupt) return use.error();
    if (use) report.unfinished += use->dead_size;
  }
  return Done{};
}

// The same sums as those of a gc, as nothing else is true of what it will take.
Status AddGarbage(const Measured& measured, const MeasureRequest& request, MeasureReport& report,
                  Progress& progress) {
  CollectRequest collect;
  collect.find_needs = request.find_needs;
  collect.dry_run = DryRun::kYes;
  Collector collector(measured.parts, measured.store, measured.now_ns, collect, progress);
  const auto garbage = collector.FindGarbage();
  if (garbage) {
    report.unneeded = garbage->bytes_freed + garbage->bytes_shared;
  } else if (garbage.error().kind == ErrorKind::kCorrupt) {
    progress.Warn("a gc would take nothing away: " + garbage.error().message);
  } else {
    return garbage.error();
  }
  return Done{};
}

// What a domain sees and none of its kits needs.
void AddUnneeded(const Inventory& seen, MeasureReport& report) {
  std::uint64_t total = 0;
  for (const auto& [digest, blob] : seen.blobs)
    total += blob.stored_size;
  for (const auto& [id, place] : seen.objects)
    total += place.TotalSize();
  report.unneeded = total - std::min(total, report.needed);
  report.on_disk = report.needed + report.unneeded;
}

}  // namespace

Result<MeasureReport> Measure(const Measured& measured, const MeasureRequest& request,
                              Progress& progress) {
  const auto task = progress.Begin("kits", 0);
  DamagedBlobs damaged;
  PLUMB_TRY(Inventory inventory, TakeInventory(*measured.parts.catalog, &damaged));
  if (!request.domain.IsDevice()) inventory = SeenBy(request.domain, inventory);
  NeedsCache needs(request.find_needs, measured.store);
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
  if (!request.domain.IsDevice()) {
    AddUnneeded(inventory, report);
    return report;
  }
  PLUMB_RETURN_IF_ERROR(AddPacks(measured, inventory, report));
  PLUMB_RETURN_IF_ERROR(AddGarbage(measured, request, report, progress));
  // What the catalog holds of blobs is a copy.
  for (const std::string_view file : {"catalog.sqlite", "reserve"})
    if (const auto state = measured.parts.directory->State(file)) report.on_disk += state->size;
  report.overhead = report.on_disk -
                    std::min(report.on_disk, report.needed + report.unneeded + report.unfinished);
  return report;
}

}  // namespace plumb::store
