// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <limits>
#include <utility>

#include "base/text.h"
#include "store/collector_internal.h"
#include "store/domain_marker_internal.h"
#include "store/pack_merger_internal.h"
#include "store/partial_internal.h"
#include "store/partial_packs_internal.h"

namespace plumb::store {
namespace {

// A pack of which less than this is needed is written anew.
constexpr std::uint64_t kLivePercentMin = 60;
// ... if that frees at least this much.
constexpr std::uint64_t kDeadSizeMin = std::uint64_t{64} << 10;
// More packs than this that are smaller than that are merged: each command leaves one.
constexpr std::size_t kSmallPacksMax = 8;
constexpr std::uint64_t kSmallPackSize = std::uint64_t{4} << 20;

constexpr std::int64_t kMovesKeptNs = 90 * kDayNs;

// Each repeats the look because a kit was added within its few milliseconds.
constexpr int kLooksMax = 100;

// What is torn is whole afterwards. Nobody else's file is written anew; nor is a pack that would
// have to stay all the same, because what the catalog looks for there is not found.
bool IsSparse(const PackUse& use) {
  if (use.kind == PackKind::kAdopted || use.lacks_objects) return false;
  if (use.is_torn) return true;
  return use.dead_size >= kDeadSizeMin &&
         use.live_size / kLivePercentMin < (use.live_size + use.dead_size) / 100;
}

// Those that are worth being written anew, behind those of which nothing is needed.
struct Sorted {
  std::vector<PackUse> dead;
  std::vector<PackUse> sparse;
  std::vector<PackUse> good;
};

Sorted Sort(std::vector<PackUse> uses) {
  Sorted sorted;
  const auto is_small = [](const PackUse& use) {
    return use.size < kSmallPackSize && !use.live.empty() && !use.lacks_objects;
  };
  const auto small = std::ranges::count_if(uses, is_small);
  const bool merge_small = static_cast<std::size_t>(small) > kSmallPacksMax;
  for (PackUse& use : uses) {
    if (use.live_size == 0 && !use.lacks_objects) {
      sorted.dead.push_back(std::move(use));
    } else if (IsSparse(use) || (merge_small && is_small(use))) {
      sorted.sparse.push_back(std::move(use));
    } else {
      sorted.good.push_back(std::move(use));
    }
  }
  return sorted;
}

// What packs take once they were written anew, as PackMerger does it.
class PackForecast {
 public:
  void Append(PackFrame frame) {
    if (IsWholeObject(frame.type)) frame.type = FrameType::kObject;  // as it is copied
    frame.header_at = end_;
    end_ += frame.SizeInPack();
    ++frames_;
    if (end_ >= kPackSizeMax && frame.type != FrameType::kBlock) EndPack();
  }
  void EndPack() {
    if (frames_ == 0) return;
    const PackFrame footer = {FrameType::kFooter, {}, end_, frames_ * kFooterEntrySize};
    ended_ += end_ + footer.SizeInPack() + kTrailerSize;
    end_ = kPackHeaderSize;
    frames_ = 0;
  }
  std::uint64_t size() const { return ended_ + (frames_ == 0 ? 0 : end_); }

