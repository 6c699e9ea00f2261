// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/conformance/catalog_upkeep_suite.h"

#include <set>
#include <utility>

namespace plumb::store {

TEST_P(CatalogUpkeepSuite, EveryMarkIsAnEpoch) {
  EXPECT_EQ(*catalog().CurrentEpoch(), 0U);
  EXPECT_EQ(*catalog().Mark({}), 1U);
  EXPECT_EQ(*catalog().Mark({}), 2U);
  EXPECT_EQ(*catalog().CurrentEpoch(), 2U);
}

TEST_P(CatalogUpkeepSuite, AllRowsAreVisited) {
  CatalogChange change = KitOf("a", Pack(1));
  change.moves = {{{"m", "v1"}, ManifestOf("a"), "why"}};
  ASSERT_TRUE(catalog().Apply(change));
  CatalogChange away;
  away.moves = {{{"m", "v1"}, std::nullopt, "why"}};
  away.now_ns = 7;
  ASSERT_TRUE(catalog().Apply(away));
  std::vector<Digest> blobs;
  std::vector<ObjectRecord> objects;
  std::vector<MoveTime> moves;
  CatalogVisitor visitor;
  visitor.on_blob = [&](const BlobRecord& blob) -> Status {
    blobs.push_back(blob.digest);
    return Done{};
  };
  visitor.on_object = [&](const ObjectRecord& object) -> Status {
    objects.push_back(object);
    return Done{};
  };
  visitor.on_move = [&](const MoveTime& move) -> Status {
    moves.push_back(move);
    return Done{};
  };
  ASSERT_TRUE(catalog().Visit(visitor));
  EXPECT_EQ(blobs.size(), 2U);
  ASSERT_EQ(objects.size(), 1U);
  EXPECT_EQ(objects[0].place, change.objects[0].place);
  ASSERT_EQ(moves.size(), 2U);
  EXPECT_EQ(moves[1], (MoveTime{{"m", "v1"}, 7, ManifestOf("a")}));
  EXPECT_EQ(Packs(), (std::vector<PackRecord>{{Pack(1), 0}}));
}

TEST_P(CatalogUpkeepSuite, RecordsOfFilesAreFoundReplacedAndGoWithTheirBlob) {
  const auto record = [](FilesKind kind, const Digest& subject, const std::string& content) {
    std::string bytes(1, static_cast<char>(kind));
    bytes.append(AsText(subject.bytes)).append(content);
    return FilesRecord{{kind, subject}, Blake3(AsBytes(bytes)), bytes};
  };
  CatalogChange change = KitOf("a", Pack(1));
  const FilesRecord layer = record(FilesKind::kLayer, LayerOf("a"), "files");
  const FilesRecord kit = record(FilesKind::kKit, ManifestOf("a"), "root");
  change.files = {layer, kit};
  ASSERT_TRUE(catalog().Apply(change));
  EXPECT_EQ(*catalog().FindFiles(Domain::Device(), layer.key), layer.bytes);
  EXPECT_EQ(*catalog().FindFiles(Domain::Device(), kit.key), kit.bytes);
  EXPECT_EQ(*catalog().FindFiles(Domain::Device(), {FilesKind::kKit, LayerOf("a")}), std::nullopt);
  CatalogChange other;
  other.files = {record(FilesKind::kKit, ManifestOf("a"), "other")};
  ASSERT_TRUE(catalog().Apply(other));
  EXPECT_EQ(*catalog().FindFiles(Domain::Device(), kit.key), other.files[0].bytes);

  std::set<std::pair<Digest, ObjectId>> visited;
  CatalogVisitor visitor;
  visitor.on_files = [&](const FilesRow& row) -> Status {
    visited.insert({row.subject, row.id});
    return Done{};
  };
  ASSERT_TRUE(catalog().Visit(visitor));
  EXPECT_EQ(visited, (std::set<std::pair<Digest, ObjectId>>{{LayerOf("a"), layer.id},
                                                            {ManifestOf("a"), other.files[0].id}}));

  const Epoch epoch = *catalog().Mark(WithoutKit("a"));
  EXPECT_TRUE(*catalog().FindFiles(Domain::Device(), layer.key));
  Collect(epoch);
  EXPECT_EQ(*catalog().FindFiles(Domain::Device(), layer.key), std::nullopt);
  EXPECT_EQ(*catalog().FindFiles(Domain::Device(), kit.key), std::nullopt);
}

TEST_P(CatalogUpkeepSuite, AVisitEndsWithTheFailureOfTheVisitor) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  CatalogVisitor visitor;
  visitor.on_blob = [](const BlobRecord&) -> Status {
    return Error{ErrorKind::kInterrupted, "enough"};
  };
  EXPECT_EQ(catalog().Visit(visitor).error().kind, ErrorKind::kInterrupted);
  EXPECT_TRUE(catalog().Apply(KitOf("b", Pack(2))));  // nothing is held
}

