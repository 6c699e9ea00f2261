// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_SQLITE_CHANGER_INTERNAL_H_
#define PLUMB_STORE_SQLITE_CHANGER_INTERNAL_H_

#include "base/result.h"
#include "store/catalog.h"
#include "store/sqlite_internal.h"

namespace plumb::store {

// The statements behind Catalog::Apply, within a transaction of the caller.
Status ChangeCatalog(SqliteConnection& connection, const CatalogChange& change);

}  // namespace plumb::store

#endif  // PLUMB_STORE_SQLITE_CHANGER_INTERNAL_H_
