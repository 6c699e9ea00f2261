// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <set>
#include <utility>

#include "store/sqlite_domains_internal.h"
#include "store/sqlite_upkeep_internal.h"

namespace plumb::store {
namespace {

// SQLite lists at most so many problems; the first ones tell enough.
constexpr std::size_t kProblemsMax = 100;

// Runs `visit` on every row.
template <typename Visit>
Status ForEachRow(SqliteConnection& connection, std::string_view sql, Visit visit) {
  PLUMB_TRY(auto* rows, connection.Prepare(sql));
  while (true) {
    PLUMB_TRY(const bool is_there, rows->Step());
    if (!is_there) break;
    if (Status visited = visit(*rows); !visited) {
      rows->Reset();
      return visited;
    }
  }
  rows->Reset();
  return Done{};
}

// Runs `sql`, which has one parameter, for each of the hashes.
template <typename Hash>
Status RunForEach(SqliteConnection& connection, std::string_view sql,
                  const std::vector<Hash>& hashes) {
  for (const Hash& hash : hashes) {
    PLUMB_TRY(auto* statement, connection.Prepare(sql));
    PLUMB_RETURN_IF_ERROR(statement->Bind(hash.bytes).Run());
  }
  return Done{};
}

template <typename Hash>
Status RunForEach(SqliteConnection& connection, std::string_view sql, Epoch epoch,
                  const std::vector<Hash>& hashes) {
  for (const Hash& hash : hashes) {
    PLUMB_TRY(auto* statement, connection.Prepare(sql));
    PLUMB_RETURN_IF_ERROR(statement->Bind(epoch).Bind(hash.bytes).Run());
  }
  return Done{};
}

Status RunWith(SqliteConnection& connection, std::string_view sql, std::uint64_t value) {
  PLUMB_TRY(auto* statement, connection.Prepare(sql));
  return statement->Bind(value).Run();
}

Status VisitMoves(SqliteConnection& connection, const CatalogVisitor& visitor) {
  return ForEachRow(connection, "SELECT repository, tag, moved, previous FROM ref_moves",
                    [&](const SqliteStatement& row) -> Status {
                      MoveTime move = {{std::string(row.Text(0)), std::string(row.Text(1))},
                                       static_cast<std::int64_t>(row.Uint(2))};
                      if (!row.IsNull(3) && !row.CopyBlob(3, move.previous.emplace().bytes))
                        return DamagedTable("ref_moves");
                      return visitor.on_move(move);
                    });
}

Status VisitMoveRows(SqliteConnection& connection, const CatalogVisitor& visitor) {
  return ForEachRow(
      connection,
      "SELECT repository, tag, previous, manifest, message, moved FROM ref_moves ORDER BY move",
      [&](const SqliteStatement& row) -> Status {
        MoveRow move = {{std::string(row.Text(0)), std::string(row.Text(1))},
                        std::nullopt,
                        std::nullopt,
                        std::string(row.Text(4)),
                        static_cast<std::int64_t>(row.Uint(5))};
        if (!row.IsNull(2) && !row.CopyBlob(2, move.previous.emplace().bytes))
          return DamagedTable("ref_moves");
        if (!row.IsNull(3) && !row.CopyBlob(3, move.manifest.emplace().bytes))
          return DamagedTable("ref_moves");
        return visitor.on_move_row(move);
      });
}

template <typename Visit>
Status ForEachKit(SqliteConnection& connection, Visit visit) {
  return ForEachRow(connection, "SELECT manifest, added, dead FROM kits ORDER BY added, manifest",
                    [&](const SqliteStatement& row) -> Status {
                      KitState state;
                      if (!row.CopyBlob(0, state.kit.manifest.bytes)) return DamagedTable("kits");
                      state.kit.added_ns = static_cast<std::int64_t>(row.Uint(1));
                      state.unneeded_since = row.Uint(2);
                      return visit(state);
                    });
}

Error OutOfDate() { return Error{ErrorKind::kConflict, "kits were added or tagged meanwhile"}; }

// Whether what a gc looked at is still all there is.
Status CheckKits(SqliteConnection& connection, const MarkRequest& request) {
  PLUMB_RETURN_IF_ERROR(ForEachKit(connection, [&](const KitState& state) -> Status {
    if (!std::ranges::binary_search(request.known_kits, state.kit)) return OutOfDate();
    return Done{};
  }));
  for (const Digest& kit : request.expired_kits) {
    PLUMB_TRY(auto* find, connection.Prepare("SELECT 1 FROM refs WHERE manifest = ?"));
    find->Bind(kit.bytes);
    PLUMB_TRY(const bool is_tagged, find->Step());
    find->Reset();
    if (is_tagged) return OutOfDate();
  }
  return CheckHeldKits(connection, request);
}

Status MoveObjects(SqliteConnection& connection, const UpkeepChange& change) {
  for (const MovedObject& moved : change.moved) {
    PLUMB_TRY(auto* update,
              connection.Prepare("UPDATE objects SET"
                                 " pack = (SELECT pack FROM packs WHERE name = ?), position = ?,"
                                 " stored_size = ?, encoding = ?, blocks_size = ?"
                                 " WHERE id = ? AND position = ?"
                                 " AND pack = (SELECT pack FROM packs WHERE name = ?)"));
    const ObjectPlace& target = moved.target;
    update->Bind(target.pack.bytes).Bind(target.offset).Bind(target.stored_size);
    update->Bind(static_cast<std::uint64_t>(target.encoding)).Bind(target.blocks_size);
    update->Bind(moved.id.bytes).Bind(moved.source.offset);
    PLUMB_RETURN_IF_ERROR(update->Bind(moved.source.pack.bytes).Run());
  }
  return Done{};
}

Status Collect(SqliteConnection& connection, const UpkeepChange& change) {
  const Epoch up_to = change.collect_up_to;
  if (up_to == 0) return Done{};
  // Who added it looked things up before the mark, and has ended: no lease speaks for it.
  PLUMB_RETURN_IF_ERROR(ForEachKit(connection, [&](const KitState& state) -> Status {
    if (state.unneeded_since == 0 &&
        !std::ranges::binary_search(change.kept_kits, state.kit.manifest))
      return OutOfDate();
    return Done{};
  }));
  PLUMB_RETURN_IF_ERROR(CheckHeldKits(connection, change));
  for (const std::string_view sql : {"DELETE FROM kits WHERE dead BETWEEN 1 AND ?",
                                     "DELETE FROM objects WHERE dead BETWEEN 1 AND ?",
                                     "DELETE FROM blobs WHERE dead BETWEEN 1 AND ?"})
    PLUMB_RETURN_IF_ERROR(RunWith(connection, sql, up_to));
  PLUMB_RETURN_IF_ERROR(CollectHoldings(connection, up_to));
  return connection.Execute(
      "DELETE FROM layers WHERE digest NOT IN (SELECT digest FROM blobs);"
      "DELETE FROM files WHERE subject NOT IN (SELECT digest FROM blobs)");
}

// Whether what was found is still so.
Result<bool> IsStillDamaged(SqliteConnection& connection, const DamagedBlob& blob) {
  for (const ObjectId& id : blob.objects) {
    PLUMB_TRY(auto* find, connection.Prepare("SELECT damaged FROM objects WHERE id = ?"));
    const SqliteReset reset(*find);
    find->Bind(id.bytes);
    PLUMB_TRY(const bool is_there, find->Step());
    if (!is_there || find->Uint(0) != 0) return true;
  }
  if (!blob.objects.empty()) return false;
  PLUMB_TRY(auto* find, connection.Prepare("SELECT bytes FROM blobs WHERE digest = ?"));
  const SqliteReset reset(*find);
  find->Bind(blob.digest.bytes);
  PLUMB_TRY(const bool is_there, find->Step());
  return is_there && Blake3(find->Blob(0)) == blob.bytes_hash;
}

Status NoteDamage(SqliteConnection& connection, const std::vector<DamagedBlob>& blobs) {
  for (const DamagedBlob& blob : blobs) {
    PLUMB_TRY(const bool is_damaged, IsStillDamaged(connection, blob));
    if (!is_damaged) continue;
    PLUMB_TRY(auto* update, connection.Prepare("UPDATE blobs SET damaged = 1 WHERE digest = ?"));
    PLUMB_RETURN_IF_ERROR(update->Bind(blob.digest.bytes).Run());
  }
  return Done{};
}

Result<std::vector<PackName>> ForgetPacks(SqliteConnection& connection,
                                          const std::vector<PackRecord>& packs) {
  std::vector<PackName> forgotten;
  if (packs.empty()) return forgotten;
  std::set<std::uint64_t> used;
  PLUMB_RETURN_IF_ERROR(ForEachRow(connection,
                                   "SELECT DISTINCT pack FROM objects UNION"
                                   " SELECT adopted FROM objects WHERE adopted IS NOT NULL",
                                   [&](const SqliteStatement& row) -> Status {
                                     used.insert(row.Uint(0));
                                     return Done{};
                                   }));
  for (const PackRecord& pack : packs) {
    PLUMB_TRY(auto* find, connection.Prepare("SELECT pack FROM packs WHERE name = ? AND dead = ?"));
    find->Bind(pack.name.bytes).Bind(pack.unneeded_since);
    PLUMB_TRY(const bool is_there, find->Step());
    const std::uint64_t number = is_there ? find->Uint(0) : 0;
    find->Reset();
    if (!is_there || used.contains(number)) continue;
    PLUMB_RETURN_IF_ERROR(RunWith(connection, "DELETE FROM packs WHERE pack = ?", number));
    forgotten.push_back(pack.name);
  }
  return forgotten;
}

}  // namespace

Error DamagedTable(std::string_view table) {
  return Error{ErrorKind::kCorrupt,
               "the store's catalog is damaged in its table '" + std::string(table) + "'",
               std::string(kCatalogDamagedHint)};
}

Standing StandingOf(const SqliteStatement& row, int dead_column, int damaged_column) {
  if (row.Uint(damaged_column) != 0) return Standing::kDamaged;
  return row.Uint(dead_column) != 0 ? Standing::kUnneeded : Standing::kGood;
}

Result<ObjectRecord> ObjectOf(const SqliteStatement& row) {
  ObjectRecord object;
  if (!row.CopyBlob(0, object.id.bytes) || !row.CopyBlob(1, object.place.pack.bytes) ||
      row.Uint(5) > kEncodingMax)
    return DamagedTable("objects");
  object.place.offset = row.Uint(2);
  object.place.stored_size = row.Uint(3);
  object.place.raw_size = row.Uint(4);
  object.place.encoding = static_cast<Encoding>(row.Uint(5));
  object.place.standing = StandingOf(row, 6, 7);
  object.place.blocks_size = row.Uint(8);
  object.place.start = row.Uint(9);
  const bool is_adopted = !row.IsNull(10);
  if (is_adopted && !row.CopyBlob(10, object.place.adopted.emplace().bytes))
    return DamagedTable("objects");
  return object;
}

Result<BlobRecord> BlobOf(const SqliteStatement& row) {
  BlobRecord blob;
  if (!row.CopyBlob(0, blob.digest.bytes) || row.Uint(2) > 1 || !row.CopyBlob(3, blob.id.bytes))
    return DamagedTable("blobs");
  blob.size = row.Uint(1);
  blob.form = static_cast<BlobForm>(row.Uint(2));
  blob.bytes = row.Text(4);
  blob.standing = StandingOf(row, 5, 6);
  return blob;
}

Result<Epoch> ReadEpoch(SqliteConnection& connection) {
  PLUMB_TRY(auto* find, connection.Prepare("SELECT epoch FROM upkeep"));
  PLUMB_TRY(const bool is_there, find->Step());
  const Epoch epoch = is_there ? find->Uint(0) : 0;
  find->Reset();
  if (!is_there) return DamagedTable("upkeep");
  return epoch;
}

Status VisitRows(SqliteConnection& connection, const CatalogVisitor& visitor) {
  if (visitor.on_blob) {
    PLUMB_RETURN_IF_ERROR(
        ForEachRow(connection, "SELECT digest, size, form, id, bytes, dead, damaged FROM blobs",
                   [&](const SqliteStatement& row) -> Status {
                     PLUMB_TRY(const BlobRecord blob, BlobOf(row));
                     return visitor.on_blob(blob);
                   }));
  }
  if (visitor.on_object) {
    PLUMB_RETURN_IF_ERROR(
        ForEachRow(connection, kSelectObjects, [&](const SqliteStatement& row) -> Status {
          PLUMB_TRY(const ObjectRecord object, ObjectOf(row));
          return visitor.on_object(object);
        }));
  }
  if (visitor.on_pack) {
    PLUMB_RETURN_IF_ERROR(ForEachRow(connection, "SELECT name, dead FROM packs",
                                     [&](const SqliteStatement& row) -> Status {
                                       PackRecord pack;
                                       if (!row.CopyBlob(0, pack.name.bytes))
                                         return DamagedTable("packs");
                                       pack.unneeded_since = row.Uint(1);
                                       return visitor.on_pack(pack);
                                     }));
  }
  if (visitor.on_kit) PLUMB_RETURN_IF_ERROR(ForEachKit(connection, visitor.on_kit));
  if (visitor.on_files) {
    PLUMB_RETURN_IF_ERROR(ForEachRow(
        connection, "SELECT subject, id FROM files", [&](const SqliteStatement& row) -> Status {
          FilesRow files;
          if (!row.CopyBlob(0, files.subject.bytes) || !row.CopyBlob(1, files.id.bytes))
            return DamagedTable("files");
          return visitor.on_files(files);
        }));
  }
  if (visitor.on_move) PLUMB_RETURN_IF_ERROR(VisitMoves(connection, visitor));
  if (visitor.on_holding) PLUMB_RETURN_IF_ERROR(VisitHoldings(connection, visitor.on_holding));
  if (visitor.on_move_row) PLUMB_RETURN_IF_ERROR(VisitMoveRows(connection, visitor));
  return Done{};
}

Result<Epoch> MarkRows(SqliteConnection& connection, const MarkRequest& request) {
  PLUMB_RETURN_IF_ERROR(CheckKits(connection, request));
  PLUMB_TRY(const Epoch before, ReadEpoch(connection));
  const Epoch epoch = before + 1;
  PLUMB_RETURN_IF_ERROR(RunWith(connection, "UPDATE upkeep SET epoch = ?", epoch));
  PLUMB_RETURN_IF_ERROR(RunForEach(connection,
                                   "UPDATE kits SET dead = ? WHERE manifest = ? AND dead = 0",
                                   epoch, request.expired_kits));
  PLUMB_RETURN_IF_ERROR(
      RunForEach(connection, "UPDATE kits SET dead = 0 WHERE manifest = ?", request.needed_kits));
  PLUMB_RETURN_IF_ERROR(RunForEach(connection,
                                   "UPDATE blobs SET dead = ? WHERE digest = ? AND dead = 0", epoch,
                                   request.unneeded_blobs));
  PLUMB_RETURN_IF_ERROR(
      RunForEach(connection, "UPDATE blobs SET dead = 0 WHERE digest = ?", request.needed_blobs));
  PLUMB_RETURN_IF_ERROR(RunForEach(connection,
                                   "UPDATE objects SET dead = ? WHERE id = ? AND dead = 0", epoch,
                                   request.unneeded_objects));
  PLUMB_RETURN_IF_ERROR(
      RunForEach(connection, "UPDATE objects SET dead = 0 WHERE id = ?", request.needed_objects));
  PLUMB_RETURN_IF_ERROR(RunForEach(connection,
                                   "INSERT OR IGNORE INTO packs(dead, name) VALUES(?,?)", epoch,
                                   request.strange_packs));
  PLUMB_RETURN_IF_ERROR(MarkHoldings(connection, request, epoch));
  const auto moves_before =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, request.moves_before_ns));
  PLUMB_RETURN_IF_ERROR(RunWith(connection,
                                "DELETE FROM ref_moves WHERE moved < ?1 AND move NOT IN"
                                " (SELECT max(move) FROM ref_moves WHERE moved < ?1"
                                " GROUP BY repository, tag)",
                                moves_before));
  return epoch;
}

