// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "oci/manifest.h"
#include "registry/connect.h"
#include "tests/fake_registry.h"

// Reading from a registry, whatever it answers. What every Remote does is in tests/conformance.
namespace plumb::registry {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr char kHost[] = "registry.example.org";
constexpr char kBase[] = "https://registry.example.org/v2/models/tiny/";

class HttpRemoteTest : public testing::Test {
 protected:
  static oci::Descriptor Describe(const std::string& bytes) {
    return {"application/x", Sha256(AsBytes(bytes)), bytes.size()};
  }
  static std::string Long() {
    std::string bytes(300'000, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<char>(i * 31 >> 5);
    return bytes;
  }
  std::string BlobOf(const oci::Descriptor& blob) const {
    return std::string("GET ") + kBase + "blobs/" + blob.digest.ToString();
  }
  // A part of `blob_` from `start` on, as a registry that knows ranges sends it.
  FakeAnswer Part(std::size_t start, std::optional<std::size_t> breaks_after = {}) const {
    if (start == 0) return {200, {}, blob_, breaks_after};
    return {206,
            {{"Content-Range", Range(start, blob_.size() - 1)}},
            blob_.substr(start),
            breaks_after};
  }
  std::string Range(std::size_t start, std::size_t last) const {
    return "bytes " + std::to_string(start) + "-" + std::to_string(last) + "/" +
           std::to_string(blob_.size());
  }

  // Fetches `blob_`, which is answered so.
  Status Fetch(std::vector<FakeAnswer> answers, std::uint64_t offset = 0) {
    world_.http.On(BlobOf(Describe(blob_)), std::move(answers));
    sink_ = MemorySink(blob_.size() + 1000);
    before_ = world_.http.asked().size();
    return remote_->FetchBlob(Describe(blob_), offset, sink_, world_.progress);
  }
  // The ranges that this asked for.
  std::vector<std::string> Ranges() const {
    std::vector<std::string> ranges;
    const std::vector<Asked> asked = world_.http.asked();
    for (std::size_t i = before_; i < asked.size(); ++i)
      ranges.push_back(asked[i].Header("Range"));
    return ranges;
  }

  FakeWorld world_;
  std::unique_ptr<Remote> remote_ = world_.Connect(kHost);
  std::string blob_ = Long();
  MemorySink sink_ = MemorySink(0);
  std::size_t before_ = 0;
};

TEST_F(HttpRemoteTest, ABrokenTransferGoesOnWhereItBroke) {
  const Status status = Fetch({Part(0, 100'000), NoAnswer(), Part(100'000, 1), Part(100'001)});
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(sink_.text(), blob_);
  EXPECT_THAT(Ranges(), ElementsAre("", "bytes=100000-", "bytes=100000-", "bytes=100001-"));
}

TEST_F(HttpRemoteTest, WhatArrivedBeforeAnErrorOfTheServerIsKeptToo) {
  ASSERT_TRUE(Fetch({Part(0, 10), {503}, {429, {{"Retry-After", "9"}}, {}}, Part(10)}));
  EXPECT_EQ(sink_.text(), blob_);
  EXPECT_THAT(Ranges(), ElementsAre("", "bytes=10-", "bytes=10-", "bytes=10-"));
  EXPECT_EQ(world_.clock.slept_ms, 500U + 1000U + 9000U);
}

TEST_F(HttpRemoteTest, ARegistryMayIgnoreRanges) {
  ASSERT_TRUE(Fetch({Part(0, 100'000), {200, {}, blob_, 150'000}, {200, {}, blob_}}));
  EXPECT_EQ(sink_.text(), blob_);
  EXPECT_THAT(Ranges(), ElementsAre("", "bytes=100000-", "bytes=150000-"));
  // Also if it says nothing of the size.
  const FakeAnswer chunked = {200, {{"Transfer-Encoding", "chunked"}}, blob_};
  ASSERT_TRUE(Fetch({Part(0, 100'000), chunked}));
  EXPECT_EQ(sink_.text(), blob_);
}

TEST_F(HttpRemoteTest, ARegistryMaySendLessThanWasAskedFor) {
  FakeAnswer some = {206, {{"Content-Range", Range(10, 19)}}, blob_.substr(10, 10)};
  FakeAnswer more = {206, {{"Content-Range", "bytes 20-29/*"}}, blob_.substr(20, 10)};
  ASSERT_TRUE(Fetch({Part(0, 10), some, more, Part(30)}));
  EXPECT_EQ(sink_.text(), blob_);
}

TEST_F(HttpRemoteTest, AnotherRangeThanAskedForIsNotTaken) {
  const std::string rest = blob_.substr(10);
  for (const std::string& range :
       {Range(0, blob_.size() - 1), Range(9, blob_.size() - 2), Range(11, blob_.size() - 1),
        std::string("bytes 10-19/20"), std::string("bytes */300000"), std::string("10-19/*"),
        std::string()}) {
    const Status status = Fetch({Part(0, 10), {206, {{"Content-Range", range}}, rest}});
    ASSERT_FALSE(status) << range;
    EXPECT_EQ(status.error().kind, ErrorKind::kCorrupt) << range;
    EXPECT_EQ(sink_.text(), blob_.substr(0, 10)) << range;
  }
  EXPECT_FALSE(Fetch({Part(0, 10), {206, {}, rest}}));
  // A success of another kind says nothing of where its bytes belong.
  for (const int other : {201, 202, 203, 204, 299})
    EXPECT_EQ(Fetch({Part(0, 10), {other, {}, rest}}).error().kind, ErrorKind::kCorrupt) << other;
  // A part that nobody asked for is as good as another.
  EXPECT_TRUE(Fetch({{206, {{"Content-Range", Range(0, blob_.size() - 1)}}, blob_}}));
  EXPECT_FALSE(Fetch({{206, {{"Content-Range", Range(1, blob_.size() - 1)}}, blob_.substr(1)}}));
}

TEST_F(HttpRemoteTest, ATransferThatGetsOnMayBreakOften) {
  blob_ = std::string(8 << 20, 'w');
  std::vector<FakeAnswer> answers;
  for (std::size_t start = 0; start < blob_.size(); start += 1 << 20)
    answers.push_back(Part(start, 1 << 20));
  ASSERT_TRUE(Fetch(answers));
  EXPECT_EQ(sink_.text(), blob_);
}

TEST_F(HttpRemoteTest, ATransferThatDoesNotGetOnEnds) {
  std::vector<FakeAnswer> answers;
  for (std::size_t start = 0; start < 100; ++start)
    answers.push_back(Part(start, 1));
  const Status status = Fetch(answers);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(Ranges().size(), 5U);
}

TEST_F(HttpRemoteTest, ABlobOfAnotherSizeIsCorrupt) {
  for (const std::string& body : {blob_ + "x", blob_.substr(1), std::string()}) {
    const FakeAnswer said = {200, {{"Content-Length", std::to_string(body.size())}}, body};
    const FakeAnswer unsaid = {200, {{"Transfer-Encoding", "chunked"}}, body};
    for (const FakeAnswer& answer : {said, unsaid}) {
      const Status status = Fetch({answer});
      ASSERT_FALSE(status) << body.size();
      EXPECT_EQ(status.error().kind, ErrorKind::kCorrupt) << status.error().message;
      EXPECT_LE(sink_.text().size(), blob_.size());
    }
    EXPECT_FALSE(Fetch({said}));
    EXPECT_EQ(sink_.text(), "") << "what is said to be another is not taken";
  }
}

TEST_F(HttpRemoteTest, ASmallBlobOfOtherBytesIsCorrupt) {
  std::string other = blob_;
  other.front() ^= 1;
  for (const std::vector<FakeAnswer>& answers :
       {std::vector<FakeAnswer>{{200, {}, other}}, {{200, {}, other, 10}, Part(10)}}) {
    world_.http.On(BlobOf(Describe(blob_)), answers);
    const auto fetched = FetchWholeBlob(*remote_, Describe(blob_), world_.progress);
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().kind, ErrorKind::kCorrupt);
  }
  world_.http.On(BlobOf(Describe(blob_)), {Part(0, 10), Part(10)});
  EXPECT_EQ(*FetchWholeBlob(*remote_, Describe(blob_), world_.progress), blob_);
}

TEST_F(HttpRemoteTest, ABlobThatIsEmptyOrWantedFromItsEndIsNoProblem) {
  ASSERT_TRUE(Fetch({}, blob_.size()));
  EXPECT_TRUE(Ranges().empty());
  ASSERT_TRUE(Fetch({Part(100'000)}, 100'000));
  EXPECT_EQ(sink_.text(), blob_.substr(100'000));
  EXPECT_EQ(Fetch({}, blob_.size() + 1).error().kind, ErrorKind::kInvalid);
  blob_ = "";
  ASSERT_TRUE(Fetch({{200}}));
  EXPECT_THAT(Ranges(), ElementsAre(""));
}

TEST_F(HttpRemoteTest, CtrlCEndsATransferAndItsPauses) {
  world_.clock.on_sleep = [&] { world_.progress.is_stopped = true; };
  EXPECT_EQ(Fetch({Part(0, 10), Part(10)}).error().kind, ErrorKind::kInterrupted);
  EXPECT_EQ(Ranges().size(), 1U);
  EXPECT_LE(world_.clock.slept_ms, 50U);
}

TEST_F(HttpRemoteTest, RedirectsAreFollowedWithTheRange) {
  const FakeAnswer away = {307, {{"Location", "https://cdn.example.net/blob?sig=s"}}, "moved"};
  world_.http.On("GET https://cdn.example.net/blob", {Part(0, 10), Part(10)});
  ASSERT_TRUE(Fetch({away}));
  EXPECT_EQ(sink_.text(), blob_);
  EXPECT_THAT(Ranges(), ElementsAre("", "", "bytes=10-", "bytes=10-"));
}

TEST_F(HttpRemoteTest, WhatAnAnswerMeans) {
  const std::pair<int, ErrorKind> cases[] = {
      {301, ErrorKind::kInvalid},     {304, ErrorKind::kInvalid},
      {400, ErrorKind::kInvalid},     {403, ErrorKind::kDenied},
      {404, ErrorKind::kNotFound},    {405, ErrorKind::kUnsupported},
      {408, ErrorKind::kUnavailable}, {409, ErrorKind::kConflict},
      {413, ErrorKind::kExhausted},   {415, ErrorKind::kUnsupported},
      {416, ErrorKind::kInvalid},     {429, ErrorKind::kUnavailable},
      {500, ErrorKind::kUnavailable}, {501, ErrorKind::kUnsupported},
      {502, ErrorKind::kUnavailable}, {503, ErrorKind::kUnavailable},
      {599, ErrorKind::kUnavailable},
  };
  for (const auto& [status, kind] : cases) {
    const Status fetched = Fetch({{status}});
    ASSERT_FALSE(fetched) << status;
    EXPECT_EQ(fetched.error().kind, kind) << status;
    EXPECT_EQ(Ranges().size(), kind == ErrorKind::kUnavailable ? 5U : 1U) << status;
  }
  // Without a challenge there is nothing to answer.
  EXPECT_EQ(Fetch({{401}}).error().kind, ErrorKind::kDenied);
}

TEST_F(HttpRemoteTest, TheReasonThatARegistryGivesIsToldUnlessItIsHostile) {
  const auto message = [&](const std::string& body) {
    return Fetch({{404, {}, body}}).error().message;
  };
  EXPECT_THAT(message(R"({"errors":[{"code":"BLOB_UNKNOWN","message":"not here"},{"code":"X"}]})"),
              HasSubstr("'registry.example.org' answers 404 (BLOB_UNKNOWN: not here)"));
  EXPECT_THAT(message(R"({"errors":[{"message":"not here"}]})"), HasSubstr("404 (not here)"));
  for (const std::string body :
       {"", "<html>", "{", "[]", R"({"errors":[]})", R"({"errors":{}})", R"({"errors":["x"]})",
        R"({"errors":[{"code":7,"message":null}]})", R"({"errors":[[]]})", "\xFF\xFE"})
    EXPECT_THAT(message(body), testing::EndsWith("'registry.example.org' answers 404")) << body;
  const std::string controls =
      message(R"({"errors":[{"code":"\u001b[2J\r\n","message":"\u0000\u202e\u0007"}]})");
  for (const char c : {'\x1B', '\r', '\n', '\0', '\7'})
    EXPECT_EQ(controls.find(c), std::string::npos) << static_cast<int>(c);
  EXPECT_LT(message(R"({"errors":[{"message":")" + std::string(60'000, 'x') + R"("}]})").size(),
            700U);
  EXPECT_LT(message(std::string(1 << 20, '[')).size(), 400U);
}

class ManifestTest : public HttpRemoteTest {
 protected:
  static std::string Manifest() { return R"({"schemaVersion":2})"; }
  Result<RemoteManifest> FetchTagged(std::vector<FakeAnswer> answers) {
    world_.http.On(std::string("GET ") + kBase + "manifests/v1", std::move(answers));
    return remote_->FetchManifest("v1", std::nullopt);
  }
  Result<RemoteManifest> FetchByDigest(std::vector<FakeAnswer> answers) {
    const Digest digest = Sha256(AsBytes(Manifest()));
    world_.http.On(std::string("GET ") + kBase + "manifests/" + digest.ToString(),
                   std::move(answers));
    return remote_->FetchManifest("", digest);
  }
};

TEST_F(ManifestTest, IsWhatItsBytesAre) {
  const std::string digest = Sha256(AsBytes(Manifest())).ToString();
  const FakeAnswer answer = {200,
                             {{"Docker-Content-Digest", digest},
                              {"Content-Type", "application/vnd.oci.image.manifest.v1+json; x=y"}},
                             Manifest()};
  for (const auto& fetched : {FetchTagged({{503}, answer}), FetchByDigest({answer})}) {
    ASSERT_TRUE(fetched) << fetched.error().message;
    EXPECT_EQ(fetched->bytes, Manifest());
    EXPECT_EQ(fetched->descriptor.digest.ToString(), digest);
    EXPECT_EQ(fetched->descriptor.media_type, oci::kManifestMediaType);
    EXPECT_EQ(fetched->descriptor.size, Manifest().size());
  }
  EXPECT_THAT(world_.http.asked().front().Header("Accept"),
              AllOf(HasSubstr("application/vnd.oci.image.manifest.v1+json"),
                    HasSubstr("application/vnd.docker.distribution.manifest.v2+json")));
  // A registry that says nothing of type and digest serves manifests.
  EXPECT_EQ(FetchTagged({{200, {}, Manifest()}})->descriptor.media_type, oci::kManifestMediaType);
}

TEST_F(ManifestTest, SaysItselfWhatItIsWhereTheRegistryDoesNot) {
  const std::string docker(oci::kDockerManifestMediaType);
  const std::string index(oci::kIndexMediaType);
  const std::string manifest(oci::kManifestMediaType);
  struct Case {
    std::string header;
    std::string body;
    std::string type;
  };
  for (const Case& each :
       std::vector<Case>{{"", R"({"mediaType":")" + docker + "\"}", docker},
                         {"application/json", R"({"mediaType":")" + index + "\"}", index},
                         {"text/plain; charset=utf-8", R"({"manifests":[]})", index},
                         {"application/octet-stream", R"({"layers":[],"manifests":[]})", manifest},
                         {"Application/JSON", R"({"mediaType":"x"})", "Application/JSON"},
                         {"", "no json", manifest},
                         // What it says counts, also if the document says otherwise: then the
                         // document is refused.
                         {manifest, R"({"mediaType":")" + index + "\"}", manifest},
                         {"application/x", R"({"mediaType":")" + index + "\"}", "application/x"}}) {
    FakeAnswer answer = {200, {}, each.body};
    if (!each.header.empty()) answer.headers = {{"Content-Type", each.header}};
    EXPECT_EQ(FetchTagged({answer})->descriptor.media_type, each.type)
        << each.header << " " << each.body;
  }
}

TEST_F(ManifestTest, WithOtherBytesThanItsDigestIsCorrupt) {
  const std::string other = Sha256(AsBytes("other")).ToString();
  for (const auto& fetched :
       {FetchByDigest({{200, {}, Manifest() + " "}}), FetchByDigest({{200, {}, ""}}),
        FetchByDigest({{200, {{"Docker-Content-Digest", other}}, Manifest()}}),
        FetchTagged({{200, {{"Docker-Content-Digest", other}}, Manifest()}})}) {
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().kind, ErrorKind::kCorrupt) << fetched.error().message;
  }
}

TEST_F(ManifestTest, IsAtMost4Mib) {
  const std::string longest(4 << 20, ' ');
  EXPECT_EQ(FetchTagged({{200, {}, longest}})->bytes.size(), longest.size());
  EXPECT_EQ(FetchTagged({{200, {}, longest + " "}}).error().kind, ErrorKind::kExhausted);
  const FakeAnswer chunked = {200, {{"Transfer-Encoding", "chunked"}}, longest + " "};
  EXPECT_EQ(FetchTagged({chunked}).error().kind, ErrorKind::kExhausted);
}

TEST_F(ManifestTest, ThatBreaksOffIsFetchedAnew) {
  EXPECT_EQ(FetchTagged({{200, {}, Manifest(), 5}, {200, {}, Manifest()}})->bytes, Manifest());
}

TEST_F(ManifestTest, ATagIsATagOnly) {
  for (const std::string tag : {"", "../v1", "a/b", "a?b", "a b", "a\r\nb", "-a", "a@b"})
    EXPECT_EQ(remote_->FetchManifest(tag, std::nullopt).error().kind, ErrorKind::kInvalid) << tag;
  EXPECT_TRUE(world_.http.asked().empty());
}

class TagsTest : public HttpRemoteTest {
 protected:
  static constexpr char kList[] = "GET https://registry.example.org/v2/models/tiny/tags/list";
  static FakeAnswer Page(const std::string& tags, const std::string& next = "") {
    FakeAnswer answer = {200, {}, R"({"name":"models/tiny","tags":)" + tags + "}"};
    if (!next.empty()) answer.headers.emplace_back("Link", "<" + next + R"(>; rel="next")");
    return answer;
  }
};

TEST_F(TagsTest, AreOnManyPages) {
  world_.http.On(kList, {Page(R"(["b","a"])", "/v2/models/tiny/tags/list?last=a&n=2")});
  world_.http.On(std::string(kList) + "?last=a&n=2", {{503}, Page(R"(["c","a"])", "list?last=c")});
  world_.http.On(std::string(kList) + "?last=c",
                 {Page("[]", std::string(kList).substr(4) + "?last=d")});
  world_.http.On(std::string(kList) + "?last=d", {Page(R"(["d"])")});
  EXPECT_THAT(*remote_->ListTags(), ElementsAre("a", "b", "c", "d"));
}

TEST_F(TagsTest, MayBeNoneOrNone) {
  for (const std::string tags : {"null", "[]", "{}", "7"}) {
    world_.http.On(kList, {Page(tags)});
    EXPECT_TRUE(remote_->ListTags()->empty()) << tags;
  }
  world_.http.On(kList, {{200, {}, "{}"}});
  EXPECT_TRUE(remote_->ListTags()->empty());
  world_.http.On(kList, {{404}});
  EXPECT_EQ(remote_->ListTags().error().kind, ErrorKind::kNotFound);
  world_.http.On(kList, {{200, {}, "<html>"}});
  EXPECT_EQ(remote_->ListTags().error().kind, ErrorKind::kInvalid);
}

TEST_F(TagsTest, ThatNobodyCanAskForAreLeftOut) {
  world_.http.On(kList, {Page(R"(["ok","../up","a b","","-x","\u001b[2J",7,null,["v"],{"a":1}])")});
  EXPECT_THAT(*remote_->ListTags(), ElementsAre("ok"));
}

class HasBlobTest : public HttpRemoteTest {
 protected:
  Result<bool> Has(std::vector<FakeAnswer> answers) {
    world_.http.On("HEAD " + BlobOf(Describe(blob_)).substr(4), std::move(answers));
    return remote_->HasBlob(Describe(blob_));
  }
};

TEST_F(HasBlobTest, OnlyAnAnswerIsAnAnswer) {
  EXPECT_TRUE(*Has({{503}, {200}}));
  EXPECT_FALSE(*Has({{404}}));
  EXPECT_EQ(Has({{403}}).error().kind, ErrorKind::kDenied);
  EXPECT_EQ(Has({{500}}).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(Has({NoAnswer()}).error().kind, ErrorKind::kUnavailable);
  world_.http.On("HEAD https://cdn.example.net/b", {{200}});
  EXPECT_TRUE(*Has({{307, {{"Location", "https://cdn.example.net/b"}}, {}}}));
}

TEST(HttpRemoteHint, WhoMayHaveForgottenPlainHttpIsReminded) {
  FakeWorld world;
  world.http.On("GET https://localhost:5000/v2/models/tiny/tags/list", {NoAnswer()});
  EXPECT_THAT(world.Connect("localhost:5000")->ListTags().error().hint, HasSubstr("--plain-http"));
  world.http.On("GET http://localhost:5000/v2/models/tiny/tags/list", {NoAnswer()});
  EXPECT_THAT(
      world.Connect("localhost:5000", ConnectOptions::Scheme::kHttp)->ListTags().error().hint,
      Not(HasSubstr("--plain-http")));
}

}  // namespace
}  // namespace plumb::registry
