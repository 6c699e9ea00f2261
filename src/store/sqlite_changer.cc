// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "store/recipe_internal.h"
#include "store/sqlite_changer_internal.h"
#include "store/sqlite_domains_internal.h"
#include "store/sqlite_upkeep_internal.h"

namespace plumb::store {
namespace {

// One change, within a transaction.
class Changer {
 public:
  Changer(SqliteConnection& connection, const CatalogChange& change)
      : connection_(connection), change_(change) {}

  Status Run() {
    PLUMB_RETURN_IF_ERROR(Enter());
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
  bool IsDevice() const { return change_.domain.IsDevice(); }

  Status Enter() {
    if (!IsDevice()) {
      PLUMB_RETURN_IF_ERROR(MakeDomains(connection_));
      PLUMB_TRY(domain_, AddDomain(connection_, change_.domain));
    }
    PLUMB_TRY(has_domains_, HasDomains(connection_));
    return Done{};
  }

  // The domain sees it from now on.
  Status Hold(HoldingKind kind, ByteSpan name, std::uint64_t stored) {
    if (IsDevice()) return Done{};
    PLUMB_TRY(auto* insert,
              connection_.Prepare("INSERT INTO holdings(domain, kind, name, stored)"
                                  " VALUES(?,?,?,?) ON CONFLICT(domain, kind, name)"
                                  " DO UPDATE SET stored = excluded.stored, dead = 0"));
    insert->Bind(domain_).Bind(static_cast<std::uint64_t>(kind)).Bind(name);
    return insert->Bind(stored).Run();
  }

  // What the domain sees is needed there again.
  Status HoldAgain(HoldingKind kind, ByteSpan name) {
    if (IsDevice()) return Done{};
    PLUMB_TRY(auto* update,
              connection_.Prepare("UPDATE holdings SET dead = 0 WHERE domain = ? AND kind = ?"
                                  " AND name = ? AND dead <> 0"));
    update->Bind(domain_).Bind(static_cast<std::uint64_t>(kind)).Bind(name);
    return update->Run();
  }

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
    if (adopted) {
      insert->Bind(*adopted);
    } else {
      insert->BindNull();
    }
    PLUMB_RETURN_IF_ERROR(insert->Run());
    return Hold(HoldingKind::kObject, object.id.bytes, place.TotalSize());
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
    PLUMB_RETURN_IF_ERROR(Hold(HoldingKind::kBlob, blob.digest.bytes, blob.bytes.size()));
    return NeedObjects(blob, Whose::kSession);
  }

  // Who cut a blob into these objects. Another may have cut it otherwise, into what this session's
  // domain does not see.
  enum class Whose : std::uint8_t { kSession, kAnybody };

