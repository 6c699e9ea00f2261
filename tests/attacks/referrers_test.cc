// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "tests/fake_registry.h"

// Lists of what is said of a kit, by registries that keep them, badly, or lie.
namespace plumb::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kBase[] = "https://registry.example.org/v2/models/tiny/";
constexpr char kIndexHeader[] = "application/vnd.oci.image.index.v1+json; charset=utf-8";

class ReferrersAttack : public testing::Test {
 protected:
  static std::string Entry(const std::string& name, const std::string& type) {
    return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
           Sha256(AsBytes(name)).ToString() + R"(","size":7,"artifactType":")" + type + "\"}";
  }
  static std::string IndexOf(const std::string& entries) {
    return R"({"schemaVersion":2,"manifests":[)" + entries + "]}";
  }
  static FakeAnswer List(const std::string& entries, const std::string& link = "") {
    FakeAnswer answer = {200, {{"Content-Type", kIndexHeader}}, IndexOf(entries)};
    if (!link.empty()) answer.headers.emplace_back("Link", "<" + link + ">; rel=\"next\"");
    return answer;
  }
  Result<std::vector<Referrer>> Ask(const std::string& type = "") {
    return remote_->ListReferrers(subject_, type);
  }

  FakeWorld world_;
  std::unique_ptr<Repository> remote_ = world_.Connect("registry.example.org");
  const Digest subject_ = Sha256(AsBytes("kit"));
  const std::string list_ = std::string(kBase) + "referrers/" + subject_.ToString();
  const std::string tag_ = std::string(kBase) + "manifests/sha256-" + subject_.ToHex();
  const std::string pushed_ =
      R"({"schemaVersion":2,"config":{"mediaType":"c","digest":"sha256:)" + std::string(64, 'a') +
      R"(","size":2},"layers":[],"artifactType":"a/one","subject":)" +
      R"({"mediaType":"m","size":3,"digest":")" + subject_.ToString() + "\"}}";
  const oci::Descriptor pushed_descriptor_ = {std::string(oci::kManifestMediaType),
                                              Sha256(AsBytes(pushed_)), pushed_.size()};
  const std::string put_ = std::string(kBase) + "manifests/" + Sha256(AsBytes(pushed_)).ToString();
};

// Rule: what the registry did not filter is filtered here.
TEST_F(ReferrersAttack, AFilterIsNotBelieved) {
  world_.http.On("GET " + list_, {List(Entry("x", "a/one") + "," + Entry("y", "a/two"))});
  const auto found = Ask("a/two");
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().artifact_type, "a/two");
  EXPECT_THAT(world_.http.Log(), ElementsAre("GET " + list_ + "?artifactType=a%2ftwo"));
}

// Rule: what cannot be held here is passed over, and stays in the list that a tag keeps.
TEST_F(ReferrersAttack, AReferrerOfAnotherAlgorithmHidesNone) {
  const std::string other = R"({"mediaType":"m","digest":"sha512:00","size":7})";
  world_.http.On("GET " + list_, {List(other + "," + Entry("x", "a/one"))});
  const auto found = Ask();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->size(), 1U);
  world_.http.On("PUT " + put_, {{201}});
  const FakeAnswer before = List(other);
  std::string list = before.body;
  world_.http.On("GET " + tag_, [&](const Asked&) {
    return FakeAnswer{200, {{"Content-Type", kIndexHeader}}, list};
  });
  world_.http.On("PUT " + tag_, [&](const Asked& asked) {
    list = asked.body;
    return FakeAnswer{201};
  });
  const Status pushed = remote_->PushReferrer(pushed_descriptor_, pushed_);
  ASSERT_TRUE(pushed) << pushed.error().message;
  EXPECT_THAT(list, HasSubstr(other));
  EXPECT_THAT(list, HasSubstr(pushed_descriptor_.digest.ToString()));
}

TEST_F(ReferrersAttack, PagesAreFollowed) {
  world_.http.On("GET " + list_, {List(Entry("x", "a/one"), "/v2/models/tiny/referrers/more?n=1")});
  world_.http.On("GET " + std::string(kBase) + "referrers/more?n=1", {List(Entry("y", "a/one"))});
  EXPECT_EQ(Ask()->size(), 2U);
}

