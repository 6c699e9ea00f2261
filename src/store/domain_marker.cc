// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <set>
#include <unordered_set>
#include <utility>

#include "store/domain_marker_internal.h"

namespace plumb::store {
namespace {

Error CannotTell(Error error, const Digest& kit) {
  return std::move(error).While("cannot tell what kit '" + kit.ToString() + "' needs");
}

class DomainMarker {
 public:
  DomainMarker(const Domain& domain, const DomainInventory& seen, const Inventory& inventory,
               DomainMarks& marks)
      : domain_(domain), seen_(seen), inventory_(inventory), marks_(marks) {}

  Status Run(NeedsCache& needs, const KeepRule& rule) {
    PLUMB_RETURN_IF_ERROR(FindKits(needs, rule));
    PLUMB_RETURN_IF_ERROR(FindContent(needs));
    for (const Kit& kit : seen_.kits) {
      marks_.known.push_back({domain_, kit});
      Mark({domain_, HoldingKind::kKit, kit.manifest.bytes}, kits_.contains(kit.manifest), 0);
    }
    for (const Kit& kit : seen_.unneeded_kits) {
      marks_.known.push_back({domain_, kit});
      Mark({domain_, HoldingKind::kKit, kit.manifest.bytes}, kits_.contains(kit.manifest), 1);
    }
    for (const Digest& kit : kits_)
      marks_.kept_kits.push_back({domain_, HoldingKind::kKit, kit.bytes});
    for (const auto& [digest, held] : seen_.blobs)
      Mark({domain_, HoldingKind::kBlob, digest.bytes}, blobs_.contains(digest),
           held.unneeded_since);
    for (const auto& [id, held] : seen_.objects)
      Mark({domain_, HoldingKind::kObject, id.bytes}, objects_.contains(id), held.unneeded_since);
    return Done{};
  }

 private:
  bool Stays(const Kit& kit, const KeepRule& rule) const {
    const auto left = inventory_.left_ns.find({domain_.name(), kit.manifest});
    return kit.added_ns > rule.added_since_ns ||
           (left != inventory_.left_ns.end() && left->second > rule.left_since_ns) ||
           inventory_.tagged.contains({domain_.name(), kit.manifest});
  }

  Status FindKits(NeedsCache& needs, const KeepRule& rule) {
    for (const auto* const kits : {&seen_.kits, &seen_.unneeded_kits})
      for (const Kit& kit : *kits)
        if (Stays(kit, rule)) kits_.insert(kit.manifest);
    std::set<Digest> bases;
    for (const Digest& kit : kits_) {
      auto based_on = needs.BasesOf(kit, inventory_);
      if (!based_on) return CannotTell(std::move(based_on).error(), kit);
      bases.merge(*based_on);
    }
    for (const Digest& base : bases)
      if (seen_.FindKit(base) != nullptr) kits_.insert(base);
    return Done{};
  }

  // What is needed of what the domain does not see is another's.
  Status FindContent(NeedsCache& needs) {
    for (const Digest& kit : kits_) {
      auto blobs = needs.BlobsOf(kit, inventory_);
      if (!blobs) return CannotTell(std::move(blobs).error(), kit);
      blobs_.insert(blobs->begin(), blobs->end());
    }
    for (const Digest& digest : blobs_) {
      if (!seen_.blobs.contains(digest)) continue;
      const auto blob = inventory_.blobs.find(digest);
      if (blob != inventory_.blobs.end())
        objects_.insert(blob->second.objects.begin(), blob->second.objects.end());
    }
    return Done{};
  }

  void Mark(const HoldingKey& key, bool is_needed, Epoch unneeded_since) {
    if (is_needed && unneeded_since != 0) marks_.needed.push_back(key);
    if (!is_needed && unneeded_since == 0) marks_.unneeded.push_back(key);
  }

  const Domain& domain_;
  const DomainInventory& seen_;
  const Inventory& inventory_;
  DomainMarks& marks_;
  std::set<Digest> kits_;  // that stay
  std::unordered_set<Digest, HashOfHash> blobs_;
  std::unordered_set<ObjectId, HashOfHash> objects_;
};

}  // namespace

Result<DomainMarks> MarkDomains(const Inventory& inventory, NeedsCache& needs,
                                const KeepRule& rule) {
  DomainMarks marks;
  for (const auto& [domain, seen] : inventory.domains)
    PLUMB_RETURN_IF_ERROR(DomainMarker(domain, seen, inventory, marks).Run(needs, rule));
  std::ranges::sort(marks.known);
  std::ranges::sort(marks.kept_kits);
  return marks;
}

}  // namespace plumb::store
