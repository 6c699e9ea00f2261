// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_COLLECTOR_INTERNAL_H_
#define PLUMB_STORE_COLLECTOR_INTERNAL_H_

#include <algorithm>
#include <memory>
#include <set>
#include <span>
#include <unordered_set>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "store/inventory_internal.h"
#include "store/store_parts_internal.h"
#include "store/upkeep.h"

// One gc: docs/format.md, "Sweep".
namespace plumb::store {

class Collector {
 public:
  // `store` reads what `parts` hold. Everything must outlive it.
  Collector(const StoreParts& parts, Store& store, std::int64_t now_ns,
            const CollectRequest& request, Progress& progress)
      : parts_(parts),
        catalog_(*parts.catalog),
        request_(request),
        progress_(progress),
        now_ns_(now_ns),
        needs_(request.find_needs, store) {}

  // Once more if it failed: what the first time freed is in the report of the second.
  Result<CollectReport> Run();

  // What a gc would take if it took no kit, and nobody else was at work. Nothing is changed.
  Result<CollectReport> FindGarbage();

 private:
  struct Found {
    Inventory inventory;
    MarkRequest mark;
    std::vector<Digest> kept_kits;      // sorted
    std::vector<HoldingKey> kept_held;  // the same, in named domains
    std::vector<PackName> known_packs;  // that hold what the catalog knows, and were not named

    bool Keeps(const Kit& kit) const { return std::ranges::binary_search(kept_kits, kit.manifest); }
  };
  Result<Found> Look();
  Status LookAtDomains(Found& found);
  // Takes out of the mark what lies in adopted files, if somebody is at work.
  Status SpareAdopted(Found& found);
  using Blobs = std::unordered_set<Digest, HashOfHash>;
  // The blobs that the kits need.
  Result<Blobs> NeededBlobs(const std::vector<Digest>& kits, const Inventory& inventory);
  // `needed` is what the kits need that stay.
  Status CountUntagged(const Found& found, const Blobs& needed);
  Result<std::vector<Digest>> KeptKits(const Found& found);
  // Whether a pack that nobody named holds a blob or a recipe that is here all the same: stores of
  // before gc named only packs with objects.
  Result<bool> IsKnown(const PackName& pack, const Inventory& inventory);
  void NoteKits(const MarkRequest& mark);
  Result<Epoch> CollectRows(const Found& found, Epoch epoch);

  Result<CollectReport> Foresee();
  Status Sweep(const Found& found, Epoch up_to);
  void WarnOfDamage(const PackName& pack);
  Result<std::vector<PackUse>> JudgePacks(const Inventory& inventory);
  Status TakePacks(const Inventory& inventory, Epoch up_to);
  // A pack of which nothing is needed, whatever is in it.
  Result<PackUse> UseOfLitter(const PackRecord& record);
  void CountFreed(const PackUse& use);
  // Forgets packs in which nothing is needed, then removes them.
  Status TakeAway(const std::vector<PackUse>& packs);
  Status Compact(std::vector<PackUse> packs);
  // Writes the first of the packs anew, until that takes `size_max`; how many those were.
  Result<std::size_t> CompactSome(std::span<const PackUse> packs, std::uint64_t size_max);
  Status CopyLive(const PackUse& use, class PackMerger& merger);
  // Of all that lie on the disk now, whoever needs them.
  Result<std::uint64_t> SizeOfPacks();

  const StoreParts& parts_;
  KeptCatalog& catalog_;
  const CollectRequest& request_;
  Progress& progress_;
  const std::int64_t now_ns_;
  NeedsCache needs_;
  bool keeps_all_kits_ = false;
  std::vector<PackName> on_disk_;  // before anything was marked
  std::set<PackName> spared_;      // of transfers that may go on
  CollectReport report_;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_COLLECTOR_INTERNAL_H_
