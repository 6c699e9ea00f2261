// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "oci/manifest.h"

namespace plumb::oci {
namespace {

using testing::HasSubstr;

std::string SomeDigest() { return "sha256:" + std::string(64, '1'); }
// An index up to its first entry.
std::string Start() {
  return R"({"schemaVersion":2,"mediaType":")" + std::string(kIndexMediaType) +
         R"(","manifests":[)";
}

std::string Entry(const std::string& more = "") {
  return R"({"mediaType":"m","digest":")" + SomeDigest() + R"(","size":7)" + more + "}";
}

std::string Refusal(std::string_view text) {
  const auto index = Index::Parse(text);
  if (index) return "accepted";
  if (index.error().kind == ErrorKind::kUnsupported) return "unsupported: " + index.error().message;
  if (index.error().kind == ErrorKind::kExhausted) return "exhausted: " + index.error().message;
  EXPECT_EQ(index.error().kind, ErrorKind::kInvalid);
  return index.error().message;
}

TEST(Index, ReadsEntriesAndTheirTags) {
  const auto index = Index::Parse(
      Start() +
      Entry(R"(,"annotations":{"a":"1","org.opencontainers.image.ref.name":"v1","b":"2"})") + "," +
      Entry() + "]}");
  ASSERT_TRUE(index) << index.error().message;
  ASSERT_EQ(index->entries.size(), 2U);
  EXPECT_EQ(index->entries[0].tag, "v1");
  EXPECT_EQ(index->entries[0].descriptor.annotations[0].second, "1");
  EXPECT_EQ(index->entries[0].descriptor.digest.ToString(), SomeDigest());
  EXPECT_EQ(index->entries[1].tag, "");
  EXPECT_EQ(index->entries[1].descriptor.size, 7U);
}

TEST(Index, WritesTheTagOfAnEntry) {
  const Descriptor descriptor{"m", *Digest::Parse(SomeDigest()), 7};
  EXPECT_EQ(WriteIndex({{{descriptor, "v2"}, {descriptor, ""}}}),
            Start() + Entry(R"(,"annotations":{"org.opencontainers.image.ref.name":"v2"})") + "," +
                Entry() + "]}");
  EXPECT_EQ(WriteIndex({}), Start() + "]}");
}

TEST(Index, RewritingLosesNothing) {
  const std::string entry =
      Entry(R"(,"annotations":{"z":"1","org.opencontainers.image.ref.name":"v1"},)"
            R"("urls":["u"],"platform":{"os":"linux","x":1.50},"artifactType":"a/b")");
  const std::string whole =
      Start() + entry + R"(],"annotations":{"k":"<v>"},"subject":{"any":[null,true,1e300]}})";
  const auto index = Index::Parse(whole);
  ASSERT_TRUE(index) << index.error().message;
  EXPECT_EQ(WriteIndex(*index), whole);
}

TEST(Index, AMovedTagReplacesTheAnnotationAndNothingElse) {
  auto index = Index::Parse(
      Start() +
      Entry(R"(,"urls":["u"],"annotations":{"org.opencontainers.image.ref.name":"v1","a":"1"})") +
      "]}");
  ASSERT_TRUE(index) << index.error().message;
  index->entries[0].tag = "v2";
  EXPECT_EQ(
      WriteIndex(*index),
      Start() +
          Entry(
              R"(,"urls":["u"],"annotations":{"a":"1","org.opencontainers.image.ref.name":"v2"})") +
          "]}");
  index->entries[0].tag.clear();
  EXPECT_EQ(WriteIndex(*index), Start() + Entry(R"(,"urls":["u"],"annotations":{"a":"1"})") + "]}");
}

TEST(Index, ReadsEmptyOnes) {
  EXPECT_TRUE(Index::Parse(R"({"schemaVersion":2,"manifests":[]})")->entries.empty());
  EXPECT_TRUE(Index::Parse(R"({"schemaVersion":2,"manifests":null})")->entries.empty());
}

TEST(Index, RefusesWhatIsNone) {
  for (const auto bad :
       {"", "[]", "{}", "null", R"({"schemaVersion":1,"manifests":[]})", R"({"schemaVersion":2})",
        R"({"schemaVersion":2,"manifests":{}})", R"({"schemaVersion":2,"manifests":[1]})",
        R"({"schemaVersion":2,"manifests":[null]})",
        R"({"schemaVersion":2,"manifests":[],"manifests":[]})",
        R"({"schemaVersion":2,"manifests":[],"Manifests":[]})",
        R"({"schemaVersion":2,"manifests":[],"mediaType":1})"})
    EXPECT_THAT(Refusal(bad), testing::Not("accepted")) << bad;
}

TEST(Index, RefusesWhatCouldBeReadAsTwoThings) {
  EXPECT_THAT(Refusal(Start() + R"(],"layers":[]})"), HasSubstr("a manifest and an index at once"));
  EXPECT_THAT(Refusal(Start() + R"(],"config":null})"),
              HasSubstr("a manifest and an index at once"));
  EXPECT_THAT(Refusal(R"({"schemaVersion":2,"manifests":[],"mediaType":")" +
                      std::string(kManifestMediaType) + "\"}"),
              HasSubstr("it says that it is a"));
}

