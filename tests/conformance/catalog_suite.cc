// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/conformance/catalog_suite.h"

namespace plumb::store {

TEST_P(CatalogSuite, NothingIsThereAtFirst) {
  EXPECT_EQ(*catalog().FindObject(Domain::Device(), Blake3({})), std::nullopt);
  EXPECT_EQ(*catalog().FindBlob(Domain::Device(), Sha256({})), std::nullopt);
  EXPECT_EQ(*catalog().FindLayer(Domain::Device(), LayerKey()), std::nullopt);
  EXPECT_EQ(*catalog().FindRef(Domain::Device(), {"m", "v1"}), std::nullopt);
  EXPECT_TRUE(catalog().ListRefs(Domain::Device())->empty());
  EXPECT_TRUE(catalog().ListKits(Domain::Device())->empty());
}

TEST_P(CatalogSuite, WhatWasAppliedIsFoundByAll) {
  CatalogChange change = KitChangeOf("manifest", {"host/m", "v1"});
  const ObjectRecord object = Object("weights", std::byte{7});
  change.objects = {object};
  const LayerRecord layer = {Sha256(AsBytes("layer")), 12, Sha256(AsBytes("diff"))};
  change.layers = {{LayerKey{Blake3(AsBytes("key")).bytes}, layer}};
  ASSERT_TRUE(catalog().Apply(change));
  const auto other = fixture_->Reopened();
  for (Catalog* each : {&catalog(), other.get()}) {
    EXPECT_EQ(*each->FindObject(Domain::Device(), object.id), object.place);
    EXPECT_EQ(*each->FindBlob(Domain::Device(), Blob("manifest").digest), Blob("manifest"));
    EXPECT_EQ(*each->FindLayer(Domain::Device(), change.layers[0].key), layer);
    EXPECT_EQ(*each->FindRef(Domain::Device(), {"host/m", "v1"}), Blob("manifest").digest);
    ASSERT_EQ(each->ListKits(Domain::Device())->size(), 1U);
    EXPECT_EQ(each->ListKits(Domain::Device())->front().added_ns, 1);
  }
}

TEST_P(CatalogSuite, BytesOfAnyKindAreKept) {
  std::string bytes;
  for (int i = 0; i < 256; ++i)
    bytes.push_back(static_cast<char>(i));
  CatalogChange change;
  change.blobs = {Blob(bytes), Blob("")};
  ASSERT_TRUE(catalog().Apply(change));
  EXPECT_EQ((*catalog().FindBlob(Domain::Device(), Blob(bytes).digest))->bytes, bytes);
  EXPECT_EQ((*catalog().FindBlob(Domain::Device(), Blob("").digest))->bytes, "");
}

TEST_P(CatalogSuite, WhatIsKnownStaysAsItIs) {
  CatalogChange first;
  first.objects = {Object("weights", std::byte{1})};
  CatalogChange second;
  second.objects = {Object("weights", std::byte{2})};
  ASSERT_TRUE(catalog().Apply(first));
  ASSERT_TRUE(catalog().Apply(second));
  EXPECT_EQ((*catalog().FindObject(Domain::Device(), first.objects[0].id))->pack,
            first.objects[0].place.pack);
}

TEST_P(CatalogSuite, AFailedChangeChangesNothing) {
  CatalogChange change = KitChangeOf("manifest", {"m", "v1"});
  change.objects = {Object("weights", std::byte{1})};
  change.added_kits[0].needs = {Sha256(AsBytes("missing"))};
  EXPECT_EQ(catalog().Apply(change).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(*catalog().FindBlob(Domain::Device(), Blob("manifest").digest), std::nullopt);
  EXPECT_EQ(*catalog().FindObject(Domain::Device(), change.objects[0].id), std::nullopt);
  EXPECT_TRUE(catalog().ListRefs(Domain::Device())->empty());
  // And the next one is taken.
  EXPECT_TRUE(catalog().Apply(KitChangeOf("other", {"m", "v2"})));
}

TEST_P(CatalogSuite, ARefNeedsItsKit) {
  CatalogChange change;
  change.moves = {{{"m", "v1"}, Sha256(AsBytes("nowhere")), ""}};
  EXPECT_EQ(catalog().Apply(change).error().kind, ErrorKind::kConflict);
}

TEST_P(CatalogSuite, AKitThatARefPointsAtStays) {
  ASSERT_TRUE(catalog().Apply(KitChangeOf("manifest", {"m", "v1"})));
  CatalogChange removal;
  removal.removed_kits = {Blob("manifest").digest};
  EXPECT_EQ(catalog().Apply(removal).error().kind, ErrorKind::kConflict);
  removal.moves = {{{"m", "v1"}, std::nullopt, "away"}};
  EXPECT_TRUE(catalog().Apply(removal));
  EXPECT_TRUE(catalog().ListKits(Domain::Device())->empty());
  EXPECT_EQ(*catalog().FindRef(Domain::Device(), {"m", "v1"}), std::nullopt);
}

TEST_P(CatalogSuite, RefsAndKitsComeInOrder) {
  ASSERT_TRUE(catalog().Apply(KitChangeOf("b", {"m", "v2"})));
  CatalogChange second = KitChangeOf("a", {"m", "v1"});
  second.now_ns = 2;
  second.moves.push_back({{"a/b", "z"}, Blob("a").digest, ""});
  ASSERT_TRUE(catalog().Apply(second));
  const auto refs = *catalog().ListRefs(Domain::Device());
  ASSERT_EQ(refs.size(), 3U);
  EXPECT_EQ(refs[0].name.ToString(), "a/b:z");
  EXPECT_EQ(refs[1].name.ToString(), "m:v1");
  EXPECT_EQ(refs[2].name.ToString(), "m:v2");
  EXPECT_EQ(catalog().ListKits(Domain::Device())->front().manifest, Blob("b").digest);
}

TEST_P(CatalogSuite, WritersAtOnceLoseNothing) {
  constexpr int kWriters = 4;
  constexpr int kRounds = 10;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      const auto mine = fixture_->Reopened();
      for (int round = 0; round < kRounds; ++round) {
        const std::string text = std::to_string(writer) + "-" + std::to_string(round);
        EXPECT_TRUE(mine->Apply(KitChangeOf(text, {"m", "t" + text})));
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(catalog().ListRefs(Domain::Device())->size(), std::size_t{kWriters} * kRounds);
}

TEST_P(CatalogSuite, AMoveFromElsewhereThanExpectedIsAConflict) {
  const RefName name = {"m", "v1"};
  ASSERT_TRUE(catalog().Apply(KitChangeOf("first", name)));
  ASSERT_TRUE(catalog().Apply(KitChangeOf("second", name)));
  CatalogChange change;
  change.moves = {{name, std::nullopt, "", Blob("first").digest}};
  const Status refused = catalog().Apply(change);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(*catalog().FindRef(Domain::Device(), name), Blob("second").digest);
  change.moves.front().expected = Blob("second").digest;
  EXPECT_TRUE(catalog().Apply(change));
  EXPECT_EQ(*catalog().FindRef(Domain::Device(), name), std::nullopt);
}

}  // namespace plumb::store
