// SPDX-License-Identifier: MIT OR Apache-2.0
#include <string_view>
#include <utility>

#include "store/catalog_maker_internal.h"
#include "store/sqlite_domains_internal.h"

namespace plumb::store {
namespace {

std::uint64_t DamagedColumn(Standing standing) { return standing == Standing::kDamaged ? 1 : 0; }

void BindDigest(SqliteStatement& statement, const std::optional<Digest>& digest) {
  if (digest) {
    statement.Bind(digest->bytes);
  } else {
    statement.BindNull();
  }
}

}  // namespace

Result<std::unique_ptr<CatalogMaker>> CatalogMaker::Begin(host::Directory& directory,
                                                          const std::string& name) {
  PLUMB_TRY(auto connection, SqliteConnection::Open(directory, name, 0));
  PLUMB_RETURN_IF_ERROR(connection->Execute(
      "PRAGMA synchronous = FULL; PRAGMA journal_mode = TRUNCATE;"
      "PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE"));
  return std::make_unique<CatalogMaker>(std::move(connection));
}

Status CatalogMaker::AddPack(const PackName& pack) {
  const std::uint64_t number = numbers_.size() + 1;
  PLUMB_CHECK(numbers_.emplace(pack, number).second);
  PLUMB_TRY(auto* insert, connection_->Prepare("INSERT INTO packs(pack, name) VALUES(?,?)"));
  return insert->Bind(number).Bind(pack.bytes).Run();
}

Status CatalogMaker::AddObject(const ObjectRecord& object) {
  const ObjectPlace& place = object.place;
  PLUMB_TRY(auto* insert,
            connection_->Prepare("INSERT INTO objects(id, pack, position, stored_size, raw_size,"
                                 " encoding, damaged, blocks_size, start, adopted)"
                                 " VALUES(?,?,?,?,?,?,?,?,?,?)"));
  insert->Bind(object.id.bytes).Bind(numbers_.at(place.pack)).Bind(place.offset);
  insert->Bind(place.stored_size).Bind(place.raw_size);
  insert->Bind(static_cast<std::uint64_t>(place.encoding)).Bind(DamagedColumn(place.standing));
  insert->Bind(place.blocks_size).Bind(place.start);
  if (place.adopted) return insert->Bind(numbers_.at(*place.adopted)).Run();
  return insert->BindNull().Run();
}

Status CatalogMaker::AddFiles(const FilesRecord& record) {
  PLUMB_TRY(auto* put, connection_->Prepare("INSERT OR REPLACE INTO files(subject, kind, id, bytes)"
                                            " VALUES(?,?,?,?)"));
  put->Bind(record.key.subject.bytes).Bind(static_cast<std::uint64_t>(record.key.kind));
  return put->Bind(record.id.bytes).Bind(AsBytes(record.bytes)).Run();
}

Status CatalogMaker::AddBlob(const BlobRecord& blob) {
  PLUMB_TRY(auto* insert,
            connection_->Prepare("INSERT INTO blobs(digest, size, form, id, bytes, damaged)"
                                 " VALUES(?,?,?,?,?,?)"));
  insert->Bind(blob.digest.bytes).Bind(blob.size).Bind(static_cast<std::uint64_t>(blob.form));
  insert->Bind(blob.id.bytes).Bind(AsBytes(blob.bytes)).Bind(DamagedColumn(blob.standing));
  return insert->Run();
}

Status CatalogMaker::AddHistory(const History& history) {
  for (const Kit& kit : history.kits) {
    PLUMB_TRY(auto* insert, connection_->Prepare("INSERT INTO kits(manifest, added) VALUES(?,?)"));
    insert->Bind(kit.manifest.bytes).Bind(static_cast<std::uint64_t>(kit.added_ns));
    PLUMB_RETURN_IF_ERROR(insert->Run());
  }
  for (const Ref& ref : history.refs) {
    PLUMB_TRY(auto* insert,
              connection_->Prepare("INSERT INTO refs(repository, tag, manifest) VALUES(?,?,?)"));
    insert->Bind(std::string_view(ref.name.repository)).Bind(std::string_view(ref.name.tag));
    PLUMB_RETURN_IF_ERROR(insert->Bind(ref.manifest.bytes).Run());
  }
  for (const HeldKit& held : history.held) {
    const HoldingKey key = {held.domain, HoldingKind::kKit, held.kit.manifest.bytes};
    PLUMB_RETURN_IF_ERROR(AddHolding({key, 0, held.kit.added_ns}));
  }
  for (const MoveRow& move : history.moves)
    PLUMB_RETURN_IF_ERROR(AddMove(move));
  return Done{};
}

Status CatalogMaker::AddHolding(const Holding& holding) {
  PLUMB_RETURN_IF_ERROR(MakeDomains(*connection_));
  PLUMB_TRY(const std::uint64_t domain, AddDomain(*connection_, holding.key.domain));
  PLUMB_TRY(auto* put,
            connection_->Prepare("INSERT OR REPLACE INTO holdings(domain, kind, name, stored,"
                                 " added) VALUES(?,?,?,?,?)"));
  put->Bind(domain).Bind(static_cast<std::uint64_t>(holding.key.kind)).Bind(holding.key.name);
  return put->Bind(holding.stored).Bind(static_cast<std::uint64_t>(holding.added_ns)).Run();
}

Status CatalogMaker::AddMove(const MoveRow& move) {
  PLUMB_TRY(auto* insert,
            connection_->Prepare("INSERT INTO ref_moves"
                                 "(repository, tag, previous, manifest, message, moved)"
                                 " VALUES(?,?,?,?,?,?)"));
  insert->Bind(std::string_view(move.name.repository)).Bind(std::string_view(move.name.tag));
  BindDigest(*insert, move.previous);
  BindDigest(*insert, move.manifest);
  insert->Bind(std::string_view(move.message)).Bind(static_cast<std::uint64_t>(move.moved_ns));
  return insert->Run();
}

Status CatalogMaker::Finish(Epoch epoch) {
  PLUMB_TRY(auto* update, connection_->Prepare("UPDATE upkeep SET epoch = ?"));
  PLUMB_RETURN_IF_ERROR(update->Bind(epoch).Run());
  return connection_->Execute("COMMIT");
}

}  // namespace plumb::store
