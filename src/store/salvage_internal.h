// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_SALVAGE_INTERNAL_H_
#define PLUMB_STORE_SALVAGE_INTERNAL_H_

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "store/catalog.h"
#include "store/inventory_internal.h"
#include "store/pack_index_internal.h"
#include "store/pack_store.h"
#include "store/records_internal.h"
#include "store/upkeep.h"

// What packs tell without a catalog: docs/format.md, "Making the catalog again".
namespace plumb::store {

// Whose word counts first, of several that have the same object or blob.
enum class Source : std::uint8_t { kWholePack, kTornPack, kAdoptedFile };

struct FoundObject {
  ObjectPlace place;
  Source source = Source::kWholePack;
};

// A frame that holds a blob, or its recipe.
struct FoundBlob {
  PackName pack;
  PackFrame frame;
  Source source = Source::kWholePack;
};

// The frame's id tells the same record in two packs.
template <typename Event>
struct FoundEvent {
  ObjectId id;
  Event event;
};

// What one pack tells, in order of its frames.
struct PackFindings {
  PackName pack;
  bool is_read = false;  // else it could not be
  std::vector<std::pair<ObjectId, FoundObject>> objects;
  std::vector<std::pair<Digest, FoundBlob>> blobs;
  std::vector<FoundEvent<KitEvent>> kits;
  std::vector<FoundEvent<MoveEvent>> moves;
  std::vector<FoundEvent<HeldEvent>> held;
  std::vector<FilesRecord> files;
  std::vector<Damage> damages;
  std::uint64_t records_lost = 0;  // as RebuildReport
  std::uint64_t bytes_read = 0;
};

// Reads and hashes one pack. What is damaged is among the findings, and nothing else is said of
// it. kUnsupported if it was written by a newer Plumb. Threads: one at a time, several on
// different packs.
class PackSalvager {
 public:
  PackSalvager(PackStore& packs, Progress& progress, ProgressTask& task)
      : packs_(packs), progress_(progress), task_(task) {}

  Result<PackFindings> Read(const PackName& name);

 private:
  Status TakeFrame(const PackFrame& frame);
  Status TakeObject(const PackFrame& frame);
  Status TakeTree(const PackFrame& frame);
  Status TakeFiles(const PackFrame& frame);
  Status TakeBlob(const PackFrame& frame);
  Status TakeEvent(const PackFrame& frame);
  Status TakeAdopted();
  Status TakePiece(std::uint64_t offset, std::size_t size);
  // A record, whole; kCorrupt if it is damaged or longer than `size_max`.
  Result<ByteSpan> ReadRecord(const PackFrame& frame, std::uint64_t size_max);
  void Blame(const PackFrame& frame, const std::string& why);

  PackStore& packs_;
  Progress& progress_;
  ProgressTask& task_;
  std::unique_ptr<PackReader> pack_;
  Source source_ = Source::kWholePack;
  PackFindings found_;
  std::vector<std::byte> buffer_;
};

// What all packs tell.
struct Salvage {
  std::vector<PackName> packs;  // that tell something
  std::unordered_map<ObjectId, FoundObject, HashOfHash> objects;
  std::unordered_map<Digest, std::vector<FoundBlob>, HashOfHash> blobs;  // the best first
  std::vector<KitEvent> kits;
  std::vector<MoveEvent> moves;
  std::vector<HeldEvent> held;
  std::vector<FilesRecord> files;
  std::vector<Damage> damages;
  std::uint64_t records_lost = 0;
  std::uint64_t bytes_read = 0;
  std::vector<PackName> unread_packs;  // of which something was left out
};

// Takes the findings of packs in the order of their names. kExhausted: more events than any store
// of ours has.
class SalvageMerger {
 public:
  Status Add(PackFindings findings);
  Salvage Finish() &&;

 private:
  Salvage salvage_;
  std::unordered_set<ObjectId, HashOfHash> events_;
};

// All packs, several at once; each that tells something is durable then.
Result<Salvage> SalvagePacks(PackStore& packs, host::Directory& directory, unsigned threads,
                             Progress& progress);

}  // namespace plumb::store

#endif  // PLUMB_STORE_SALVAGE_INTERNAL_H_
