// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <utility>

#include "store/inventory_internal.h"
#include "store/records_internal.h"

namespace plumb::store {
namespace {

// More than any kit has that can be unpacked (kit/ allows 10): deeper ones are not looked for.
constexpr std::size_t kBasesMax = 64;

// The objects that a blob is made of, each once.
Result<std::vector<ObjectId>> ObjectsOf(const BlobRecord& blob) {
  std::vector<ObjectId> objects;
  // The catalog is not believed: another recipe would let go what this blob needs.
  const ByteSpan bytes = AsBytes(blob.bytes);
  if (blob.form == BlobForm::kWhole) {
    if (Sha256(bytes) == blob.digest) return objects;
    return Error{ErrorKind::kCorrupt, "its bytes are others"};
  }
  if (Blake3(bytes) != blob.id) return Error{ErrorKind::kCorrupt, "its recipe is another"};
  PLUMB_TRY(const Recipe recipe, Recipe::Parse(blob.bytes));
  if (recipe.digest != blob.digest || recipe.size != blob.size)
    return Error{ErrorKind::kCorrupt, "its recipe is of another blob"};
  for (const Segment& segment : recipe.segments)
    if (segment.kind == SegmentKind::kObject) objects.push_back(segment.object);
  std::ranges::sort(objects);
  objects.erase(std::unique(objects.begin(), objects.end()), objects.end());
  return objects;
}

Error MissingBlob(const Digest& blob, const Digest& kit) {
  return Error{ErrorKind::kCorrupt,
               "blob '" + blob.ToString() + "', which kit '" + kit.ToString() +
                   "' needs, is not in the store",
               "plumb fsck"};
}

void AddHolding(Inventory& inventory, const Holding& holding) {
  const HeldThing thing = {holding.stored, holding.unneeded_since};
  const Digest digest = {holding.key.name};
  const Kit kit = {digest, holding.added_ns};
  if (holding.key.domain.IsDevice()) {
    inventory.device_kits.push_back(kit);
    return;
  }
  DomainInventory& seen = inventory.domains[holding.key.domain];
  switch (holding.key.kind) {
    case HoldingKind::kObject:
      seen.objects.emplace(ObjectId{holding.key.name}, thing);
      break;
    case HoldingKind::kBlob:
      seen.blobs.emplace(digest, thing);
      break;
    case HoldingKind::kKit:
      (holding.unneeded_since == 0 ? seen.kits : seen.unneeded_kits).push_back(kit);
      break;
  }
}

}  // namespace

Result<Inventory> TakeInventory(KeptCatalog& catalog, DamagedBlobs* damaged) {
  Inventory inventory;
  PLUMB_TRY(inventory.refs, catalog.ListRefs(Domain::Device()));
  for (const Ref& ref : inventory.refs)
    inventory.tagged.emplace(ref.name.repository, ref.manifest);
  CatalogVisitor visitor;
  visitor.on_blob = [&](const BlobRecord& blob) -> Status {
    BlobEntry entry = {blob.size,
                       blob.form,
                       blob.id,
                       blob.bytes.size(),
                       blob.standing,
                       Blake3(AsBytes(blob.bytes)),
                       {}};
    auto objects = ObjectsOf(blob);
    if (objects) {
      entry.objects = *std::move(objects);
    } else if (damaged != nullptr) {
      damaged->emplace_back(blob.digest, objects.error().message);
    } else {
      return std::move(objects).error().While("blob '" + blob.digest.ToString() + "' is damaged");
    }
    inventory.records.insert(blob.id);
    inventory.blobs.emplace(blob.digest, std::move(entry));
    return Done{};
  };
  visitor.on_object = [&](const ObjectRecord& object) -> Status {
    inventory.objects.emplace(object.id, object.place);
    return Done{};
  };
  visitor.on_kit = [&](const KitState& state) -> Status {
    (state.unneeded_since == 0 ? inventory.kits : inventory.unneeded_kits).push_back(state.kit);
    inventory.kit_names.insert(state.kit.manifest);
    return Done{};
  };
  visitor.on_pack = [&](const PackRecord& pack) -> Status {
    inventory.packs.push_back(pack);
    return Done{};
  };
  visitor.on_files = [&](const FilesRow& row) -> Status {
    inventory.records.insert(row.id);
    inventory.files.emplace(row.subject, row.id);
    return Done{};
  };
  visitor.on_move = [&](const MoveTime& move) -> Status {
    if (move.previous) {
      for (std::int64_t* const last :
           {&inventory.untagged_ns[*move.previous],
            &inventory.left_ns[std::pair(move.name.repository, *move.previous)]})
        *last = std::max(*last, move.moved_ns);
    }
    inventory.moves.insert({move.name, move.moved_ns});
    return Done{};
  };
  visitor.on_holding = [&](const Holding& holding) -> Status {
    AddHolding(inventory, holding);
    return Done{};
  };
  PLUMB_RETURN_IF_ERROR(catalog.Visit(visitor));
  std::ranges::sort(inventory.packs, {}, &PackRecord::name);
  for (auto& [domain, seen] : inventory.domains)
    for (auto* const kits : {&seen.kits, &seen.unneeded_kits})
      std::ranges::sort(*kits, {},
                        [](const Kit& kit) { return std::pair(kit.added_ns, kit.manifest); });
  return inventory;
}

const Kit* DomainInventory::FindKit(const Digest& manifest) const {
  for (const auto* const in : {&kits, &unneeded_kits}) {
    const auto found = std::ranges::find(*in, manifest, &Kit::manifest);
    if (found != in->end()) return &*found;
  }
  return nullptr;
}

Inventory SeenBy(const Domain& domain, const Inventory& inventory) {
  Inventory seen;
  const auto found = inventory.domains.find(domain);
  if (found == inventory.domains.end()) return seen;
  seen.kits = found->second.kits;
  for (const Kit& kit : seen.kits)
    seen.kit_names.insert(kit.manifest);
  for (const auto& [digest, held] : found->second.blobs) {
    const auto blob = inventory.blobs.find(digest);
    if (blob == inventory.blobs.end()) continue;
    BlobEntry& entry = seen.blobs.emplace(digest, blob->second).first->second;
    entry.stored_size = held.stored;
    // Somebody else may have cut it.
    for (const ObjectId& id : entry.objects)
      if (const auto object = inventory.objects.find(id); object != inventory.objects.end())
        seen.objects.emplace(id, object->second);
  }
  for (const auto& [id, held] : found->second.objects) {
    const auto object = inventory.objects.find(id);
    if (object == inventory.objects.end()) continue;
    ObjectPlace& place = seen.objects.emplace(id, object->second).first->second;
    place.stored_size = held.stored;
    place.blocks_size = 0;
  }
  return seen;
}

Result<const KitNeeds*> NeedsCache::NeedsOf(const Digest& manifest) {
  const auto found = known_.find(manifest);
  if (found != known_.end()) return &found->second;
  PLUMB_TRY(KitNeeds needs, find_needs_(store_, manifest));
  return &known_.emplace(manifest, std::move(needs)).first->second;
}

Result<std::set<Digest>> NeedsCache::BasesOf(const Digest& manifest, const Inventory& inventory) {
  std::set<Digest> bases;
  std::vector<Digest> left = {manifest};
  while (!left.empty() && bases.size() < kBasesMax) {
    const Digest kit = left.back();
    left.pop_back();
    auto needs = NeedsOf(kit);
    // What a kit calls its base may be any blob, and then needs nothing; but a kit that is here
    // must be readable.
    if (!needs && needs.error().kind == ErrorKind::kCorrupt && !inventory.HasKit(kit)) continue;
    if (!needs) return std::move(needs).error();
    for (const Digest& base : (*needs)->bases) {
      // A kit may be here without its base.
      if (!inventory.blobs.contains(base) || base == manifest) continue;
      if (bases.insert(base).second) left.push_back(base);
    }
  }
  return bases;
}

Result<std::set<Digest>> NeedsCache::BlobsOf(const Digest& manifest, const Inventory& inventory) {
  PLUMB_TRY(const std::set<Digest> bases, BasesOf(manifest, inventory));
  std::set<Digest> blobs = bases;
  for (const Digest& base : bases) {
    const auto needs = NeedsOf(base);
    if (!needs && inventory.HasKit(base)) return needs.error();
    if (!needs) continue;
    // Of a base that nobody added as a kit there may be a part: a build needs no more.
    for (const Digest& blob : (*needs)->blobs)
      if (inventory.blobs.contains(blob)) blobs.insert(blob);
  }
  if (!inventory.blobs.contains(manifest)) return MissingBlob(manifest, manifest);
  blobs.insert(manifest);
  PLUMB_TRY(const KitNeeds* const needs, NeedsOf(manifest));
  for (const Digest& blob : needs->blobs) {
    if (!inventory.blobs.contains(blob)) return MissingBlob(blob, manifest);
    blobs.insert(blob);
  }
  return blobs;
}

FrameJudge::FrameJudge(const Inventory& inventory) : inventory_(inventory) {
  for (const auto* const kits : {&inventory.kits, &inventory.unneeded_kits, &inventory.device_kits})
    for (const Kit& kit : *kits)
      kits_.emplace(kit.manifest, kit.added_ns);
  for (const auto& [id, place] : inventory.objects) {
    ++objects_in_[place.pack];
    if (place.adopted) ++objects_in_[*place.adopted];
  }
}

Result<PackUse> FrameJudge::Judge(PackReader& pack, const PackRecord& record) const {
  PackUse use;
  use.record = record;
  if (pack.kind() == PackKind::kAdopted) {
    use.kind = PackKind::kAdopted;
    PLUMB_TRY(use.size, pack.Size());
    PLUMB_TRY(use.is_shared, pack.IsShared());
    (objects_in_.contains(record.name) ? use.live_size : use.dead_size) = use.size;
    return use;
  }
  PLUMB_TRY(const PackIndex index, ReadPackIndex(pack, record.name));
  use.size = index.size;
  use.is_torn = index.is_torn;
  std::uint64_t live_objects = 0;
  std::vector<PackFrame> blocks;  // of which the tree did not come yet
  const auto end_blocks = [&](std::size_t live) {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const bool is_live = i + live >= blocks.size();
      (is_live ? use.live_size : use.dead_size) += blocks[i].SizeInPack();
      if (is_live) use.live.push_back(blocks[i]);
    }
    blocks.clear();
  };
  for (const PackFrame& frame : index.frames) {
    if (frame.type == FrameType::kBlock) {
      blocks.push_back(frame);
      continue;
    }
    PLUMB_TRY(const bool is_live, IsLive(pack, frame, use));
    end_blocks(is_live && frame.type == FrameType::kTree ? BlocksBefore(frame.id) : 0);
    (is_live ? use.live_size : use.dead_size) += frame.SizeInPack();
    if (is_live) use.live.push_back(frame);
    if (is_live && IsOfObject(frame.type)) ++live_objects;
  }
  end_blocks(0);
  const auto known = objects_in_.find(record.name);
  use.lacks_objects = known != objects_in_.end() && known->second != live_objects;
  return use;
}

