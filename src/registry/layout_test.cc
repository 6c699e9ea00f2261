// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "registry/connect.h"
#include "tests/temporary_directory.h"

// What only layouts do; what every Remote does is in tests/conformance/remote_suite.h.
namespace plumb::registry {
namespace {

using testing::HasSubstr;

constexpr std::string_view kMarker = R"({"imageLayoutVersion":"1.0.0"})";

oci::Descriptor ManifestDescriptor(std::string_view bytes) {
  return {std::string(oci::kManifestMediaType), Sha256(AsBytes(bytes)), bytes.size()};
}

class LayoutTest : public testing::Test {
 protected:
  std::string path() const { return temporary_.path() + "/layout"; }
  std::unique_ptr<Remote> Open() { return OpenLayout(*files_, path()); }

  Status PushManifest(const std::string& bytes, std::string_view tag) {
    return Open()->PushManifest(ManifestDescriptor(bytes), bytes, tag);
  }
  oci::Index Index() const { return *oci::Index::Parse(temporary_.Read("layout/index.json")); }

  // A layout as another program may have left it.
  void WriteLayout(const std::string& index, std::string_view marker = kMarker) {
    temporary_.Write("layout/oci-layout", std::string(marker));
    temporary_.Write("layout/index.json", index);
  }
  // Of a manifest that is there, with more members of its entry or of the index.
  std::string IndexOf(const std::string& manifest, const std::string& more_of_entry,
                      const std::string& more_of_index = "") {
    const Digest digest = Sha256(AsBytes(manifest));
    temporary_.Write("layout/blobs/sha256/" + digest.ToHex(), manifest);
    return R"({"schemaVersion":2,"manifests":[{"mediaType":")" +
           std::string(oci::kManifestMediaType) + R"(","digest":")" + digest.ToString() +
           R"(","size":)" + std::to_string(manifest.size()) + more_of_entry + "}]" + more_of_index +
           "}";
  }

  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
};

