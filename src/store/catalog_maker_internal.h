// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_CATALOG_MAKER_INTERNAL_H_
#define PLUMB_STORE_CATALOG_MAKER_INTERNAL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "host/files.h"
#include "store/catalog_upkeep.h"
#include "store/records_internal.h"
#include "store/sqlite_internal.h"

namespace plumb::store {

// Fills a catalog that nobody else knows of, in one transaction: row by row, and without the
// questions that a session's commit asks, as what is missing is to be missing there too.
// Threads: one at a time.
class CatalogMaker {
 public:
  // The catalog `name` of `directory` must be there (OpenSqliteCatalog), and empty.
  static Result<std::unique_ptr<CatalogMaker>> Begin(host::Directory& directory,
                                                     const std::string& name);
  explicit CatalogMaker(std::unique_ptr<SqliteConnection> connection)
      : connection_(std::move(connection)) {}

  // Each once; packs before what is in them.
  Status AddPack(const PackName& pack);
  Status AddObject(const ObjectRecord& object);
  Status AddBlob(const BlobRecord& blob);
  // The last of several for one layer or kit counts.
  Status AddFiles(const FilesRecord& record);
  Status AddHistory(const History& history);
  // Each once; of objects the last counts.
  Status AddHolding(const Holding& holding);
  // On return everything is durable.
  Status Finish(Epoch epoch);

 private:
  Status AddMove(const MoveRow& move);

  const std::unique_ptr<SqliteConnection> connection_;
  std::map<PackName, std::uint64_t> numbers_;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_CATALOG_MAKER_INTERNAL_H_