TEST_P(CatalogUpkeepSuite, WhatIsMarkedGoesWhenItIsCollected) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  const Epoch epoch = *catalog().Mark(WithoutKit("a"));
  EXPECT_TRUE(catalog().ListKits(Domain::Device())->empty());
  EXPECT_EQ(StandingOfObject("a"), Standing::kUnneeded);
  EXPECT_EQ(StandingOfBlob(LayerOf("a")), Standing::kUnneeded);
  Collect(epoch - 1);
  EXPECT_EQ(StandingOfObject("a"), Standing::kUnneeded);
  Collect(epoch);
  EXPECT_EQ(StandingOfObject("a"), std::nullopt);
  EXPECT_EQ(StandingOfBlob(LayerOf("a")), std::nullopt);
}

// A second mark does not make it younger.
TEST_P(CatalogUpkeepSuite, TheFirstMarkCounts) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  const Epoch first = *catalog().Mark(WithoutKit("a"));
  MarkRequest again = WithoutKit("a");
  again.expired_kits.clear();
  ASSERT_TRUE(catalog().Mark(again));
  Collect(first);
  EXPECT_EQ(StandingOfObject("a"), std::nullopt);
}

TEST_P(CatalogUpkeepSuite, AKitThatNobodyLookedAtIsAConflict) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  ASSERT_TRUE(catalog().Apply(KitOf("b", Pack(2))));
  EXPECT_EQ(catalog().Mark(WithoutKit("a")).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(*catalog().CurrentEpoch(), 0U);
  EXPECT_EQ(StandingOfObject("a"), Standing::kGood);
}

TEST_P(CatalogUpkeepSuite, AKitThatWasTaggedMeanwhileIsAConflict) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  CatalogChange tag;
  tag.moves = {{{"m", "v1"}, ManifestOf("a"), ""}};
  ASSERT_TRUE(catalog().Apply(tag));
  EXPECT_EQ(catalog().Mark(WithoutKit("a")).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(catalog().ListKits(Domain::Device())->size(), 1U);
}

// A session that found layer and manifest before the mark, and wrote neither.
TEST_P(CatalogUpkeepSuite, AKitMakesWhatItNeedsNeededAgain) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  const Epoch epoch = *catalog().Mark(WithoutKit("a"));
  CatalogChange change;
  change.added_kits = {{ManifestOf("a"), {LayerOf("a")}}};
  ASSERT_TRUE(catalog().Apply(change));
  Collect(epoch);
  EXPECT_EQ(StandingOfBlob(ManifestOf("a")), Standing::kGood);
  EXPECT_EQ(StandingOfBlob(LayerOf("a")), Standing::kGood);
  EXPECT_EQ(StandingOfObject("a"), Standing::kGood);
}

// Who added it has ended between mark and collection: what it is based on may be marked.
TEST_P(CatalogUpkeepSuite, AKitThatCameBehindTheMarkKeepsAllThatIsMarked) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  UpkeepChange change;
  change.collect_up_to = *catalog().Mark(WithoutKit("a"));
  ASSERT_TRUE(catalog().Apply(KitOf("b", Pack(2))));
  EXPECT_EQ(catalog().Apply(change).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(StandingOfObject("a"), Standing::kUnneeded);
  change.kept_kits = {ManifestOf("b")};
  ASSERT_TRUE(catalog().Apply(change));
  EXPECT_EQ(StandingOfObject("a"), std::nullopt);
}

TEST_P(CatalogUpkeepSuite, AMarkMakesAKitNeededAgain) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  const Epoch epoch = *catalog().Mark(WithoutKit("a"));
  CatalogChange tag;
  tag.moves = {{{"m", "v1"}, ManifestOf("a"), ""}};
  EXPECT_EQ(catalog().Apply(tag).error().kind, ErrorKind::kConflict);
  MarkRequest mark;
  mark.known_kits = {{ManifestOf("a"), 1}};
  mark.needed_kits = {ManifestOf("a")};
  ASSERT_TRUE(catalog().Mark(mark));
  Collect(epoch);
  EXPECT_EQ(catalog().ListKits(Domain::Device())->size(), 1U);
}