TEST(Index, RefusesBadEntries) {
  EXPECT_THAT(Refusal(Start() + Entry() + R"(,{"mediaType":"m"}]})"),
              HasSubstr("an entry of an index"));
  EXPECT_THAT(Refusal(Start() + Entry(R"(,"Digest":"x")") + "]}"), HasSubstr("can be mistaken"));
  EXPECT_THAT(
      Refusal(Start() + Entry(R"(,"annotations":{"org.opencontainers.image.ref.name":["v"]})") +
              "]}"),
      HasSubstr("is no text"));
  for (const std::string& digest :
       {std::string("sha512"), std::string("sha512:"), "sha256:" + std::string(128, '1'),
        std::string("SHA512:00"), std::string("+a:00"), std::string("a+:00"), std::string("a+-b:0"),
        std::string(":00"), std::string("sha512:a/b")})
    EXPECT_THAT(Refusal(Start() + R"({"mediaType":"m","digest":")" + digest + R"(","size":1}]})"),
                HasSubstr("is no digest"))
        << digest;
  for (const auto size : {"-1", "1.5", "4611686018427387905"}) {
    std::string text = Start() + R"({"mediaType":"m","digest":")" + SomeDigest() + R"(","size":)";
    text.append(size).append("}]}");
    EXPECT_THAT(Refusal(text), HasSubstr("its size is no whole number")) << size;
  }
}

// Nobody can ask for them here, and those beside them are none the worse.
TEST(Index, KeepsEntriesOfOtherAlgorithms) {
  const std::string sha512 = "sha512:" + std::string(128, '1');
  const std::string tagged =
      R"({"mediaType":"m","digest":")" + sha512 +
      R"(","size":1,"annotations":{"a":"b","org.opencontainers.image.ref.name":"v2"}})";
  const std::string unregistered = R"({"digest":"multihash+base58.x:QmR=_-"})";
  auto index = Index::Parse(Start() + tagged + "," + Entry() + "," + unregistered + "]}");
  ASSERT_TRUE(index) << index.error().message;
  ASSERT_EQ(index->entries.size(), 1U);
  ASSERT_EQ(index->foreign.size(), 2U);
  EXPECT_EQ(index->foreign[0].digest, sha512);
  EXPECT_EQ(index->foreign[0].tag, "v2");
  EXPECT_EQ(WriteIndex(*index), Start() + Entry() + "," + tagged + "," + unregistered + "]}");
  index->foreign[0].tag.clear();
  EXPECT_THAT(WriteIndex(*index), testing::AllOf(HasSubstr(R"("annotations":{"a":"b"}})"),
                                                 testing::Not(HasSubstr("v2"))));
  const Error error = IsForeign("v2", index->foreign[0]);
  EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
  EXPECT_THAT(error.message, HasSubstr(sha512));
  // Names and tags of theirs are looked at as of all.
  EXPECT_THAT(Refusal(Start() + R"({"digest":")" + sha512 + R"(","Digest":"x"}]})"),
              HasSubstr("can be mistaken"));
  EXPECT_THAT(Refusal(Start() + R"({"digest":")" + sha512 + R"(","annotations":{"a":1}}]})"),
              HasSubstr("is no text"));
}

