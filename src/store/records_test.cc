// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "store/catalog.h"
#include "store/records_internal.h"

namespace plumb::store {
namespace {

const Digest kA = Sha256(AsBytes("a"));
const Digest kB = Sha256(AsBytes("b"));
const RefName kTag = {"host/m", "v1"};
const Domain kAlice = *Domain::Parse("alice");
const Domain kBob = *Domain::Parse("bob");

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

HeldEvent Held(const Domain& domain, HeldAction action, const Digest& digest,
               std::int64_t time_ns) {
  return {action, digest, time_ns, domain};
}

TEST(RecordsTest, OfDomainsAreReadAsTheyWereWritten) {
  for (const HeldEvent& event :
       {Held(kAlice, HeldAction::kBlob, kA, 0), Held(kAlice, HeldAction::kKitAdded, kA, 5),
        Held(kBob, HeldAction::kKitRemoved, kB, 6)}) {
    const std::string record = ToRecord(event);
    EXPECT_EQ(ParseHeldRecord(AsBytes(record)), event);
    for (std::size_t size = 0; size < record.size(); ++size)
      EXPECT_FALSE(ParseHeldRecord(AsBytes(record.substr(0, size))));
    EXPECT_FALSE(ParseHeldRecord(AsBytes(record + "x")));
    for (const char action : {'\0', '\4'}) {
      std::string other = record;
      other[0] = action;
      EXPECT_FALSE(ParseHeldRecord(AsBytes(other)));
    }
  }
  const std::string record = ToRecord(Held(kAlice, HeldAction::kKitAdded, kA, 0x0102));
  EXPECT_EQ(record.substr(33), std::string("\2\1\0\0\0\0\0\0", 8) + "\5alice");
  // A blob has no time, and a domain has a name.
  EXPECT_FALSE(ParseHeldRecord(AsBytes(ToRecord(Held(kAlice, HeldAction::kBlob, kA, 1)))));
  EXPECT_FALSE(
      ParseHeldRecord(AsBytes(ToRecord(Held(Domain::Device(), HeldAction::kBlob, kA, 0)))));
  std::string spaced = record;
  spaced.back() = ' ';
  EXPECT_FALSE(ParseHeldRecord(AsBytes(spaced)));
}

TEST(RecordsTest, EachDomainHasItsKits) {
  const std::int64_t day = kKitsRenewedAfterNs;
  const History history =
      Replay({Added(kB, 2)}, {Moved({"alice", "v1"}, kA, 3)},
             {Held(kAlice, HeldAction::kKitAdded, kA, 3), Held(kBob, HeldAction::kKitAdded, kA, 4),
              Held(kBob, HeldAction::kKitAdded, kA, 5 + day),    // no tag of his: young again
              Held(kAlice, HeldAction::kKitAdded, kA, 5 + day),  // tagged: as old as it was
              Held(kAlice, HeldAction::kKitAdded, kB, 6), Held(kBob, HeldAction::kKitAdded, kB, 7),
              Held(kBob, HeldAction::kKitRemoved, kB, 8)});
  std::vector<Kit> kits = {{kA, 3}, {kB, 2}};
  std::ranges::sort(kits, {}, &Kit::manifest);
  EXPECT_EQ(history.kits, kits);
  std::vector<HeldKit> held = {
      {kAlice, {kA, 3}}, {kBob, {kA, 5 + day}}, {Domain::Device(), {kB, 2}}, {kAlice, {kB, 6}}};
  std::ranges::sort(held);
  std::vector<HeldKit> found = history.held;
  std::ranges::sort(found);
  EXPECT_EQ(found, held);
  // The device takes a kit from all.
  const History none = Replay({Removed(kA, 9)}, {}, {Held(kAlice, HeldAction::kKitAdded, kA, 3)});
  EXPECT_TRUE(none.kits.empty());
  EXPECT_TRUE(none.held.empty());
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