TEST_F(LayoutTest, NothingIsMadeByLooking) {
  EXPECT_EQ(Open()->FetchManifest("v1", std::nullopt).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(Open()->ListTags().error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(*Open()->HasBlob(ManifestDescriptor("nothing")));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(LayoutTest, ADirectoryOfSomethingElseIsLeftAlone) {
  temporary_.Write("layout/thesis.txt", "years of work");
  const Status pushed = PushManifest("{}", "v1");
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().kind, ErrorKind::kConflict);
  const auto content = std::filesystem::directory_iterator(path());
  EXPECT_EQ(std::distance(begin(content), end(content)), 1);
  EXPECT_EQ(Open()->ListTags().error().kind, ErrorKind::kNotFound);
}

TEST_F(LayoutTest, AnEmptyDirectoryBecomesALayout) {
  std::filesystem::create_directory(path());
  ASSERT_TRUE(PushManifest("{}", "v1"));
  EXPECT_EQ(temporary_.Read("layout/oci-layout"), kMarker);
  EXPECT_EQ(*Open()->ListTags(), std::vector<std::string>{"v1"});
}

TEST_F(LayoutTest, WhoWasStoppedWhileMakingALayoutMayGoOn) {
  temporary_.Write("layout/oci-layout", "");
  EXPECT_EQ(Open()->ListTags().error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(PushManifest("{}", "v1"));
  EXPECT_EQ(*Open()->ListTags(), std::vector<std::string>{"v1"});
}

TEST_F(LayoutTest, ManyMayMakeItAtOnce) {
  constexpr int kWriters = 8;
  std::vector<std::thread> threads;
  threads.reserve(kWriters);
  for (int i = 0; i < kWriters; ++i)
    threads.emplace_back([&, i] { EXPECT_TRUE(PushManifest("{}", "v" + std::to_string(i))); });
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(Open()->ListTags()->size(), std::size_t{kWriters});
}

TEST_F(LayoutTest, WhatOthersWroteIntoTheIndexStays) {
  WriteLayout(IndexOf("foreign", R"(,"platform":{"os":"plan9"},"annotations":{"a":"b"})",
                      R"(,"annotations":{"made.by":"another"})"));
  ASSERT_TRUE(PushManifest("ours", "v1"));
  const std::string text = temporary_.Read("layout/index.json");
  EXPECT_THAT(text, HasSubstr(R"("platform":{"os":"plan9"})"));
  EXPECT_THAT(text, HasSubstr(R"("annotations":{"a":"b"})"));
  EXPECT_THAT(text, HasSubstr(R"("made.by":"another")"));
  EXPECT_EQ(Index().entries.size(), 2U);
}

constexpr char kOtherDigest[] = "sha512:0123abcd";

TEST_F(LayoutTest, AnEntryThatCannotBeReadHidesNoOther) {
  const std::string other =
      std::string(R"({"mediaType":"m","digest":")") + kOtherDigest +
      R"(","size":9,"annotations":{"org.opencontainers.image.ref.name":"theirs"}})";
  WriteLayout(R"({"schemaVersion":2,"manifests":[)" + other + "]}");
  ASSERT_TRUE(PushManifest("ours", "v1"));
  EXPECT_EQ(Open()->FetchManifest("v1", std::nullopt)->bytes, "ours");
  EXPECT_EQ(Open()->FetchManifest("", ManifestDescriptor("ours").digest)->bytes, "ours");
  const auto repository = OpenLayout(*files_, path());
  EXPECT_TRUE(repository->ListReferrers(ManifestDescriptor("ours").digest, "")->empty());
  EXPECT_EQ(*Open()->ListTags(), (std::vector<std::string>{"theirs", "v1"}));
  EXPECT_THAT(temporary_.Read("layout/index.json"), HasSubstr(other));
  // Only who asks for that very entry learns that it cannot be had, and why.
  const auto theirs = Open()->FetchManifest("theirs", std::nullopt);
  ASSERT_FALSE(theirs);
  EXPECT_EQ(theirs.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(theirs.error().message, HasSubstr(kOtherDigest));
  EXPECT_EQ(Open()->FetchManifest("none", std::nullopt).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(Open()->FetchManifest("", ManifestDescriptor("none").digest).error().kind,
            ErrorKind::kNotFound);
  // A tag moves from it as from any other.
  ASSERT_TRUE(PushManifest("ours", "theirs"));
  EXPECT_EQ(Open()->FetchManifest("theirs", std::nullopt)->bytes, "ours");
  EXPECT_EQ(Index().foreign.size(), 1U);
}

// What an index names that the layout's own index names: others of those may be strange, or away.
TEST_F(LayoutTest, AnIndexThatCannotBeReadHidesNoOther) {
  const auto entry = [](const std::string& bytes, std::string_view type) {
    return R"({"mediaType":")" + std::string(type) + R"(","digest":")" +
           Sha256(AsBytes(bytes)).ToString() + R"(","size":)" + std::to_string(bytes.size()) + "}";
  };
  const auto index_of = [](const std::string& entries) {
    return R"({"schemaVersion":2,"manifests":[)" + entries + "]}";
  };
  const std::string strange =
      R"({"mediaType":"m","digest":")" + std::string(kOtherDigest) + R"("})";
  const std::string inner = index_of(strange + "," + entry("wanted", oci::kManifestMediaType));
  const std::string away = index_of(entry("away", oci::kManifestMediaType));
  WriteLayout(index_of(entry(away, oci::kIndexMediaType) + "," +
                       entry("no index", oci::kIndexMediaType) + "," +
                       entry(inner, oci::kIndexMediaType)));
  for (const std::string& bytes : {std::string("wanted"), std::string("no index"), inner})
    temporary_.Write("layout/blobs/sha256/" + Sha256(AsBytes(bytes)).ToHex(), bytes);
  const auto wanted = Open()->FetchManifest("", Sha256(AsBytes("wanted")));
  ASSERT_TRUE(wanted) << wanted.error().message;
  EXPECT_EQ(wanted->bytes, "wanted");
  // What is in none that could be read may be in the one that could not.
  EXPECT_EQ(Open()->FetchManifest("", Sha256(AsBytes("none"))).error().kind, ErrorKind::kInvalid);
}

TEST_F(LayoutTest, TagsThatMoveToAndFroLeaveNoTrail) {
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(PushManifest("first", "latest"));
    ASSERT_TRUE(PushManifest("second", "latest"));
  }
  EXPECT_EQ(Index().entries.size(), 2U);
}

TEST_F(LayoutTest, ATagThatOthersWroteTwiceMeansTheLast) {
  const std::string tag = R"(,"annotations":{"org.opencontainers.image.ref.name":"v1"})";
  oci::Index index = *oci::Index::Parse(IndexOf("first", tag));
  index.entries.push_back(oci::Index::Parse(IndexOf("second", tag))->entries.front());
  WriteLayout(oci::WriteIndex(index));
  EXPECT_EQ(Open()->FetchManifest("v1", std::nullopt)->bytes, "second");
  EXPECT_EQ(*Open()->ListTags(), std::vector<std::string>{"v1"});
  ASSERT_TRUE(PushManifest("third", "v1"));
  EXPECT_EQ(Open()->FetchManifest("v1", std::nullopt)->bytes, "third");
}

