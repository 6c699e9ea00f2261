// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_SQLITE_INTERNAL_H_
#define PLUMB_STORE_SQLITE_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/bytes.h"
#include "base/result.h"
#include "host/files.h"

struct sqlite3;
struct sqlite3_stmt;

// The fence round SQLite: only sqlite.cc and sqlite_vfs.cc know its header.
namespace plumb::store {

class SqliteVfs;

// A prepared statement, its parameters bound in order of the calls. Threads: one at a time,
// as its connection.
class SqliteStatement {
 public:
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}
  ~SqliteStatement();
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  // What is bound must live until the next Reset().
  SqliteStatement& Bind(ByteSpan blob);
  SqliteStatement& Bind(std::string_view text);
  SqliteStatement& Bind(std::uint64_t value);  // at most 2^63 - 1
  SqliteStatement& BindNull();

  // To the next row: false behind the last.
  Result<bool> Step();
  // For a statement that gives no rows; resets it.
  Status Run();
  // Ready to be bound and run again.
  void Reset();

  bool IsNull(int column) const;
  std::uint64_t Uint(int column) const;
  // Valid until the next Step() or Reset(). A value of another type is empty.
  ByteSpan Blob(int column) const;
  std::string_view Text(int column) const;
  // Whether the column holds a blob of exactly that size, which is copied.
  bool CopyBlob(int column, MutableByteSpan out) const;

 private:
  sqlite3_stmt* const statement_;
  int bound_ = 0;
};

// Ends a statement on every way out: one that is not reset keeps a lock on the database.
class SqliteReset {
 public:
  explicit SqliteReset(SqliteStatement& statement) : statement_(statement) {}
  ~SqliteReset() { statement_.Reset(); }
  SqliteReset(const SqliteReset&) = delete;
  SqliteReset& operator=(const SqliteReset&) = delete;

 private:
  SqliteStatement& statement_;
};

// A connection. Threads: one at a time.
class SqliteConnection {
 public:
  // The database `name` in `directory`, which must outlive the connection. Makes the file if it is
  // missing. Errors of the disk come through as they are; kUnavailable if others keep it locked
  // for over `busy_timeout_ms`.
  static Result<std::unique_ptr<SqliteConnection>> Open(host::Directory& directory,
                                                        const std::string& name,
                                                        int busy_timeout_ms);
  SqliteConnection(std::unique_ptr<SqliteVfs> vfs, sqlite3* handle);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // Any number of statements without parameters; rows are dropped.
  Status Execute(const char* sql);
  // Prepared once for each text, and reset.
  Result<SqliteStatement*> Prepare(std::string_view sql);
  // What the disk said when it last failed, once: some statements only tell that in their rows.
  std::optional<Error> TakeDiskError();
  // How many rows the last statement that ran changed.
  std::uint64_t Changed() const;

 private:
  const std::unique_ptr<SqliteVfs> vfs_;
  sqlite3* const handle_;
  std::unordered_map<std::string, std::unique_ptr<SqliteStatement>> statements_;
};

// Whether a database is to be read together with a write-ahead log, which is possible only to a
// connection that has it to itself. False if there is none.
Result<bool> HasWriteAheadLog(host::Directory& directory, const std::string& name);

}  // namespace plumb::store

#endif  // PLUMB_STORE_SQLITE_INTERNAL_H_