 private:
  std::uint64_t ended_ = 0;
  std::uint64_t end_ = kPackHeaderSize;
  std::uint64_t frames_ = 0;
};

// The smallest copies first: where there is little room, each makes some for the next.
void SortForCopying(std::vector<PackUse>& packs) {
  std::ranges::sort(packs, {},
                    [](const PackUse& use) { return std::pair(use.live_size, use.record.name); });
}

std::uint64_t SizeWhenCopied(std::vector<PackUse> packs) {
  SortForCopying(packs);
  PackForecast forecast;
  std::uint64_t batch_begin = 0;
  for (const PackUse& use : packs) {
    for (const PackFrame& frame : use.live)
      forecast.Append(frame);
    if (forecast.size() - batch_begin < kPackSizeMax) continue;
    forecast.EndPack();
    batch_begin = forecast.size();
  }
  forecast.EndPack();
  return forecast.size();
}

// Moves that the mark forgets: old ones, but the last old one of each ref.
void ForgetMoves(std::set<MoveTime>& moves, std::int64_t before_ns) {
  for (auto move = moves.begin(); move != moves.end();) {
    const auto next = std::next(move);
    const bool has_next = next != moves.end() && next->name == move->name;
    if (has_next && next->moved_ns < before_ns) moves.erase(move);
    move = next;
  }
}

void ForgetHoldings(Inventory& inventory, const std::vector<HoldingKey>& unneeded) {
  for (const HoldingKey& key : unneeded) {
    DomainInventory& seen = inventory.domains.at(key.domain);
    if (key.kind == HoldingKind::kBlob) seen.blobs.erase(Digest{key.name});
    if (key.kind == HoldingKind::kKit)
      std::erase_if(seen.kits, [&](const Kit& kit) { return kit.manifest.bytes == key.name; });
  }
}

// What was asked for is what would help.
Error WithHint(const Error& error) {
  if (error.kind != ErrorKind::kExhausted || !error.hint.empty()) return error;
  return Error{ErrorKind::kExhausted, "there is no room to note what can go: " + error.message,
               "free some megabytes on this disk by other means, then: plumb gc"};
}

}  // namespace

Result<CollectReport> Collector::Run() {
  if (request_.dry_run == DryRun::kYes) return Foresee();
  // First: on a full disk this is what makes room for the mark.
  RemoveOldPartials(*parts_.directory, now_ns_ - kPartialKeptNs);
  PLUMB_TRY(on_disk_, parts_.packs->List());
  PLUMB_TRY(spared_, PartialPacks(*parts_.directory, now_ns_ - kPartialKeptNs));
  // Until nobody adds a kit between the look and the end.
  for (int i = 0; i < kLooksMax; ++i) {
    PLUMB_TRY(const Found found, Look());
    if (progress_.StopRequested()) return Interrupted();
    const auto marked = catalog_.Mark(found.mark);
    if (marked) NoteKits(found.mark);
    const auto up_to = marked ? CollectRows(found, *marked) : marked;
    if (up_to) {
      const Status swept = Sweep(found, *up_to);
      if (!swept) return WithHint(swept.error());
      PLUMB_TRY(report_.bytes_kept, SizeOfPacks());
      return report_;
    }
    if (up_to.error().kind == ErrorKind::kConflict) continue;
    return WithHint(up_to.error());
  }
  return Error{ErrorKind::kUnavailable, "others add kits faster than they can be looked at"};
}

void Collector::NoteKits(const MarkRequest& mark) {
  report_.kits.insert(report_.kits.end(), mark.expired_kits.begin(), mark.expired_kits.end());
  for (const Digest& kit : mark.needed_kits)
    std::erase(report_.kits, kit);
  std::ranges::sort(report_.kits);
}

Result<Collector::Found> Collector::Look() {
  Found found;
  DamagedBlobs damaged;
  PLUMB_TRY(found.inventory, TakeInventory(catalog_, &damaged));
  const Inventory& inventory = found.inventory;
  MarkRequest& mark = found.mark;
  mark.known_kits = inventory.kits;
  mark.known_kits.insert(mark.known_kits.end(), inventory.unneeded_kits.begin(),
                         inventory.unneeded_kits.end());
  std::ranges::sort(mark.known_kits);
  PLUMB_RETURN_IF_ERROR(LookAtDomains(found));
  PLUMB_TRY(found.kept_kits, KeptKits(found));
  for (const Kit& kit : inventory.kits)
    if (!found.Keeps(kit)) mark.expired_kits.push_back(kit.manifest);
  for (const Kit& kit : inventory.unneeded_kits)
    if (found.Keeps(kit)) mark.needed_kits.push_back(kit.manifest);
  PLUMB_TRY(const auto needed, NeededBlobs(found.kept_kits, inventory));
  for (const auto& [digest, why] : damaged) {
    if (needed.contains(digest))
      return Error{ErrorKind::kCorrupt, "blob '" + digest.ToString() + "' is damaged: " + why,
                   "plumb fsck"};
  }
  PLUMB_RETURN_IF_ERROR(CountUntagged(found, needed));

  std::unordered_set<ObjectId, HashOfHash> objects;
  for (const auto& [digest, blob] : inventory.blobs) {
    if (!needed.contains(digest)) {
      mark.unneeded_blobs.push_back(digest);
      continue;
    }
    if (blob.standing != Standing::kGood) mark.needed_blobs.push_back(digest);
    objects.insert(blob.objects.begin(), blob.objects.end());
  }
  for (const auto& [id, place] : inventory.objects) {
    if (objects.erase(id) == 0) {
      mark.unneeded_objects.push_back(id);
    } else if (place.standing != Standing::kGood) {
      mark.needed_objects.push_back(id);
    }
  }
  if (!objects.empty())
    return Error{ErrorKind::kCorrupt,
                 "object '" + objects.begin()->ToHex() + "' is not in the store, and is needed",
                 "plumb fsck"};
  for (const PackName& pack : on_disk_) {
    const bool is_named = std::ranges::binary_search(inventory.packs, pack, {}, &PackRecord::name);
    if (is_named || spared_.contains(pack)) continue;
    PLUMB_TRY(const bool is_known, IsKnown(pack, inventory));
    (is_known ? found.known_packs : mark.strange_packs).push_back(pack);
  }
  // Moves tell since when a kit is without a tag.
  std::ranges::sort(mark.expired_kits);
  mark.moves_before_ns = now_ns_ - std::max(kMovesKeptNs, request_.keep_left_ns);
  PLUMB_RETURN_IF_ERROR(SpareAdopted(found));
  return found;
}

Status Collector::LookAtDomains(Found& found) {
  KeepRule rule = {now_ns_ - request_.keep_untagged_ns, now_ns_ - request_.keep_left_ns};
  if (keeps_all_kits_) rule.added_since_ns = std::numeric_limits<std::int64_t>::min();
  PLUMB_TRY(DomainMarks marks, MarkDomains(found.inventory, needs_, rule));
  found.mark.known_held = std::move(marks.known);
  found.mark.unneeded_holdings = std::move(marks.unneeded);
  found.mark.needed_holdings = std::move(marks.needed);
  found.kept_held = std::move(marks.kept_kits);
  return Done{};
}

// Who adopts files has a lease before the catalog knows of them, and until the kit that needs them
// is there. A mark would lose nothing, but have them written, and so be in vain that they were
// adopted. Looked at behind the catalog: whoever ended in between has added the kit, which the mark
// finds out.
Status Collector::SpareAdopted(Found& found) {
  PLUMB_TRY(const auto oldest, parts_.leases->Oldest());
  if (!oldest) return Done{};
  std::map<PackName, bool> is_adopted;
  std::vector<ObjectId> unneeded;
  for (const ObjectId& id : found.mark.unneeded_objects) {
    const PackName& name = found.inventory.objects.at(id).pack;
    const auto [known, is_new] = is_adopted.try_emplace(name, false);
    if (is_new) {
      const auto pack = parts_.packs->Open(name);
      known->second = pack && (*pack)->kind() == PackKind::kAdopted;
    }
    if (!known->second) unneeded.push_back(id);
  }
  if (unneeded.size() < found.mark.unneeded_objects.size()) report_.others_at_work = true;
  found.mark.unneeded_objects = std::move(unneeded);
  return Done{};
}

Result<bool> Collector::IsKnown(const PackName& pack, const Inventory& inventory) {
  const auto opened = parts_.packs->Open(pack);
  if (!opened && opened.error().kind == ErrorKind::kNotFound) return false;
  if (!opened) return opened.error();
  if ((*opened)->kind() == PackKind::kAdopted) return false;
  const auto index = ReadPackIndex(**opened, pack);
  if (!index && index.error().kind == ErrorKind::kCorrupt) return false;
  if (!index) return index.error();
  if (index->is_torn) return false;
  return std::ranges::any_of(index->frames, [&](const PackFrame& frame) {
    const bool is_blob = frame.type == FrameType::kRecipe || frame.type == FrameType::kBlob;
    return is_blob && inventory.records.contains(frame.id);
  });
}

Result<std::vector<Digest>> Collector::KeptKits(const Found& found) {
  const Inventory& inventory = found.inventory;
  const std::vector<Kit>& known = found.mark.known_kits;
  std::set<Digest> kept;
  for (const HoldingKey& kit : found.kept_held)
    kept.insert(Digest{kit.name});
  for (const Ref& ref : inventory.refs)
    kept.insert(ref.manifest);
  for (const Kit& kit : keeps_all_kits_ ? inventory.kits : std::vector<Kit>())
    kept.insert(kit.manifest);
  for (const Kit& kit : keeps_all_kits_ ? std::vector<Kit>() : known) {
    const auto left = inventory.untagged_ns.find(kit.manifest);
    const bool was_left =
        left != inventory.untagged_ns.end() && left->second > now_ns_ - request_.keep_left_ns;
    if (was_left || kit.added_ns > now_ns_ - request_.keep_untagged_ns) kept.insert(kit.manifest);
  }
  std::set<Digest> bases;
  for (const Digest& kit : kept) {
    auto based_on = needs_.BasesOf(kit, inventory);
    if (!based_on)
      return std::move(based_on).error().While("cannot tell what kit '" + kit.ToString() +
                                               "' needs");
    bases.merge(*based_on);
  }
  std::vector<Digest> there;  // sorted, as `known`
  for (const Kit& kit : known)
    if (kept.contains(kit.manifest) || bases.contains(kit.manifest)) there.push_back(kit.manifest);
  return there;
}

Result<Collector::Blobs> Collector::NeededBlobs(const std::vector<Digest>& kits,
                                                const Inventory& inventory) {
  Blobs needed;
  for (const Digest& kit : kits) {
    auto blobs = needs_.BlobsOf(kit, inventory);
    if (!blobs)
      return std::move(blobs).error().While("cannot tell what kit '" + kit.ToString() + "' needs");
    needed.insert(blobs->begin(), blobs->end());
  }
  return needed;
}

// What would go if kits without tags were not kept for a while.
Status Collector::CountUntagged(const Found& found, const Blobs& needed) {
  const Inventory& inventory = found.inventory;
  std::set<Digest> tagged;
  for (const Ref& ref : inventory.refs)
    tagged.insert(ref.manifest);
  const std::vector<Digest> kits(tagged.begin(), tagged.end());
  PLUMB_TRY(const Blobs with_tags, NeededBlobs(kits, inventory));
  report_.untagged_kits = static_cast<std::uint64_t>(std::ranges::count_if(
      found.kept_kits, [&](const Digest& kit) { return !with_tags.contains(kit); }));
  std::unordered_set<ObjectId, HashOfHash> counted;
  for (const Digest& digest : with_tags) {
    const auto& objects = inventory.blobs.at(digest).objects;
    counted.insert(objects.begin(), objects.end());
  }
  report_.untagged_bytes = 0;
  for (const Digest& digest : needed) {
    if (with_tags.contains(digest)) continue;
    const BlobEntry& blob = inventory.blobs.at(digest);
    report_.untagged_bytes += blob.stored_size;
    for (const ObjectId& id : blob.objects) {
      const auto object = inventory.objects.find(id);
      if (object != inventory.objects.end() && counted.insert(id).second)
        report_.untagged_bytes += object->second.TotalSize();
    }
  }
  return Done{};
}

// What a gc would do now, if nobody else was at work.
Result<CollectReport> Collector::Foresee() {
  PLUMB_TRY(on_disk_, parts_.packs->List());
  PLUMB_TRY(spared_, PartialPacks(*parts_.directory, now_ns_ - kPartialKeptNs));
  PLUMB_TRY(Found found, Look());
  PLUMB_TRY(const auto oldest, parts_.leases->Oldest());
  report_.others_at_work = oldest.has_value();
  const MarkRequest& mark = found.mark;
  Inventory& inventory = found.inventory;
  report_.kits = mark.expired_kits;
  report_.blobs = mark.unneeded_blobs.size();
  report_.objects = mark.unneeded_objects.size();
  for (const Digest& digest : mark.unneeded_blobs) {
    const auto blob = inventory.blobs.extract(digest);
    inventory.records.erase(blob.mapped().id);
    const auto [first, last] = inventory.files.equal_range(digest);
    for (auto row = first; row != last; ++row)
      inventory.records.erase(row->second);
  }
  for (const ObjectId& object : mark.unneeded_objects)
    inventory.objects.erase(object);
  for (auto* const kits : {&inventory.kits, &inventory.unneeded_kits})
    std::erase_if(*kits, [&](const Kit& kit) { return !found.Keeps(kit); });
  ForgetMoves(inventory.moves, mark.moves_before_ns);
  ForgetHoldings(inventory, mark.unneeded_holdings);
  PLUMB_TRY(auto uses, JudgePacks(inventory));
  Sorted sorted = Sort(std::move(uses));
  std::vector<PackUse> gone = std::move(sorted.dead);
  for (const PackName& pack : mark.strange_packs) {
    PLUMB_TRY(gone.emplace_back(), UseOfLitter({pack, 0}));
  }
  for (const PackRecord& pack : inventory.packs) {
    if (pack.unneeded_since == 0 || spared_.contains(pack.name)) continue;
    PLUMB_TRY(gone.emplace_back(), UseOfLitter(pack));
  }
  gone.insert(gone.end(), sorted.sparse.begin(), sorted.sparse.end());
  for (const PackUse& use : gone)
    CountFreed(use);
  report_.packs = gone.size();
  const std::uint64_t copies = SizeWhenCopied(std::move(sorted.sparse));
  report_.bytes_freed -= std::min(report_.bytes_freed, copies);
  PLUMB_TRY(const std::uint64_t total, SizeOfPacks());
  report_.bytes_kept = total - std::min(total, report_.bytes_freed + report_.bytes_shared);
  return std::move(report_);
}

Result<CollectReport> Collector::FindGarbage() {
  keeps_all_kits_ = true;
  return Foresee();
}

// Gives up to which epoch it did. kConflict: the mark is out of date.
Result<Epoch> Collector::CollectRows(const Found& found, Epoch epoch) {
  // Looked at behind the mark: whoever is not seen here began after it, and takes nothing that
  // is marked for granted.
  PLUMB_TRY(const auto oldest, parts_.leases->Oldest());
  const Epoch up_to = std::min(oldest.value_or(epoch), epoch);
  UpkeepChange change;
  change.new_packs = found.known_packs;
  change.collect_up_to = up_to;
  change.kept_kits = found.kept_kits;
  change.kept_held = found.kept_held;
  PLUMB_TRY([[maybe_unused]] const auto none, catalog_.Apply(change));
  return up_to;
}

Status Collector::Sweep(const Found& found, Epoch up_to) {
  DamagedBlobs damaged;
  PLUMB_TRY(const Inventory left, TakeInventory(catalog_, &damaged));
  for (const Digest& blob : found.mark.unneeded_blobs)
    report_.blobs += left.blobs.contains(blob) ? 0U : 1U;
  for (const ObjectId& object : found.mark.unneeded_objects)
    report_.objects += left.objects.contains(object) ? 0U : 1U;
  if (report_.blobs < found.mark.unneeded_blobs.size() ||
      report_.objects < found.mark.unneeded_objects.size())
    report_.others_at_work = true;
  return TakePacks(left, up_to);
}

// Whether every blob that the catalog has can be found again in packs. What is recorded of files
// need not: a build that misses it finds it out again.
bool HasAllRecords(const Inventory& inventory, const std::vector<PackUse>& uses) {
  std::unordered_set<ObjectId, HashOfHash> missing;
  for (const auto& [digest, blob] : inventory.blobs)
    missing.insert(blob.id);
  for (const PackUse& use : uses)
    for (const PackFrame& frame : use.live)
      if (!IsContent(frame.type)) missing.erase(frame.id);
  return missing.empty();
}

void Collector::WarnOfDamage(const PackName& pack) {
  if (keeps_all_kits_) return;  // who only measures leaves everything alone
  const bool is_dry = request_.dry_run == DryRun::kYes;
  progress_.Warn("pack '" + pack.ToString() + "' is damaged and " + (is_dry ? "would be" : "was") +
                 " left alone: plumb fsck");
}

// Of those that sessions named. What is torn or missing is left to fsck.
Result<std::vector<PackUse>> Collector::JudgePacks(const Inventory& inventory) {
  const FrameJudge judge(inventory);
  std::set<PackName> with_objects;
  for (const auto& [id, place] : inventory.objects) {
    with_objects.insert(place.pack);
    if (place.adopted) with_objects.insert(*place.adopted);
  }
  const auto task = progress_.Begin("packs", 0);
  std::vector<PackUse> uses;
  std::vector<PackUse> unreadable;
  for (const PackRecord& record : inventory.packs) {
    if (progress_.StopRequested()) return Interrupted();
    // A command may be about to take over what lies there, whatever the catalog knows of it.
    if (record.unneeded_since != 0 || spared_.contains(record.name)) continue;
    auto pack = parts_.packs->Open(record.name);
    auto use = pack ? judge.Judge(**pack, record) : Result<PackUse>(std::move(pack).error());
    const bool is_damaged = !use && (use.error().kind == ErrorKind::kCorrupt ||
                                     use.error().kind == ErrorKind::kNotFound);
    if (use) {
      if (use->lacks_objects) WarnOfDamage(record.name);
      uses.push_back(*std::move(use));
    } else if (is_damaged && !with_objects.contains(record.name)) {
      PLUMB_TRY(unreadable.emplace_back(), UseOfLitter(record));
    } else if (is_damaged) {
      WarnOfDamage(record.name);
    } else {
      return std::move(use).error();
    }
  }
  // What they held was written anew, if it is all elsewhere.
  const bool has_all = HasAllRecords(inventory, uses);
  for (PackUse& use : unreadable) {
    if (has_all) {
      uses.push_back(std::move(use));
    } else {
      WarnOfDamage(use.record.name);
    }
  }
  return uses;
}

Status Collector::TakePacks(const Inventory& inventory, Epoch up_to) {
  PLUMB_TRY(spared_, PartialPacks(*parts_.directory, now_ns_ - kPartialKeptNs));
  std::vector<PackUse> litter;
  for (const PackRecord& record : inventory.packs) {
    if (record.unneeded_since == 0 || spared_.contains(record.name)) continue;
    if (record.unneeded_since > up_to) {
      report_.others_at_work = true;
      continue;
    }
    PLUMB_TRY(litter.emplace_back(), UseOfLitter(record));
  }
  PLUMB_RETURN_IF_ERROR(TakeAway(litter));
  PLUMB_TRY(auto uses, JudgePacks(inventory));
  Sorted sorted = Sort(std::move(uses));
  // First, so that there is room for what is written anew.
  PLUMB_RETURN_IF_ERROR(TakeAway(sorted.dead));
  return Compact(std::move(sorted.sparse));
}

Status Collector::TakeAway(const std::vector<PackUse>& packs) {
  if (packs.empty()) return Done{};
  UpkeepChange change;
  for (const PackUse& use : packs)
    change.unneeded_packs.push_back(use.record);
  PLUMB_TRY(const std::vector<PackName> forgotten, catalog_.Apply(change));
  // Nothing names them any more. Who has one open reads on; who has looked up a place in one
  // looks again. A crash here leaves litter for the next gc.
  for (const PackName& name : forgotten) {
    PLUMB_RETURN_IF_ERROR(parts_.packs->Remove(name));
    ++report_.packs;
  }
  for (const PackUse& use : packs)
    if (std::ranges::find(forgotten, use.record.name) != forgotten.end()) CountFreed(use);
  return Done{};
}

void Collector::CountFreed(const PackUse& use) {
  (use.is_shared ? report_.bytes_shared : report_.bytes_freed) += use.size;
}

Status Collector::Compact(std::vector<PackUse> packs) {
  SortForCopying(packs);
  std::uint64_t left = 0;
  for (const PackUse& use : packs)
    left += use.live_size;
  if (packs.empty()) return Done{};
  const auto task = progress_.Begin("packs written anew", left);
  std::uint64_t size_max = kPackSizeMax;
  for (std::span<const PackUse> rest = packs; !rest.empty();) {
    const auto done = CompactSome(rest, size_max);
    if (done) {
      for (const PackUse& use : rest.first(*done))
        task->Advance(use.live_size);
      rest = rest.subspan(*done);
    } else if (done.error().kind == ErrorKind::kExhausted && size_max > 0) {
      size_max = 0;  // one by one
    } else if (done.error().kind == ErrorKind::kExhausted) {
      return Error{ErrorKind::kExhausted,
                   "there is no room to write anew what is needed of " +
                       std::to_string(rest.size()) + " packs: " + done.error().message,
                   "free " + FormatSize(rest.front().live_size) + " on this disk, then: plumb gc"};
    } else {
      return done.error();
    }
  }
  return Done{};
}

Result<std::size_t> Collector::CompactSome(std::span<const PackUse> packs, std::uint64_t size_max) {
  PackMerger merger(*parts_.packs);
  std::vector<PackUse> sources;
  std::vector<PackUse> damaged;
  std::size_t count = 0;
  do {
    const PackUse& use = packs[count++];
    const std::size_t moves = merger.moves();
    const Status copied = CopyLive(use, merger);
    if (copied) {
      sources.push_back(use);
    } else if (copied.error().kind == ErrorKind::kCorrupt) {
      // What was copied of it is needless; the pack itself stays as it is.
      merger.TakeBackMoves(moves);
      damaged.push_back(use);
    } else {
      return copied.error();
    }
  } while (merger.size() < size_max && count < packs.size());
  // Copies are durable before the catalog names them, and the catalog names them before the
  // originals go.
  PLUMB_TRY(const UpkeepChange change, merger.Finish());
  PLUMB_TRY([[maybe_unused]] const auto none, catalog_.Apply(change));
  PLUMB_RETURN_IF_ERROR(TakeAway(sources));
  for (const PackUse& use : damaged) {
    progress_.Warn("pack '" + use.record.name.ToString() +
                   "' is damaged and was left alone: plumb fsck --full");
  }
  report_.bytes_freed -= std::min(report_.bytes_freed, merger.size());
  return count;
}

Status Collector::CopyLive(const PackUse& use, PackMerger& merger) {
  PLUMB_TRY(const auto pack, parts_.packs->Open(use.record.name));
  std::vector<std::byte> stored;
  // All before any: or else each gc would copy again what lies in front of a damaged frame.
  for (const PackFrame& frame : use.live) {
    if (progress_.StopRequested()) return Interrupted();
    PLUMB_TRY([[maybe_unused]] const FrameContent content, ReadFrame(*pack, frame, stored));
  }
  for (const PackFrame& frame : use.live) {
    if (progress_.StopRequested()) return Interrupted();
    PLUMB_TRY(FrameContent content, ReadFrame(*pack, frame, stored));
    if (IsWholeObject(content.type)) content.type = FrameType::kObject;
    PLUMB_TRY(ObjectPlace target, merger.Append(content));
    if (!IsOfObject(frame.type)) continue;
    if (frame.type == FrameType::kTree) {
      PLUMB_TRY(const ObjectTree tree, ObjectTree::Parse(content.stored, frame.id, target));
      target = tree.PlaceFor(target);
    }
    ObjectPlace source = target;
    source.pack = use.record.name;
    source.offset = frame.PayloadAt();
    merger.Move({frame.id, source, target});
  }
  return Done{};
}

Result<PackUse> Collector::UseOfLitter(const PackRecord& record) {
  PackUse use;
  use.record = record;
  auto pack = parts_.packs->Open(record.name);
  if (!pack && pack.error().kind == ErrorKind::kNotFound) return use;
  PLUMB_TRY(const auto opened, std::move(pack));
  PLUMB_TRY(use.size, opened->Size());
  PLUMB_TRY(use.is_shared, opened->IsShared());
  use.dead_size = use.size;
  return use;
}

Result<std::uint64_t> Collector::SizeOfPacks() {
  PLUMB_TRY(const auto names, parts_.packs->List());
  std::uint64_t size = 0;
  for (const PackName& name : names) {
    PLUMB_TRY(const PackUse use, UseOfLitter({name, 0}));
    size += use.size;
  }
  return size;
}

}  // namespace plumb::store
