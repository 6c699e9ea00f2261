// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_SQLITE_UPKEEP_INTERNAL_H_
#define PLUMB_STORE_SQLITE_UPKEEP_INTERNAL_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/catalog_upkeep.h"
#include "store/sqlite_internal.h"

// The statements behind CatalogUpkeep, each within a transaction of the caller.
namespace plumb::store {

Error DamagedTable(std::string_view table);
// Of a row with these columns.
Standing StandingOf(const SqliteStatement& row, int dead_column, int damaged_column);
// The objects, for ObjectOf.
inline constexpr std::string_view kSelectObjects =
    "SELECT objects.id, packs.name, position, stored_size, raw_size, encoding, objects.dead,"
    " damaged, blocks_size, start, files.name FROM objects LEFT JOIN packs USING (pack)"
    " LEFT JOIN packs AS files ON files.pack = objects.adopted";
// kCorrupt if the row is none. The columns are those; and digest, size, form, id, bytes, dead,
// damaged.
Result<ObjectRecord> ObjectOf(const SqliteStatement& row);
Result<BlobRecord> BlobOf(const SqliteStatement& row);

Result<Epoch> ReadEpoch(SqliteConnection& connection);
Status VisitRows(SqliteConnection& connection, const CatalogVisitor& visitor);
Result<Epoch> MarkRows(SqliteConnection& connection, const MarkRequest& request);
Result<std::vector<PackName>> ChangeRows(SqliteConnection& connection, const UpkeepChange& change);
Result<std::vector<std::string>> ProblemsOf(SqliteConnection& connection);

}  // namespace plumb::store

#endif  // PLUMB_STORE_SQLITE_UPKEEP_INTERNAL_H_