// Rule: a list has an end, wherever it leads; and it stays at its registry.
TEST_F(ReferrersAttack, AListWithoutEndIsCut) {
  world_.http.On("GET " + list_, {List("", list_)});
  EXPECT_EQ(Ask().error().kind, ErrorKind::kExhausted);
  EXPECT_LE(world_.http.asked().size(), 101U);
  std::string entries = Entry("x", "a/one");
  for (int i = 0; i < 1000; ++i)
    entries += "," + Entry(std::to_string(i), "a/one");
  world_.http.On("GET " + list_, {List(entries)});
  EXPECT_EQ(Ask().error().kind, ErrorKind::kExhausted);
  world_.http.On("GET " + list_, {List(Entry("x", "a/one"), "https://evil.example.net/list")});
  EXPECT_EQ(Ask().error().kind, ErrorKind::kInvalid);
}

// Rule: no list is not an empty list: only where the registry says that it keeps none is the tag
// looked at, and only where that is not there are there no referrers.
TEST_F(ReferrersAttack, AFailureIsNoEmptyList) {
  for (const int status : {500, 503, 429, 401, 403, 400}) {
    world_.http.On("GET " + list_, {{status}});
    EXPECT_FALSE(Ask()) << status;
  }
  world_.http.On("GET " + list_, {{404}});
  world_.http.On("GET " + tag_, {{500}});
  EXPECT_EQ(Ask().error().kind, ErrorKind::kUnavailable);
  world_.http.On("GET " + tag_, {{404}});
  EXPECT_TRUE(Ask()->empty());
  // A page for people, as some answer to everything, is no list either.
  world_.http.On("GET " + list_, {{200, {{"Content-Type", "text/html"}}, "<html>"}});
  EXPECT_TRUE(Ask()->empty());
  world_.http.On("GET " + list_, {{200, {{"Content-Type", kIndexHeader}}, "<html>"}});
  EXPECT_EQ(Ask().error().kind, ErrorKind::kInvalid);
}

// Rule: a tag that is no list is somebody's, and not written over.
TEST_F(ReferrersAttack, ATagThatIsAManifestIsLeftAlone) {
  world_.http.On("PUT " + put_, {{201}});
  world_.http.On("GET " + list_, {{404}});
  world_.http.On("GET " + tag_,
                 {{200, {{"Content-Type", std::string(oci::kManifestMediaType)}}, pushed_}});
  EXPECT_EQ(Ask().error().kind, ErrorKind::kConflict);
  EXPECT_EQ(remote_->PushReferrer(pushed_descriptor_, pushed_).error().kind, ErrorKind::kConflict);
  for (const std::string& line : world_.http.Log())
    EXPECT_NE(line, "PUT " + tag_);
}

TEST_F(ReferrersAttack, ARegistryThatKeepsTheListGetsNoTag) {
  world_.http.On("PUT " + put_, {{201, {{"OCI-Subject", subject_.ToString()}}, ""}});
  EXPECT_TRUE(remote_->PushReferrer(pushed_descriptor_, pushed_));
  EXPECT_THAT(world_.http.Log(), ElementsAre("PUT " + put_));
  // One that took the subject for another has not listed it.
  world_.http.On("PUT " + put_, {{201, {{"OCI-Subject", "sha256:00"}}, ""}});
  world_.http.On("GET " + tag_, {{404}});
  world_.http.On("PUT " + tag_, {{500}});
  EXPECT_EQ(remote_->PushReferrer(pushed_descriptor_, pushed_).error().kind,
            ErrorKind::kUnavailable);
}

// Rule: what another pushed at the same moment stays, and ours is looked for until it is there.
TEST_F(ReferrersAttack, AListThatAnotherChangesIsMended) {
  std::string list = IndexOf(Entry("x", "a/one"));
  int lost = 0;
  world_.http.On("PUT " + put_, {{201}});
  world_.http.On("GET " + tag_, [&](const Asked&) -> FakeAnswer {
    return {200, {{"Content-Type", kIndexHeader}}, list};
  });
  world_.http.On("PUT " + tag_, [&](const Asked& asked) -> FakeAnswer {
    // The first time another was faster by a moment.
    list = lost++ == 0 ? IndexOf(Entry("x", "a/one") + "," + Entry("z", "a/z")) : asked.body;
    return {201};
  });
  ASSERT_TRUE(remote_->PushReferrer(pushed_descriptor_, pushed_));
  for (const std::string& digest :
       {Sha256(AsBytes("x")).ToString(), Sha256(AsBytes("z")).ToString(),
        pushed_descriptor_.digest.ToString()})
    EXPECT_THAT(list, HasSubstr(digest));
  // And one who always undoes it is told.
  world_.http.On("PUT " + tag_, {{201}});
  list = IndexOf("");
  EXPECT_EQ(remote_->PushReferrer(pushed_descriptor_, pushed_).error().kind, ErrorKind::kConflict);
}

}  // namespace
}  // namespace plumb::registry