// How many the tree of that object has in its own pack.
std::size_t FrameJudge::BlocksBefore(const ObjectId& id) const {
  const ObjectPlace& place = inventory_.objects.at(id);
  return place.adopted ? 0 : static_cast<std::size_t>(BlockCount(place.raw_size));
}

Result<bool> FrameJudge::IsLive(PackReader& pack, const PackFrame& frame, PackUse& use) const {
  switch (frame.type) {
    case FrameType::kObject:
    case FrameType::kAlignedObject:
    case FrameType::kTree: {
      const auto found = inventory_.objects.find(frame.id);
      return found != inventory_.objects.end() && found->second.pack == use.record.name &&
             found->second.offset == frame.PayloadAt();
    }
    case FrameType::kRecipe:
    case FrameType::kBlob:
    case FrameType::kFiles:
      return inventory_.records.contains(frame.id);
    case FrameType::kKit:
    case FrameType::kRefMove:
    case FrameType::kHeld:
      break;
    default:
      return true;  // of a newer Plumb
  }
  if (frame.stored_size > kRecordSizeMax) return true;
  std::vector<std::byte> bytes;
  const auto content = ReadFrame(pack, frame, bytes);
  // The catalog has what it said, which is written anew elsewhere (record_keeper.cc).
  if (!content && content.error().kind == ErrorKind::kCorrupt) {
    use.is_torn = true;
    return false;
  }
  if (!content) return content.error();
  return IsLiveRecord(frame.type, content->stored);
}

