// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "oci/manifest.h"
#include "registry/connect.h"
#include "tests/fake_registry.h"

// Writing to a registry, whatever it answers.
namespace plumb::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const std::string kOrigin = "https://registry.example.org";
const std::string kUploads = kOrigin + "/v2/models/tiny/blobs/uploads/";

class HttpPushTest : public testing::Test {
 protected:
  HttpPushTest() {
    world_.LogIn("registry.example.org");
    // The registry is one that wants to know who we are.
    OnRegistry("POST", kUploads, {Session("/v2/models/tiny/blobs/uploads/1?_state=a")});
  }

  static FakeAnswer Session(const std::string& location) {
    return {202, {{"Location", location}, {"Range", "0-0"}}, {}};
  }
  FakeAnswer Created() const {
    return {201, {{"Docker-Content-Digest", blob_.digest.ToString()}}, {}};
  }
  std::string WithDigest(const std::string& url) const {
    return url + (url.find('?') == std::string::npos ? "?" : "&") + "digest=sha256%3a" +
           blob_.digest.ToHex();
  }
  void OnRegistry(const std::string& method, const std::string& url,
                  std::vector<FakeAnswer> answers) {
    auto next = std::make_shared<std::size_t>(0);
    world_.http.On(method + " " + url, [answers, next](const Asked& asked) -> FakeAnswer {
      if (asked.Header("Authorization") != kBasic)
        return {401, {{"WWW-Authenticate", "Basic realm=x"}}, {}};
      return answers.at(std::min((*next)++, answers.size() - 1));
    });
  }
  void OnPut(const std::string& url, std::vector<FakeAnswer> answers) {
    OnRegistry("PUT", WithDigest(url), std::move(answers));
  }

  Status Push() {
    return remote_->PushBlob(
        blob_,
        [&](std::uint64_t offset) -> Result<std::unique_ptr<ByteSource>> {
          EXPECT_EQ(offset, 0U);
          ++opened_;
          return std::unique_ptr<ByteSource>(std::make_unique<MemorySource>(AsBytes(bytes_)));
        },
        world_.progress);
  }

  const std::string bytes_ = "the weights";
  const oci::Descriptor blob_ = {"application/x", Sha256(AsBytes(bytes_)), bytes_.size()};
  FakeWorld world_;
  std::unique_ptr<Remote> remote_ = world_.Connect("registry.example.org");
  int opened_ = 0;
};

TEST_F(HttpPushTest, ABlobGoesWhereTheLocationSays) {
  const std::pair<std::string, std::string> cases[] = {
      {"/v2/models/tiny/blobs/uploads/1?_state=a", kUploads + "1?_state=a"},
      {"1", kUploads + "1"},
      {"?session=1", kUploads + "?session=1"},
      {kOrigin + "/elsewhere", kOrigin + "/elsewhere"},
      {"//registry.example.org/elsewhere", kOrigin + "/elsewhere"},
  };
  for (const auto& [location, url] : cases) {
    remote_ = world_.Connect("registry.example.org");
    OnRegistry("POST", kUploads, {Session(location)});
    OnPut(url, {Created()});
    const Status pushed = Push();
    ASSERT_TRUE(pushed) << location << pushed.error().message;
    const Asked put = world_.http.asked().back();
    EXPECT_EQ(put.url, WithDigest(url));
    EXPECT_EQ(put.body, bytes_);
    EXPECT_EQ(put.Header("Content-Type"), "application/octet-stream");
  }
}

TEST_F(HttpPushTest, AnUploadThatFailsIsBegunAnewWithTheNewestLocation) {
  OnRegistry("POST", kUploads, {Session("1"), {503}, Session("2"), Session("3")});
  OnPut(kUploads + "1", {{500}});
  OnPut(kUploads + "2", {NoAnswer()});
  OnPut(kUploads + "3", {Created()});
  ASSERT_TRUE(Push());
  EXPECT_EQ(opened_, 3);
  EXPECT_THAT(world_.progress.warnings, SizeIs(1));
}

