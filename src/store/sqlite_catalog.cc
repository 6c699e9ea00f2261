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
#include "store/sqlite_changer_internal.h"
#include "store/sqlite_domains_internal.h"
#include "store/sqlite_internal.h"
#include "store/sqlite_upkeep_internal.h"

namespace plumb::store {
namespace {

constexpr std::uint64_t kLockTimeoutMs = 30'000;
// The first with all that the device's domain needs, and the last, which is made by the first
// change in a named domain.
constexpr std::uint64_t kSchemaVersion = 3;
constexpr std::uint64_t kSchemaVersionMax = 4;
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

class SqliteCatalog final : public KeptCatalog {
 public:
  SqliteCatalog(std::unique_ptr<SqliteConnection> connection, host::File& lock_file)
      : connection_(std::move(connection)), lock_file_(lock_file) {}

  Status Prepare(const std::function<Status()>& may_make);

  Result<std::optional<ObjectPlace>> FindObject(const Domain& domain, const ObjectId& id) override;
  Result<std::vector<ObjectRecord>> FindByStart(const Domain& domain, std::uint64_t start,
                                                std::uint64_t size) override;
  Result<std::optional<BlobRecord>> FindBlob(const Domain& domain, const Digest& digest) override;
  Result<std::optional<LayerRecord>> FindLayer(const Domain& domain, const LayerKey& key) override;
  Result<std::optional<Digest>> FindRef(const Domain& domain, const RefName& name) override;
  Result<std::vector<Ref>> ListRefs(const Domain& domain) override;
  Result<std::vector<Kit>> ListKits(const Domain& domain) override;
  Status Apply(const CatalogChange& change) override;
  Result<std::optional<std::string>> FindFiles(const Domain& domain, const FilesKey& key) override;

  Result<Epoch> CurrentEpoch() override;
  Status Visit(const CatalogVisitor& visitor) override;
  Result<Epoch> Mark(const MarkRequest& request) override;
  Result<std::vector<PackName>> Apply(const UpkeepChange& change) override;
  Result<std::vector<std::string>> FindProblems() override;

 private:
  // In one transaction, under the lock.
  Status Write(const std::function<Status()>& change);
  Status WriteLocked(const std::function<Status()>& change);
  Result<bool> IsSettled();
  Status Settle();