Result<std::vector<PackName>> ChangeRows(SqliteConnection& connection, const UpkeepChange& change) {
  PLUMB_RETURN_IF_ERROR(RunForEach(connection,
                                   "INSERT INTO packs(name) VALUES(?)"
                                   " ON CONFLICT(name) DO UPDATE SET dead = 0",
                                   change.new_packs));
  PLUMB_RETURN_IF_ERROR(MoveObjects(connection, change));
  PLUMB_RETURN_IF_ERROR(Collect(connection, change));
  PLUMB_TRY(std::vector<PackName> forgotten, ForgetPacks(connection, change.unneeded_packs));
  for (const ObjectRecord& object : change.damaged_objects) {
    PLUMB_TRY(auto* update,
              connection.Prepare("UPDATE objects SET damaged = 1 WHERE id = ? AND position = ?"
                                 " AND pack = (SELECT pack FROM packs WHERE name = ?)"));
    update->Bind(object.id.bytes).Bind(object.place.offset).Bind(object.place.pack.bytes);
    PLUMB_RETURN_IF_ERROR(update->Run());
  }
  PLUMB_RETURN_IF_ERROR(NoteDamage(connection, change.damaged_blobs));
  PLUMB_RETURN_IF_ERROR(
      RunForEach(connection, "UPDATE objects SET damaged = 0 WHERE id = ?", change.sound_objects));
  PLUMB_RETURN_IF_ERROR(
      RunForEach(connection, "UPDATE blobs SET damaged = 0 WHERE digest = ?", change.sound_blobs));
  return forgotten;
}