// Somebody wrote it again while it was looked at.
TEST_P(CatalogUpkeepSuite, OnlyWhatIsWhereItWasIsDamaged) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  UpkeepChange damage;
  damage.damaged_objects = {Object("layer a", Pack(2))};
  ASSERT_TRUE(catalog().Apply(damage));
  EXPECT_EQ(StandingOfObject("a"), Standing::kGood);
}

// A session that found the object, and wrote another blob that is made of it.
TEST_P(CatalogUpkeepSuite, ARecipeMakesItsObjectsNeededAgain) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  const Epoch epoch = *catalog().Mark(WithoutKit("a"));
  CatalogChange change;
  change.blobs = {Made("layer a"), Whole("other")};
  change.blobs[0].digest = Sha256(AsBytes("another blob"));
  change.added_kits = {{change.blobs[1].digest, {change.blobs[0].digest}}};
  ASSERT_TRUE(catalog().Apply(change));
  Collect(epoch);
  EXPECT_EQ(StandingOfObject("a"), Standing::kGood);
  EXPECT_EQ(StandingOfBlob(LayerOf("a")), std::nullopt);
}

TEST_P(CatalogUpkeepSuite, ARecipeOfAnObjectThatIsGoneIsAConflict) {
  CatalogChange change = KitOf("a", Pack(1));
  change.objects.clear();
  EXPECT_EQ(catalog().Apply(change).error().kind, ErrorKind::kConflict);
  EXPECT_TRUE(catalog().ListKits(Domain::Device())->empty());
}

TEST_P(CatalogUpkeepSuite, AMarkMakesNeededAgain) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  const Epoch epoch = *catalog().Mark(WithoutKit("a"));
  MarkRequest mark;
  mark.known_kits = {{ManifestOf("a"), 1}};
  mark.needed_blobs = {LayerOf("a")};
  mark.needed_objects = {ObjectOf("a")};
  ASSERT_TRUE(catalog().Mark(mark));
  Collect(epoch);
  EXPECT_EQ(StandingOfBlob(LayerOf("a")), Standing::kGood);
  EXPECT_EQ(StandingOfObject("a"), Standing::kGood);
  EXPECT_EQ(StandingOfBlob(ManifestOf("a")), std::nullopt);
}

TEST_P(CatalogUpkeepSuite, WhatIsWrittenAgainTakesThePlaceOfWhatIsNotGood) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  UpkeepChange damage;
  damage.damaged_objects = {Object("layer a", Pack(1))};
  damage.damaged_blobs = {{LayerOf("a"), {ObjectOf("a")}}};
  ASSERT_TRUE(catalog().Apply(damage));
  EXPECT_EQ(StandingOfObject("a"), Standing::kDamaged);
  EXPECT_EQ(StandingOfBlob(LayerOf("a")), Standing::kDamaged);
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(2))));
  EXPECT_EQ((*catalog().FindObject(Domain::Device(), ObjectOf("a")))->pack, Pack(2));
  EXPECT_EQ(StandingOfObject("a"), Standing::kGood);
  EXPECT_EQ(StandingOfBlob(LayerOf("a")), Standing::kGood);
  // And what is good stays.
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(3))));
  EXPECT_EQ((*catalog().FindObject(Domain::Device(), ObjectOf("a")))->pack, Pack(2));
}

TEST_P(CatalogUpkeepSuite, WhatWasMendedMeanwhileIsGood) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  const BlobRecord row = *(*catalog().FindBlob(Domain::Device(), LayerOf("a")));
  UpkeepChange damage;
  damage.damaged_objects = {Object("layer a", Pack(2))};  // it is not there any more
  damage.damaged_blobs = {{LayerOf("a"), {ObjectOf("a")}},
                          {ManifestOf("a"), {}, Blake3(AsBytes("what was read"))}};
  ASSERT_TRUE(catalog().Apply(damage));
  EXPECT_EQ(StandingOfObject("a"), Standing::kGood);
  EXPECT_EQ(StandingOfBlob(LayerOf("a")), Standing::kGood);
  EXPECT_EQ(StandingOfBlob(ManifestOf("a")), Standing::kGood);
  damage.damaged_blobs = {{LayerOf("a"), {}, Blake3(AsBytes(row.bytes))}};
  ASSERT_TRUE(catalog().Apply(damage));
  EXPECT_EQ(StandingOfBlob(LayerOf("a")), Standing::kDamaged);
}