// What is no record of ours is of a newer Plumb.
bool FrameJudge::IsLiveRecord(FrameType type, ByteSpan record) const {
  if (type == FrameType::kHeld) return IsLiveHeld(record);
  if (type == FrameType::kRefMove) {
    const auto move = ParseMoveRecord(record);
    return !move || inventory_.moves.contains({move->name, move->time_ns});
  }
  const auto kit = ParseKitRecord(record);
  if (!kit) return true;
  // That a kit went is said by its absence: what else it was made of goes with it.
  return kit->action == KitAction::kAdded && kits_.contains({kit->manifest, kit->time_ns});
}

bool FrameJudge::IsLiveHeld(ByteSpan record) const {
  const auto event = ParseHeldRecord(record);
  if (!event) return true;
  const auto found = inventory_.domains.find(event->domain);
  const DomainInventory* const seen = found != inventory_.domains.end() ? &found->second : nullptr;
  if (event->action == HeldAction::kBlob)
    return seen != nullptr && seen->blobs.contains(event->digest);
  const Kit* const kit = seen != nullptr ? seen->FindKit(event->digest) : nullptr;
  if (event->action == HeldAction::kKitAdded)
    return kit != nullptr && kit->added_ns == event->time_ns;
  // What else it was made of does not go while another has it.
  return kit == nullptr && inventory_.HasKit(event->digest);
}

}  // namespace plumb::store
