// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "store/catalog.h"
#include "store/catalog_upkeep.h"
#include "store/files_record_internal.h"
#include "store/recipe_internal.h"
#include "store/sqlite_internal.h"
#include "store/sqlite_upkeep_internal.h"

namespace plumb::store {
namespace {

constexpr std::uint64_t kLockTimeoutMs = 30'000;
constexpr std::uint64_t kSchemaVersion = 3;
constexpr const char* kVersionAgain = "PRAGMA user_version = 3";
// What the lock file says (docs/format.md, "Catalog").
constexpr std::string_view kUnsettled = "1";
constexpr std::string_view kSettled = "0";

// docs/format.md, "Catalog". Hashes are blobs, names are text, times are ns since 1970.
constexpr const char* kSchema = R"sql(
  CREATE TABLE packs(
    pack INTEGER PRIMARY KEY,
    name BLOB NOT NULL UNIQUE,
    dead INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE objects(
    id BLOB PRIMARY KEY,
    pack INTEGER NOT NULL REFERENCES packs,
    position INTEGER NOT NULL,
    stored_size INTEGER NOT NULL,
    raw_size INTEGER NOT NULL,
    encoding INTEGER NOT NULL,
    dead INTEGER NOT NULL DEFAULT 0,
    damaged INTEGER NOT NULL DEFAULT 0,
    blocks_size INTEGER NOT NULL DEFAULT 0,
    start INTEGER NOT NULL DEFAULT 0,
    adopted INTEGER REFERENCES packs
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX objects_by_start ON objects(start) WHERE start <> 0;
  CREATE TABLE blobs(
    digest BLOB PRIMARY KEY,
    size INTEGER NOT NULL,
    form INTEGER NOT NULL,
    id BLOB NOT NULL,
    bytes BLOB NOT NULL,
    dead INTEGER NOT NULL DEFAULT 0,
    damaged INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE kits(
    manifest BLOB PRIMARY KEY REFERENCES blobs,
    added INTEGER NOT NULL,
    dead INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE refs(
    repository TEXT NOT NULL,
    tag TEXT NOT NULL,
    manifest BLOB NOT NULL REFERENCES kits,
    PRIMARY KEY (repository, tag)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX refs_by_manifest ON refs(manifest);
  CREATE TABLE ref_moves(
    move INTEGER PRIMARY KEY AUTOINCREMENT,
    repository TEXT NOT NULL,
    tag TEXT NOT NULL,
    previous BLOB,
    manifest BLOB,
    message TEXT NOT NULL,
    moved INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE layers(
    key BLOB PRIMARY KEY,
    digest BLOB NOT NULL,
    size INTEGER NOT NULL,
    diff_id BLOB NOT NULL,
    hash BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE upkeep(
    epoch INTEGER NOT NULL
  ) STRICT;
  INSERT INTO upkeep VALUES(0);
  CREATE TABLE files(
    subject BLOB NOT NULL,
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (subject, kind)
  ) STRICT;
  PRAGMA application_id = 1349283170;
  PRAGMA user_version = 3;
)sql";

// From version 1, which knew no gc.
constexpr const char* kUpgradeFrom1 = R"sql(
  ALTER TABLE packs ADD COLUMN dead INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE objects ADD COLUMN dead INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE objects ADD COLUMN damaged INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE blobs ADD COLUMN dead INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE blobs ADD COLUMN damaged INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE kits ADD COLUMN dead INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE upkeep(epoch INTEGER NOT NULL) STRICT;
  INSERT INTO upkeep VALUES(0);
)sql";

// From version 2, which knew no trees, and in which nobody recorded files.
constexpr const char* kUpgradeFrom2 = R"sql(
  ALTER TABLE objects ADD COLUMN blocks_size INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE objects ADD COLUMN start INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE objects ADD COLUMN adopted INTEGER REFERENCES packs;
  CREATE INDEX objects_by_start ON objects(start) WHERE start <> 0;
  CREATE TABLE files(
    subject BLOB NOT NULL,
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (subject, kind)
  ) STRICT;
  PRAGMA user_version = 3;
)sql";

// The BLAKE3 of all that is remembered of a layer: unlike blobs, nothing else tells whether it is
// so.
ObjectId HashOf(const LayerKey& key, const LayerRecord& record) {
  std::string text;
  for (const ByteSpan part :
       {ByteSpan(key.bytes), ByteSpan(record.blob.bytes), ByteSpan(record.diff_id.bytes)})
    text += AsText(part);
  AppendU64(text, record.size);
  return Blake3(AsBytes(text));
}

bool IsEmpty(const CatalogChange& change) {
  return change.packs.empty() && change.objects.empty() && change.blobs.empty() &&
         change.added_kits.empty() && change.moves.empty() && change.removed_kits.empty() &&
         change.layers.empty() && change.files.empty();
}

// Undoes what was not committed.
class Transaction {
 public:
  static Result<std::unique_ptr<Transaction>> Begin(SqliteConnection& connection) {
    PLUMB_RETURN_IF_ERROR(connection.Execute("BEGIN IMMEDIATE"));
    return std::make_unique<Transaction>(connection);
  }
  explicit Transaction(SqliteConnection& connection) : connection_(connection) {}
  ~Transaction() {
    // SQLite may have rolled back by itself; that is no news then.
    if (!is_committed_) [[maybe_unused]]
      const Status undone = connection_.Execute("ROLLBACK");
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Status Commit() {
    PLUMB_RETURN_IF_ERROR(connection_.Execute("COMMIT"));
    is_committed_ = true;
    return Done{};
  }

 private:
  SqliteConnection& connection_;
  bool is_committed_ = false;
};

Result<std::optional<Digest>> FindRefIn(SqliteConnection& connection, const RefName& name) {
  PLUMB_TRY(auto* find,
            connection.Prepare("SELECT manifest FROM refs WHERE repository = ? AND tag = ?"));
  const SqliteReset reset(*find);
  find->Bind(std::string_view(name.repository)).Bind(std::string_view(name.tag));
  PLUMB_TRY(const bool is_there, find->Step());
  std::optional<Digest> manifest;
  if (is_there && !find->CopyBlob(0, manifest.emplace().bytes)) return DamagedTable("refs");
  return manifest;
}

// One change, within a transaction.
class Changer {
 public:
  Changer(SqliteConnection& connection, const CatalogChange& change)
      : connection_(connection), change_(change) {}

  Status Run() {
    for (const PackName& pack : change_.packs)
      PLUMB_RETURN_IF_ERROR(PackNumber(pack));
    for (const ObjectRecord& object : change_.objects)
      PLUMB_RETURN_IF_ERROR(AddObject(object));
    for (const BlobRecord& blob : change_.blobs)
      PLUMB_RETURN_IF_ERROR(AddBlob(blob));
    for (const KitChange& kit : change_.added_kits)
      PLUMB_RETURN_IF_ERROR(AddKit(kit));
    for (const RefMove& move : change_.moves)
      PLUMB_RETURN_IF_ERROR(Move(move));
    for (const Digest& kit : change_.removed_kits)
      PLUMB_RETURN_IF_ERROR(RemoveKit(kit));
    for (const LayerMemory& layer : change_.layers)
      PLUMB_RETURN_IF_ERROR(Remember(layer));
    for (const FilesRecord& record : change_.files)
      PLUMB_RETURN_IF_ERROR(AddFiles(record));
    return Done{};
  }

 private:
  Status AddObject(const ObjectRecord& object) {
    const ObjectPlace& place = object.place;
    std::optional<std::uint64_t> adopted;
    if (place.adopted) {
      PLUMB_TRY(adopted, PackNumber(*place.adopted));
    }
    PLUMB_TRY(const std::uint64_t pack, PackNumber(place.pack));
    PLUMB_TRY(auto* insert,
              connection_.Prepare(
                  "INSERT INTO objects(id, pack, position, stored_size, raw_size, encoding,"
                  " blocks_size, start, adopted)"
                  " VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET pack = excluded.pack,"
                  " position = excluded.position, stored_size = excluded.stored_size,"
                  " raw_size = excluded.raw_size, encoding = excluded.encoding,"
                  " blocks_size = excluded.blocks_size, start = excluded.start,"
                  " adopted = excluded.adopted, dead = 0, damaged = 0"
                  " WHERE dead <> 0 OR damaged <> 0"));
    insert->Bind(object.id.bytes).Bind(pack).Bind(place.offset).Bind(place.stored_size);
    insert->Bind(place.raw_size).Bind(static_cast<std::uint64_t>(place.encoding));
    insert->Bind(place.blocks_size).Bind(place.start);
    if (adopted) return insert->Bind(*adopted).Run();
    return insert->BindNull().Run();
  }

  Result<std::uint64_t> PackNumber(const PackName& name) {
    if (name == last_pack_ && last_pack_number_ != 0) return last_pack_number_;
    PLUMB_TRY(auto* insert, connection_.Prepare("INSERT INTO packs(name) VALUES(?)"
                                                " ON CONFLICT(name) DO UPDATE SET dead = 0"));
    PLUMB_RETURN_IF_ERROR(insert->Bind(name.bytes).Run());
    PLUMB_TRY(auto* find, connection_.Prepare("SELECT pack FROM packs WHERE name = ?"));
    const SqliteReset reset(*find);
    find->Bind(name.bytes);
    PLUMB_TRY(const bool is_there, find->Step());
    if (!is_there) return DamagedTable("packs");
    last_pack_ = name;
    last_pack_number_ = find->Uint(0);
    return last_pack_number_;
  }

  Status AddBlob(const BlobRecord& blob) {
    PLUMB_TRY(auto* insert,
              connection_.Prepare("INSERT INTO blobs(digest, size, form, id, bytes)"
                                  " VALUES(?,?,?,?,?) ON CONFLICT(digest) DO UPDATE SET"
                                  " size = excluded.size, form = excluded.form, id = excluded.id,"
                                  " bytes = excluded.bytes, dead = 0, damaged = 0"
                                  " WHERE dead <> 0 OR damaged <> 0"));
    insert->Bind(blob.digest.bytes).Bind(blob.size).Bind(static_cast<std::uint64_t>(blob.form));
    PLUMB_RETURN_IF_ERROR(insert->Bind(blob.id.bytes).Bind(AsBytes(blob.bytes)).Run());
    return NeedObjects(blob);
  }

  // What the session found and did not write may have been marked as unneeded since. It was not
  // collected: the session's lease is older than the mark (docs/format.md, "Sweep").
  Status NeedObjects(const BlobRecord& blob) {
    if (blob.form != BlobForm::kRecipe) return Done{};
    PLUMB_TRY(const Recipe recipe, Recipe::Parse(blob.bytes));
    for (const Segment& segment : recipe.segments) {
      if (segment.kind != SegmentKind::kObject) continue;
      PLUMB_TRY(auto* find, connection_.Prepare("SELECT dead FROM objects WHERE id = ?"));
      find->Bind(segment.object.bytes);
      PLUMB_TRY(const bool is_there, find->Step());
      const bool is_dead = is_there && find->Uint(0) != 0;
      find->Reset();
      if (!is_there)
        return Error{ErrorKind::kConflict, "a part of blob '" + blob.digest.ToString() +
                                               "' is not in the store any more"};
      if (!is_dead) continue;
      PLUMB_TRY(auto* revive, connection_.Prepare("UPDATE objects SET dead = 0 WHERE id = ?"));
      PLUMB_RETURN_IF_ERROR(revive->Bind(segment.object.bytes).Run());
    }
    return Done{};
  }

  Status AddKit(const KitChange& kit) {
    PLUMB_RETURN_IF_ERROR(NeedBlob(kit.manifest));
    for (const Digest& blob : kit.needs)
      PLUMB_RETURN_IF_ERROR(NeedBlob(blob));
    // Without a tag it is young again: it was asked for today.
    PLUMB_TRY(auto* insert,
              connection_.Prepare("INSERT INTO kits(manifest, added) VALUES(?,?)"
                                  " ON CONFLICT(manifest) DO UPDATE SET added = excluded.added,"
                                  " dead = 0 WHERE dead <> 0 OR (added < ? AND NOT EXISTS"
                                  " (SELECT 1 FROM refs WHERE refs.manifest = kits.manifest))"));
    insert->Bind(kit.manifest.bytes).Bind(Now());
    return insert
        ->Bind(static_cast<std::uint64_t>(
            std::max<std::int64_t>(0, change_.now_ns - kKitsRenewedAfterNs)))
        .Run();
  }

  Status NeedBlob(const Digest& digest) {
    PLUMB_TRY(auto* find,
              connection_.Prepare("SELECT digest, size, form, id, bytes, dead, damaged FROM blobs"
                                  " WHERE digest = ? AND dead <> 0"));
    find->Bind(digest.bytes);
    PLUMB_TRY(const bool is_unneeded, find->Step());
    if (!is_unneeded) {
      find->Reset();
      PLUMB_TRY(const bool is_there, Has("SELECT 1 FROM blobs WHERE digest = ?", digest));
      if (is_there) return Done{};
      return Error{ErrorKind::kInvalid, "blob '" + digest.ToString() + "' is not in the store"};
    }
    auto blob = BlobOf(*find);
    find->Reset();
    if (!blob) return std::move(blob).error();
    PLUMB_TRY(auto* revive, connection_.Prepare("UPDATE blobs SET dead = 0 WHERE digest = ?"));
    PLUMB_RETURN_IF_ERROR(revive->Bind(digest.bytes).Run());
    return NeedObjects(*blob);
  }

  Status Move(const RefMove& move) {
    PLUMB_TRY(const std::optional<Digest> previous, FindRefIn(connection_, move.name));
    if (move.expected && previous != move.expected)
      return Error{ErrorKind::kConflict,
                   "'" + move.name.ToString() + "' was moved meanwhile: nothing was changed"};
    if (previous == move.manifest) return Done{};
    if (move.manifest) {
      PLUMB_RETURN_IF_ERROR(Point(move.name, *move.manifest));
    } else {
      PLUMB_TRY(auto* remove,
                connection_.Prepare("DELETE FROM refs WHERE repository = ? AND tag = ?"));
      remove->Bind(std::string_view(move.name.repository)).Bind(std::string_view(move.name.tag));
      PLUMB_RETURN_IF_ERROR(remove->Run());
    }
    return Record(move, previous);
  }

  Status Point(const RefName& name, const Digest& manifest) {
    PLUMB_TRY(const bool is_there,
              Has("SELECT 1 FROM kits WHERE manifest = ? AND dead = 0", manifest));
    if (!is_there)
      return Error{ErrorKind::kConflict,
                   "modelkit '" + manifest.ToString() + "' is not in the store any more"};
    PLUMB_TRY(auto* put, connection_.Prepare("INSERT OR REPLACE INTO refs VALUES(?,?,?)"));
    put->Bind(std::string_view(name.repository)).Bind(std::string_view(name.tag));
    return put->Bind(manifest.bytes).Run();
  }

  Status Record(const RefMove& move, const std::optional<Digest>& previous) {
    PLUMB_TRY(auto* insert,
              connection_.Prepare("INSERT INTO ref_moves"
                                  "(repository, tag, previous, manifest, message, moved)"
                                  " VALUES(?,?,?,?,?,?)"));
    insert->Bind(std::string_view(move.name.repository)).Bind(std::string_view(move.name.tag));
    BindDigest(*insert, previous);
    BindDigest(*insert, move.manifest);
    return insert->Bind(std::string_view(move.message)).Bind(Now()).Run();
  }

  Status RemoveKit(const Digest& manifest) {
    PLUMB_TRY(const bool is_needed, Has("SELECT 1 FROM refs WHERE manifest = ?", manifest));
    if (is_needed)
      return Error{ErrorKind::kConflict, "a tag still points at '" + manifest.ToString() + "'"};
    PLUMB_TRY(auto* remove, connection_.Prepare("DELETE FROM kits WHERE manifest = ?"));
    return remove->Bind(manifest.bytes).Run();
  }

  Status Remember(const LayerMemory& layer) {
    PLUMB_TRY(auto* put, connection_.Prepare("INSERT OR REPLACE INTO layers VALUES(?,?,?,?,?)"));
    put->Bind(layer.key.bytes).Bind(layer.record.blob.bytes).Bind(layer.record.size);
    const ObjectId hash = HashOf(layer.key, layer.record);
    return put->Bind(layer.record.diff_id.bytes).Bind(hash.bytes).Run();
  }

  Status AddFiles(const FilesRecord& record) {
    PLUMB_TRY(auto* put,
              connection_.Prepare("INSERT OR REPLACE INTO files(subject, kind, id, bytes)"
                                  " VALUES(?,?,?,?)"));
    put->Bind(record.key.subject.bytes).Bind(static_cast<std::uint64_t>(record.key.kind));
    return put->Bind(record.id.bytes).Bind(AsBytes(record.bytes)).Run();
  }

  Result<bool> Has(std::string_view sql, const Digest& digest) {
    PLUMB_TRY(auto* find, connection_.Prepare(sql));
    find->Bind(digest.bytes);
    PLUMB_TRY(const bool is_there, find->Step());
    find->Reset();
    return is_there;
  }

  static void BindDigest(SqliteStatement& statement, const std::optional<Digest>& digest) {
    if (digest) {
      statement.Bind(digest->bytes);
    } else {
      statement.BindNull();
    }
  }

  std::uint64_t Now() const { return static_cast<std::uint64_t>(change_.now_ns); }

  SqliteConnection& connection_;
  const CatalogChange& change_;
  PackName last_pack_;
  std::uint64_t last_pack_number_ = 0;
};

class SqliteCatalog final : public KeptCatalog {
 public:
  SqliteCatalog(std::unique_ptr<SqliteConnection> connection, host::File& lock_file)
      : connection_(std::move(connection)), lock_file_(lock_file) {}

  Status Prepare(const std::function<Status()>& may_make);

  Result<std::optional<ObjectPlace>> FindObject(const ObjectId& id) override;
  Result<std::vector<ObjectRecord>> FindByStart(std::uint64_t start, std::uint64_t size) override;
  Result<std::optional<BlobRecord>> FindBlob(const Digest& digest) override;
  Result<std::optional<LayerRecord>> FindLayer(const LayerKey& key) override;
  Result<std::optional<Digest>> FindRef(const RefName& name) override;
  Result<std::vector<Ref>> ListRefs() override;
  Result<std::vector<Kit>> ListKits() override;
  Status Apply(const CatalogChange& change) override;
  Result<std::optional<std::string>> FindFiles(const FilesKey& key) override;

  Result<Epoch> CurrentEpoch() override;
  Status Visit(const CatalogVisitor& visitor) override;
  Result<Epoch> Mark(const MarkRequest& request) override;
  Result<std::vector<PackName>> Apply(const UpkeepChange& change) override;
  Result<std::vector<std::string>> FindProblems() override;

 private:
  Result<std::uint64_t> Version();
  // In one transaction, under the lock.
  Status Write(const std::function<Status()>& change);
  Status WriteLocked(const std::function<Status()>& change);
  Result<bool> IsSettled();
  Status Settle();

  std::mutex mutex_;  // the connection is one, the callers are many
  const std::unique_ptr<SqliteConnection> connection_;
  host::File& lock_file_;
};

Result<std::uint64_t> SqliteCatalog::Version() {
  PLUMB_TRY(auto* find, connection_->Prepare("PRAGMA user_version"));
  PLUMB_TRY([[maybe_unused]] const bool is_there, find->Step());
  const std::uint64_t version = find->Uint(0);
  find->Reset();
  return version;
}

Status SqliteCatalog::Prepare(const std::function<Status()>& may_make) {
  // A rollback journal, emptied durably by each commit: with FULL the commit counts only then.
  PLUMB_RETURN_IF_ERROR(connection_->Execute(
      "PRAGMA synchronous = FULL; PRAGMA journal_mode = TRUNCATE; PRAGMA temp_store = MEMORY;"
      "PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON"));
  PLUMB_TRY(std::uint64_t version, Version());
  if (version < kSchemaVersion) {
    // New or old, or about to be made by another process: only one makes it.
    PLUMB_TRY(const auto lock, lock_file_.Lock(host::LockKind::kExclusive, kLockTimeoutMs));
    PLUMB_TRY(const auto transaction, Transaction::Begin(*connection_));
    PLUMB_TRY(version, Version());
    if (version == 0) {
      PLUMB_RETURN_IF_ERROR(may_make());
      PLUMB_RETURN_IF_ERROR(connection_->Execute(kSchema));
    } else {
      if (version == 1) PLUMB_RETURN_IF_ERROR(connection_->Execute(kUpgradeFrom1));
      if (version <= 2) PLUMB_RETURN_IF_ERROR(connection_->Execute(kUpgradeFrom2));
    }
    version = std::max(version, kSchemaVersion);
    PLUMB_RETURN_IF_ERROR(transaction->Commit());
  }
  if (version != kSchemaVersion)
    return Error{ErrorKind::kUnsupported, "the store was written by a newer plumb"};
  return Done{};
}

Result<std::optional<ObjectPlace>> SqliteCatalog::FindObject(const ObjectId& id) {
  const std::lock_guard lock(mutex_);
  PLUMB_TRY(auto* find,
            connection_->Prepare(std::string(kSelectObjects) + " WHERE objects.id = ?"));
  find->Bind(id.bytes);
  PLUMB_TRY(const bool is_there, find->Step());
  std::optional<ObjectPlace> place;
  if (is_there) {
    const auto object = ObjectOf(*find);
    find->Reset();
    if (!object) return object.error();
    place = object->place;
  }
  find->Reset();
  return place;
}

Result<std::vector<ObjectRecord>> SqliteCatalog::FindByStart(std::uint64_t start,
                                                             std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  PLUMB_TRY(auto* find, connection_->Prepare(
                            std::string(kSelectObjects) +
                            " WHERE start = ? AND start <> 0 AND raw_size = ?"
                            " AND objects.dead = 0 AND damaged = 0 ORDER BY objects.id LIMIT 4"));
  const SqliteReset reset(*find);
  find->Bind(start).Bind(size);
  std::vector<ObjectRecord> found;
  while (true) {
    PLUMB_TRY(const bool is_there, find->Step());
    if (!is_there) return found;
    PLUMB_TRY(found.emplace_back(), ObjectOf(*find));
  }
}

Result<std::optional<BlobRecord>> SqliteCatalog::FindBlob(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  PLUMB_TRY(auto* find,
            connection_->Prepare("SELECT digest, size, form, id, bytes, dead, damaged FROM blobs"
                                 " WHERE digest = ?"));
  find->Bind(digest.bytes);
  PLUMB_TRY(const bool is_there, find->Step());
  if (!is_there) return std::optional<BlobRecord>();
  auto blob = BlobOf(*find);
  find->Reset();
  if (!blob) return std::move(blob).error();
  return std::optional<BlobRecord>(*std::move(blob));
}

Result<std::optional<LayerRecord>> SqliteCatalog::FindLayer(const LayerKey& key) {
  const std::lock_guard lock(mutex_);
  PLUMB_TRY(auto* find,
            connection_->Prepare("SELECT digest, size, diff_id, hash FROM layers WHERE key = ?"));
  find->Bind(key.bytes);
  PLUMB_TRY(const bool is_there, find->Step());
  std::optional<LayerRecord> record;
  if (is_there) {
    record.emplace();
    record->size = find->Uint(1);
    ObjectId hash;
    const bool is_whole = find->CopyBlob(0, record->blob.bytes) &&
                          find->CopyBlob(2, record->diff_id.bytes) &&
                          find->CopyBlob(3, hash.bytes) && hash == HashOf(key, *record);
    // What is not so is as good as forgotten: the files are read again.
    if (!is_whole) record.reset();
  }
  find->Reset();
  return record;
}

Result<std::optional<std::string>> SqliteCatalog::FindFiles(const FilesKey& key) {
  const std::lock_guard lock(mutex_);
  PLUMB_TRY(auto* find,
            connection_->Prepare("SELECT id, bytes FROM files WHERE subject = ? AND kind = ?"));
  const SqliteReset reset(*find);
  find->Bind(key.subject.bytes).Bind(static_cast<std::uint64_t>(key.kind));
  PLUMB_TRY(const bool is_there, find->Step());
  std::optional<std::string> record;
  if (!is_there) return record;
  ObjectId id;
  const ByteSpan bytes = find->Blob(1);
  const bool is_whole =
      find->CopyBlob(0, id.bytes) && Blake3(bytes) == id && KeyOfFilesRecord(bytes) == key;
  if (is_whole) record.emplace(AsText(bytes));
  return record;
}

Result<std::optional<Digest>> SqliteCatalog::FindRef(const RefName& name) {
  const std::lock_guard lock(mutex_);
  return FindRefIn(*connection_, name);
}

Result<std::vector<Ref>> SqliteCatalog::ListRefs() {
  const std::lock_guard lock(mutex_);
  PLUMB_TRY(auto* find, connection_->Prepare("SELECT repository, tag, manifest FROM refs"
                                             " ORDER BY repository, tag"));
  const SqliteReset reset(*find);
  std::vector<Ref> refs;
  while (true) {
    PLUMB_TRY(const bool is_there, find->Step());
    if (!is_there) break;
    Ref ref = {{std::string(find->Text(0)), std::string(find->Text(1))}, {}};
    if (!find->CopyBlob(2, ref.manifest.bytes)) return DamagedTable("refs");
    refs.push_back(std::move(ref));
  }
  return refs;
}

Result<std::vector<Kit>> SqliteCatalog::ListKits() {
  const std::lock_guard lock(mutex_);
  PLUMB_TRY(auto* find, connection_->Prepare("SELECT manifest, added FROM kits WHERE dead = 0"
                                             " ORDER BY added, manifest"));
  const SqliteReset reset(*find);
  std::vector<Kit> kits;
  while (true) {
    PLUMB_TRY(const bool is_there, find->Step());
    if (!is_there) break;
    Kit kit;
    if (!find->CopyBlob(0, kit.manifest.bytes)) return DamagedTable("kits");
    kit.added_ns = static_cast<std::int64_t>(find->Uint(1));
    kits.push_back(kit);
  }
  return kits;
}

Status SqliteCatalog::Write(const std::function<Status()>& change) {
  PLUMB_TRY(const auto file_lock, lock_file_.Lock(host::LockKind::kExclusive, kLockTimeoutMs));
  return WriteLocked(change);
}

// Others see a commit as soon as its journal is emptied, which is a moment before that is durable:
// who is killed in this moment, or whose sync fails, leaves behind what the next power cut may
// undo. Whoever relies on it without a commit of his own must know. So the lock file says, in
// memory that all processes share and that the power need not survive, whether a commit is
// under way; after a power cut everything that is seen is durable, whatever it says.
Status SqliteCatalog::WriteLocked(const std::function<Status()>& change) {
  PLUMB_TRY(const bool was_settled, IsSettled());
  PLUMB_RETURN_IF_ERROR(lock_file_.WriteAt(0, AsBytes(kUnsettled)));
  PLUMB_TRY(const auto transaction, Transaction::Begin(*connection_));
  // A commit that finds all as it is already syncs nothing: then what somebody else left undone
  // would still be so. This is what it is already, too; but it makes SQLite write.
  if (!was_settled) PLUMB_RETURN_IF_ERROR(connection_->Execute(kVersionAgain));
  PLUMB_RETURN_IF_ERROR(change());
  PLUMB_RETURN_IF_ERROR(transaction->Commit());
  // At worst somebody settles what is so already.
  [[maybe_unused]] const Status said = lock_file_.WriteAt(0, AsBytes(kSettled));
  return Done{};
}

Result<bool> SqliteCatalog::IsSettled() {
  std::array<std::byte, 1> state = {};
  PLUMB_TRY(const std::size_t size, lock_file_.ReadAt(0, state));
  return size == 0 || AsText(state) == kSettled;
}

// By a commit, which makes all before it durable.
Status SqliteCatalog::Settle() {
  PLUMB_TRY(const bool was_settled, IsSettled());
  if (was_settled) return Done{};
  PLUMB_TRY(const auto file_lock, lock_file_.Lock(host::LockKind::kExclusive, kLockTimeoutMs));
  // Whom we waited for may have done it.
  PLUMB_TRY(const bool is_settled, IsSettled());
  if (is_settled) return Done{};
  return WriteLocked([] { return Done{}; });
}

Status SqliteCatalog::Apply(const CatalogChange& change) {
  const std::lock_guard lock(mutex_);
  if (IsEmpty(change)) return Settle();
  return Write([&] { return Changer(*connection_, change).Run(); });
}

Result<Epoch> SqliteCatalog::CurrentEpoch() {
  const std::lock_guard lock(mutex_);
  return ReadEpoch(*connection_);
}

Status SqliteCatalog::Visit(const CatalogVisitor& visitor) {
  const std::lock_guard lock(mutex_);
  PLUMB_RETURN_IF_ERROR(connection_->Execute("BEGIN"));
  Status visited = VisitRows(*connection_, visitor);
  Status ended = connection_->Execute("COMMIT");
  return visited ? std::move(ended) : std::move(visited);
}

Result<Epoch> SqliteCatalog::Mark(const MarkRequest& request) {
  const std::lock_guard lock(mutex_);
  Epoch epoch = 0;
  PLUMB_RETURN_IF_ERROR(Write([&]() -> Status {
    PLUMB_TRY(epoch, MarkRows(*connection_, request));
    return Done{};
  }));
  return epoch;
}

Result<std::vector<PackName>> SqliteCatalog::Apply(const UpkeepChange& change) {
  const std::lock_guard lock(mutex_);
  std::vector<PackName> forgotten;
  PLUMB_RETURN_IF_ERROR(Write([&]() -> Status {
    PLUMB_TRY(forgotten, ChangeRows(*connection_, change));
    return Done{};
  }));
  return forgotten;
}

Result<std::vector<std::string>> SqliteCatalog::FindProblems() {
  const std::lock_guard lock(mutex_);
  return ProblemsOf(*connection_);
}

// Catalogs of before 2026-12 have a write-ahead log, which needs shared memory. One connection that
// has the catalog to itself folds the log back and forgets it (docs/decisions/0005).
Status FoldLog(host::Directory& directory, const std::string& name, host::File& lock_file) {
  PLUMB_TRY(const bool has_log, HasWriteAheadLog(directory, name));
  if (!has_log) return Done{};
  PLUMB_TRY(const auto lock, lock_file.Lock(host::LockKind::kExclusive, kLockTimeoutMs));
  {
    PLUMB_TRY(const auto connection,
              SqliteConnection::Open(directory, name, static_cast<int>(kLockTimeoutMs)));
    PLUMB_RETURN_IF_ERROR(
        connection->Execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL;"
                            "PRAGMA journal_mode = TRUNCATE"));
  }
  PLUMB_TRY(const bool has_still, HasWriteAheadLog(directory, name));
  if (has_still)
    return Error{ErrorKind::kUnavailable, "an older plumb is using the store's catalog"};
  // The index of the log; older versions make it again.
  [[maybe_unused]] const Status removed = directory.Remove(name + "-shm");
  return Done{};
}

Result<std::unique_ptr<KeptCatalog>> OpenPrepared(host::Directory& directory,
                                                  const std::string& name, host::File& lock_file,
                                                  const std::function<Status()>& may_make) {
  PLUMB_TRY(auto connection,
            SqliteConnection::Open(directory, name, static_cast<int>(kLockTimeoutMs)));
  auto catalog = std::make_unique<SqliteCatalog>(std::move(connection), lock_file);
  PLUMB_RETURN_IF_ERROR(catalog->Prepare(may_make));
  return std::unique_ptr<KeptCatalog>(std::move(catalog));
}

}  // namespace

Result<std::unique_ptr<KeptCatalog>> OpenSqliteCatalog(host::Directory& directory,
                                                       const std::string& name,
                                                       host::File& lock_file,
                                                       const std::function<Status()>& may_make) {
  PLUMB_RETURN_IF_ERROR(FoldLog(directory, name, lock_file));
  auto catalog = OpenPrepared(directory, name, lock_file, may_make);
  if (catalog) return catalog;
  // The folding may have been cut off: the first look undoes its last step, and the log is back.
  PLUMB_TRY(const bool has_log, HasWriteAheadLog(directory, name));
  if (!has_log) return catalog;
  PLUMB_RETURN_IF_ERROR(FoldLog(directory, name, lock_file));
  return OpenPrepared(directory, name, lock_file, may_make);
}

}  // namespace plumb::store
