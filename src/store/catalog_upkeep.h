// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_CATALOG_UPKEEP_H_
#define PLUMB_STORE_CATALOG_UPKEEP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/files.h"
#include "store/catalog.h"

// What gc, fsck and du need of a catalog besides what sessions and readers need
// (docs/format.md, "Leases" and "Sweep").
namespace plumb::store {

// A count of the marks that were ever made. A lease holds the one of its beginning; what was
// marked unneeded at an epoch is so for every lease of that epoch and later ones.
using Epoch = std::uint64_t;

struct PackRecord {
  PackName name;
  Epoch unneeded_since = 0;  // 0: a session named it

  friend bool operator==(const PackRecord&, const PackRecord&) = default;
};

struct KitState {
  Kit kit;
  Epoch unneeded_since = 0;  // 0: it is needed
};

// When which ref moved; the message and the places are not needed here.
struct MoveTime {
  RefName name;
  std::int64_t moved_ns = 0;
  std::optional<Digest> previous = {};

  friend auto operator<=>(const MoveTime&, const MoveTime&) = default;
};

// Of which blob a record of files is; it goes with that blob.
struct FilesRow {
  Digest subject;
  ObjectId id;
};

// Where a ref was before it moved, and where it is since.
struct MoveRow {
  RefName name;
  std::optional<Digest> previous;
  std::optional<Digest> manifest;
  std::string message;
  std::int64_t moved_ns = 0;

  friend bool operator==(const MoveRow&, const MoveRow&) = default;
};

// That a named domain sees something (docs/format.md, "Domains"). Of the device there are only kits
// among them, which a named domain has too.
enum class HoldingKind : std::uint8_t { kObject = 1, kBlob = 2, kKit = 3 };
struct HoldingKey {
  Domain domain = Domain::Device();
  HoldingKind kind = HoldingKind::kObject;
  std::array<std::byte, 32> name = {};

  friend auto operator<=>(const HoldingKey&, const HoldingKey&) = default;
};
struct Holding {
  HoldingKey key;
  std::uint64_t stored = 0;   // what the domain's session wrote for it; of a kit 0
  std::int64_t added_ns = 0;  // of a kit: when it came there
  Epoch unneeded_since = 0;   // 0: it is needed there
};
struct HeldKit {
  Domain domain;
  Kit kit;

  friend auto operator<=>(const HeldKit&, const HeldKit&) = default;
};

// Takes the rows of a catalog; what is not set is passed over. Must not call the catalog.
struct CatalogVisitor {
  std::function<Status(const BlobRecord&)> on_blob = {};
  std::function<Status(const ObjectRecord&)> on_object = {};
  std::function<Status(const PackRecord&)> on_pack = {};
  std::function<Status(const KitState&)> on_kit = {};  // oldest first
  std::function<Status(const MoveTime&)> on_move = {};
  std::function<Status(const FilesRow&)> on_files = {};
  std::function<Status(const MoveRow&)> on_move_row = {};  // oldest first
  std::function<Status(const Holding&)> on_holding = {};
};

// What a gc found.
struct MarkRequest {
  // Sorted. With another kit in the catalog, or one that came anew, all of this is out of date.
  std::vector<Kit> known_kits = {};
  std::vector<Digest> expired_kits = {};  // without tags; nobody needs them
  std::vector<Digest> needed_kits = {};   // that are marked as unneeded
  std::vector<Digest> unneeded_blobs = {};
  std::vector<Digest> needed_blobs = {};  // that are marked as unneeded
  std::vector<ObjectId> unneeded_objects = {};
  std::vector<ObjectId> needed_objects = {};
  std::vector<PackName> strange_packs = {};  // that are there, and that nobody named
  // The same of what named domains see: all their kits, sorted; what they do not need; and what
  // they do and is marked as unneeded.
  std::vector<HeldKit> known_held = {};
  std::vector<HoldingKey> unneeded_holdings = {};
  std::vector<HoldingKey> needed_holdings = {};
  // Older moves go, but the last of these of each ref: it tells what the next one left.
  std::int64_t moves_before_ns = 0;
};

struct MovedObject {
  ObjectId id;
  ObjectPlace source;
  ObjectPlace target;
};

// Noted if it is still so: somebody may have written the blob again meanwhile.
struct DamagedBlob {
  Digest digest;
  std::vector<ObjectId> objects = {};  // at least one of these is damaged or missing; or, if empty,
  ObjectId bytes_hash = {};            // it is the row, of whose bytes this is the BLAKE3
};

// Applied in the order of the members.
struct UpkeepChange {
  std::vector<PackName> new_packs = {};
  std::vector<MovedObject> moved = {};  // those that are where they were
  // Rows that are unneeded since this epoch or an earlier one go; 0: none does.
  Epoch collect_up_to = 0;
  // Sorted: the kits that are needed, as the mark left them. If there is another by now, what it
  // is based on may be about to go: kConflict.
  std::vector<Digest> kept_kits = {};
  std::vector<HoldingKey> kept_held = {};  // the same of kits in named domains
  // Go, if they are as they are here and no object is in them.
  std::vector<PackRecord> unneeded_packs = {};
  // What a check found; the sound ones were called damaged before.
  std::vector<ObjectRecord> damaged_objects = {};  // if they are where they were
  std::vector<DamagedBlob> damaged_blobs = {};
  std::vector<ObjectId> sound_objects = {};
  std::vector<Digest> sound_blobs = {};
};

// Promises, checked by tests/conformance/catalog_upkeep_suite.h on every implementation:
//   - Mark and Apply are all or nothing, and durable on return.
//   - What was marked unneeded and is needed by a later Catalog::Apply stays.
// Threads: any number at once, of any number of processes.
class CatalogUpkeep {
 public:
  virtual ~CatalogUpkeep() = default;

  virtual Result<Epoch> CurrentEpoch() = 0;

  // All rows, as of one moment.
  virtual Status Visit(const CatalogVisitor& visitor) = 0;

  // Begins the next epoch, which is returned. kConflict: a kit was added, or an expired one was
  // tagged, meanwhile: nothing was changed, look again.
  virtual Result<Epoch> Mark(const MarkRequest& request) = 0;

  // Returns which of `unneeded_packs` went. kConflict: see `kept_kits`; nothing was changed.
  virtual Result<std::vector<PackName>> Apply(const UpkeepChange& change) = 0;

  // What is wrong with the catalog itself; nothing if it is whole. kCorrupt if it is so wrong that
  // nobody can tell.
  virtual Result<std::vector<std::string>> FindProblems() = 0;
};

class KeptCatalog : public Catalog, public ObjectStarts, public FilesCatalog, public CatalogUpkeep {
 public:
  using Catalog::Apply;
  using CatalogUpkeep::Apply;
};

// SQLite in the file `name` of `directory`, which is made if it is missing, unless `may_make`
// fails: that is asked before an empty catalog is called one. Who writes holds a lock on
// `lock_file`. Both must outlive it.
Result<std::unique_ptr<KeptCatalog>> OpenSqliteCatalog(
    host::Directory& directory, const std::string& name, host::File& lock_file,
    const std::function<Status()>& may_make = [] { return Status(Done{}); });

}  // namespace plumb::store

#endif  // PLUMB_STORE_CATALOG_UPKEEP_H_