TEST_F(HttpPushTest, WhatARegistryRefusesIsNotSentAgain) {
  const std::pair<int, ErrorKind> cases[] = {
      {400, ErrorKind::kInvalid}, {403, ErrorKind::kDenied},  {413, ErrorKind::kExhausted},
      {416, ErrorKind::kInvalid}, {200, ErrorKind::kInvalid}, {302, ErrorKind::kInvalid},
  };
  for (const auto& [status, kind] : cases) {
    opened_ = 0;
    OnPut(kUploads + "1?_state=a", {{status}});
    const Status pushed = Push();
    ASSERT_FALSE(pushed) << status;
    EXPECT_EQ(pushed.error().kind, kind) << status;
    EXPECT_EQ(opened_, 1) << status;
  }
  OnRegistry("POST", kUploads, {{405}});
  EXPECT_EQ(Push().error().kind, ErrorKind::kUnsupported);
  OnRegistry("POST", kUploads, {{202}});  // to where?
  EXPECT_EQ(Push().error().kind, ErrorKind::kInvalid);
}

TEST_F(HttpPushTest, ASessionThatIsLostIsBegunAnewAFewTimes) {
  OnRegistry("POST", kUploads, {Session("1"), Session("2")});
  OnPut(kUploads + "1", {{404}});
  OnPut(kUploads + "2", {Created()});
  ASSERT_TRUE(Push());
  EXPECT_EQ(opened_, 2);
  opened_ = 0;
  OnPut(kUploads + "2", {{404}});
  EXPECT_EQ(Push().error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(opened_, 5);
}

TEST_F(HttpPushTest, ARelativeLocationIsMeantWhereARedirectLed) {
  OnRegistry("POST", kUploads, {{307, {{"Location", kOrigin + "/other/place/"}}, {}}});
  OnRegistry("POST", kOrigin + "/other/place/", {Session("7?_state=x")});
  OnPut(kOrigin + "/other/place/7?_state=x", {Created()});
  ASSERT_TRUE(Push());
}

TEST_F(HttpPushTest, ARegistryThatTookSomethingElseIsNotBelieved) {
  OnPut(kUploads + "1?_state=a",
        {{201, {{"Docker-Content-Digest", Sha256(AsBytes("other")).ToString()}}, {}}});
  EXPECT_EQ(Push().error().kind, ErrorKind::kCorrupt);
  OnPut(kUploads + "1?_state=a", {{201}});
  EXPECT_TRUE(Push());
}

TEST_F(HttpPushTest, ARedirectedUploadIsSentWhole) {
  OnPut(kUploads + "1?_state=a", {{307, {{"Location", "https://store.example.net/x?sig=s"}}, {}}});
  world_.http.On("PUT https://store.example.net/x?sig=s", {Created()});
  ASSERT_TRUE(Push());
  EXPECT_EQ(world_.http.asked().back().body, bytes_);
  EXPECT_EQ(world_.SecretsSentOutside(kOrigin + "/"), 0U);
}

TEST_F(HttpPushTest, ASessionElsewhereLearnsNothingOfUs) {
  OnRegistry("POST", kUploads, {Session("https://store.example.net/x?sig=s")});
  world_.http.On("PUT " + WithDigest("https://store.example.net/x?sig=s"), {Created()});
  ASSERT_TRUE(Push());
  EXPECT_EQ(world_.SecretsSentOutside(kOrigin + "/"), 0U);
}

TEST_F(HttpPushTest, ABlobIsMountedOrNot) {
  const std::string mount =
      kUploads + "?mount=sha256%3a" + blob_.digest.ToHex() + "&from=models%2fbase";
  OnRegistry("POST", mount, {{503}, {201}});
  EXPECT_TRUE(*remote_->MountBlob(blob_, "models/base"));
  // A session that nobody wants is ended, at the registry itself only.
  OnRegistry("POST", mount, {Session("1")});
  OnRegistry("DELETE", kUploads + "1", {{204}});
  EXPECT_FALSE(*remote_->MountBlob(blob_, "models/base"));
  EXPECT_EQ(world_.http.Log().back(), "DELETE " + kUploads + "1");
  for (const std::string location : {"https://other.example.net/1", "", "http://x/"}) {
    OnRegistry("POST", mount, {Session(location)});
    EXPECT_FALSE(*remote_->MountBlob(blob_, "models/base"));
    EXPECT_EQ(world_.http.Log().back(), "POST " + mount);
  }
  // Who may not read there sends the bytes.
  for (const int status : {400, 403, 404, 405, 200}) {
    OnRegistry("POST", mount, {{status}});
    EXPECT_FALSE(*remote_->MountBlob(blob_, "models/base")) << status;
  }
  for (const int status : {500, 429}) {
    OnRegistry("POST", mount, {{status}});
    EXPECT_EQ(remote_->MountBlob(blob_, "models/base").error().kind, ErrorKind::kUnavailable);
  }
}

class ManifestPushTest : public HttpPushTest {
 protected:
  Status PushManifest(const std::string& tag, std::vector<FakeAnswer> answers) {
    OnRegistry(
        "PUT",
        kOrigin + "/v2/models/tiny/manifests/" + (tag.empty() ? manifest_.digest.ToString() : tag),
        std::move(answers));
    return remote_->PushManifest(manifest_, text_, tag);
  }
  const std::string text_ = "{}";
  const oci::Descriptor manifest_ = {std::string(oci::kManifestMediaType), Sha256(AsBytes(text_)),
                                     text_.size()};
};

TEST_F(ManifestPushTest, AManifestIsSentAsItIs) {
  for (const std::string tag : {"v1", ""}) {
    ASSERT_TRUE(PushManifest(tag, {{503}, {201}})) << tag;
    const Asked put = world_.http.asked().back();
    EXPECT_EQ(put.body, text_);
    EXPECT_EQ(put.Header("Content-Type"), oci::kManifestMediaType);
  }
}

TEST_F(ManifestPushTest, QuirksOfRegistriesAreToldApart) {
  const struct {
    FakeAnswer answer;
    ErrorKind kind;
    std::string part;
  } cases[] = {
      // docker-registry: a blob is missing; an unknown type of manifest.
      {{400, {}, R"({"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown"}]})"},
       ErrorKind::kInvalid,
       "MANIFEST_BLOB_UNKNOWN"},
      {{400, {}, R"({"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid"}]})"},
       ErrorKind::kInvalid,
       "MANIFEST_INVALID"},
      // zot: an unknown type; over 4 MiB.
      {{415}, ErrorKind::kUnsupported, "415"},
      {{413}, ErrorKind::kExhausted, "413"},
      {{201, {{"Docker-Content-Digest", Sha256(AsBytes("x")).ToString()}}, {}},
       ErrorKind::kCorrupt,
       "calls"},
      {{202}, ErrorKind::kInvalid, "202"},
      {{404}, ErrorKind::kNotFound, "404"},
  };
  for (const auto& [answer, kind, part] : cases) {
    const Status pushed = PushManifest("v1", {answer});
    ASSERT_FALSE(pushed) << part;
    EXPECT_EQ(pushed.error().kind, kind) << part;
    EXPECT_THAT(pushed.error().message, HasSubstr(part));
    EXPECT_THAT(pushed.error().message, HasSubstr("'registry.example.org/models/tiny:v1'"));
  }
}

TEST_F(ManifestPushTest, NoTagIsMovedToOtherBytesThanSaid) {
  oci::Descriptor other = manifest_;
  other.digest = Sha256(AsBytes("other"));
  EXPECT_EQ(remote_->PushManifest(other, text_, "v1").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(remote_->PushManifest(manifest_, text_, "../v1").error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(world_.http.asked().empty());
}

}  // namespace
}  // namespace plumb::registry