TEST(Index, HasLimits) {
  std::string entries = R"({"mediaType":"m","digest":")" + SomeDigest() + R"(","size":1})";
  const std::string one = entries;
  for (int i = 1; i < 20000; ++i)
    entries += "," + one;
  EXPECT_EQ(Refusal(Start() + entries + "]}"), "accepted");
  EXPECT_THAT(Refusal(Start() + entries + "," + one + "]}"), HasSubstr("exhausted: "));
  EXPECT_THAT(Refusal(Start() + entries + R"(,{"digest":"a:b"}]})"), HasSubstr("exhausted: "));

  const std::string small = Start() + "]}";
  EXPECT_EQ(Refusal(small + std::string(kManifestSizeMax - small.size(), ' ')), "accepted");
  EXPECT_THAT(Refusal(small + std::string(kManifestSizeMax - small.size() + 1, ' ')),
              HasSubstr("exhausted: "));
}

TEST(Index, WrittenIndexesParseBack) {
  EXPECT_TRUE(rc::check([] {
    Index index;
    for (int count = *rc::gen::inRange(0, 6); count > 0; --count) {
      IndexEntry entry;
      entry.descriptor.media_type = *rc::gen::element<std::string>("m", "x/y+json", "\xc3\xa9<\"");
      std::ranges::generate(entry.descriptor.digest.bytes,
                            [] { return std::byte{*rc::gen::arbitrary<std::uint8_t>()}; });
      entry.descriptor.size = *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 62);
      entry.tag = *rc::gen::element<std::string>("", "latest", "any text\n");
      if (*rc::gen::arbitrary<bool>()) entry.descriptor.annotations = {{"b", "1"}, {"a", "2"}};
      index.entries.push_back(entry);
    }
    const std::string written = WriteIndex(index);
    const auto parsed = Index::Parse(written);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(WriteIndex(*parsed) == written);
    RC_ASSERT(parsed->entries.size() == index.entries.size());
    for (std::size_t i = 0; i < index.entries.size(); ++i) {
      RC_ASSERT(parsed->entries[i].tag == index.entries[i].tag);
      RC_ASSERT(parsed->entries[i].descriptor.digest == index.entries[i].descriptor.digest);
      RC_ASSERT(parsed->entries[i].descriptor.size == index.entries[i].descriptor.size);
    }
  }));
}

TEST(LayoutMarker, IsOfTheVersionWeKnow) {
  EXPECT_EQ(WriteLayoutMarker(), R"({"imageLayoutVersion":"1.0.0"})");
  EXPECT_TRUE(CheckLayoutMarker(WriteLayoutMarker()));
  EXPECT_TRUE(CheckLayoutMarker("{\"imageLayoutVersion\": \"1.0.0\", \"more\": 1}\n"));
  for (const auto newer : {"1.1.0", "2.0.0", "", "1.0.0 "}) {
    const auto status =
        CheckLayoutMarker(R"({"imageLayoutVersion":")" + std::string(newer) + "\"}");
    ASSERT_FALSE(status) << newer;
    EXPECT_EQ(status.error().kind, ErrorKind::kUnsupported) << newer;
  }
  for (const auto bad : {"", "1.0.0", "{}", "[]", R"({"imageLayoutVersion":1})",
                         R"({"imageLayoutVersion":"1.0.0","imageLayoutVersion":"1.0.0"})"}) {
    const auto status = CheckLayoutMarker(bad);
    ASSERT_FALSE(status) << bad;
    EXPECT_EQ(status.error().kind, ErrorKind::kInvalid) << bad;
  }
}

}  // namespace
}  // namespace plumb::oci
