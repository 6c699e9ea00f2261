// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <string>

#include "store/catalog_upkeep.h"
#include "store/sqlite_internal.h"
#include "tests/temporary_directory.h"

// What tests/sim does not see: locks, files without names, and what SQLite's own VFS has written.
namespace plumb::store {
namespace {

class SqliteVfsTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteConnection> Open() {
    auto opened = SqliteConnection::Open(*directory_, "a.sqlite", 0);
    EXPECT_TRUE(opened) << opened.error().message;
    const Status set = (*opened)->Execute("PRAGMA journal_mode = TRUNCATE");
    EXPECT_TRUE(set) << set.error().message;
    return *std::move(opened);
  }
  static std::uint64_t Number(SqliteConnection& connection, const std::string& sql) {
    auto* find = *connection.Prepare(sql);
    EXPECT_TRUE(*find->Step());
    const std::uint64_t number = find->Uint(0);
    find->Reset();
    return number;
  }
  static ErrorKind KindOf(const Status& status) {
    EXPECT_FALSE(status);
    return status.error().kind;
  }

  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Directory> directory_ =
      *files_->OpenDirectory(temporary_.path(), host::IfMissing::kFail);
};

TEST_F(SqliteVfsTest, WhoReadsKeepsACommitWaitingAndNothingElse) {
  const auto writer = Open();
  const auto reader = Open();
  ASSERT_TRUE(writer->Execute("CREATE TABLE t(n); INSERT INTO t VALUES(1), (2)"));
  auto* find = *reader->Prepare("SELECT n FROM t");
  ASSERT_TRUE(*find->Step());
  ASSERT_TRUE(writer->Execute("BEGIN IMMEDIATE; INSERT INTO t VALUES(3)"));
  // One writer at a time; readers still come in.
  EXPECT_EQ(KindOf(reader->Execute("BEGIN IMMEDIATE")), ErrorKind::kUnavailable);
  const auto other = Open();
  EXPECT_EQ(Number(*other, "SELECT count(*) FROM t"), 2U);
  EXPECT_EQ(KindOf(writer->Execute("COMMIT")), ErrorKind::kUnavailable);
  // Now it waits for those that are there, and lets no others in.
  EXPECT_FALSE((*other->Prepare("SELECT n FROM t"))->Step());
  EXPECT_TRUE(*find->Step());
  find->Reset();
  EXPECT_TRUE(writer->Execute("COMMIT"));
  EXPECT_EQ(Number(*other, "SELECT count(*) FROM t"), 3U);
}

TEST_F(SqliteVfsTest, AJournalRestsEmptyAndIsNoSignOfACrash) {
  const auto writer = Open();
  ASSERT_TRUE(writer->Execute("CREATE TABLE t(n); INSERT INTO t VALUES(1)"));
  const auto journal = directory_->State("a.sqlite-journal");
  ASSERT_TRUE(journal);
  EXPECT_EQ(journal->size, 0U);
  EXPECT_EQ(Number(*Open(), "SELECT count(*) FROM t"), 1U);
}

TEST_F(SqliteVfsTest, ALongStatementIsUndone) {
  const auto writer = Open();
  ASSERT_TRUE(writer->Execute(
      "CREATE TABLE t(n INTEGER UNIQUE, text TEXT);"
      "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5000)"
      "  INSERT INTO t SELECT n * 2, hex(zeroblob(100)) FROM c"));
  // Fails at the last row, far beyond what SQLite keeps in memory to undo a statement.
  ASSERT_TRUE(writer->Execute("BEGIN IMMEDIATE; INSERT INTO t VALUES(1, 'stays')"));
  EXPECT_FALSE(
      writer->Execute("UPDATE t SET n = CASE n WHEN 10000 THEN 3 ELSE n + 1 END,"
                      " text = 'short' WHERE n > 1"));
  ASSERT_TRUE(writer->Execute("COMMIT"));
  EXPECT_EQ(Number(*writer, "SELECT count(*) FROM t WHERE text = 'short'"), 0U);
  EXPECT_EQ(Number(*writer, "SELECT sum(n) FROM t"), 5000U * 5001U + 1);
}

TEST_F(SqliteVfsTest, WhatTheDiskSaysComesThrough) {
  const auto missing = SqliteConnection::Open(*directory_, "no/such/a.sqlite", 0);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_NE(missing.error().message.find("no/such/a.sqlite"), std::string::npos);
}

TEST_F(SqliteVfsTest, AWriteAheadLogIsFoldedBack) {
  const auto lock_file = *directory_->Open("catalog.lock", host::OpenHow::kCreate);
  ASSERT_TRUE(OpenSqliteCatalog(*directory_, "a.sqlite", *lock_file));
  // As older versions left it: the last commit only in the log.
  sqlite3* old = nullptr;
  ASSERT_EQ(sqlite3_open((temporary_.path() + "/a.sqlite").c_str(), &old), SQLITE_OK);
  sqlite3_db_config(old, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  ASSERT_EQ(
      sqlite3_exec(old, "PRAGMA journal_mode = WAL; INSERT INTO kits VALUES(zeroblob(32), 7, 0)",
                   nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(old);
  ASSERT_TRUE(directory_->State("a.sqlite-wal"));
  EXPECT_TRUE(*HasWriteAheadLog(*directory_, "a.sqlite"));

  const auto catalog = *OpenSqliteCatalog(*directory_, "a.sqlite", *lock_file);
  const auto kits = *catalog->ListKits(Domain::Device());
  ASSERT_EQ(kits.size(), 1U);
  EXPECT_EQ(kits[0].added_ns, 7);
  EXPECT_FALSE(*HasWriteAheadLog(*directory_, "a.sqlite"));
  EXPECT_FALSE(directory_->State("a.sqlite-wal"));
  EXPECT_FALSE(directory_->State("a.sqlite-shm"));
}

}  // namespace
}  // namespace plumb::store
