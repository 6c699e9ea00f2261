// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>

#include <utility>

#include "store/files_record_internal.h"
#include "tests/conformance/catalog_upkeep_suite.h"

// docs/format.md, "Domains".
namespace plumb::store {
namespace {

const Domain kAlice = *Domain::Parse("team/alice");
const Domain kBob = *Domain::Parse("team/bob");
const Domain& kDevice = Domain::Device();

CatalogChange In(const Domain& domain, CatalogChange change) {
  change.domain = domain;
  return change;
}

}  // namespace

TEST_P(CatalogUpkeepSuite, WhatWasAddedInADomainIsFoundThereAndOnTheDeviceOnly) {
  CatalogChange change = In(kAlice, KitOf("a", Pack(1)));
  change.objects[0].place.start = 77;
  change.moves = {{{kAlice.name(), "v1"}, ManifestOf("a"), "first"}};
  ASSERT_TRUE(catalog().Apply(change));
  for (const Domain& domain : {kAlice, kDevice}) {
    EXPECT_TRUE(*catalog().FindObject(domain, ObjectOf("a"))) << domain.name();
    EXPECT_EQ(catalog().FindByStart(domain, 77, std::string("layer a").size())->size(), 1U);
    EXPECT_TRUE(*catalog().FindBlob(domain, LayerOf("a")));
    EXPECT_EQ(*catalog().FindRef(domain, {kAlice.name(), "v1"}), ManifestOf("a"));
    EXPECT_EQ(catalog().ListRefs(domain)->size(), 1U);
    ASSERT_EQ(catalog().ListKits(domain)->size(), 1U);
    EXPECT_EQ(catalog().ListKits(domain)->front(), (Kit{ManifestOf("a"), 1, !domain.IsDevice()}));
  }
  EXPECT_EQ(*catalog().FindObject(kBob, ObjectOf("a")), std::nullopt);
  EXPECT_TRUE(catalog().FindByStart(kBob, 77, std::string("layer a").size())->empty());
  EXPECT_EQ(*catalog().FindBlob(kBob, LayerOf("a")), std::nullopt);
  EXPECT_EQ(*catalog().FindRef(kBob, {kAlice.name(), "v1"}), std::nullopt);
  EXPECT_TRUE(catalog().ListRefs(kBob)->empty());
  EXPECT_TRUE(catalog().ListKits(kBob)->empty());
}

TEST_P(CatalogUpkeepSuite, WhatTheDeviceHasIsAbsentInADomain) {
  ASSERT_TRUE(catalog().Apply(KitOf("a", Pack(1))));
  const auto expect_absent = [&] {
    EXPECT_EQ(*catalog().FindObject(kBob, ObjectOf("a")), std::nullopt);
    EXPECT_EQ(*catalog().FindBlob(kBob, LayerOf("a")), std::nullopt);
  };
  expect_absent();
  EXPECT_TRUE(catalog().ListKits(kBob)->empty());
  // And still is when it has something of its own.
  ASSERT_TRUE(catalog().Apply(In(kBob, KitOf("b", Pack(2)))));
  expect_absent();
  EXPECT_EQ(catalog().ListKits(kBob)->size(), 1U);
}

TEST_P(CatalogUpkeepSuite, TheSameInTwoDomainsIsOneRowAndFoundInBoth) {
  ASSERT_TRUE(catalog().Apply(In(kAlice, KitOf("a", Pack(1)))));
  CatalogChange again = In(kBob, KitOf("a", Pack(2)));
  again.now_ns = 5;
  ASSERT_TRUE(catalog().Apply(again));
  for (const Domain& domain : {kAlice, kBob, kDevice}) {
    ASSERT_TRUE(*catalog().FindObject(domain, ObjectOf("a")));
    EXPECT_EQ((*catalog().FindObject(domain, ObjectOf("a")))->pack, Pack(1));
    EXPECT_TRUE(*catalog().FindBlob(domain, ManifestOf("a")));
  }
  // When it came to whom.
  EXPECT_EQ(catalog().ListKits(kAlice)->front().added_ns, 1);
  EXPECT_EQ(catalog().ListKits(kBob)->front().added_ns, 5);
  int objects = 0;
  CatalogVisitor visitor;
  visitor.on_object = [&](const ObjectRecord&) -> Status {
    ++objects;
    return Done{};
  };
  ASSERT_TRUE(catalog().Visit(visitor));
  EXPECT_EQ(objects, 1);
}

TEST_P(CatalogUpkeepSuite, AKitThatOneDomainRemovesStaysInTheOther) {
  for (const Domain& domain : {kAlice, kBob})
    ASSERT_TRUE(catalog().Apply(In(domain, KitOf("a", Pack(1)))));
  CatalogChange removal;
  removal.removed_kits = {ManifestOf("a")};
  ASSERT_TRUE(catalog().Apply(In(kAlice, removal)));
  EXPECT_TRUE(catalog().ListKits(kAlice)->empty());
  EXPECT_EQ(catalog().ListKits(kBob)->size(), 1U);
  EXPECT_EQ(catalog().ListKits(kDevice)->size(), 1U);
  ASSERT_TRUE(catalog().Apply(In(kBob, removal)));
  EXPECT_TRUE(catalog().ListKits(kDevice)->empty());
}

TEST_P(CatalogUpkeepSuite, AKitThatTheDeviceHasTooStaysThere) {
  CatalogChange removal;
  removal.removed_kits = {ManifestOf("a")};
  for (const bool device_is_first : {true, false}) {
    for (const Domain& domain :
         {device_is_first ? kDevice : kBob, device_is_first ? kBob : kDevice})
      ASSERT_TRUE(catalog().Apply(In(domain, KitOf("a", Pack(1)))));
    ASSERT_TRUE(catalog().Apply(In(kBob, removal)));
    EXPECT_TRUE(catalog().ListKits(kBob)->empty());
    EXPECT_EQ(catalog().ListKits(kDevice)->size(), 1U);
    // The owner of the disk takes it from all.
    ASSERT_TRUE(catalog().Apply(In(kBob, KitOf("a", Pack(1)))));
    ASSERT_TRUE(catalog().Apply(removal));
    EXPECT_TRUE(catalog().ListKits(kBob)->empty());
    EXPECT_TRUE(catalog().ListKits(kDevice)->empty());
  }
}

// It guessed the name.
TEST_P(CatalogUpkeepSuite, WhatAnotherDomainHasCannotBeNeeded) {
  ASSERT_TRUE(catalog().Apply(In(kAlice, KitOf("a", Pack(1)))));
  CatalogChange change;
  change.blobs = {Whole("manifest b")};
  change.added_kits = {{ManifestOf("b"), {LayerOf("a")}}};
  const Status of_another = catalog().Apply(In(kBob, change));
  ASSERT_FALSE(of_another);
  EXPECT_EQ(of_another.error().kind, ErrorKind::kInvalid);
  change.added_kits = {{ManifestOf("b"), {LayerOf("c")}}};
  const Status of_nobody = catalog().Apply(In(kBob, change));
  ASSERT_FALSE(of_nobody);
  EXPECT_EQ(of_nobody.error().kind, of_another.error().kind);
  // Nor a recipe that is made of what it has.
  CatalogChange made;
  made.blobs = {Made("layer a")};
  EXPECT_EQ(catalog().Apply(In(kBob, made)).error().kind, ErrorKind::kConflict);
  // Nor its kit.
  CatalogChange move;
  move.moves = {{{kBob.name(), "v1"}, ManifestOf("a"), ""}};
  EXPECT_EQ(catalog().Apply(In(kBob, move)).error().kind, ErrorKind::kConflict);
  // To take it away does nothing.
  CatalogChange removal;
  removal.removed_kits = {ManifestOf("a")};
  ASSERT_TRUE(catalog().Apply(In(kBob, removal)));
  EXPECT_EQ(catalog().ListKits(kAlice)->size(), 1U);
}

TEST_P(CatalogUpkeepSuite, ADomainMovesOnlyRefsOfItsName) {
  CatalogChange change = In(kBob, KitOf("b", Pack(2)));
  change.moves = {{{kAlice.name(), "v1"}, ManifestOf("b"), ""}};
  EXPECT_EQ(catalog().Apply(change).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(*catalog().FindRef(kDevice, {kAlice.name(), "v1"}), std::nullopt);
  EXPECT_TRUE(catalog().ListKits(kDevice)->empty());
}

// The device may file its own under any name.
TEST_P(CatalogUpkeepSuite, ARefToWhatTheDomainDoesNotSeeIsNotThere) {
  const RefName name = {kAlice.name(), "v1"};
  CatalogChange change = KitOf("d", Pack(1));
  change.moves = {{name, ManifestOf("d"), ""}};
  ASSERT_TRUE(catalog().Apply(change));
  ASSERT_TRUE(catalog().Apply(In(kAlice, KitOf("a", Pack(2)))));
  EXPECT_EQ(*catalog().FindRef(kAlice, name), std::nullopt);
  EXPECT_TRUE(catalog().ListRefs(kAlice)->empty());
  CatalogChange move;
  move.moves = {{name, ManifestOf("a"), ""}};
  ASSERT_TRUE(catalog().Apply(In(kAlice, move)));
  EXPECT_EQ(*catalog().FindRef(kAlice, name), ManifestOf("a"));
}

TEST_P(CatalogUpkeepSuite, WhatIsOnlySaidIsBelievedWhereItWasSaid) {
  const LayerKey key = {Blake3(AsBytes("key")).bytes};
  const LayerRecord record = {LayerOf("a"), 7, Sha256(AsBytes("diff"))};
  CatalogChange change = KitOf("a", Pack(1));
  change.layers = {{key, record}};
  const FilesOfLayer files = {LayerOf("a"), {{"f", Sha256(AsBytes("f"))}}};
  const std::string bytes = WriteFilesRecord(files);
  change.files = {{{FilesKind::kLayer, LayerOf("a")}, Blake3(AsBytes(bytes)), bytes}};
  ASSERT_TRUE(catalog().Apply(In(kAlice, change)));
  ASSERT_TRUE(catalog().Apply(In(kBob, KitOf("a", Pack(1)))));
  EXPECT_EQ(*catalog().FindLayer(kAlice, key), record);
  EXPECT_EQ(*catalog().FindFiles(kAlice, change.files[0].key), bytes);
  for (const Domain& domain : {kBob, kDevice}) {
    EXPECT_EQ(*catalog().FindLayer(domain, key), std::nullopt);
    EXPECT_EQ(*catalog().FindFiles(domain, change.files[0].key), std::nullopt);
  }
}

// What a gc found unneeded in one domain is absent there to who writes, and goes.
TEST_P(CatalogUpkeepSuite, WhatADomainNeedsNoMoreGoesThereAlone) {
  for (const Domain& domain : {kAlice, kBob})
    ASSERT_TRUE(catalog().Apply(In(domain, KitOf("a", Pack(1)))));
  MarkRequest mark;
  mark.known_kits = {{ManifestOf("a"), 1}};
  mark.known_held = {{kAlice, {ManifestOf("a"), 1}}, {kBob, {ManifestOf("a"), 1}}};
  for (const auto& [kind, name] : {std::pair(HoldingKind::kObject, ObjectOf("a").bytes),
                                   std::pair(HoldingKind::kBlob, LayerOf("a").bytes),
                                   std::pair(HoldingKind::kBlob, ManifestOf("a").bytes),
                                   std::pair(HoldingKind::kKit, ManifestOf("a").bytes)})
    mark.unneeded_holdings.push_back({kAlice, kind, name});
  const Epoch epoch = *catalog().Mark(mark);
  EXPECT_EQ((*catalog().FindObject(kAlice, ObjectOf("a")))->standing, Standing::kUnneeded);
  EXPECT_EQ((*catalog().FindObject(kBob, ObjectOf("a")))->standing, Standing::kGood);
  EXPECT_EQ((*catalog().FindBlob(kAlice, LayerOf("a")))->standing, Standing::kUnneeded);
  EXPECT_TRUE(catalog().ListKits(kAlice)->empty());
  UpkeepChange change;
  change.collect_up_to = epoch;
  change.kept_kits = {ManifestOf("a")};
  // Somebody else's, which this gc did not see, is about to need what goes.
  EXPECT_EQ(catalog().Apply(change).error().kind, ErrorKind::kConflict);
  change.kept_held = {{kBob, HoldingKind::kKit, ManifestOf("a").bytes}};
  // Or the device has tagged it for whom it is marked.
  CatalogChange tag;
  tag.moves = {{{kAlice.name(), "v1"}, ManifestOf("a"), ""}};
  ASSERT_TRUE(catalog().Apply(tag));
  EXPECT_EQ(catalog().Apply(change).error().kind, ErrorKind::kConflict);
  tag.moves[0].manifest = std::nullopt;
  ASSERT_TRUE(catalog().Apply(tag));
  ASSERT_TRUE(catalog().Apply(change));
  EXPECT_EQ(*catalog().FindObject(kAlice, ObjectOf("a")), std::nullopt);
  EXPECT_EQ(*catalog().FindBlob(kAlice, LayerOf("a")), std::nullopt);
  EXPECT_TRUE(*catalog().FindObject(kBob, ObjectOf("a")));
  EXPECT_TRUE(*catalog().FindBlob(kBob, LayerOf("a")));
  EXPECT_THAT(*catalog().FindProblems(), testing::IsEmpty());
}

// As in "Leases": it was found before the mark, and nothing was written.
TEST_P(CatalogUpkeepSuite, WhatADomainsSessionFoundBeforeAMarkIsNeededAgain) {
  for (const Domain& domain : {kAlice, kBob})
    ASSERT_TRUE(catalog().Apply(In(domain, KitOf("a", Pack(1)))));
  MarkRequest mark;
  mark.known_kits = {{ManifestOf("a"), 1}};
  mark.known_held = {{kAlice, {ManifestOf("a"), 1}}, {kBob, {ManifestOf("a"), 1}}};
  mark.unneeded_holdings = {{kAlice, HoldingKind::kBlob, LayerOf("a").bytes},
                            {kAlice, HoldingKind::kObject, ObjectOf("a").bytes}};
  ASSERT_TRUE(catalog().Mark(mark));
  CatalogChange change;
  change.blobs = {Whole("manifest b")};
  change.added_kits = {{ManifestOf("b"), {LayerOf("a")}}};
  ASSERT_TRUE(catalog().Apply(In(kAlice, change)));
  EXPECT_EQ((*catalog().FindBlob(kAlice, LayerOf("a")))->standing, Standing::kGood);
  EXPECT_EQ((*catalog().FindObject(kAlice, ObjectOf("a")))->standing, Standing::kGood);
  // A kit came meanwhile: the look is out of date.
  EXPECT_EQ(catalog().Mark(mark).error().kind, ErrorKind::kConflict);
}

}  // namespace plumb::store