Result<std::vector<std::string>> ProblemsOf(SqliteConnection& connection) {
  std::vector<std::string> problems;
  const auto add = [&](const SqliteStatement& row) -> Status {
    if (row.Text(0) != "ok" && problems.size() < kProblemsMax) problems.emplace_back(row.Text(0));
    return Done{};
  };
  connection.TakeDiskError();  // of before
  PLUMB_RETURN_IF_ERROR(ForEachRow(connection, "PRAGMA integrity_check", add));
  // A page that cannot be read is a problem like others to SQLite. It may be whole all the same.
  if (auto error = connection.TakeDiskError()) return *std::move(error);
  // What SQLite does not know: rows that name each other.
  for (const std::string_view sql :
       {"SELECT 'an object is in a pack of no name: ' || lower(hex(id)) FROM objects"
        " WHERE pack NOT IN (SELECT pack FROM packs)",
        "SELECT 'a tag names a kit that is not there: ' || repository || ':' || tag FROM refs"
        " WHERE manifest NOT IN (SELECT manifest FROM kits)"})
    PLUMB_RETURN_IF_ERROR(ForEachRow(connection, sql, add));
  PLUMB_TRY(const bool has_domains, HasDomains(connection));
  if (!has_domains) return problems;
  for (const std::string_view sql : ProblemsOfDomains())
    PLUMB_RETURN_IF_ERROR(ForEachRow(connection, sql, add));
  return problems;
}

}  // namespace plumb::store
