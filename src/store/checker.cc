// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <iterator>

#include "base/parallel.h"
#include "store/checker_internal.h"
#include "store/partial_packs_internal.h"

namespace plumb::store {

Result<CheckReport> Checker::Run() {
  const auto task = progress_.Begin("structure", 0);
  const auto problems = catalog_.FindProblems();
  if (!problems && problems.error().kind != ErrorKind::kCorrupt) return problems.error();
  const auto blame_catalog = [&](const std::string& why) {
    report_.is_catalog_damaged = true;
    report_.damages.push_back({"the catalog", why, {}, {}});
  };
  if (problems) {
    for (const std::string& problem : *problems)
      blame_catalog(problem);
  } else {
    blame_catalog(problems.error().message);
  }
  DamagedBlobs damaged;
  auto inventory = TakeInventory(catalog_, &damaged);
  if (!inventory && inventory.error().kind == ErrorKind::kCorrupt) {
    // Nothing can be looked up. Why is said already if SQLite has found it.
    if (report_.damages.empty()) blame_catalog(inventory.error().message);
    return std::move(report_);
  }
  PLUMB_TRY(inventory_, std::move(inventory));
  for (const auto& [digest, why] : damaged)
    BlameBlob(digest, why);
  PLUMB_RETURN_IF_ERROR(CheckPacks());
  CheckBlobs();
  if (request_.depth == Depth::kContent) PLUMB_RETURN_IF_ERROR(CheckContent());
  FillBlobs();
  PLUMB_RETURN_IF_ERROR(CheckKits());
  PLUMB_RETURN_IF_ERROR(Remember());
  PLUMB_RETURN_IF_ERROR(CheckDomains());
  report_.worn_packs = worn_.size();
  report_.kits = inventory_.kits.size();
  report_.blobs = inventory_.blobs.size();
  report_.objects = inventory_.objects.size();
  return std::move(report_);
}

Status Checker::CheckPacks() {
  PLUMB_TRY(unfinished_, PartialPacks(*parts_.directory, 0));
  ObjectsOfPacks objects;
  for (const ObjectEntry& object : inventory_.objects)
    objects[object.second.pack].push_back(&object);
  for (const PackRecord& pack : inventory_.packs) {
    if (progress_.StopRequested()) return Interrupted();
    if (pack.unneeded_since != 0) continue;
    ++report_.packs;
    PLUMB_RETURN_IF_ERROR(CheckPack(pack.name, objects[pack.name]));
    objects.erase(pack.name);
  }
  for (const auto& [name, left] : objects) {
    for (const ObjectEntry* const object : left)
      BlameObject(object->first, "the catalog names no pack '" + name.ToString() + "'");
  }
  return CheckUnnamedPacks();
}

// Of a store of before gc, of somebody at work, or left by somebody who was killed: only what they
// hold of blobs that are here is of interest.
Status Checker::CheckUnnamedPacks() {
  PLUMB_TRY(const auto names, parts_.packs->List());
  for (const PackName& name : names) {
    if (std::ranges::binary_search(inventory_.packs, name, {}, &PackRecord::name)) continue;
    const auto pack = parts_.packs->Open(name);
    if (!pack && pack.error().kind == ErrorKind::kNotFound) continue;
    if (!pack) return pack.error();
    if ((*pack)->kind() == PackKind::kAdopted) continue;
    const auto index = ReadPackIndex(**pack, name);
    if (!index && index.error().kind == ErrorKind::kCorrupt) continue;
    if (!index) return index.error();
    if (!index->is_torn) PLUMB_RETURN_IF_ERROR(CheckRecords(**pack, name, *index));
  }
  return Done{};
}

Status Checker::CheckPack(const PackName& name, const std::vector<const ObjectEntry*>& objects) {
  auto pack = parts_.packs->Open(name);
  if (pack && (*pack)->kind() == PackKind::kAdopted) return CheckAdopted(**pack, name, objects);
  auto index = pack ? ReadPackIndex(**pack, name) : Result<PackIndex>(pack.error());
  if (index) {
    // A gc takes over what can be found from the front, if that is all.
    const bool has_all = std::ranges::all_of(objects, [&](const ObjectEntry* object) {
      const ObjectPlace& place = object->second;
      return place.standing != Standing::kDamaged && index->FrameAt(place.offset) != nullptr;
    });
    // What an unfinished pull has left goes on being written elsewhere, or goes with it.
    if (index->is_torn && !unfinished_.contains(name)) {
      if (has_all) worn_.insert(name);
      const std::string what = index->unread > 0 ? "' has " + std::to_string(index->unread) +
                                                       " bytes that cannot be read: "
                                                 : "' lacks its end: ";
      progress_.Warn(
          "pack '" + name.ToString() + what +
          (has_all ? "'plumb gc' writes anew what is needed of it"
                   : "once what is damaged was built or pulled again, 'plumb gc' does without it"));
    }
    for (const ObjectEntry* const object : objects)
      PLUMB_RETURN_IF_ERROR(CheckPlace(**pack, *index, *object));
    PLUMB_RETURN_IF_ERROR(CheckZeros(**pack, name, *index));
    return CheckRecords(**pack, name, *index);
  }
  const ErrorKind kind = index.error().kind;
  if (kind != ErrorKind::kNotFound && kind != ErrorKind::kCorrupt) return index.error();
  const std::string why = kind == ErrorKind::kNotFound ? "it is missing" : "it is not whole";
  for (const ObjectEntry* const object : objects)
    BlameObject(object->first, "its pack '" + name.ToString() + "': " + why);
  if (!objects.empty()) return Done{};
  worn_.insert(name);
  progress_.Warn("pack '" + name.ToString() + "': " + why + ", and nothing needs it: plumb gc");
  return Done{};
}

Status Checker::CheckAdopted(PackReader& file, const PackName& name,
                             const std::vector<const ObjectEntry*>& objects) {
  adopted_.insert(name);
  PLUMB_TRY(const std::uint64_t size, file.Size());
  for (const ObjectEntry* const object : objects) {
    const auto& [id, place] = *object;
    if (place.encoding != Encoding::kRaw || place.stored_size != place.raw_size) {
      BlameObject(id, "the catalog does not say of it what is so of an adopted file");
    } else if (place.offset > size || place.stored_size > size - place.offset) {
      BlameObject(id, WhyBad(place, "it is not whole"));
    }
  }
  return Done{};
}

Status Checker::CheckPlace(PackReader& pack, const PackIndex& index, const ObjectEntry& object) {
  const auto& [id, place] = object;
  const PackFrame* const frame = index.FrameAt(place.offset);
  const bool has_tree = place.encoding == Encoding::kTree;
  const bool is_such =
      frame != nullptr && (has_tree ? frame->type == FrameType::kTree : IsWholeObject(frame->type));
  if (!is_such || frame->id != id || frame->stored_size != place.stored_size) {
    BlameObject(id, "it is not " + PlaceText(place));
    return Done{};
  }
  const auto header = ReadFrameHeader(pack, *frame);
  // What cannot be read says nothing of its bytes.
  if (!header && header.error().kind != ErrorKind::kCorrupt) return header.error();
  if (header && header->raw_size == (has_tree ? place.stored_size : place.raw_size) &&
      header->encoding == (has_tree ? Encoding::kRaw : place.encoding))
    return has_tree ? CheckTree(pack, index, object) : Done{};
  BlameObject(id, "its header " + PlaceText(place) + " is damaged");
  return Done{};
}

// Whether its blocks are where it says.
Status Checker::CheckTree(PackReader& pack, const PackIndex& index, const ObjectEntry& object) {
  const auto& [id, place] = object;
  const auto tree = ReadTree(pack, id, place);
  if (!tree && tree.error().kind != ErrorKind::kCorrupt) return tree.error();
  if (!tree || tree->PlaceFor(place) != place) {
    BlameObject(id, "its tree " + PlaceText(place) + " is damaged");
    return Done{};
  }
  if (tree->adopted) return CheckAdoptedTree(id, *tree);
  for (const TreeBlock& block : tree->blocks) {
    const PackFrame* const frame = index.FrameAt(block.offset);
    const bool is_there = frame != nullptr && frame->type == FrameType::kBlock &&
                          frame->id.bytes == block.hash.bytes &&
                          frame->stored_size == block.stored_size;
    if (is_there) {
      const auto header = ReadFrameHeader(pack, *frame);
      if (header) continue;
      if (header.error().kind != ErrorKind::kCorrupt) return header.error();
    }
    BlameObject(id, "a block of it is not in pack '" + place.pack.ToString() + "' at byte " +
                        std::to_string(block.offset));
    break;
  }
  return Done{};
}

Status Checker::CheckAdoptedTree(const ObjectId& id, const ObjectTree& tree) {
  adopted_.insert(*tree.adopted);
  const auto file = parts_.packs->Open(*tree.adopted);
  const auto size = file ? (*file)->Size() : Result<std::uint64_t>(file.error());
  if (!size && size.error().kind != ErrorKind::kNotFound) return size.error();
  const TreeBlock& last = tree.blocks.back();
  if (size && last.offset + last.stored_size <= *size) return Done{};
  report_.is_adopted_changed = true;
  BlameObject(id, std::string(kAdoptedFileChanged));
  return Done{};
}

// Notes which blobs could be found without the catalog. In depth, only those that can be read.
Status Checker::CheckRecords(PackReader& pack, const PackName& name, const PackIndex& index) {
  std::vector<std::byte> bytes;
  for (const PackFrame& frame : index.frames) {
    if (IsContent(frame.type)) continue;
    if (request_.depth == Depth::kContent) {
      const auto content = ReadFrame(pack, frame, bytes);
      if (!content && content.error().kind == ErrorKind::kCorrupt) {
        NoteBadRecord(name, frame);
        continue;
      }
      if (!content) return content.error();
      report_.bytes_read += frame.stored_size;
    }
    records_.insert(frame.id);
  }
  return Done{};
}

void Checker::NoteBadRecord(const PackName& name, const PackFrame& frame) {
  // A blob that no other pack holds is called damaged for that.
  if (frame.type == FrameType::kRecipe || frame.type == FrameType::kBlob) return;
  if (frame.type == FrameType::kFiles) {
    progress_.Warn("pack '" + name.ToString() + "' is damaged at byte " +
                   std::to_string(frame.header_at) +
                   ", in a list of files, which a build finds out again");
    return;
  }
  worn_.insert(name);
  progress_.Warn("pack '" + name.ToString() + "' is damaged at byte " +
                 std::to_string(frame.header_at) +
                 ", where it says what the catalog says too: 'plumb gc' writes it anew");
}

Status Checker::CheckZeros(PackReader& pack, const PackName& name, const PackIndex& index) {
  if (request_.depth != Depth::kContent) return Done{};
  std::vector<PackFrame> frames = index.frames;
  const std::uint64_t end =
      frames.empty() ? kPackHeaderSize : frames.back().header_at + frames.back().SizeInPack();
  if (!index.is_torn)
    frames.push_back({FrameType::kFooter, {}, end, index.frames.size() * kFooterEntrySize});
  std::vector<std::byte> zeros;
  for (const PackFrame& frame : frames) {
    const std::uint64_t header_end = frame.header_at + kFrameHeaderSize;
    const std::uint64_t payload_end = frame.PayloadAt() + frame.stored_size;
    const std::uint64_t frame_end = frame.header_at + frame.SizeInPack();
    for (const auto& [from, to] : {std::pair(header_end, frame.PayloadAt()),
                                   std::pair(payload_end, std::min(frame_end, index.size))}) {
      if (from >= to) continue;
      zeros.resize(static_cast<std::size_t>(to - from));
      PLUMB_RETURN_IF_ERROR(pack.ReadAt(from, zeros));
      const auto other = std::ranges::find_if(zeros, [](std::byte b) { return b != std::byte{0}; });
      if (other == zeros.end()) continue;
      progress_.Warn("pack '" + name.ToString() + "' is damaged at byte " +
                     std::to_string(from + static_cast<std::uint64_t>(other - zeros.begin())) +
                     ", between what it holds: that harms nothing");
    }
  }
  return Done{};
}

void Checker::CheckBlobs() {
  for (const auto& [digest, blob] : inventory_.blobs) {
    if (!records_.contains(blob.id))
      BlameBlob(digest, "no pack holds it or its recipe, only the catalog does");
    for (const ObjectId& object : blob.objects)
      if (!inventory_.objects.contains(object)) BlameObject(object, "it is not in the store");
  }
  if (request_.depth == Depth::kContent) return;
  // What an earlier check found in depth is so until one finds otherwise.
  for (const auto& [id, place] : inventory_.objects)
    if (place.standing == Standing::kDamaged)
      BlameObject(id, WhyBad(place, "an earlier check found it damaged " + PlaceText(place)));
  for (const auto& [digest, blob] : inventory_.blobs) {
    const bool by_objects = std::ranges::any_of(
        blob.objects, [&](const ObjectId& object) { return bad_objects_.contains(object); });
    if (blob.standing == Standing::kDamaged && !by_objects)
      BlameBlob(digest, "an earlier check found it damaged");
  }
}

Status Checker::CheckContent() {
  std::vector<Digest> recipes;
  std::uint64_t total = 0;
  for (const auto& [digest, blob] : inventory_.blobs) {
    if (blob.form != BlobForm::kRecipe || bad_blobs_.contains(digest)) continue;
    recipes.push_back(digest);
    total += blob.size;
  }
  std::ranges::sort(recipes);  // so that one run is like the next
  const auto task = progress_.Begin("content", total);
  Status hashed = RunParallel(request_.threads, recipes.size(), [&](std::size_t i) -> Status {
    PLUMB_RETURN_IF_ERROR(HashBlob(recipes[i]));
    task->Advance(inventory_.blobs.at(recipes[i]).size);
    return Done{};
  });
  if (!hashed) return hashed;
  // Those of which no blob is made.
  for (const auto& [id, place] : inventory_.objects) {
    if (read_objects_.contains(id)) continue;
    PLUMB_TRY([[maybe_unused]] const bool is_sound, ReadObject(id, [](ByteSpan) {}));
  }
  return Done{};
}

Status Checker::HashBlob(const Digest& digest) {
  PLUMB_TRY(const auto record, catalog_.FindBlob(Domain::Device(), digest));
  if (!record) return Done{};
  PLUMB_TRY(const Recipe recipe, Recipe::Parse(record->bytes));
  Sha256Hasher hasher;
  bool is_whole = true;
  for (const Segment& segment : recipe.segments) {
    if (segment.kind == SegmentKind::kLiteral) {
      hasher.Add(AsBytes(recipe.literals)
                     .subspan(static_cast<std::size_t>(segment.offset),
                              static_cast<std::size_t>(segment.size)));
      continue;
    }
    // And go on if it is not: every damaged object shall be named.
    PLUMB_TRY(const std::optional<std::uint64_t> got, HashSegment(segment, hasher));
    if (got && *got < segment.size) BlameBlob(digest, "an object is shorter than its recipe says");
    is_whole = is_whole && got == segment.size;
  }
  if (is_whole && hasher.Finish() != digest) BlameBlob(digest, "its bytes are others");
  return Done{};
}

Result<std::optional<std::uint64_t>> Checker::HashSegment(const Segment& segment,
                                                          Sha256Hasher& hasher) {
  std::uint64_t at = 0;
  std::uint64_t left = segment.size;
  PLUMB_TRY(const bool is_sound, ReadObject(segment.object, [&](ByteSpan block) {
              const std::uint64_t end = at + block.size();
              const std::uint64_t begin = std::clamp(segment.offset, at, end);
              const std::uint64_t size = std::min(left, end - begin);
              hasher.Add(block.subspan(static_cast<std::size_t>(begin - at),
                                       static_cast<std::size_t>(size)));
              left -= size;
              at = end;
            }));
  if (!is_sound) return std::optional<std::uint64_t>();
  return std::optional(segment.size - left);
}

Result<bool> Checker::ReadObject(const ObjectId& id, const TakeBlock& take) {
  {
    const std::lock_guard lock(mutex_);
    if (bad_objects_.contains(id)) return false;
  }
  std::uint64_t size = 0;
  Status read = ReadBlocks(id, [&](ByteSpan block) {
    size += block.size();
    take(block);
  });
  if (!read && read.error().kind != ErrorKind::kCorrupt) return std::move(read).error();
  const std::lock_guard lock(mutex_);
  read_objects_.insert(id);
  report_.bytes_read += size;
  if (read) return true;
  const auto found = inventory_.objects.find(id);
  bad_objects_.emplace(
      id, found == inventory_.objects.end()
              ? read.error().message
              : WhyBad(found->second, "its bytes " + PlaceText(found->second) + " are others"));
  return false;
}

Status Checker::ReadBlocks(const ObjectId& id, const TakeBlock& take) {
  PLUMB_TRY(ObjectReader::Object object, objects_.Find(id));
  std::vector<std::byte> block;
  for (std::uint64_t i = 0; i < object.block_count(); ++i) {
    if (progress_.StopRequested()) return Interrupted();
    PLUMB_RETURN_IF_ERROR(objects_.ReadBlock(object, i, block));
    take(block);
  }
  return Done{};
}

std::string Checker::PlaceText(const ObjectPlace& place) {
  return "in pack '" + place.pack.ToString() + "' at byte " + std::to_string(place.offset);
}

std::string Checker::WhyBad(const ObjectPlace& place, const std::string& why) {
  if (!adopted_.contains(place.adopted.value_or(place.pack))) return why;
  report_.is_adopted_changed = true;
  return std::string(kAdoptedFileChanged);
}

void Checker::BlameObject(const ObjectId& id, const std::string& why) {
  const std::lock_guard lock(mutex_);
  bad_objects_.emplace(id, why);
}

void Checker::BlameBlob(const Digest& digest, const std::string& why) {
  const std::lock_guard lock(mutex_);
  bad_blobs_.emplace(digest, why);
}

// A damage for each bad thing, with the blobs that suffer.
void Checker::FillBlobs() {
  std::map<ObjectId, std::vector<Digest>> blobs_of;
  for (const auto& [digest, blob] : inventory_.blobs) {
    for (const ObjectId& object : blob.objects)
      if (bad_objects_.contains(object)) blobs_of[object].push_back(digest);
  }
  for (const auto& [digest, why] : bad_blobs_)
    report_.damages.push_back({"blob '" + digest.ToString() + "'", why, {digest}, {}});
  for (const auto& [id, why] : bad_objects_) {
    std::vector<Digest>& blobs = blobs_of[id];
    std::ranges::sort(blobs);
    report_.damages.push_back({"object '" + id.ToHex() + "'", why, blobs, {}});
  }
}

Status Checker::CheckKits() {
  std::map<Digest, std::vector<Digest>> kits_of;  // of each blob
  std::map<Digest, std::vector<Digest>> missing;  // the same, of those that are not here
  std::vector<Damage> broken;
  for (const Kit& kit : inventory_.kits) {
    if (progress_.StopRequested()) return Interrupted();
    const auto blobs = needs_.BlobsOf(kit.manifest, inventory_);
    if (blobs) {
      for (const Digest& blob : *blobs)
        kits_of[blob].push_back(kit.manifest);
      continue;
    }
    if (blobs.error().kind == ErrorKind::kInterrupted ||
        blobs.error().kind == ErrorKind::kUnavailable)
      return blobs.error();
    std::vector<Digest> needed = {kit.manifest};
    if (const auto needs = needs_.NeedsOf(kit.manifest))
      needed.insert(needed.end(), (*needs)->blobs.begin(), (*needs)->blobs.end());
    bool is_explained = false;
    for (const Digest& blob : needed) {
      const bool is_here = inventory_.blobs.contains(blob);
      (is_here ? kits_of : missing)[blob].push_back(kit.manifest);
      is_explained = is_explained || !is_here;
    }
    if (!is_explained)
      broken.push_back(
          {"kit '" + kit.manifest.ToString() + "'", blobs.error().message, {}, {kit.manifest}});
  }
  for (auto& [blob, kits] : missing)
    broken.push_back(
        {"blob '" + blob.ToString() + "'", "it is not in the store", {blob}, std::move(kits)});
  for (Damage& damage : report_.damages) {
    std::set<Digest> kits;
    for (const Digest& blob : damage.blobs) {
      const auto found = kits_of.find(blob);
      if (found != kits_of.end()) kits.insert(found->second.begin(), found->second.end());
    }
    damage.kits.assign(kits.begin(), kits.end());
  }
  report_.damages.insert(report_.damages.end(), broken.begin(), broken.end());
  return Done{};
}

// What is not there at all was named before.
Status Checker::CheckDomains() {
  for (const auto& [domain, seen] : inventory_.domains) {
    for (const Kit& kit : seen.kits) {
      if (progress_.StopRequested()) return Interrupted();
      const auto needs = needs_.NeedsOf(kit.manifest);
      if (!needs && needs.error().kind != ErrorKind::kCorrupt) return needs.error();
      std::vector<Digest> blobs = {kit.manifest};
      if (needs) blobs.insert(blobs.end(), (*needs)->blobs.begin(), (*needs)->blobs.end());
      for (const Digest& blob : blobs) {
        if (seen.blobs.contains(blob) || !inventory_.blobs.contains(blob)) continue;
        report_.damages.push_back(
            {"blob '" + blob.ToString() + "'",
             "domain '" + domain.name() + "' has its kit, and does not see it",
             {blob},
             {kit.manifest}});
      }
    }
  }
  return Done{};
}

// So that the next session that needs it writes it again.
Status Checker::Remember() {
  UpkeepChange change;
  std::set<Digest> bad_blobs;
  for (const Damage& damage : report_.damages)
    bad_blobs.insert(damage.blobs.begin(), damage.blobs.end());
  for (const auto& [digest, blob] : inventory_.blobs) {
    const bool was_damaged = blob.standing == Standing::kDamaged;
    if (bad_blobs.contains(digest) == was_damaged) continue;
    if (was_damaged) {
      change.sound_blobs.push_back(digest);
    } else {
      change.damaged_blobs.push_back(WhyDamaged(digest, blob));
    }
  }
  for (const auto& [id, place] : inventory_.objects) {
    const bool was_damaged = place.standing == Standing::kDamaged;
    if (bad_objects_.contains(id) == was_damaged) continue;
    if (was_damaged) {
      change.sound_objects.push_back(id);
    } else {
      change.damaged_objects.push_back({id, place});
    }
  }
  if (change.sound_blobs.empty() && change.damaged_blobs.empty() && change.sound_objects.empty() &&
      change.damaged_objects.empty())
    return Done{};
  const auto noted = catalog_.Apply(change);
  // A report is worth more than a note: who has a full disk shall have it.
  if (!noted && noted.error().kind != ErrorKind::kExhausted) return noted.error();
  if (!noted) progress_.Warn("what is damaged cannot be noted: " + noted.error().message);
  return Done{};
}

DamagedBlob Checker::WhyDamaged(const Digest& digest, const BlobEntry& blob) const {
  DamagedBlob damaged = {digest, {}, blob.bytes_hash};
  if (bad_blobs_.contains(digest)) return damaged;
  std::ranges::copy_if(blob.objects, std::back_inserter(damaged.objects),
                       [&](const ObjectId& object) { return bad_objects_.contains(object); });
  return damaged;
}

}  // namespace plumb::store