  // What the session found and did not write may have been marked as unneeded since. It was not
  // collected: the session's lease is older than the mark (docs/format.md, "Sweep").
  Status NeedObjects(const BlobRecord& blob, Whose whose) {
    if (blob.form != BlobForm::kRecipe) return Done{};
    PLUMB_TRY(const Recipe recipe, Recipe::Parse(blob.bytes));
    for (const Segment& segment : recipe.segments) {
      if (segment.kind != SegmentKind::kObject) continue;
      PLUMB_TRY(auto* find, connection_.Prepare("SELECT dead FROM objects WHERE id = ?"));
      find->Bind(segment.object.bytes);
      PLUMB_TRY(const bool is_there, find->Step());
      const bool is_dead = is_there && find->Uint(0) != 0;
      find->Reset();
      PLUMB_TRY(const auto seen, StandingIn(connection_, change_.domain, HoldingKind::kObject,
                                            segment.object.bytes));
      if (!is_there || (whose == Whose::kSession && !seen))
        return Error{ErrorKind::kConflict, "a part of blob '" + blob.digest.ToString() +
                                               "' is not in the store any more"};
      PLUMB_RETURN_IF_ERROR(HoldAgain(HoldingKind::kObject, segment.object.bytes));
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
    PLUMB_RETURN_IF_ERROR(KeepForDevice(kit.manifest));
    // Without a tag it is young again: it was asked for today.
    PLUMB_TRY(auto* insert,
              connection_.Prepare("INSERT INTO kits(manifest, added) VALUES(?,?)"
                                  " ON CONFLICT(manifest) DO UPDATE SET added = excluded.added,"
                                  " dead = 0 WHERE dead <> 0 OR (added < ? AND NOT EXISTS"
                                  " (SELECT 1 FROM refs WHERE refs.manifest = kits.manifest))"));
    PLUMB_RETURN_IF_ERROR(insert->Bind(kit.manifest.bytes).Bind(Now()).Bind(RenewedBefore()).Run());
    return HoldKit(kit.manifest);
  }

  // A kit that only the device has, or that comes to it beside others: these do not take it away.
  Status KeepForDevice(const Digest& manifest) {
    if (!has_domains_) return Done{};
    PLUMB_TRY(
        auto* insert,
        connection_.Prepare(IsDevice() ? "INSERT OR IGNORE INTO holdings(domain, kind, name, added)"
                                         " SELECT 0, 3, ?1, ?2 WHERE EXISTS"
                                         " (SELECT 1 FROM holdings WHERE kind = 3 AND name = ?1)"
                                       : "INSERT OR IGNORE INTO holdings(domain, kind, name, added)"
                                         " SELECT 0, 3, manifest, min(added, ?2) FROM kits WHERE"
                                         " manifest = ?1 AND dead = 0 AND NOT EXISTS"
                                         " (SELECT 1 FROM holdings WHERE kind = 3 AND name = ?1)"));
    return insert->Bind(manifest.bytes).Bind(Now()).Run();
  }

  Status HoldKit(const Digest& manifest) {
    if (IsDevice()) return Done{};
    PLUMB_TRY(auto* insert,
              connection_.Prepare("INSERT INTO holdings(domain, kind, name, added)"
                                  " VALUES(?,3,?,?) ON CONFLICT(domain, kind, name)"
                                  " DO UPDATE SET added = excluded.added, dead = 0"
                                  " WHERE dead <> 0 OR (added < ? AND NOT EXISTS"
                                  " (SELECT 1 FROM refs WHERE refs.manifest = holdings.name"
                                  " AND refs.repository = ?))"));
    insert->Bind(domain_).Bind(manifest.bytes).Bind(Now()).Bind(RenewedBefore());
    return insert->Bind(std::string_view(change_.domain.name())).Run();
  }

  Status NeedBlob(const Digest& digest) {
    PLUMB_TRY(const auto seen,
              StandingIn(connection_, change_.domain, HoldingKind::kBlob, digest.bytes));
    if (!seen) return NotInStore(digest);
    PLUMB_TRY(auto* find,
              connection_.Prepare("SELECT digest, size, form, id, bytes, dead, damaged FROM blobs"
                                  " WHERE digest = ? AND (dead <> 0 OR ?)"));
    find->Bind(digest.bytes).Bind(std::uint64_t{*seen == Standing::kUnneeded ? 1U : 0U});
    PLUMB_TRY(const bool is_unneeded, find->Step());
    if (!is_unneeded) {
      find->Reset();
      PLUMB_TRY(const bool is_there, Has("SELECT 1 FROM blobs WHERE digest = ?", digest));
      return is_there ? Status(Done{}) : NotInStore(digest);
    }
    auto blob = BlobOf(*find);
    find->Reset();
    if (!blob) return std::move(blob).error();
    PLUMB_TRY(auto* revive, connection_.Prepare("UPDATE blobs SET dead = 0 WHERE digest = ?"));
    PLUMB_RETURN_IF_ERROR(revive->Bind(digest.bytes).Run());
    PLUMB_RETURN_IF_ERROR(HoldAgain(HoldingKind::kBlob, digest.bytes));
    return NeedObjects(*blob, Whose::kAnybody);
  }

  static Status NotInStore(const Digest& digest) {
    return Error{ErrorKind::kInvalid, "blob '" + digest.ToString() + "' is not in the store"};
  }

  Status Move(const RefMove& move) {
    if (!IsDevice() && move.name.repository != change_.domain.name())
      return Error{ErrorKind::kInvalid,
                   "'" + move.name.ToString() + "' is no tag of '" + change_.domain.name() + "'"};
    PLUMB_TRY(const std::optional<Digest> previous,
              FindRefIn(connection_, change_.domain, move.name));
    if (move.expected && previous != move.expected)
      return Error{ErrorKind::kConflict,
                   "'" + move.name.ToString() + "' was moved meanwhile: nothing was changed"};
    if (previous == move.manifest) return Done{};
    // Where it was, whether the domain sees that or not.
    PLUMB_TRY(const std::optional<Digest> left,
              FindRefIn(connection_, Domain::Device(), move.name));
    PLUMB_RETURN_IF_ERROR(Record(move, left));
    if (move.manifest) {
      PLUMB_RETURN_IF_ERROR(Point(move.name, *move.manifest));
    } else {
      PLUMB_TRY(auto* remove,
                connection_.Prepare("DELETE FROM refs WHERE repository = ? AND tag = ?"));
      remove->Bind(std::string_view(move.name.repository)).Bind(std::string_view(move.name.tag));
      PLUMB_RETURN_IF_ERROR(remove->Run());
    }
    return Done{};
  }

  Status Point(const RefName& name, const Digest& manifest) {
    PLUMB_TRY(const bool is_there,
              Has("SELECT 1 FROM kits WHERE manifest = ? AND dead = 0", manifest));
    PLUMB_TRY(const auto seen,
              StandingIn(connection_, change_.domain, HoldingKind::kKit, manifest.bytes));
    if (!is_there || seen != Standing::kGood)
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
    if (!IsDevice()) return RemoveHeldKit(manifest);
    PLUMB_TRY(const bool is_needed, Has("SELECT 1 FROM refs WHERE manifest = ?", manifest));
    if (is_needed) return StillTagged(manifest);
    if (has_domains_)
      PLUMB_RETURN_IF_ERROR(Run("DELETE FROM holdings WHERE kind = 3 AND name = ?", manifest));
    return Run("DELETE FROM kits WHERE manifest = ?", manifest);
  }

  // From the domain; and from the store, if it was the last that had it.
  Status RemoveHeldKit(const Digest& manifest) {
    PLUMB_TRY(const auto seen,
              StandingIn(connection_, change_.domain, HoldingKind::kKit, manifest.bytes));
    if (!seen) return Done{};
    PLUMB_TRY(auto* find,
              connection_.Prepare("SELECT 1 FROM refs WHERE manifest = ? AND repository = ?"));
    find->Bind(manifest.bytes).Bind(std::string_view(change_.domain.name()));
    PLUMB_TRY(const bool is_tagged, find->Step());
    find->Reset();
    if (is_tagged) return StillTagged(manifest);
    PLUMB_TRY(auto* remove, connection_.Prepare("DELETE FROM holdings WHERE domain = ?"
                                                " AND kind = 3 AND name = ?"));
    PLUMB_RETURN_IF_ERROR(remove->Bind(domain_).Bind(manifest.bytes).Run());
    // A tag of another repository on it is the device's.
    PLUMB_RETURN_IF_ERROR(
        Run("INSERT OR IGNORE INTO holdings(domain, kind, name, added)"
            " SELECT 0, 3, manifest, added FROM kits WHERE manifest = ? AND"
            " EXISTS (SELECT 1 FROM refs WHERE refs.manifest = kits.manifest)",
            manifest));
    return Run(
        "DELETE FROM kits WHERE manifest = ? AND NOT EXISTS"
        " (SELECT 1 FROM holdings WHERE kind = 3 AND name = manifest)",
        manifest);
  }

  static Status StillTagged(const Digest& manifest) {
    return Error{ErrorKind::kConflict, "a tag still points at '" + manifest.ToString() + "'"};
  }

  Status Remember(const LayerMemory& layer) {
    const LayerKey key = KeyIn(change_.domain, layer.key);
    PLUMB_TRY(auto* put, connection_.Prepare("INSERT OR REPLACE INTO layers VALUES(?,?,?,?,?)"));
    put->Bind(key.bytes).Bind(layer.record.blob.bytes).Bind(layer.record.size);
    const ObjectId hash = HashOfMemory(key, layer.record);
    return put->Bind(layer.record.diff_id.bytes).Bind(hash.bytes).Run();
  }

  Status AddFiles(const FilesRecord& record) {
    PLUMB_TRY(auto* put,
              connection_.Prepare(
                  IsDevice() ? "INSERT OR REPLACE INTO files(subject, kind, id, bytes)"
                               " VALUES(?,?,?,?)"
                             : "INSERT OR REPLACE INTO domain_files(subject, kind, id, bytes,"
                               " domain) VALUES(?,?,?,?,?)"));
    put->Bind(record.key.subject.bytes).Bind(static_cast<std::uint64_t>(record.key.kind));
    put->Bind(record.id.bytes).Bind(AsBytes(record.bytes));
    if (!IsDevice()) put->Bind(domain_);
    return put->Run();
  }

  // For one hash.
  Status Run(std::string_view sql, const Digest& digest) {
    PLUMB_TRY(auto* statement, connection_.Prepare(sql));
    return statement->Bind(digest.bytes).Run();
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
  std::uint64_t RenewedBefore() const {
    return static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, change_.now_ns - kKitsRenewedAfterNs));
  }

  SqliteConnection& connection_;
  const CatalogChange& change_;
  std::uint64_t domain_ = kDeviceNumber;
  bool has_domains_ = false;
  PackName last_pack_;
  std::uint64_t last_pack_number_ = 0;
};

}  // namespace

Status ChangeCatalog(SqliteConnection& connection, const CatalogChange& change) {
  return Changer(connection, change).Run();
}

}  // namespace plumb::store
