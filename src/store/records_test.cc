// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "store/catalog.h"
#include "store/records_internal.h"

namespace plumb::store {
namespace {

const Digest kA = Sha256(AsBytes("a"));
const Digest kB = Sha256(AsBytes("b"));
const RefName kTag = {"host/m", "v1"};

KitEvent Added(const Digest& kit, std::int64_t time_ns) {
  return {KitAction::kAdded, kit, time_ns};
}
KitEvent Removed(const Digest& kit, std::int64_t time_ns) {
  return {KitAction::kRemoved, kit, time_ns};
}
MoveEvent Moved(const RefName& name, std::optional<Digest> kit, std::int64_t time_ns) {
  return {name, kit, "why", time_ns};
}

TEST(RecordsTest, AreReadAsTheyWereWritten) {
  for (const KitEvent& event : {Added(kA, 5), Removed(kB, 6)})
    EXPECT_EQ(ParseKitRecord(AsBytes(ToRecord(event))), event);
  for (const MoveEvent& event : {Moved(kTag, kA, 5), Moved({"", ""}, std::nullopt, 0)})
    EXPECT_EQ(ParseMoveRecord(AsBytes(ToRecord(event))), event);
}

// The vectors of docs/format.md, "Packs": what earlier releases wrote.
TEST(RecordsTest, HaveTheBytesOfTheFormat) {
  const std::string kit = ToRecord(Removed(kA, 0x0102));
  EXPECT_EQ(kit.size(), 41U);
  EXPECT_EQ(kit[0], '\2');
  EXPECT_EQ(kit.substr(33), std::string("\2\1\0\0\0\0\0\0", 8));
  EXPECT_EQ(ToRecord(MoveEvent{{"m", "v1"}, std::nullopt, "x", 1}),
            std::string("\1\0\0\0\0\0\0\0\1m\2v1\0\1x", 16));
}

TEST(RecordsTest, WhatIsCutOrGoesOnIsNone) {
  for (const std::string& record : {ToRecord(Added(kA, 5)), ToRecord(Moved(kTag, kA, 5))}) {
    for (std::size_t size = 0; size < record.size(); ++size) {
      EXPECT_FALSE(ParseKitRecord(AsBytes(record.substr(0, size))));
      EXPECT_FALSE(ParseMoveRecord(AsBytes(record.substr(0, size))));
    }
    EXPECT_FALSE(ParseKitRecord(AsBytes(record + "x")));
    EXPECT_FALSE(ParseMoveRecord(AsBytes(record + "x")));
  }
}

TEST(RecordsTest, UnknownActionsAndImpossibleTimesAreNone) {
  std::string kit = ToRecord(Added(kA, 5));
  kit[0] = '\3';
  EXPECT_FALSE(ParseKitRecord(AsBytes(kit)));
  kit[0] = '\1';
  kit.back() = '\x80';
  EXPECT_FALSE(ParseKitRecord(AsBytes(kit)));
  std::string move = ToRecord(Moved(kTag, kA, 5));
  move[7] = '\xff';
  EXPECT_FALSE(ParseMoveRecord(AsBytes(move)));
}

TEST(ReplayTest, GoesByTimeNotByTheOrderOfPacks) {
  const History history =
      Replay({Removed(kB, 40), Added(kB, 20), Added(kA, 10)},
             {Moved(kTag, std::nullopt, 30), Moved(kTag, kB, 20), Moved(kTag, kA, 10)});
  EXPECT_EQ(history.kits, (std::vector<Kit>{{kA, 10}}));
  EXPECT_TRUE(history.refs.empty());
  EXPECT_EQ(history.moves, (std::vector<MoveRow>{{kTag, std::nullopt, kA, "why", 10},
                                                 {kTag, kA, kB, "why", 20},
                                                 {kTag, kB, std::nullopt, "why", 30}}));
}

// As one session does it, whose records may lie in several packs.
TEST(ReplayTest, OfOneTimeAKitComesThenTagsMoveThenAKitGoes) {
  const History history =
      Replay({Removed(kA, 10), Added(kB, 10), Added(kA, 5)}, {Moved(kTag, kB, 10)});
  EXPECT_EQ(history.kits, (std::vector<Kit>{{kB, 10}}));
  EXPECT_EQ(history.refs, (std::vector<Ref>{{kTag, kB}}));
}

TEST(ReplayTest, AKitWithoutATagIsYoungAgain) {
  const std::int64_t late = kKitsRenewedAfterNs + 100;
  EXPECT_EQ(Replay({Added(kA, 1), Added(kA, late)}, {}).kits, (std::vector<Kit>{{kA, late}}));
  EXPECT_EQ(Replay({Added(kA, 1), Added(kA, 50)}, {}).kits, (std::vector<Kit>{{kA, 1}}));
  EXPECT_EQ(Replay({Added(kA, 1), Added(kA, late)}, {Moved(kTag, kA, 1)}).kits,
            (std::vector<Kit>{{kA, 1}}));
  EXPECT_EQ(
      Replay({Added(kA, 1), Added(kA, late)}, {Moved(kTag, kA, 1), Moved(kTag, std::nullopt, 2)})
          .kits,
      (std::vector<Kit>{{kA, late}}));
}

TEST(ReplayTest, WhatATagNamesIsAKitWhateverIsSaidOfIt) {
  const History history = Replay({Removed(kA, 20)}, {Moved(kTag, kA, 10)});
  EXPECT_EQ(history.kits, (std::vector<Kit>{{kA, 10}}));
  EXPECT_EQ(history.refs, (std::vector<Ref>{{kTag, kA}}));
}

TEST(ReplayTest, AMoveToWhereATagIsIsNone) {
  EXPECT_EQ(Replay({Added(kA, 1)}, {Moved(kTag, kA, 1), Moved(kTag, kA, 2)}).moves.size(), 1U);
  EXPECT_TRUE(Replay({}, {Moved(kTag, std::nullopt, 1)}).moves.empty());
}

}  // namespace
}  // namespace plumb::store
