// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/conformance/pack_store_suite.h"

namespace plumb::store {

TEST_P(PackStoreSuite, WhatIsFinishedIsReadBack) {
  const PackName name = Write("some bytes");
  const auto reader = store().Open(name);
  ASSERT_TRUE(reader);
  EXPECT_EQ(*(*reader)->Size(), 10U);
  std::array<std::byte, 5> bytes = {};
  ASSERT_TRUE((*reader)->ReadAt(5, bytes));
  EXPECT_EQ(AsText(bytes), "bytes");
}

TEST_P(PackStoreSuite, PartsLieOneBehindTheOther) {
  auto writer = store().Create();
  ASSERT_TRUE(writer);
  const std::array<ByteSpan, 3> parts = {AsBytes("a"), AsBytes(""), AsBytes("bc")};
  ASSERT_TRUE((*writer)->Append(parts));
  ASSERT_TRUE(Append(**writer, "d"));
  ASSERT_TRUE((*writer)->Finish());
  const auto reader = store().Open((*writer)->name());
  std::array<std::byte, 4> bytes = {};
  ASSERT_TRUE((*reader)->ReadAt(0, bytes));
  EXPECT_EQ(AsText(bytes), "abcd");
}

TEST_P(PackStoreSuite, ReadingBehindTheEndIsDamageNotAbsence) {
  const auto reader = store().Open(Write("short"));
  std::array<std::byte, 6> bytes = {};
  EXPECT_EQ((*reader)->ReadAt(0, bytes).error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ((*reader)->ReadAt(100, bytes).error().kind, ErrorKind::kCorrupt);
}

TEST_P(PackStoreSuite, AnUnknownNameIsNotFound) {
  EXPECT_EQ(store().Open(PackName()).error().kind, ErrorKind::kNotFound);
}

TEST_P(PackStoreSuite, ADroppedWriterLeavesNothing) {
  PackName name;
  {
    auto writer = store().Create();
    ASSERT_TRUE(writer);
    ASSERT_TRUE(Append(**writer, "gone"));
    name = (*writer)->name();
  }
  EXPECT_TRUE(store().List()->empty());
  EXPECT_EQ(store().Open(name).error().kind, ErrorKind::kNotFound);
}

TEST_P(PackStoreSuite, WhatIsUnfinishedCanBeMadeDurableAndRead) {
  auto writer = store().Create();
  ASSERT_TRUE(writer);
  ASSERT_TRUE(Append(**writer, "half"));
  ASSERT_TRUE(store().MakeDurable((*writer)->name()));
  const auto reader = store().Open((*writer)->name());
  ASSERT_TRUE(reader);
  std::array<std::byte, 4> bytes = {};
  ASSERT_TRUE((*reader)->ReadAt(0, bytes));
  EXPECT_EQ(AsText(bytes), "half");
  ASSERT_TRUE((*writer)->Finish());
  ASSERT_TRUE(store().MakeDurable((*writer)->name()));
  EXPECT_EQ(store().MakeDurable(PackName()).error().kind, ErrorKind::kNotFound);
}

TEST_P(PackStoreSuite, NamesAreAllDifferentAndListedInOrder) {
  std::vector<PackName> names;
  for (int i = 0; i < 20; ++i)
    names.push_back(Write("x"));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
  EXPECT_EQ(*store().List(), names);
}

TEST_P(PackStoreSuite, OthersSeeWhatIsFinished) {
  const PackName name = Write("shared");
  const auto other = fixture_->Reopened();
  EXPECT_EQ(*other->List(), std::vector<PackName>{name});
  EXPECT_TRUE(other->Open(name));
}

TEST_P(PackStoreSuite, RemovingTwiceIsNoFailureAndOpenReadersGoOn) {
  const PackName name = Write("still here");
  const auto reader = store().Open(name);
  EXPECT_TRUE(store().Remove(name));
  EXPECT_TRUE(store().Remove(name));
  EXPECT_TRUE(store().List()->empty());
}

}  // namespace plumb::store
