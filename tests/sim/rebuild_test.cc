// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "base/text.h"
#include "tests/sim/world.h"
#include "verbs/build.h"
#include "verbs/fsck.h"
#include "verbs/tag.h"

// The power goes after each call of a rebuild of the catalog in turn, or that call fails. Whatever
// is then on the disk: the old catalog is there, or the new one, or none if there was none; and the
// rebuild can be done again, behind which all kits and tags are there, whole.
namespace plumb::sim {
namespace {

using host::Fault;
using host::SimulatedDisk;
using host::Survival;

const std::string kStore = "/person/plumb/store";

template <typename T>
Status Only(const Result<T>& result) {
  if (result) return Done{};
  return result.error();
}

Status Build(World& world, const std::string& tag, char seed) {
  PLUMB_RETURN_IF_ERROR(
      world.Write("/model/Kitfile", "manifestVersion: 1.0.0\nmodel: {path: w.bin}\n"));
  PLUMB_RETURN_IF_ERROR(world.Write("/model/w.bin", TensorFile(seed)));
  verbs::BuildOptions options;
  options.directory = "/model";
  options.tags = {tag};
  return Only(verbs::Build(world.workspace(), options, world.progress()));
}

Status BuildSome(SimulatedDisk& disk) {
  World world(disk);
  PLUMB_RETURN_IF_ERROR(Build(world, "m:v1", 'a'));
  PLUMB_RETURN_IF_ERROR(Build(world, "m:v2", 'b'));
  return Only(verbs::Tag(world.workspace(), {"m:v1", "m:v2"}));
}

Status Rebuild(SimulatedDisk& disk) {
  World world(disk);
  verbs::FsckOptions options;
  options.rebuild = verbs::RebuildCatalog::kYes;
  PLUMB_TRY(const auto report, verbs::Fsck(world.workspace(), options, world.progress()));
  if (report.damages.empty() && report.rebuilt->damages.empty()) return Done{};
  return Error{ErrorKind::kCorrupt, "it finds damage"};
}

enum class Catalog : std::uint8_t { kWhole, kLost, kGarbage };

std::ostream& operator<<(std::ostream& out, Catalog catalog) {
  return out << (catalog == Catalog::kWhole  ? "Whole"
                 : catalog == Catalog::kLost ? "Lost"
                                             : "Garbage");
}

class RebuildPowerCutTest : public testing::TestWithParam<Catalog> {
 protected:
  void SetUp() override {
    SimulatedDisk disk;
    const Status built = BuildSome(disk);
    ASSERT_TRUE(built) << built.error().message;
    const auto contents = Inspect(disk, {});
    ASSERT_TRUE(contents);
    contents_ = *contents;
    const auto store = *disk.OpenDirectory(kStore, host::IfMissing::kFail, 0);
    if (GetParam() == Catalog::kLost) {
      ASSERT_TRUE(store->Remove("catalog.sqlite"));
    }
    if (GetParam() == Catalog::kGarbage) {
      const auto file = *store->Open("catalog.sqlite", host::OpenHow::kReadWrite);
      ASSERT_TRUE(file->WriteAt(0, AsBytes(std::string(5000, 'x'))));
      ASSERT_TRUE(file->Sync());
    }
    ASSERT_TRUE(store->Sync(""));
    start_ = disk.AfterPowerCut(Survival::kSynced);
  }

  // The first thing that is wrong; nothing if all is well.
  std::string Wrong(SimulatedDisk& disk, bool is_acknowledged) {
    const auto found = Inspect(disk, {});
    const bool may_fail = GetParam() != Catalog::kWhole && !is_acknowledged;
    if (!found && !(may_fail && found.error().kind == ErrorKind::kCorrupt))
      return found.error().message;
    if (found && *found != contents_) return "it holds something else";
    const Status again = Rebuild(disk);
    if (!again) return "not again: " + again.error().message;
    const auto after = Inspect(*disk.AfterPowerCut(Survival::kSynced), {});
    if (!after) return "done again: " + after.error().message;
    return *after == contents_ ? "" : "done again, it holds something else";
  }

