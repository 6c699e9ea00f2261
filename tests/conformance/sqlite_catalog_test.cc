// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "store/catalog_upkeep.h"
#include "store/sqlite_internal.h"
#include "tests/conformance/catalog_suite.h"
#include "tests/conformance/catalog_upkeep_suite.h"
#include "tests/temporary_directory.h"

namespace plumb::store {
namespace {

struct SqliteFixture final : CatalogFixture {
  SqliteFixture()
      : directory(*files->OpenDirectory(temporary.path(), host::IfMissing::kFail)),
        lock_file(OpenLockFile()),
        first(Reopened()) {}

  Catalog& catalog() override { return *first; }
  std::unique_ptr<Catalog> Reopened() override {
    auto opened = OpenSqliteCatalog(*directory, "catalog.sqlite", *lock_file);
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }
  std::unique_ptr<host::File> OpenLockFile() const {
    return *directory->Open("catalog.lock", host::OpenHow::kCreate);
  }

  TemporaryDirectory temporary;
  std::unique_ptr<host::Files> files = host::MakeFiles();
  std::unique_ptr<host::Directory> directory;
  std::unique_ptr<host::File> lock_file;
  std::unique_ptr<Catalog> first;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, CatalogSuite, testing::Values([] {
                           return std::unique_ptr<CatalogFixture>(new SqliteFixture);
                         }));

struct SqliteUpkeepFixture final : CatalogUpkeepFixture {
  SqliteUpkeepFixture()
      : directory(*files->OpenDirectory(temporary.path(), host::IfMissing::kFail)),
        lock_file(*directory->Open("catalog.lock", host::OpenHow::kCreate)),
        opened(*OpenSqliteCatalog(*directory, "catalog.sqlite", *lock_file)) {}

  KeptCatalog& catalog() override { return *opened; }

  TemporaryDirectory temporary;
  std::unique_ptr<host::Files> files = host::MakeFiles();
  std::unique_ptr<host::Directory> directory;
  std::unique_ptr<host::File> lock_file;
  std::unique_ptr<KeptCatalog> opened;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, CatalogUpkeepSuite, testing::Values([] {
                           return std::unique_ptr<CatalogUpkeepFixture>(new SqliteUpkeepFixture);
                         }));

TEST(SqliteCatalogTest, ManyMayMakeItAtOnce) {
  const TemporaryDirectory temporary;
  const auto files = host::MakeFiles();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto directory = *files->OpenDirectory(temporary.path(), host::IfMissing::kFail);
      const auto lock_file = *directory->Open("catalog.lock", host::OpenHow::kCreate);
      const auto catalog = OpenSqliteCatalog(*directory, "catalog.sqlite", *lock_file);
      EXPECT_TRUE(catalog) << catalog.error().message;
    });
  }
  for (std::thread& thread : threads)
    thread.join();
}

// As 0.1.0 wrote it before there was a gc.
TEST(SqliteCatalogTest, AnOlderOneIsUpgraded) {
  const TemporaryDirectory temporary;
  const auto files = host::MakeFiles();
  const auto directory = *files->OpenDirectory(temporary.path(), host::IfMissing::kFail);
  {
    const auto connection = *SqliteConnection::Open(*directory, "catalog.sqlite", 1000);
    ASSERT_TRUE(connection->Execute(R"sql(
      CREATE TABLE packs(pack INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE) STRICT;
      CREATE TABLE objects(id BLOB PRIMARY KEY, pack INTEGER NOT NULL REFERENCES packs,
        position INTEGER NOT NULL, stored_size INTEGER NOT NULL, raw_size INTEGER NOT NULL,
        encoding INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE blobs(digest BLOB PRIMARY KEY, size INTEGER NOT NULL, form INTEGER NOT NULL,
        id BLOB NOT NULL, bytes BLOB NOT NULL) STRICT;
      CREATE TABLE kits(manifest BLOB PRIMARY KEY REFERENCES blobs, added INTEGER NOT NULL)
        STRICT, WITHOUT ROWID;
      CREATE TABLE refs(repository TEXT NOT NULL, tag TEXT NOT NULL,
        manifest BLOB NOT NULL REFERENCES kits, PRIMARY KEY (repository, tag))
        STRICT, WITHOUT ROWID;
      CREATE INDEX refs_by_manifest ON refs(manifest);
      CREATE TABLE ref_moves(move INTEGER PRIMARY KEY AUTOINCREMENT, repository TEXT NOT NULL,
        tag TEXT NOT NULL, previous BLOB, manifest BLOB, message TEXT NOT NULL,
        moved INTEGER NOT NULL) STRICT;
      CREATE TABLE layers(key BLOB PRIMARY KEY, digest BLOB NOT NULL, size INTEGER NOT NULL,
        diff_id BLOB NOT NULL, hash BLOB NOT NULL) STRICT, WITHOUT ROWID;
      INSERT INTO packs VALUES(1, zeroblob(16));
      INSERT INTO objects VALUES(zeroblob(32), 1, 4096, 7, 7, 0);
      PRAGMA application_id = 1349283170;
      PRAGMA user_version = 1;
    )sql"));
  }
  const auto lock_file = *directory->Open("catalog.lock", host::OpenHow::kCreate);
  for (int i = 0; i < 2; ++i) {
    const auto catalog = OpenSqliteCatalog(*directory, "catalog.sqlite", *lock_file);
    ASSERT_TRUE(catalog) << catalog.error().message;
    EXPECT_EQ((*(*catalog)->FindObject(Domain::Device(), ObjectId()))->stored_size, 7U);
    EXPECT_TRUE((*catalog)->Mark({}));
    EXPECT_EQ(*(*catalog)->FindFiles(Domain::Device(), {FilesKind::kKit, {}}), std::nullopt);
  }
}

TEST(SqliteCatalogTest, AFileThatIsNoDatabaseIsCorrupt) {
  const TemporaryDirectory temporary;
  temporary.Write("catalog.sqlite", std::string(8192, 'x'));
  const auto files = host::MakeFiles();
  const auto directory = *files->OpenDirectory(temporary.path(), host::IfMissing::kFail);
  const auto lock_file = *directory->Open("catalog.lock", host::OpenHow::kCreate);
  const auto catalog = OpenSqliteCatalog(*directory, "catalog.sqlite", *lock_file);
  ASSERT_FALSE(catalog);
  EXPECT_EQ(catalog.error().kind, ErrorKind::kCorrupt);
}

// A process that ended in the middle of a commit leaves a "1" in the lock file.
TEST(SqliteCatalogTest, WhatOthersMayHaveLeftUnsettledIsSettledByAChangeWithoutContent) {
  const TemporaryDirectory temporary;
  const auto files = host::MakeFiles();
  const auto directory = *files->OpenDirectory(temporary.path(), host::IfMissing::kFail);
  const auto lock_file = *directory->Open("catalog.lock", host::OpenHow::kCreate);
  const auto catalog = *OpenSqliteCatalog(*directory, "catalog.sqlite", *lock_file);
  // SQLite counts its commits there.
  const auto commits = [&] { return temporary.Read("catalog.sqlite").substr(24, 4); };
  const std::string before = commits();
  EXPECT_TRUE(catalog->Apply(CatalogChange{}));
  EXPECT_EQ(commits(), before);
  ASSERT_TRUE(lock_file->WriteAt(0, AsBytes(std::string_view("1"))));
  EXPECT_TRUE(catalog->Apply(CatalogChange{}));
  EXPECT_NE(commits(), before);
  EXPECT_EQ(temporary.Read("catalog.lock"), "0");
}

}  // namespace
}  // namespace plumb::store
