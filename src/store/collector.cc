// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "store/collector_internal.h"
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

// What is torn is whole afterwards. Nobody else's file is written anew.
bool IsSparse(const PackUse& use) {
  if (use.kind == PackKind::kAdopted) return false;
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
    return use.size < kSmallPackSize && !use.live.empty();
  };
  const auto small = std::ranges::count_if(uses, is_small);
  const bool merge_small = static_cast<std::size_t>(small) > kSmallPacksMax;
  for (PackUse& use : uses) {
    if (use.live_size == 0) {
      sorted.dead.push_back(std::move(use));
    } else if (IsSparse(use) || (merge_small && is_small(use))) {
      sorted.sparse.push_back(std::move(use));
    } else {
      sorted.good.push_back(std::move(use));
    }
  }
  return sorted;
}

// What was asked for is what would help.
Error WithHint(const Error& error) {
  if (error.kind != ErrorKind::kExhausted || !error.hint.empty()) return error;
  return Error{ErrorKind::kExhausted, "there is no room to note what can go: " + error.message,
               "free some megabytes on this disk by other means, then: plumb gc"};
}

}  // namespace

// Copies frames into new packs, until they are committed.
class PackMerger {
 public:
  explicit PackMerger(PackStore& packs) : packs_(packs) {}
  ~PackMerger() {
    // Nobody was told of them. Best effort: what stays is litter.
    for (const PackName& name : change_.new_packs)
      static_cast<void>(packs_.Remove(name));
  }
  PackMerger(const PackMerger&) = delete;
  PackMerger& operator=(const PackMerger&) = delete;

  Result<ObjectPlace> Append(const FrameContent& content) {
    if (writer_ == nullptr) {
      PLUMB_TRY(auto pack, packs_.Create());
      writer_ = std::make_unique<FrameWriter>(std::move(pack));
    }
    PLUMB_TRY(const ObjectPlace place, writer_->Append(content));
    if (writer_->IsFull()) PLUMB_RETURN_IF_ERROR(EndPack());
    return place;
  }

  void Move(const MovedObject& moved) { change_.moved.push_back(moved); }
  void TakeBackMoves(std::size_t count) { change_.moved.resize(count); }
  std::size_t moves() const { return change_.moved.size(); }

  // Makes the packs durable and gives the change that names them.
  Result<UpkeepChange> Finish() {
    if (writer_ != nullptr) PLUMB_RETURN_IF_ERROR(EndPack());
    return std::exchange(change_, {});
  }
  std::uint64_t size() const { return size_ + (writer_ == nullptr ? 0 : writer_->size()); }

 private:
  Status EndPack() {
    PLUMB_RETURN_IF_ERROR(writer_->Finish());
    change_.new_packs.push_back(writer_->name());
    size_ += writer_->size() + kTrailerSize;
    writer_.reset();
    return Done{};
  }

  PackStore& packs_;
  std::unique_ptr<FrameWriter> writer_;
  UpkeepChange change_;
  std::uint64_t size_ = 0;
};