  Contents contents_;
  std::unique_ptr<SimulatedDisk> start_;
};

TEST_P(RebuildPowerCutTest, LeavesTheOldOneOrTheNew) {
  std::map<ObjectId, std::string> seen;
  std::int64_t call = 0;
  for (;; ++call) {
    const auto disk = start_->AfterPowerCut(Survival::kAll);
    disk->FailAt(call, Fault::kPowerCut);
    const Status done = Rebuild(*disk);
    if (!disk->HasFailed()) break;
    for (const Survival survival : {Survival::kSynced, Survival::kAll, Survival::kTorn}) {
      const auto found = disk->AfterPowerCut(survival, static_cast<std::uint64_t>(call));
      const auto [known, is_new] = seen.try_emplace(found->Fingerprint());
      if (is_new) known->second = Wrong(*found, done.has_value());
      EXPECT_EQ(known->second, "")
          << "call " << call << ", survival " << static_cast<int>(survival);
    }
  }
  EXPECT_GT(call, 40);
}

// Else it would not be seen that the new one is durable before it is in its place.
TEST_P(RebuildPowerCutTest, NoticesANewOneThatIsNotSynced) {
  start_->Forget(".new");
  bool is_noticed = false;
  for (std::int64_t call = 0; !is_noticed; ++call) {
    const auto disk = start_->AfterPowerCut(Survival::kAll);
    disk->FailAt(call, Fault::kPowerCut);
    const Status done = Rebuild(*disk);
    ASSERT_TRUE(disk->HasFailed());
    is_noticed = !Wrong(*disk->AfterPowerCut(Survival::kSynced), done.has_value()).empty();
  }
}

TEST_P(RebuildPowerCutTest, SoDoesACallThatFails) {
  for (const Fault fault : {Fault::kIoError, Fault::kFull, Fault::kFullOnce, Fault::kNotRead}) {
    const std::int64_t growth = fault == Fault::kNotRead ? 32 : 1'000'000;
    for (std::int64_t call = 0;; call += 1 + call / growth) {
      const auto disk = start_->AfterPowerCut(Survival::kAll);
      disk->FailAt(call, fault);
      const Status done = Rebuild(*disk);
      if (!disk->HasFailed()) break;
      disk->Heal();
      EXPECT_EQ(Wrong(*disk, done.has_value()), "")
          << "call " << call << ", fault " << static_cast<int>(fault);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Of, RebuildPowerCutTest,
                         testing::Values(Catalog::kWhole, Catalog::kLost, Catalog::kGarbage),
                         testing::PrintToStringParamName());

// A catalog that can be read once its journal is followed is one, while it lies there.
TEST(RebuildJournalTest, AnUnfinishedTransactionIsUndoneFirst) {
  SimulatedDisk disk;
  ASSERT_TRUE(BuildSome(disk));
  const auto start = disk.AfterPowerCut(Survival::kSynced);
  int tried = 0;
  for (std::int64_t call = 0; tried < 3; ++call) {
    const auto cut = start->AfterPowerCut(Survival::kAll);
    cut->FailAt(call, Fault::kPowerCut);
    {
      World world(*cut);
      ASSERT_FALSE(Build(world, "m:v3", 'c') && !cut->HasFailed());
    }
    const auto found = cut->AfterPowerCut(Survival::kAll);
    const auto store = *found->OpenDirectory(kStore, host::IfMissing::kFail, 0);
    const auto journal = store->State("catalog.sqlite-journal");
    if (!journal || journal->size == 0) continue;
    ++tried;
    for (std::int64_t again = 0;; ++again) {
      const auto hot = cut->AfterPowerCut(Survival::kAll);
      hot->FailAt(again, Fault::kPowerCut);
      [[maybe_unused]] const Status done = Rebuild(*hot);
      if (!hot->HasFailed()) break;
      for (const Survival survival : {Survival::kSynced, Survival::kAll}) {
        const auto contents = Inspect(*hot->AfterPowerCut(survival), {});
        EXPECT_TRUE(contents) << call << ", " << again << ": " << contents.error().message;
        if (contents) {
          EXPECT_EQ(contents->at("m:v2"), contents->at("m:v1"));
        }
      }
    }
  }
}

}  // namespace
}  // namespace plumb::sim
