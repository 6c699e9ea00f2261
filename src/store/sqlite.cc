// SPDX-License-Identifier: MIT OR Apache-2.0
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "store/catalog.h"
#include "store/sqlite_internal.h"
#include "store/sqlite_vfs_internal.h"

namespace plumb::store {
namespace {

ErrorKind KindOf(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_ERROR:  // our statements are right: tables or columns are missing
      return ErrorKind::kCorrupt;
    case SQLITE_FULL:
    case SQLITE_TOOBIG:
      return ErrorKind::kExhausted;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      return ErrorKind::kDenied;
    default:
      return ErrorKind::kUnavailable;  // busy, locked, I/O
  }
}

// Whether the code says no more than that the disk failed.
bool IsOfDisk(int code) {
  const int primary = code & 0xff;
  return primary == SQLITE_IOERR || primary == SQLITE_FULL || primary == SQLITE_CANTOPEN;
}

// What the disk itself said, if it was asked by this connection.
std::optional<Error> DiskError(sqlite3* handle) {
  sqlite3_vfs* vfs = nullptr;
  if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_VFS_POINTER, static_cast<void*>(&vfs)) !=
          SQLITE_OK ||
      vfs == nullptr)
    return std::nullopt;
  return static_cast<SqliteVfs*>(vfs->pAppData)->TakeError();
}

Error SqliteError(sqlite3* handle, int code) {
  if (handle != nullptr && IsOfDisk(code)) {
    if (auto error = DiskError(handle))
      return std::move(*error).While("the store's catalog cannot be used");
  }
  const ErrorKind kind = KindOf(code);
  std::string message = "the store's catalog ";
  message += kind == ErrorKind::kCorrupt ? "is damaged: " : "cannot be used: ";
  message += handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  return Error{kind, std::move(message),
               std::string(kind == ErrorKind::kCorrupt ? kCatalogDamagedHint : "")};
}

}  // namespace

SqliteStatement::~SqliteStatement() { sqlite3_finalize(statement_); }

SqliteStatement& SqliteStatement::Bind(ByteSpan blob) {
  // A null pointer would bind NULL.
  const void* data = blob.empty() ? static_cast<const void*>("") : blob.data();
  PLUMB_CHECK(sqlite3_bind_blob64(statement_, ++bound_, data, blob.size(), SQLITE_STATIC) ==
              SQLITE_OK);
  return *this;
}

SqliteStatement& SqliteStatement::Bind(std::string_view text) {
  const char* data = text.empty() ? "" : text.data();
  PLUMB_CHECK(sqlite3_bind_text64(statement_, ++bound_, data, text.size(), SQLITE_STATIC,
                                  SQLITE_UTF8) == SQLITE_OK);
  return *this;
}

SqliteStatement& SqliteStatement::Bind(std::uint64_t value) {
  PLUMB_CHECK(value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  PLUMB_CHECK(sqlite3_bind_int64(statement_, ++bound_, static_cast<std::int64_t>(value)) ==
              SQLITE_OK);
  return *this;
}

SqliteStatement& SqliteStatement::BindNull() {
  PLUMB_CHECK(sqlite3_bind_null(statement_, ++bound_) == SQLITE_OK);
  return *this;
}

Result<bool> SqliteStatement::Step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(sqlite3_db_handle(statement_), code);
}

Status SqliteStatement::Run() {
  const auto stepped = Step();
  Reset();
  if (!stepped) return stepped.error();
  return Done{};
}

void SqliteStatement::Reset() {
  // The code repeats the failure of the last Step(), which was reported.
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  bound_ = 0;
}

bool SqliteStatement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::uint64_t SqliteStatement::Uint(int column) const {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, sqlite3_column_int64(statement_, column)));
}

ByteSpan SqliteStatement::Blob(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  if (data == nullptr) return {};
  return {static_cast<const std::byte*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view SqliteStatement::Text(int column) const { return AsText(Blob(column)); }

bool SqliteStatement::CopyBlob(int column, MutableByteSpan out) const {
  const ByteSpan blob = Blob(column);
  if (blob.size() != out.size()) return false;
  std::copy(blob.begin(), blob.end(), out.begin());
  return true;
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(host::Directory& directory,
                                                                 const std::string& name,
                                                                 int busy_timeout_ms) {
  auto vfs = std::make_unique<SqliteVfs>(directory);
  sqlite3* handle = nullptr;
  const int code = vfs->OpenDatabase(name, &handle);
  SqliteVfs& disk = *vfs;
  auto connection = std::make_unique<SqliteConnection>(std::move(vfs), handle);
  if (code != SQLITE_OK) {
    if (auto error = disk.TakeError())
      return std::move(*error).While("the store's catalog cannot be used");
    return SqliteError(handle, code);
  }
  sqlite3_busy_timeout(handle, busy_timeout_ms);
  return connection;
}

SqliteConnection::SqliteConnection(std::unique_ptr<SqliteVfs> vfs, sqlite3* handle)
    : vfs_(std::move(vfs)), handle_(handle) {}

SqliteConnection::~SqliteConnection() {
  statements_.clear();
  sqlite3_close(handle_);
}

Status SqliteConnection::Execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return SqliteError(handle_, code);
  return Done{};
}

Result<SqliteStatement*> SqliteConnection::Prepare(std::string_view sql) {
  auto& kept = statements_[std::string(sql)];
  if (kept == nullptr) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return SqliteError(handle_, code);
    kept = std::make_unique<SqliteStatement>(statement);
  }
  kept->Reset();
  return kept.get();
}

std::optional<Error> SqliteConnection::TakeDiskError() { return vfs_->TakeError(); }

std::uint64_t SqliteConnection::Changed() const {
  return static_cast<std::uint64_t>(sqlite3_changes64(handle_));
}

Result<bool> HasWriteAheadLog(host::Directory& directory, const std::string& name) {
  const auto file = directory.Open(name, host::OpenHow::kRead);
  if (!file && file.error().kind == ErrorKind::kNotFound) return false;
  if (!file) return file.error();
  // SQLite's file format, 1.3.3: the version that is needed to read it.
  std::array<std::byte, 1> version = {};
  PLUMB_TRY(const std::size_t size, (*file)->ReadAt(19, version));
  return size == 1 && version[0] == std::byte{2};
}

}  // namespace plumb::store