TEST_F(LayoutTest, WholeReferencesAreNoTags) {
  WriteLayout(IndexOf(
      "foreign", R"(,"annotations":{"org.opencontainers.image.ref.name":"host/m:v1\u001b[2J"})"));
  EXPECT_TRUE(Open()->ListTags()->empty());
}

TEST_F(LayoutTest, ALayoutWithoutBlobsIsCompleted) {
  WriteLayout(R"({"schemaVersion":2,"manifests":[]})");
  const auto remote = Open();
  EXPECT_TRUE(remote->ListTags()->empty());
  EXPECT_TRUE(remote->PushManifest(ManifestDescriptor("{}"), "{}", "v1"));
  EXPECT_EQ(remote->FetchManifest("v1", std::nullopt)->bytes, "{}");
}

TEST_F(LayoutTest, ANewerLayoutIsUnsupported) {
  WriteLayout("{}", R"({"imageLayoutVersion":"2.0.0"})");
  EXPECT_EQ(Open()->ListTags().error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(PushManifest("{}", "v1").error().kind, ErrorKind::kUnsupported);
}

TEST_F(LayoutTest, ADamagedIndexIsNamedAndKept) {
  for (const std::string index : {"", "[]", R"({"schemaVersion":2})"}) {
    WriteLayout(index);
    const auto tags = Open()->ListTags();
    ASSERT_FALSE(tags);
    EXPECT_EQ(tags.error().kind, ErrorKind::kInvalid) << index;
    EXPECT_THAT(tags.error().message, HasSubstr(path()));
    EXPECT_FALSE(PushManifest("{}", "v1"));
    EXPECT_EQ(temporary_.Read("layout/index.json"), index);
  }
  std::filesystem::remove(path() + "/index.json");
  EXPECT_EQ(Open()->ListTags().error().kind, ErrorKind::kInvalid);
}

TEST_F(LayoutTest, AManifestMayBeFourMebibytes) {
  EXPECT_TRUE(PushManifest(std::string(oci::kManifestSizeMax, ' '), "v1"));
  EXPECT_TRUE(Open()->FetchManifest("v1", std::nullopt));
  EXPECT_EQ(PushManifest(std::string(oci::kManifestSizeMax + 1, ' '), "v2").error().kind,
            ErrorKind::kExhausted);
}

TEST_F(LayoutTest, AnIndexThatIsFullIsNotOverfilled) {
  const std::string pad(oci::kManifestSizeMax - 400, 'x');
  const std::string index = IndexOf("foreign", "", R"(,"annotations":{"pad":")" + pad + "\"}");
  ASSERT_LT(index.size(), oci::kManifestSizeMax);
  WriteLayout(index);
  EXPECT_EQ(PushManifest("{}", std::string(128, 'v')).error().kind, ErrorKind::kExhausted);
  EXPECT_EQ(temporary_.Read("layout/index.json"), index);
  EXPECT_TRUE(Open()->ListTags());
}

TEST_F(LayoutTest, AManifestOfOtherBytesChangesNoTag) {
  ASSERT_TRUE(PushManifest("first", "v1"));
  const Status pushed = Open()->PushManifest(ManifestDescriptor("second"), "sec0nd", "v1");
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(Open()->FetchManifest("v1", std::nullopt)->bytes, "first");
}

TEST_F(LayoutTest, NothingIsLeftOfABlobThatFailed) {
  SilentProgress silent;
  const auto open = [](std::uint64_t) -> Result<std::unique_ptr<ByteSource>> {
    return std::unique_ptr<ByteSource>(std::make_unique<MemorySource>(AsBytes("other")));
  };
  EXPECT_EQ(Open()->PushBlob(ManifestDescriptor("bytes"), open, silent).error().kind,
            ErrorKind::kCorrupt);
  EXPECT_TRUE(std::filesystem::is_empty(path() + "/blobs/sha256"));
}

TEST_F(LayoutTest, ALayoutHasNoSiblings) {
  ASSERT_TRUE(PushManifest("{}", "v1"));
  EXPECT_FALSE(*Open()->MountBlob(ManifestDescriptor("{}"), "other"));
}

TEST(LayoutNameTest, ATagIsWhatStandsBehindTheLastColon) {
  struct Case {
    std::string_view text;
    std::string_view directory;
    std::string_view tag;
  };
  for (const Case& each : std::vector<Case>{{"oci:kits", "kits", ""},
                                            {"oci:kits:v1", "kits", "v1"},
                                            {"oci:/media/usb/kits:v1.0", "/media/usb/kits", "v1.0"},
                                            {"oci:a:b:c", "a:b", "c"},
                                            {"oci:a:b/c", "a:b/c", ""},
                                            {"oci:kits:", "kits:", ""},
                                            {"oci:./oci:v1", "./oci", "v1"}}) {
    const LayoutName name = ParseLayoutName(each.text).value_or(LayoutName());
    EXPECT_EQ(name.directory, each.directory) << each.text;
    EXPECT_EQ(name.tag, each.tag) << each.text;
  }
  for (const std::string_view text : {"", "oci", "oci:", "oci::v1", "kits:v1", "OCI:kits"})
    EXPECT_FALSE(ParseLayoutName(text)) << text;
}

}  // namespace
}  // namespace plumb::registry
