// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/conformance/remote_suite.h"

namespace plumb::registry {

TEST_P(RemoteSuite, NothingIsThereAtFirst) {
  const oci::Descriptor blob = Describe("nowhere");
  const auto has = remote().HasBlob(blob);
  ASSERT_TRUE(has) << has.error().message;
  EXPECT_FALSE(*has);
  EXPECT_EQ(Fetch(remote(), blob).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(remote().FetchManifest("v1", std::nullopt).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(remote().FetchManifest("", blob.digest).error().kind, ErrorKind::kNotFound);
}

TEST_P(RemoteSuite, BlobsOfEverySizeComeBack) {
  for (const std::size_t size : {0U, 1U, 65536U, (1U << 20) + 1, 5U << 20}) {
    const std::string blob(size, static_cast<char>('a' + size % 7));
    const Status pushed = Push(blob);
    ASSERT_TRUE(pushed) << size << ": " << pushed.error().message;
    const auto other = fixture_->Reopened();
    EXPECT_TRUE(*other->HasBlob(Describe(blob))) << size;
    const auto fetched = Fetch(*other, Describe(blob));
    ASSERT_TRUE(fetched) << size << ": " << fetched.error().message;
    EXPECT_TRUE(*fetched == blob) << size;
  }
}

TEST_P(RemoteSuite, ABlobMayBePushedAgain) {
  ASSERT_TRUE(Push("weights"));
  EXPECT_TRUE(Push("weights"));
  EXPECT_EQ(*Fetch(remote(), Describe("weights")), "weights");
}

TEST_P(RemoteSuite, ABlobMayBeReadFromAnyOffset) {
  const std::string blob = "0123456789";
  ASSERT_TRUE(Push(blob));
  for (std::uint64_t offset = 0; offset <= blob.size(); ++offset) {
    const auto rest = Fetch(remote(), Describe(blob), offset);
    ASSERT_TRUE(rest) << offset << ": " << rest.error().message;
    EXPECT_EQ(*rest, blob.substr(static_cast<std::size_t>(offset)));
  }
  EXPECT_EQ(Fetch(remote(), Describe(blob), 11).error().kind, ErrorKind::kInvalid);
}

TEST_P(RemoteSuite, ABlobOfAnotherSizeThanSaidIsCorrupt) {
  ASSERT_TRUE(Push("0123456789"));
  for (const std::uint64_t size : {9U, 11U}) {
    oci::Descriptor blob = Describe("0123456789");
    blob.size = size;
    const auto fetched = Fetch(remote(), blob);
    ASSERT_FALSE(fetched) << size;
    EXPECT_EQ(fetched.error().kind, ErrorKind::kCorrupt) << fetched.error().message;
  }
}

TEST_P(RemoteSuite, WhatIsNotTheBlobIsNotTaken) {
  const std::string blob = "0123456789";
  for (const std::string other : {"012345678X", "012345678", ""}) {
    EXPECT_FALSE(remote().PushBlob(Describe(blob), Opening(other), progress_)) << other;
    EXPECT_FALSE(*remote().HasBlob(Describe(blob))) << other;
  }
  EXPECT_TRUE(Push(blob));
}

TEST_P(RemoteSuite, WhyABlobCannotBeReadHereIsSaid) {
  const auto damaged = [](std::uint64_t) -> Result<std::unique_ptr<ByteSource>> {
    return Error{ErrorKind::kCorrupt, "the store is damaged"};
  };
  const Status pushed = remote().PushBlob(Describe("weights"), damaged, progress_);
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(pushed.error().message, testing::HasSubstr("the store is damaged"));
}

TEST_P(RemoteSuite, WhyABlobCannotBeWrittenHereIsSaid) {
  ASSERT_TRUE(Push("weights"));
  FullSink sink;
  const Status fetched = remote().FetchBlob(Describe("weights"), 0, sink, progress_);
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().kind, ErrorKind::kExhausted);
}

TEST_P(RemoteSuite, EveryByteIsReportedOnce) {
  const std::string blob(3U << 20, 'w');
  ASSERT_TRUE(Push(blob));
  EXPECT_EQ(progress_.expected, blob.size());
  EXPECT_EQ(progress_.done, blob.size());
  MemorySink sink(blob.size());
  ASSERT_TRUE(remote().FetchBlob(Describe(blob), 1000, sink, progress_));
  EXPECT_EQ(progress_.expected, 2 * blob.size() - 1000);
  EXPECT_EQ(progress_.done, 2 * blob.size() - 1000);
}

TEST_P(RemoteSuite, ItStopsWhenAsked) {
  const std::string blob(3U << 20, 'w');
  ASSERT_TRUE(Push(blob));
  progress_.is_stopped = true;
  MemorySink sink(blob.size());
  EXPECT_EQ(remote().FetchBlob(Describe(blob), 0, sink, progress_).error().kind,
            ErrorKind::kInterrupted);
  const std::string another(3U << 20, 'x');
  EXPECT_EQ(Push(another).error().kind, ErrorKind::kInterrupted);
  EXPECT_FALSE(*remote().HasBlob(Describe(another)));
}

TEST_P(RemoteSuite, AManifestIsFoundByTagAndByDigest) {
  const std::string manifest = ManifestOf("layer");
  const Status pushed = PushManifest(manifest, "v1");
  ASSERT_TRUE(pushed) << pushed.error().message;
  const auto other = fixture_->Reopened();
  for (const auto& fetched : {other->FetchManifest("v1", std::nullopt),
                              other->FetchManifest("", Sha256(AsBytes(manifest)))}) {
    ASSERT_TRUE(fetched) << fetched.error().message;
    EXPECT_EQ(fetched->bytes, manifest);
    EXPECT_EQ(fetched->descriptor.media_type, oci::kManifestMediaType);
    EXPECT_EQ(fetched->descriptor.digest, Sha256(AsBytes(manifest)));
    EXPECT_EQ(fetched->descriptor.size, manifest.size());
  }
  EXPECT_EQ(*other->ListTags(), std::vector<std::string>{"v1"});
}

TEST_P(RemoteSuite, AManifestNeedsNoTag) {
  const std::string manifest = ManifestOf("layer");
  ASSERT_TRUE(PushManifest(manifest, ""));
  EXPECT_EQ(remote().FetchManifest("", Sha256(AsBytes(manifest)))->bytes, manifest);
  EXPECT_EQ(remote().FetchManifest("v1", std::nullopt).error().kind, ErrorKind::kNotFound);
  // And may be given one later.
  ASSERT_TRUE(PushManifest(manifest, "v1"));
  EXPECT_EQ(remote().FetchManifest("v1", std::nullopt)->bytes, manifest);
}

TEST_P(RemoteSuite, AMovedTagLeavesItsManifestBehind) {
  const std::string first = ManifestOf("first");
  const std::string second = ManifestOf("second");
  ASSERT_TRUE(PushManifest(first, "latest"));
  ASSERT_TRUE(PushManifest(second, "latest"));
  EXPECT_EQ(remote().FetchManifest("latest", std::nullopt)->bytes, second);
  EXPECT_EQ(remote().FetchManifest("", Sha256(AsBytes(first)))->bytes, first);
  EXPECT_EQ(*remote().ListTags(), std::vector<std::string>{"latest"});
}

TEST_P(RemoteSuite, TagsAreSorted) {
  const std::string manifest = ManifestOf("layer");
  for (const std::string_view tag : {"v2", "V1", "a", "v10"})
    ASSERT_TRUE(PushManifest(manifest, tag));
  EXPECT_EQ(*remote().ListTags(), (std::vector<std::string>{"V1", "a", "v10", "v2"}));
}

TEST_P(RemoteSuite, AManifestIsPushedUnderItsOwnDigestOnly) {
  const std::string manifest = ManifestOf("layer");
  oci::Descriptor other = DescribeManifest(manifest);
  other.digest = Sha256(AsBytes("another"));
  EXPECT_FALSE(remote().PushManifest(other, manifest, ""));
  EXPECT_FALSE(remote().PushManifest(other, manifest, "v1"));
  EXPECT_EQ(remote().FetchManifest("", other.digest).error().kind, ErrorKind::kNotFound);
}

TEST_P(RemoteSuite, ManyMayPushAtOnce) {
  constexpr int kWriters = 4;
  constexpr int kRounds = 5;
  const std::string manifest = ManifestOf("layer");
  std::vector<std::thread> threads;
  threads.reserve(kWriters);
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      const auto mine = fixture_->Reopened();
      SilentProgress silent;
      for (int round = 0; round < kRounds; ++round) {
        // One blob that all push, one that nobody else does, one tag.
        const std::string tag = std::to_string(writer) + "-" + std::to_string(round);
        const std::string shared(100'000, static_cast<char>('a' + round));
        EXPECT_TRUE(mine->PushBlob(Describe(shared), Opening(shared), silent));
        EXPECT_TRUE(mine->PushBlob(Describe(tag), Opening(tag), silent));
        EXPECT_TRUE(mine->PushManifest(DescribeManifest(manifest), manifest, tag));
        EXPECT_EQ(*Fetch(*mine, Describe(shared)), shared);
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(remote().ListTags()->size(), std::size_t{kWriters} * kRounds);
}

}  // namespace plumb::registry
