// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_SQLITE_VFS_INTERNAL_H_
#define PLUMB_STORE_SQLITE_VFS_INTERNAL_H_

#include <sqlite3.h>

#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "host/files.h"

// Behind the fence round SQLite: its files are opened beneath a host::Directory, so that a
// simulated disk sees all that it does (tests/sim).
namespace plumb::store {

// What SQLite calls to reach the disk ("VFS"). No shared memory, so no write-ahead log but by one
// connection that has the database to itself. Database and rollback journal are locked and written
// as SQLite's own VFS for Unix does it, the same bytes locked, so that any other program with
// SQLite in it may look at the database meanwhile.
//
// Promises, beyond those of SQLite's documentation: before a journal is first relied on, its
// name is durable; what was deleted is durably so.
// Threads: one at a time, as the connection.
class SqliteVfs {
 public:
  // `directory` must outlive it.
  explicit SqliteVfs(host::Directory& directory);
  SqliteVfs(const SqliteVfs&) = delete;
  SqliteVfs& operator=(const SqliteVfs&) = delete;

  // Opens the database of that name with it, which must outlive the connection. SQLite's code.
  int OpenDatabase(const std::string& name, sqlite3** handle);

  // The disk's own words for what SQLite last reported as a code, once.
  std::optional<Error> TakeError() { return std::exchange(error_, std::nullopt); }

  // For the calls from SQLite.
  host::Directory& directory() { return directory_; }
  // Keeps the error, and gives SQLite's code for it: SQLITE_FULL, or else `code`.
  int Failed(Error error, int code);

 private:
  host::Directory& directory_;
  std::optional<Error> error_;
  std::string name_;
  sqlite3_vfs vfs_ = {};
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_SQLITE_VFS_INTERNAL_H_
