// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_INVENTORY_INTERNAL_H_
#define PLUMB_STORE_INVENTORY_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "store/catalog_upkeep.h"
#include "store/pack_index_internal.h"
#include "store/recipe_internal.h"
#include "store/tree_internal.h"
#include "store/upkeep.h"

// What is in a store and what needs what, in memory: about 100 bytes an object. gc, fsck
// and du begin with it.
namespace plumb::store {

// Hashes are random already.
struct HashOfHash {
  template <typename Hash>
  std::size_t operator()(const Hash& hash) const {
    std::size_t value = 0;
    std::memcpy(&value, hash.bytes.data(), sizeof value);
    return value;
  }
};

struct BlobEntry {
  std::uint64_t size = 0;
  BlobForm form = BlobForm::kWhole;
  ObjectId id;
  std::uint64_t stored_size = 0;  // of its recipe, or of itself
  Standing standing = Standing::kGood;
  ObjectId bytes_hash;            // BLAKE3 of what the catalog has of it
  std::vector<ObjectId> objects;  // of its recipe, each once
};

// What a named domain sees.
struct HeldThing {
  std::uint64_t stored = 0;  // what its session wrote for it
  Epoch unneeded_since = 0;
};
struct DomainInventory {
  std::vector<Kit> kits;           // oldest first
  std::vector<Kit> unneeded_kits;  // that go with this gc or a later one
  std::unordered_map<Digest, HeldThing, HashOfHash> blobs;
  std::unordered_map<ObjectId, HeldThing, HashOfHash> objects;

  const Kit* FindKit(const Digest& manifest) const;
};

struct Inventory {
  std::vector<Kit> kits;                             // oldest first
  std::vector<Kit> unneeded_kits;                    // that go with this gc or a later one
  std::unordered_set<Digest, HashOfHash> kit_names;  // of both
  std::vector<Ref> refs;
  std::set<std::pair<std::string, Digest>> tagged;  // repositories, and kits that their refs name
  std::unordered_map<Digest, BlobEntry, HashOfHash> blobs;
  std::unordered_map<ObjectId, ObjectPlace, HashOfHash> objects;
  // Of blobs: they themselves, or their recipes; and what is recorded of files.
  std::unordered_set<ObjectId, HashOfHash> records;
  std::unordered_multimap<Digest, ObjectId, HashOfHash> files;  // those records, by their blobs
  std::vector<PackRecord> packs;                                // sorted by name
  std::set<MoveTime> moves;                                     // without what was there before
  // When a kit lost a tag for the last time, if that is known.
  std::map<Digest, std::int64_t> untagged_ns;
  // The same by the repository that the tag was of.
  std::map<std::pair<std::string, Digest>, std::int64_t> left_ns;
  std::map<Domain, DomainInventory> domains;  // named ones
  std::vector<Kit> device_kits;               // that the device has beside a named one

  bool HasKit(const Digest& manifest) const { return kit_names.contains(manifest); }
};

// kCorrupt if a recipe cannot be read: what it needs is not known then. With `damaged` such blobs
// are noted there instead, with the reason, and have no objects.
using DamagedBlobs = std::vector<std::pair<Digest, std::string>>;
Result<Inventory> TakeInventory(KeptCatalog& catalog, DamagedBlobs* damaged = nullptr);

// What a named domain sees, as if that was all.
Inventory SeenBy(const Domain& domain, const Inventory& inventory);

// What kits need, asked once for each.
class NeedsCache {
 public:
  NeedsCache(const FindNeeds& find_needs, Store& store) : find_needs_(find_needs), store_(store) {}

  // Of the kit and of all its bases that are in `inventory`: their manifests and blobs. kCorrupt
  // if one of the kit's own is not there, or a manifest cannot be read.
  Result<std::set<Digest>> BlobsOf(const Digest& manifest, const Inventory& inventory);
  // Of the kit alone, whether they are there or not. kCorrupt if its manifest cannot be read.
  Result<const KitNeeds*> NeedsOf(const Digest& manifest);
  // The bases, direct and indirect, that are there.
  Result<std::set<Digest>> BasesOf(const Digest& manifest, const Inventory& inventory);

 private:
  const FindNeeds& find_needs_;
  Store& store_;
  std::unordered_map<Digest, KitNeeds, HashOfHash> known_;
};

// How much of a pack somebody needs.
struct PackUse {
  PackRecord record = {};
  std::uint64_t size = 0;
  std::uint64_t live_size = 0;  // of frames that are needed, with their headers
  std::uint64_t dead_size = 0;  // of the others
  bool is_torn = false;         // or holds what became of a kit or a ref, and nobody can read that
  bool lacks_objects = false;   // the catalog names some in it that are none of its frames
  bool is_shared = false;       // somebody else has the same file: to remove it frees nothing
  // An adopted file is needed whole if any object lies in it, and has no frames to be copied.
  PackKind kind = PackKind::kFrames;
  std::vector<PackFrame> live = {};
};

// Tells which frames of packs are needed by what the inventory holds.
class FrameJudge {
 public:
  explicit FrameJudge(const Inventory& inventory);

  Result<PackUse> Judge(PackReader& pack, const PackRecord& record) const;

 private:
  std::size_t BlocksBefore(const ObjectId& id) const;
  // `use` is that of the pack as far as it is known.
  Result<bool> IsLive(PackReader& pack, const PackFrame& frame, PackUse& use) const;
  bool IsLiveRecord(FrameType type, ByteSpan record) const;
  bool IsLiveHeld(ByteSpan record) const;

  const Inventory& inventory_;
  std::set<std::pair<Digest, std::int64_t>> kits_;  // with when they came
  std::map<PackName, std::uint64_t> objects_in_;    // how many, by the catalog
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_INVENTORY_INTERNAL_H_
