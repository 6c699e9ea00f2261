// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string>
#include <utility>

#include "store/sqlite_domains_internal.h"
#include "store/sqlite_upkeep_internal.h"

namespace plumb::store {
namespace {

constexpr std::uint64_t kVersionWithDomains = 4;

constexpr const char* kDomainSchema = R"sql(
  CREATE TABLE domains(
    domain INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused: a lookup may take two statements
    name TEXT NOT NULL UNIQUE
  ) STRICT;
  INSERT INTO domains VALUES(0, '');
  CREATE TABLE holdings(
    domain INTEGER NOT NULL REFERENCES domains,
    kind INTEGER NOT NULL,
    name BLOB NOT NULL,
    stored INTEGER NOT NULL DEFAULT 0,
    added INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (domain, kind, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX holders_of_kits ON holdings(name) WHERE kind = 3;
  CREATE TABLE domain_files(
    domain INTEGER NOT NULL REFERENCES domains,
    subject BLOB NOT NULL,
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (domain, subject, kind)
  ) STRICT;
  PRAGMA user_version = 4;
)sql";

constexpr std::uint64_t Number(HoldingKind kind) { return static_cast<std::uint64_t>(kind); }

Error OutOfDate() { return Error{ErrorKind::kConflict, "kits were added or tagged meanwhile"}; }

constexpr std::string_view kSelectHoldings =
    "SELECT domains.name, kind, holdings.name, stored, added, dead"
    " FROM holdings LEFT JOIN domains USING (domain)";

Result<Holding> HoldingOf(const SqliteStatement& row) {
  Holding holding;
  const std::string_view name = row.Text(0);
  if (row.IsNull(0)) return DamagedTable("domains");
  if (!name.empty()) {
    auto domain = Domain::Parse(name);
    if (!domain) return DamagedTable("domains");
    holding.key.domain = *std::move(domain);
  }
  const std::uint64_t kind = row.Uint(1);
  if (kind < Number(HoldingKind::kObject) || kind > Number(HoldingKind::kKit) ||
      !row.CopyBlob(2, holding.key.name))
    return DamagedTable("holdings");
  holding.key.kind = static_cast<HoldingKind>(kind);
  holding.stored = row.Uint(3);
  holding.added_ns = static_cast<std::int64_t>(row.Uint(4));
  holding.unneeded_since = row.Uint(5);
  return holding;
}

Status ForEachHolding(SqliteConnection& connection, std::string_view sql,
                      const std::function<Status(const Holding&)>& visit) {
  PLUMB_TRY(const bool has_domains, HasDomains(connection));
  if (!has_domains) return Done{};
  PLUMB_TRY(auto* rows, connection.Prepare(sql));
  const SqliteReset reset(*rows);
  while (true) {
    PLUMB_TRY(const bool is_there, rows->Step());
    if (!is_there) return Done{};
    PLUMB_TRY(const Holding holding, HoldingOf(*rows));
    PLUMB_RETURN_IF_ERROR(visit(holding));
  }
}

// Kits of named domains that no gc found unneeded, or all of them.
enum class WhichKits : std::uint8_t { kNeeded, kAll };

Status ForEachHeldKit(SqliteConnection& connection, WhichKits which,
                      const std::function<Status(const HeldKit&)>& visit) {
  const std::string sql = std::string(kSelectHoldings) + " WHERE kind = 3";
  return ForEachHolding(connection, sql, [&](const Holding& holding) -> Status {
    if (holding.key.domain.IsDevice()) return Done{};
    if (which == WhichKits::kNeeded && holding.unneeded_since != 0) return Done{};
    return visit({holding.key.domain, {Digest{holding.key.name}, holding.added_ns}});
  });
}

// Runs `sql`, whose parameters are an epoch (if it is none, there is none), a domain, a kind and a
// name, for each.
Status RunForEach(SqliteConnection& connection, std::string_view sql, std::optional<Epoch> epoch,
                  const std::vector<HoldingKey>& keys) {
  for (const HoldingKey& key : keys) {
    PLUMB_TRY(const auto domain, FindDomain(connection, key.domain));
    if (!domain) continue;
    PLUMB_TRY(auto* statement, connection.Prepare(sql));
    if (epoch) statement->Bind(*epoch);
    PLUMB_RETURN_IF_ERROR(statement->Bind(*domain).Bind(Number(key.kind)).Bind(key.name).Run());
  }
  return Done{};
}

}  // namespace

Result<std::uint64_t> SchemaVersionOf(SqliteConnection& connection) {
  PLUMB_TRY(auto* find, connection.Prepare("PRAGMA user_version"));
  const SqliteReset reset(*find);
  PLUMB_TRY([[maybe_unused]] const bool is_there, find->Step());
  return find->Uint(0);
}

Result<bool> HasDomains(SqliteConnection& connection) {
  PLUMB_TRY(const std::uint64_t version, SchemaVersionOf(connection));
  return version >= kVersionWithDomains;
}

Status MakeDomains(SqliteConnection& connection) {
  PLUMB_TRY(const bool has_domains, HasDomains(connection));
  return has_domains ? Status(Done{}) : connection.Execute(kDomainSchema);
}

Result<std::optional<std::uint64_t>> FindDomain(SqliteConnection& connection,
                                                const Domain& domain) {
  std::optional<std::uint64_t> number;
  if (domain.IsDevice()) return std::optional(kDeviceNumber);
  PLUMB_TRY(const bool has_domains, HasDomains(connection));
  if (!has_domains) return number;
  PLUMB_TRY(auto* find, connection.Prepare("SELECT domain FROM domains WHERE name = ?"));
  const SqliteReset reset(*find);
  find->Bind(std::string_view(domain.name()));
  PLUMB_TRY(const bool is_there, find->Step());
  if (is_there) number = find->Uint(0);
  return number;
}

Result<std::uint64_t> AddDomain(SqliteConnection& connection, const Domain& domain) {
  PLUMB_TRY(auto* insert, connection.Prepare("INSERT OR IGNORE INTO domains(name) VALUES(?)"));
  PLUMB_RETURN_IF_ERROR(insert->Bind(std::string_view(domain.name())).Run());
  PLUMB_TRY(const auto number, FindDomain(connection, domain));
  if (!number) return DamagedTable("domains");
  return *number;
}

Result<std::optional<Standing>> StandingIn(SqliteConnection& connection, const Domain& domain,
                                           HoldingKind kind, ByteSpan name) {
  std::optional<Standing> standing;
  if (domain.IsDevice()) return std::optional(Standing::kGood);
  PLUMB_TRY(const auto number, FindDomain(connection, domain));
  if (!number) return standing;
  PLUMB_TRY(auto* find, connection.Prepare("SELECT dead FROM holdings WHERE domain = ? AND kind = ?"
                                           " AND name = ?"));
  const SqliteReset reset(*find);
  find->Bind(*number).Bind(Number(kind)).Bind(name);
  PLUMB_TRY(const bool is_there, find->Step());
  if (is_there) standing = find->Uint(0) == 0 ? Standing::kGood : Standing::kUnneeded;
  return standing;
}

Result<std::optional<Digest>> FindRefIn(SqliteConnection& connection, const Domain& domain,
                                        const RefName& name) {
  std::optional<Digest> manifest;
  if (!domain.IsDevice() && name.repository != domain.name()) return manifest;
  {
    PLUMB_TRY(auto* find,
              connection.Prepare("SELECT manifest FROM refs WHERE repository = ? AND tag = ?"));
    const SqliteReset reset(*find);
    find->Bind(std::string_view(name.repository)).Bind(std::string_view(name.tag));
    PLUMB_TRY(const bool is_there, find->Step());
    if (is_there && !find->CopyBlob(0, manifest.emplace().bytes)) return DamagedTable("refs");
  }
  if (!manifest) return manifest;
  PLUMB_TRY(const auto standing,
            StandingIn(connection, domain, HoldingKind::kKit, manifest->bytes));
  return standing ? manifest : std::nullopt;
}

LayerKey KeyIn(const Domain& domain, const LayerKey& key) {
  if (domain.IsDevice()) return key;
  std::string text = domain.name();
  text.push_back('\0');
  text += AsText(key.bytes);
  return {Blake3(AsBytes(text)).bytes};
}

ObjectId HashOfMemory(const LayerKey& key, const LayerRecord& record) {
  std::string text;
  for (const ByteSpan part :
       {ByteSpan(key.bytes), ByteSpan(record.blob.bytes), ByteSpan(record.diff_id.bytes)})
    text += AsText(part);
  AppendU64(text, record.size);
  return Blake3(AsBytes(text));
}

Status VisitHoldings(SqliteConnection& connection,
                     const std::function<Status(const Holding&)>& visit) {
  return ForEachHolding(connection, kSelectHoldings, visit);
}

Status MarkHoldings(SqliteConnection& connection, const MarkRequest& request, Epoch epoch) {
  PLUMB_RETURN_IF_ERROR(RunForEach(connection,
                                   "UPDATE holdings SET dead = ? WHERE domain = ? AND kind = ?"
                                   " AND name = ? AND dead = 0",
                                   epoch, request.unneeded_holdings));
  return RunForEach(connection,
                    "UPDATE holdings SET dead = 0 WHERE domain = ? AND kind = ? AND name = ?",
                    std::nullopt, request.needed_holdings);
}

Status CheckHeldKits(SqliteConnection& connection, const MarkRequest& request) {
  PLUMB_RETURN_IF_ERROR(
      ForEachHeldKit(connection, WhichKits::kAll, [&](const HeldKit& held) -> Status {
        if (!std::ranges::binary_search(request.known_held, held)) return OutOfDate();
        return Done{};
      }));
  for (const HoldingKey& key : request.unneeded_holdings) {
    if (key.kind != HoldingKind::kKit) continue;
    PLUMB_TRY(auto* find,
              connection.Prepare("SELECT 1 FROM refs WHERE manifest = ? AND repository = ?"));
    const SqliteReset reset(*find);
    find->Bind(key.name).Bind(std::string_view(key.domain.name()));
    PLUMB_TRY(const bool is_tagged, find->Step());
    if (is_tagged) return OutOfDate();
  }
  return Done{};
}

Status CheckHeldKits(SqliteConnection& connection, const UpkeepChange& change) {
  PLUMB_RETURN_IF_ERROR(
      ForEachHeldKit(connection, WhichKits::kNeeded, [&](const HeldKit& held) -> Status {
        const HoldingKey key = {held.domain, HoldingKind::kKit, held.kit.manifest.bytes};
        if (!std::ranges::binary_search(change.kept_held, key)) return OutOfDate();
        return Done{};
      }));
  PLUMB_TRY(const bool has_domains, HasDomains(connection));
  if (!has_domains) return Done{};
  // The device may tag what a domain has, also what was marked in it.
  PLUMB_TRY(auto* find, connection.Prepare("SELECT 1 FROM holdings JOIN domains USING (domain)"
                                           " JOIN refs ON refs.manifest = holdings.name"
                                           " AND refs.repository = domains.name"
                                           " WHERE kind = 3 AND dead <> 0 LIMIT 1"));
  const SqliteReset reset(*find);
  PLUMB_TRY(const bool is_tagged, find->Step());
  return is_tagged ? Status(OutOfDate()) : Done{};
}

Status CollectHoldings(SqliteConnection& connection, Epoch up_to) {
  PLUMB_TRY(const bool has_domains, HasDomains(connection));
  if (!has_domains) return Done{};
  PLUMB_TRY(auto* remove, connection.Prepare("DELETE FROM holdings WHERE dead BETWEEN 1 AND ?"));
  PLUMB_RETURN_IF_ERROR(remove->Bind(up_to).Run());
  return connection.Execute(
      "DELETE FROM holdings WHERE kind = 1 AND name NOT IN (SELECT id FROM objects);"
      "DELETE FROM holdings WHERE kind = 2 AND name NOT IN (SELECT digest FROM blobs);"
      "DELETE FROM holdings WHERE kind = 3 AND name NOT IN (SELECT manifest FROM kits);"
      "DELETE FROM domain_files WHERE NOT EXISTS (SELECT 1 FROM holdings WHERE"
      " holdings.domain = domain_files.domain AND holdings.kind = 2 AND holdings.name = subject);"
      "DELETE FROM domains WHERE domain <> 0 AND domain NOT IN (SELECT domain FROM holdings)");
}

std::vector<std::string_view> ProblemsOfDomains() {
  return {
      "SELECT 'a domain sees an object that is not there: ' || lower(hex(name)) FROM holdings"
      " WHERE kind = 1 AND name NOT IN (SELECT id FROM objects)",
      "SELECT 'a domain sees a blob that is not there: ' || lower(hex(name)) FROM holdings"
      " WHERE kind = 2 AND name NOT IN (SELECT digest FROM blobs)",
      "SELECT 'a domain has a kit that is not there: ' || lower(hex(name)) FROM holdings"
      " WHERE kind = 3 AND name NOT IN (SELECT manifest FROM kits)"};
}

}  // namespace plumb::store