  std::mutex mutex_;  // the connection is one, the callers are many
  const std::unique_ptr<SqliteConnection> connection_;
  host::File& lock_file_;
};

Status SqliteCatalog::Prepare(const std::function<Status()>& may_make) {
  // A rollback journal, emptied durably by each commit: with FULL the commit counts only then.
  PLUMB_RETURN_IF_ERROR(connection_->Execute(
      "PRAGMA synchronous = FULL; PRAGMA journal_mode = TRUNCATE; PRAGMA temp_store = MEMORY;"
      "PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON"));
  PLUMB_TRY(std::uint64_t version, SchemaVersionOf(*connection_));
  if (version < kSchemaVersion) {
    // New or old, or about to be made by another process: only one makes it.
    PLUMB_TRY(const auto lock, lock_file_.Lock(host::LockKind::kExclusive, kLockTimeoutMs));
    PLUMB_TRY(const auto transaction, Transaction::Begin(*connection_));
    PLUMB_TRY(version, SchemaVersionOf(*connection_));
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
  if (version > kSchemaVersionMax)
    return Error{ErrorKind::kUnsupported, "the store was written by a newer plumb"};
  return Done{};
}

Result<std::optional<ObjectPlace>> SqliteCatalog::FindObject(const Domain& domain,
                                                             const ObjectId& id) {
  const std::lock_guard lock(mutex_);
  PLUMB_TRY(const auto seen, StandingIn(*connection_, domain, HoldingKind::kObject, id.bytes));
  if (!seen) return std::optional<ObjectPlace>();
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
    if (place->standing == Standing::kGood) place->standing = *seen;
  }
  find->Reset();
  return place;
}

Result<std::vector<ObjectRecord>> SqliteCatalog::FindByStart(const Domain& domain,
                                                             std::uint64_t start,
                                                             std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  std::vector<ObjectRecord> found;
  PLUMB_TRY(const auto number, FindDomain(*connection_, domain));
  if (!number) return found;
  const std::string seen = domain.IsDevice() ? ""
                                             : " AND EXISTS (SELECT 1 FROM holdings WHERE"
                                               " domain = ?3 AND kind = 1 AND name = objects.id"
                                               " AND holdings.dead = 0)";
  PLUMB_TRY(auto* find, connection_->Prepare(std::string(kSelectObjects) +
                                             " WHERE start = ?1 AND start <> 0 AND raw_size = ?2"
                                             " AND objects.dead = 0 AND damaged = 0" +
                                             seen + " ORDER BY objects.id LIMIT 4"));
  const SqliteReset reset(*find);
  find->Bind(start).Bind(size);
  if (!domain.IsDevice()) find->Bind(*number);
  while (true) {
    PLUMB_TRY(const bool is_there, find->Step());
    if (!is_there) return found;
    PLUMB_TRY(found.emplace_back(), ObjectOf(*find));
  }
}

Result<std::optional<BlobRecord>> SqliteCatalog::FindBlob(const Domain& domain,
                                                          const Digest& digest) {
  const std::lock_guard lock(mutex_);
  PLUMB_TRY(const auto seen, StandingIn(*connection_, domain, HoldingKind::kBlob, digest.bytes));
  if (!seen) return std::optional<BlobRecord>();
  PLUMB_TRY(auto* find,
            connection_->Prepare("SELECT digest, size, form, id, bytes, dead, damaged FROM blobs"
                                 " WHERE digest = ?"));
  find->Bind(digest.bytes);
  PLUMB_TRY(const bool is_there, find->Step());
  if (!is_there) return std::optional<BlobRecord>();
  auto blob = BlobOf(*find);
  find->Reset();
  if (!blob) return std::move(blob).error();
  if (blob->standing == Standing::kGood) blob->standing = *seen;
  return std::optional<BlobRecord>(*std::move(blob));
}

Result<std::optional<LayerRecord>> SqliteCatalog::FindLayer(const Domain& domain,
                                                            const LayerKey& outer_key) {
  const std::lock_guard lock(mutex_);
  const LayerKey key = KeyIn(domain, outer_key);
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
                          find->CopyBlob(3, hash.bytes) && hash == HashOfMemory(key, *record);
    // What is not so is as good as forgotten: the files are read again.
    if (!is_whole) record.reset();
  }
  find->Reset();
  if (!record) return record;
  PLUMB_TRY(const auto seen,
            StandingIn(*connection_, domain, HoldingKind::kBlob, record->blob.bytes));
  return seen ? record : std::nullopt;
}

Result<std::optional<std::string>> SqliteCatalog::FindFiles(const Domain& domain,
                                                            const FilesKey& key) {
  const std::lock_guard lock(mutex_);
  std::optional<std::string> record;
  PLUMB_TRY(const auto number, FindDomain(*connection_, domain));
  if (!number) return record;
  PLUMB_TRY(auto* find,
            connection_->Prepare(domain.IsDevice()
                                     ? "SELECT id, bytes FROM files WHERE subject = ? AND kind = ?"
                                     : "SELECT id, bytes FROM domain_files WHERE subject = ?"
                                       " AND kind = ? AND domain = ?"));
  const SqliteReset reset(*find);
  find->Bind(key.subject.bytes).Bind(static_cast<std::uint64_t>(key.kind));
  if (!domain.IsDevice()) find->Bind(*number);
  PLUMB_TRY(const bool is_there, find->Step());
  if (!is_there) return record;
  ObjectId id;
  const ByteSpan bytes = find->Blob(1);
  const bool is_whole =
      find->CopyBlob(0, id.bytes) && Blake3(bytes) == id && KeyOfFilesRecord(bytes) == key;
  if (is_whole) record.emplace(AsText(bytes));
  return record;
}

Result<std::optional<Digest>> SqliteCatalog::FindRef(const Domain& domain, const RefName& name) {
  const std::lock_guard lock(mutex_);
  return FindRefIn(*connection_, domain, name);
}

Result<std::vector<Ref>> SqliteCatalog::ListRefs(const Domain& domain) {
  const std::lock_guard lock(mutex_);
  std::vector<Ref> refs;
  PLUMB_TRY(const auto number, FindDomain(*connection_, domain));
  if (!number) return refs;
  PLUMB_TRY(auto* find,
            connection_->Prepare(
                domain.IsDevice()
                    ? "SELECT repository, tag, manifest FROM refs ORDER BY repository, tag"
                    : "SELECT repository, tag, manifest FROM refs WHERE repository = ?"
                      " AND manifest IN (SELECT name FROM holdings WHERE domain = ? AND kind = 3)"
                      " ORDER BY tag"));
  const SqliteReset reset(*find);
  if (!domain.IsDevice()) find->Bind(std::string_view(domain.name())).Bind(*number);
  while (true) {
    PLUMB_TRY(const bool is_there, find->Step());
    if (!is_there) break;
    Ref ref = {{std::string(find->Text(0)), std::string(find->Text(1))}, {}};
    if (!find->CopyBlob(2, ref.manifest.bytes)) return DamagedTable("refs");
    refs.push_back(std::move(ref));
  }
  return refs;
}

Result<std::vector<Kit>> SqliteCatalog::ListKits(const Domain& domain) {
  const std::lock_guard lock(mutex_);
  std::vector<Kit> kits;
  PLUMB_TRY(const auto number, FindDomain(*connection_, domain));
  if (!number) return kits;
  PLUMB_TRY(const bool has_domains, HasDomains(*connection_));
  const char* sql = "SELECT manifest, added, 1 FROM kits WHERE dead = 0 ORDER BY added, manifest";
  if (!domain.IsDevice())
    sql =
        "SELECT name, added, 1 FROM holdings WHERE dead = 0 AND domain = ? AND kind = 3"
        " ORDER BY added, name";
  // Of what named domains have, the device's own has a row of domain 0.
  else if (has_domains)
    sql =
        "SELECT manifest, added, coalesce((SELECT min(domain) = 0 FROM holdings"
        " WHERE kind = 3 AND name = manifest), 1) FROM kits WHERE dead = 0"
        " ORDER BY added, manifest";
  PLUMB_TRY(auto* find, connection_->Prepare(sql));
  const SqliteReset reset(*find);
  if (!domain.IsDevice()) find->Bind(*number);
  while (true) {
    PLUMB_TRY(const bool is_there, find->Step());
    if (!is_there) break;
    Kit kit;
    if (!find->CopyBlob(0, kit.manifest.bytes)) return DamagedTable("kits");
    kit.added_ns = static_cast<std::int64_t>(find->Uint(1));
    kit.is_own = find->Uint(2) != 0;
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
  if (!was_settled) {
    PLUMB_TRY(const std::uint64_t version, SchemaVersionOf(*connection_));
    const std::string again = "PRAGMA user_version = " + std::to_string(version);
    PLUMB_RETURN_IF_ERROR(connection_->Execute(again.c_str()));
  }
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
  return Write([&] { return ChangeCatalog(*connection_, change); });
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
