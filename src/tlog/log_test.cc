// SPDX-License-Identifier: MIT OR Apache-2.0
// On a real disk; tests/sim/log_test.cc has the disks that fail.
#include "tlog/log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/temporary_directory.h"
#include "tests/test_log.h"
#include "tlog/checkpoint.h"

namespace plumb::tlog {
namespace {

namespace fs = std::filesystem;
using Entries = std::vector<std::string>;

const std::string kOrigin = "device.example/log";

class LogTest : public testing::Test {
 protected:
  std::unique_ptr<Log> Open() {
    auto log = Log::Open(*files_, path(), {kOrigin, TestKey('k')});
    EXPECT_TRUE(log) << log.error().message;
    return *std::move(log);
  }
  Error WhyNot(const std::string& origin = kOrigin, char key = 'k') {
    const auto log = Log::Open(*files_, path(), {origin, TestKey(key)});
    EXPECT_FALSE(log);
    return log ? Error{} : log.error();
  }
  std::string path() const { return directory_.path() + "/log"; }
  Policy Believer() const {
    return *Policy::Parse("log " + TestVkey(NoteKeyType::kEd25519, kOrigin, 'k') +
                          "\nquorum none\n");
  }
  std::string JournalNow() const { return directory_.Read("log/journal"); }

  TemporaryDirectory directory_;
  const std::unique_ptr<host::Files> files_ = host::MakeFiles();
};

TEST_F(LogTest, BeginsWithoutEntries) {
  EXPECT_EQ(Open()->State()->head, (TreeHead{0, EmptyRoot()}));
  EXPECT_EQ(Open()->State()->checkpoint, "");
  EXPECT_FALSE(fs::exists(path() + "/public/checkpoint"));
  EXPECT_EQ(Open()->Prove(0).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(fs::status(path()).permissions(), fs::perms::owner_all);
}

TEST_F(LogTest, ProvesWhatWasAppendedAlsoLater) {
  const auto appended = Open()->Append(1, {"one", "", "three"});
  ASSERT_TRUE(appended) << appended.error().message;
  EXPECT_EQ(appended->first_index, 0U);
  EXPECT_EQ(appended->state.head.size, 3U);
  EXPECT_EQ(directory_.Read("log/public/checkpoint"), appended->state.checkpoint);
  const auto log = Open();
  EXPECT_EQ(log->State()->mark, 3U);
  const auto proof = log->Prove(2);
  ASSERT_TRUE(proof) << proof.error().message;
  EXPECT_TRUE(VerifyLogProof(*proof, LeafHash(AsBytes("three")), Believer()));
  EXPECT_FALSE(VerifyLogProof(*proof, LeafHash(AsBytes("one")), Believer()));
}

TEST_F(LogTest, TakesEachNumberOnce) {
  const auto log = Open();
  ASSERT_TRUE(log->Append(1, {"one", "two"}));
  const std::string journal = JournalNow();
  const auto again = log->Append(2, {"two"});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->first_index, 1U);
  EXPECT_EQ(JournalNow(), journal);
  const auto partly = log->Append(2, {"two", "three"});
  ASSERT_TRUE(partly);
  EXPECT_EQ(partly->first_index, 1U);
  EXPECT_EQ(partly->state.head.size, 3U);
  EXPECT_EQ(log->Append(5, {"five"}).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(log->State()->head.size, 3U);
}

// Each adds to what is to be appended, then appends all of it, as those do that drain an outbox.
TEST_F(LogTest, ManyMayAppendAtOnce) {
  std::mutex mutex;
  Entries outbox;
  {
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&, thread] {
        const auto log = Open();  // as if it were a process of its own
        for (int i = 0; i < 20; ++i) {
          Entries all;
          {
            const std::lock_guard guard(mutex);
            outbox.push_back(std::to_string(thread) + "." + std::to_string(i));
            all = outbox;
          }
          const auto appended = log->Append(1, all);
          EXPECT_TRUE(appended) << appended.error().message;
          EXPECT_GE(appended ? appended->state.head.size : 0, all.size());
        }
      });
  }
  Frontier frontier;
  std::vector<TileContent> full;
  for (const std::string& entry : outbox)
    frontier.Append(entry, full);
  EXPECT_EQ(Open()->State()->head, frontier.Head());
}

TEST_F(LogTest, GrowsBeyondTilesAndJournals) {
  Frontier frontier;
  std::vector<TileContent> full;
  std::uint64_t number = 1;
  for (int batch = 0; batch < 12; ++batch) {
    Entries entries;
    for (int i = 0; i < 60; ++i)
      entries.push_back(std::to_string(i) + std::string(900, '.'));
    for (const std::string& entry : entries)
      frontier.Append(entry, full);
    const auto appended = Open()->Append(number, entries);
    ASSERT_TRUE(appended) << appended.error().message;
    number += entries.size();
    ASSERT_EQ(appended->state.head, frontier.Head());
  }
  EXPECT_LT(JournalNow().size(), 400'000U);
  const auto log = Open();
  for (const std::uint64_t index : {0U, 255U, 256U, 719U}) {
    const auto proof = log->Prove(index);
    ASSERT_TRUE(proof) << proof.error().message;
    const std::string entry = std::to_string(index % 60) + std::string(900, '.');
    EXPECT_TRUE(VerifyLogProof(*proof, LeafHash(AsBytes(entry)), Believer()));
  }
  // Of full tiles nothing partial is left.
  EXPECT_FALSE(fs::exists(path() + "/public/tile/0/001.p"));
  EXPECT_TRUE(fs::exists(path() + "/public/tile/0/001"));
  EXPECT_TRUE(fs::exists(path() + "/public/tile/entries/002.p/208"));
}

TEST_F(LogTest, WhatIsServedComesBack) {
  ASSERT_TRUE(Open()->Append(1, {"one", "two"}));
  const std::string checkpoint = directory_.Read("log/public/checkpoint");
  fs::remove_all(path() + "/public");
  ASSERT_TRUE(Open()->Prove(1));
  EXPECT_EQ(directory_.Read("log/public/checkpoint"), checkpoint);
  directory_.Write("log/public/tile/0/000.p/2", "bent");
  ASSERT_TRUE(Open()->Prove(1));
  EXPECT_EQ(directory_.Read("log/public/tile/0/000.p/2").size(), 64U);
}

TEST_F(LogTest, AnotherKeysLogIsNotTouched) {
  ASSERT_TRUE(Open()->Append(1, {"one"}));
  const std::string journal = JournalNow();
  EXPECT_EQ(WhyNot(kOrigin, 'o').kind, ErrorKind::kDenied);
  EXPECT_EQ(WhyNot("other.example/log").kind, ErrorKind::kDenied);
  EXPECT_EQ(JournalNow(), journal);
}

// Log fork after restore (trust.md, 7): an older journal beside what others have seen.
TEST_F(LogTest, AnOlderJournalSignsNothing) {
  ASSERT_TRUE(Open()->Append(1, {"one"}));
  const std::string older = JournalNow();
  ASSERT_TRUE(Open()->Append(2, {"two"}));
  directory_.Write("log/journal", older);
  EXPECT_EQ(WhyNot().kind, ErrorKind::kCorrupt);
  fs::remove(path() + "/journal");
  EXPECT_EQ(WhyNot().kind, ErrorKind::kCorrupt);
  EXPECT_FALSE(fs::exists(path() + "/journal"));
}

TEST_F(LogTest, AFlippedBitIsNoticed) {
  ASSERT_TRUE(Open()->Append(1, {"one", "two"}));
  const std::string good = JournalNow();
  const std::string checkpoint = directory_.Read("log/public/checkpoint");
  for (std::size_t at = 0; at < good.size(); at += 3) {
    std::string bent = good;
    bent[at] = static_cast<char>(bent[at] ^ 4);
    directory_.Write("log/journal", bent);
    EXPECT_EQ(WhyNot().kind, ErrorKind::kCorrupt) << at;
    EXPECT_EQ(directory_.Read("log/public/checkpoint"), checkpoint);
  }
  directory_.Write("log/journal", good);
  EXPECT_EQ(Open()->State()->head.size, 2U);
}

TEST_F(LogTest, ATornEndIsCutOff) {
  ASSERT_TRUE(Open()->Append(1, {"one"}));
  const std::string one = JournalNow();
  for (const std::string& end :
       {std::string("PLJ1\2"), std::string(100, '\0'), one.substr(0, 60)}) {
    directory_.Write("log/journal", one + end);
    EXPECT_EQ(Open()->State()->head.size, 1U);
    ASSERT_TRUE(Open()->Append(2, {"two"}));
    EXPECT_EQ(Open()->State()->head.size, 2U);
    directory_.Write("log/journal", one);
    fs::remove(path() + "/public/checkpoint");
  }
}

}  // namespace
}  // namespace plumb::tlog
