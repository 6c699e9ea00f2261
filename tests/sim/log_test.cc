// SPDX-License-Identifier: MIT OR Apache-2.0
// The log on disks that fail. Whatever happens while entries are appended: what was acknowledged is
// there, nothing is there twice, public/ is what a server of files may serve, and whoever saw any
// checkpoint never sees one that does not go on from it.
#include "tlog/log.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/sim/simulated_disk.h"
#include "tests/test_log.h"
#include "tlog/checkpoint.h"

namespace plumb::tlog {
namespace {

using host::Fault;
using host::SimulatedDisk;
using host::Survival;
using Entries = std::vector<std::string>;

const std::string kPath = "/person/plumb/log";
const std::string kOrigin = "device.example/log";

// Entry number n. Long enough that some of them make a long journal.
std::string Entry(std::uint64_t number) {
  return "entry " + std::to_string(number) + std::string(number % 5 * 700, '.');
}
Entries EntriesFrom(std::uint64_t first, std::size_t count) {
  Entries entries;
  for (std::uint64_t number = first; entries.size() < count; ++number)
    entries.push_back(Entry(number));
  return entries;
}

TreeHead HeadOf(std::uint64_t size) {
  Frontier frontier;
  std::vector<TileContent> full;
  for (std::uint64_t number = 1; number <= size; ++number)
    frontier.Append(Entry(number), full);
  return frontier.Head();
}

Result<std::unique_ptr<Log>> OpenLog(SimulatedDisk& disk) {
  return Log::Open(disk, kPath, {kOrigin, TestKey('k')});
}

// Opens it and appends as one command does.
Result<Appended> Append(SimulatedDisk& disk, std::uint64_t first, std::size_t count) {
  PLUMB_TRY(const auto log, OpenLog(disk));
  return log->Append(first, EntriesFrom(first, count));
}

// The checkpoint that a server would serve now; nothing if it would serve none that is whole.
std::optional<Checkpoint> Served(SimulatedDisk& disk) {
  const auto text = host::ReadFile(disk, kPath + "/public/checkpoint", kNoteSizeMax);
  const auto note = text ? Note::Parse(*text) : text.error();
  const VerifierKey key = VerifierKey::Of(NoteKeyType::kEd25519, kOrigin, TestKey('k'));
  if (!note || !VerifySignatures(*note, {&key, 1})) return std::nullopt;
  const auto checkpoint = Checkpoint::Parse(note->text);
  return checkpoint ? std::optional(*checkpoint) : std::nullopt;
}

// Reads public/ as anybody may, and compares all of it with what was appended.
std::string Audit(SimulatedDisk& disk, std::uint64_t size) {
  const auto served = Served(disk);
  if (!served) return "no checkpoint is served";
  if (served->head.size != size) return "its size is " + std::to_string(served->head.size);
  Frontier frontier;
  std::vector<TileContent> tiles;
  for (std::uint64_t number = 1; number <= size; ++number)
    frontier.Append(Entry(number), tiles);
  if (frontier.Head() != served->head) return "its root is another";
  for (TileContent& tile : frontier.PartialTiles())
    tiles.push_back(std::move(tile));
  for (const TileContent& tile : tiles) {
    const std::string path = tile.name.ToPath();
    const auto bytes = host::ReadFile(disk, kPath + "/public/" + path, kBundleSizeMax);
    if (!bytes) return bytes.error().message;
    if (*bytes != tile.bytes) return path + " is another";
  }
  return "";
}

struct Case {
  std::string name;
  std::uint64_t before;  // entries that are there, durably
  std::size_t count;     // that are appended
};
std::ostream& operator<<(std::ostream& out, const Case& it) { return out << it.name; }

class LogOnBadDisksTest : public testing::TestWithParam<Case> {
 protected:
  LogOnBadDisksTest() {
    SimulatedDisk disk;
    const std::uint64_t before = GetParam().before;
    EXPECT_TRUE(before == 0 || Append(disk, 1, before));
    start_ = disk.AfterPowerCut(Survival::kAll);
  }
  std::uint64_t first() const { return GetParam().before + 1; }
  std::uint64_t size_after() const { return GetParam().before + GetParam().count; }

  // Whoever comes after a failure: first looks, then appends the same again.
  void GoOn(SimulatedDisk& disk, bool is_acknowledged, const std::optional<Checkpoint>& seen,
            const std::string& where) {
    const auto log = OpenLog(disk);
    ASSERT_TRUE(log) << where << ": " << log.error().message;
    const auto found = (*log)->State();
    ASSERT_TRUE(found) << where << ": " << found.error().message;
    const std::uint64_t size = found->head.size;
    ASSERT_TRUE(size == GetParam().before || size == size_after()) << where << ": " << size;
    ASSERT_EQ(found->mark, size) << where;
    if (is_acknowledged) {
      ASSERT_EQ(size, size_after()) << where << ": what was acknowledged is gone";
    }
    if (seen) {
      ASSERT_LE(seen->head.size, size) << where << ": what was served is gone";
      ASSERT_EQ(seen->head, HeadOf(seen->head.size)) << where;
    }
    if (size > 0) {
      ASSERT_EQ(Audit(disk, size), "") << where;
    }
    const auto again = (*log)->Append(first(), EntriesFrom(first(), GetParam().count));
    ASSERT_TRUE(again) << where << ": " << again.error().message;
    ASSERT_EQ(again->first_index, GetParam().before) << where;
    ASSERT_EQ(again->state.head, HeadOf(size_after())) << where;
    ASSERT_EQ(Audit(disk, size_after()), "") << where;
  }