TEST_P(CatalogUpkeepSuite, WhatIsFoundSoundIsGood) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  UpkeepChange change;
  change.damaged_objects = {Object("layer a", Pack(1))};
  change.damaged_blobs = {{LayerOf("a"), {ObjectOf("a")}}};
  ASSERT_TRUE(catalog().Apply(change));
  change = {};
  change.sound_objects = {ObjectOf("a")};
  change.sound_blobs = {LayerOf("a")};
  ASSERT_TRUE(catalog().Apply(change));
  EXPECT_EQ(StandingOfObject("a"), Standing::kGood);
  EXPECT_EQ(StandingOfBlob(LayerOf("a")), Standing::kGood);
}

TEST_P(CatalogUpkeepSuite, ObjectsMoveFromWhereTheyAre) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  const ObjectPlace source = *(*catalog().FindObject(Domain::Device(), ObjectOf("a")));
  ObjectPlace target = source;
  target.pack = Pack(2);
  target.offset = 8192;
  UpkeepChange change;
  change.new_packs = {Pack(2)};
  change.moved = {{ObjectOf("a"), target, source}};  // it is not there
  ASSERT_TRUE(catalog().Apply(change));
  EXPECT_EQ(*catalog().FindObject(Domain::Device(), ObjectOf("a")), source);
  change.moved = {{ObjectOf("a"), source, target}};
  ASSERT_TRUE(catalog().Apply(change));
  EXPECT_EQ(*catalog().FindObject(Domain::Device(), ObjectOf("a")), target);
}

TEST_P(CatalogUpkeepSuite, PacksWithObjectsAndPacksThatChangedStay) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  CatalogChange records;
  records.packs = {Pack(2)};
  records.blobs = {Whole("of no object")};
  ASSERT_TRUE(catalog().Apply(records));
  UpkeepChange change;
  change.unneeded_packs = {{Pack(1), 0}, {Pack(2), 5}, {Pack(3), 0}};
  EXPECT_EQ(*catalog().Apply(change), std::vector<PackName>{});
  change.unneeded_packs = {{Pack(1), 0}, {Pack(2), 0}};
  EXPECT_EQ(*catalog().Apply(change), std::vector<PackName>{Pack(2)});
  EXPECT_EQ(Packs(), (std::vector<PackRecord>{{Pack(1), 0}}));
}

// Somebody was about to commit it.
TEST_P(CatalogUpkeepSuite, AStrangePackThatIsNamedIsNoneAnyMore) {
  MarkRequest mark;
  mark.strange_packs = {Pack(1), Pack(2)};
  const Epoch epoch = *catalog().Mark(mark);
  EXPECT_EQ(Packs(), (std::vector<PackRecord>{{Pack(1), epoch}, {Pack(2), epoch}}));
  CatalogChange records;
  records.packs = {Pack(1)};
  records.blobs = {Whole("of no object")};
  ASSERT_TRUE(catalog().Apply(records));
  UpkeepChange change;
  change.unneeded_packs = {{Pack(1), epoch}, {Pack(2), epoch}};
  EXPECT_EQ(*catalog().Apply(change), std::vector<PackName>{Pack(2)});
  EXPECT_EQ(Packs(), (std::vector<PackRecord>{{Pack(1), 0}}));
}

TEST_P(CatalogUpkeepSuite, OldMovesGoButTheLastOldOneOfEachRef) {
  const auto move = [&](const std::string& tag, const std::string& kit, std::int64_t now_ns) {
    CatalogChange change = KitOf(kit, Pack(1));
    change.moves = {{{"m", tag}, ManifestOf(kit), ""}};
    change.now_ns = now_ns;
    ASSERT_TRUE(catalog().Apply(change));
  };
  move("v1", "a", 10);
  move("v1", "b", 20);
  move("v2", "a", 30);
  move("v2", "b", 40);
  move("v3", "a", 14);
  move("v3", "b", 15);
  move("v3", "a", 50);
  MarkRequest mark;
  mark.known_kits = {{ManifestOf("a"), 10}, {ManifestOf("b"), 20}};
  std::ranges::sort(mark.known_kits);
  mark.moves_before_ns = 25;
  ASSERT_TRUE(catalog().Mark(mark));
  std::vector<std::int64_t> times;
  CatalogVisitor visitor;
  visitor.on_move = [&](const MoveTime& left) -> Status {
    times.push_back(left.moved_ns);
    return Done{};
  };
  ASSERT_TRUE(catalog().Visit(visitor));
  EXPECT_EQ(times, (std::vector<std::int64_t>{20, 30, 40, 15, 50}));
}

TEST_P(CatalogUpkeepSuite, AWholeCatalogHasNoProblems) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  EXPECT_EQ(*catalog().FindProblems(), std::vector<std::string>{});
}

}  // namespace plumb::store