Result<CollectReport> Collector::Run() {
  report_.bytes_kept = 0;
  // First: on a full disk this is what makes room for the mark.
  if (request_.dry_run == DryRun::kNo)
    RemoveOldPartials(*parts_.directory, now_ns_ - kPartialKeptNs);
  PLUMB_TRY(on_disk_, parts_.packs->List());
  PLUMB_TRY(spared_, PartialPacks(*parts_.directory, now_ns_ - kPartialKeptNs));
  if (request_.dry_run == DryRun::kYes) {
    PLUMB_TRY(Found found, Look());
    PLUMB_RETURN_IF_ERROR(Foresee(found));
    return std::move(report_);
  }
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
  PLUMB_TRY(found.kept_kits, KeptKits(mark.known_kits, inventory));
  for (const Kit& kit : inventory.kits)
    if (!found.Keeps(kit)) mark.expired_kits.push_back(kit.manifest);
  for (const Kit& kit : inventory.unneeded_kits)
    if (found.Keeps(kit)) mark.needed_kits.push_back(kit.manifest);
  PLUMB_TRY(const auto needed, NeededBlobs(found, damaged));

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
  mark.moves_before_ns = now_ns_ - std::max(kMovesKeptNs, request_.keep_untagged_ns);
  PLUMB_RETURN_IF_ERROR(SpareAdopted(found));
  return found;
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

Result<std::vector<Digest>> Collector::KeptKits(const std::vector<Kit>& known,
                                                const Inventory& inventory) {
  std::set<Digest> kept;
  for (const Ref& ref : inventory.refs)
    kept.insert(ref.manifest);
  for (const Kit& kit : known) {
    const auto untagged = inventory.untagged_ns.find(kit.manifest);
    const std::int64_t since = untagged == inventory.untagged_ns.end()
                                   ? kit.added_ns
                                   : std::max(kit.added_ns, untagged->second);
    if (since > now_ns_ - request_.keep_untagged_ns) kept.insert(kit.manifest);
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

Result<std::unordered_set<Digest, HashOfHash>> Collector::NeededBlobs(const Found& found,
                                                                      const DamagedBlobs& damaged) {
  std::unordered_set<Digest, HashOfHash> needed;
  for (const Digest& kit : found.kept_kits) {
    auto blobs = needs_.BlobsOf(kit, found.inventory);
    if (!blobs)
      return std::move(blobs).error().While("cannot tell what kit '" + kit.ToString() + "' needs");
    needed.insert(blobs->begin(), blobs->end());
  }
  for (const auto& [digest, why] : damaged) {
    if (needed.contains(digest))
      return Error{ErrorKind::kCorrupt, "blob '" + digest.ToString() + "' is damaged: " + why,
                   "plumb fsck"};
  }
  return needed;
}

// What a gc would do now, if nobody else was at work.
Status Collector::Foresee(Found& found) {
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
  }
  for (const ObjectId& object : mark.unneeded_objects)
    inventory.objects.erase(object);
  for (auto* const kits : {&inventory.kits, &inventory.unneeded_kits})
    std::erase_if(*kits, [&](const Kit& kit) { return !found.Keeps(kit); });
  PLUMB_TRY(auto uses, JudgePacks(inventory));
  const Sorted sorted = Sort(std::move(uses));
  for (const PackUse& use : sorted.good)
    report_.bytes_kept += use.size;
  for (const PackUse& use : sorted.dead)
    report_.bytes_freed += use.size;
  for (const PackUse& use : sorted.sparse) {
    report_.bytes_freed += std::min(use.size, use.dead_size);
    report_.bytes_kept += use.size - std::min(use.size, use.dead_size);
  }
  report_.packs = sorted.dead.size() + sorted.sparse.size();
  std::vector<PackName> strange = mark.strange_packs;
  for (const PackRecord& pack : inventory.packs)
    if (pack.unneeded_since != 0 && !spared_.contains(pack.name)) strange.push_back(pack.name);
  for (const PackName& pack : strange) {
    PLUMB_TRY(const std::uint64_t size, SizeOf(pack));
    report_.bytes_freed += size;
    ++report_.packs;
  }
  return Done{};
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

// Whether every blob that the catalog has can be found again in packs.
bool HasAllRecords(const Inventory& inventory, const std::vector<PackUse>& uses) {
  std::unordered_set<ObjectId, HashOfHash> missing = inventory.records;
  for (const PackUse& use : uses)
    for (const PackFrame& frame : use.live)
      if (frame.type != FrameType::kObject) missing.erase(frame.id);
  return missing.empty();
}

void Collector::WarnOfDamage(const PackName& pack) {
  progress_.Warn("pack '" + pack.ToString() + "' is damaged and was left alone: plumb fsck");
}

// Of those that sessions named. What is torn or missing is left to fsck.
Result<std::vector<PackUse>> Collector::JudgePacks(const Inventory& inventory) {
  const FrameJudge judge(inventory);
  std::set<PackName> with_objects;
  for (const auto& [id, place] : inventory.objects)
    with_objects.insert(place.pack);
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
      uses.push_back(*std::move(use));
    } else if (is_damaged && !with_objects.contains(record.name)) {
      PLUMB_TRY(const std::uint64_t size, SizeOf(record.name));
      unreadable.push_back({record, size, 0, size});
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
    PLUMB_TRY(const std::uint64_t size, SizeOf(record.name));
    litter.push_back({record, size, 0, size});
  }
  PLUMB_RETURN_IF_ERROR(TakeAway(litter));
  PLUMB_TRY(auto uses, JudgePacks(inventory));
  Sorted sorted = Sort(std::move(uses));
  for (const PackUse& use : sorted.good)
    report_.bytes_kept += use.size;
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
  for (const PackUse& use : packs) {
    const bool is_gone = std::ranges::find(forgotten, use.record.name) != forgotten.end();
    (is_gone ? report_.bytes_freed : report_.bytes_kept) += use.size;
  }
  return Done{};
}

// The smallest copies first: where there is little room, each makes some for the next.
Status Collector::Compact(std::vector<PackUse> packs) {
  std::ranges::stable_sort(packs, {}, &PackUse::live_size);
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
    report_.bytes_kept += use.size;
    progress_.Warn("pack '" + use.record.name.ToString() +
                   "' is damaged and was left alone: plumb fsck --full");
  }
  report_.bytes_kept += merger.size();
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
    PLUMB_TRY(const FrameContent content, ReadFrame(*pack, frame, stored));
    PLUMB_TRY(const ObjectPlace target, merger.Append(content));
    if (frame.type != FrameType::kObject) continue;
    ObjectPlace source = target;
    source.pack = use.record.name;
    source.offset = frame.PayloadAt();
    merger.Move({frame.id, source, target});
  }
  return Done{};
}

Result<std::uint64_t> Collector::SizeOf(const PackName& name) {
  auto pack = parts_.packs->Open(name);
  if (!pack && pack.error().kind == ErrorKind::kNotFound) return std::uint64_t{0};
  PLUMB_TRY(const auto opened, std::move(pack));
  return opened->Size();
}

}  // namespace plumb::store