  std::unique_ptr<SimulatedDisk> start_;
};

TEST_P(LogOnBadDisksTest, APowerCutLosesNothingThatWasSaid) {
  std::int64_t call = 0;
  for (;; ++call) {
    const auto disk = start_->AfterPowerCut(Survival::kAll);
    disk->FailAt(call, Fault::kPowerCut);
    const auto done = Append(*disk, first(), GetParam().count);
    if (!disk->HasFailed()) break;
    // A server may have served it at the last moment.
    const auto seen = Served(*disk->AfterPowerCut(Survival::kAll));
    for (const std::uint64_t seed : {0U, 1U, 2U, 3U, 4U}) {
      const Survival survival = seed == 0   ? Survival::kSynced
                                : seed == 1 ? Survival::kAll
                                            : Survival::kTorn;
      const auto found =
          disk->AfterPowerCut(survival, seed + 10 * static_cast<std::uint64_t>(call));
      GoOn(*found, done.has_value(), seen,
           "call " + std::to_string(call) + ", seed " + std::to_string(seed));
      if (HasFatalFailure()) return;
      // And once more, at once: what came of it is durable.
      ASSERT_EQ(Audit(*found, size_after()), "");
      const auto later = found->AfterPowerCut(Survival::kSynced);
      GoOn(*later, true, Served(*found), "after " + std::to_string(call));
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(call, 4);
}

TEST_P(LogOnBadDisksTest, ACallThatFailsLosesNothingEither) {
  for (const Fault fault : {Fault::kIoError, Fault::kNotRead, Fault::kFull, Fault::kFullOnce}) {
    std::int64_t call = 0;
    for (;; ++call) {
      const auto disk = start_->AfterPowerCut(Survival::kAll);
      disk->FailAt(call, fault);
      const auto done = Append(*disk, first(), GetParam().count);
      if (!disk->HasFailed()) break;
      const std::string where =
          "fault " + std::to_string(static_cast<int>(fault)) + " at " + std::to_string(call);
      const auto seen = Served(*disk);
      disk->Heal();
      // Another process, while the machine goes on.
      GoOn(*disk, done.has_value(), seen, where);
      if (HasFatalFailure()) return;
      const auto later = disk->AfterPowerCut(Survival::kSynced);
      GoOn(*later, true, Served(*disk), where + ", then a power cut");
      if (HasFatalFailure()) return;
    }
    EXPECT_GT(call, 4);
  }
}

// One process that goes on by itself after an error.
TEST_P(LogOnBadDisksTest, AFullDiskIsNoEnd) {
  for (std::int64_t call = 0;; ++call) {
    const auto disk = start_->AfterPowerCut(Survival::kAll);
    const auto log = OpenLog(*disk);
    ASSERT_TRUE(log);
    disk->FailAt(call, Fault::kFull);
    const Entries entries = EntriesFrom(first(), GetParam().count);
    const auto done = (*log)->Append(first(), entries);
    if (!disk->HasFailed()) break;
    disk->Heal();
    const auto again = (*log)->Append(first(), entries);
    if (!again) {
      // A sync that found no room leaves nobody knowing: then it must be opened anew.
      ASSERT_EQ(again.error().kind, ErrorKind::kUnavailable) << again.error().message;
    } else {
      ASSERT_EQ(again->state.head, HeadOf(size_after()));
    }
    GoOn(*disk, done || again, std::nullopt, "call " + std::to_string(call));
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, LogOnBadDisksTest,
                         testing::Values(Case{"First", 0, 1}, Case{"Next", 3, 2},
                                         Case{"ThatFillsATile", 254, 4},
                                         Case{"InALongJournal", 180, 30}),
                         [](const auto& it) { return it.param.name; });

// The simulation notices what must not be forgotten.
TEST(LogSimulationTest, NoticesAForgottenSync) {
  SimulatedDisk disk;
  ASSERT_TRUE(Append(disk, 1, 3));
  disk.Forget("journal");
  ASSERT_TRUE(Append(disk, 4, 1));
  const auto found = disk.AfterPowerCut(Survival::kSynced);
  const auto log = OpenLog(*found);
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_EQ((*log)->State()->head.size, 3U);
}

}  // namespace
}  // namespace plumb::tlog
