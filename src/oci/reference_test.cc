// SPDX-License-Identifier: MIT OR Apache-2.0
#include "oci/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace plumb::oci {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string SomeDigest() { return "sha256:" + std::string(64, 'a'); }

std::string Refusal(std::string_view text) {
  const auto reference = Reference::Parse(text);
  if (reference) return "accepted as " + reference->ToString();
  EXPECT_EQ(reference.error().kind, ErrorKind::kInvalid) << text;
  return reference.error().message;
}

TEST(Reference, HasParts) {
  const auto full = Reference::Parse("registry.example.com:5000/team/model_a:v1.0@" + SomeDigest());
  ASSERT_TRUE(full) << full.error().message;
  EXPECT_EQ(full->host, "registry.example.com:5000");
  EXPECT_EQ(full->repository, "team/model_a");
  EXPECT_EQ(full->tag, "v1.0");
  EXPECT_EQ(full->digest, *Digest::Parse(SomeDigest()));
  EXPECT_EQ(full->Name(), "registry.example.com:5000/team/model_a");
  EXPECT_EQ(full->ToString(), "registry.example.com:5000/team/model_a:v1.0@" + SomeDigest());
}

TEST(Reference, AFirstComponentIsAHostOnlyIfItLooksLikeOne) {
  EXPECT_EQ(Reference::Parse("team/model")->host, "");
  EXPECT_EQ(Reference::Parse("team/model")->repository, "team/model");
  EXPECT_EQ(Reference::Parse("localhost/model")->host, "localhost");
  EXPECT_EQ(Reference::Parse("localhost:5000/model")->host, "localhost:5000");
  EXPECT_EQ(Reference::Parse("ghcr.io/model")->host, "ghcr.io");
  EXPECT_EQ(Reference::Parse("host:80/model")->host, "host:80");
  // Without a '/' it is a repository, whatever it looks like.
  EXPECT_EQ(Reference::Parse("localhost")->repository, "localhost");
  EXPECT_EQ(Reference::Parse("model.gguf")->repository, "model.gguf");
  EXPECT_EQ(Reference::Parse("localhost:5000")->tag, "5000");
}

TEST(Reference, HostsAreComparedInLowerCase) {
  EXPECT_EQ(*Reference::Parse("GHCR.io/m:1"), *Reference::Parse("ghcr.io/m:1"));
}

TEST(Reference, AMissingTagStaysMissing) {
  const auto reference = Reference::Parse("model");
  ASSERT_TRUE(reference);
  EXPECT_EQ(reference->tag, "");
  EXPECT_EQ(reference->ToString(), "model");
  EXPECT_EQ(reference->TagOrDefault(), "latest");
  EXPECT_EQ(Reference::Parse("model:v1")->TagOrDefault(), "v1");
}

TEST(Reference, SaysWhichPartIsWrong) {
  EXPECT_THAT(Refusal(""), HasSubstr("must not be empty"));
  EXPECT_THAT(Refusal("host.io/"), HasSubstr("repository '' is not valid"));
  EXPECT_THAT(Refusal(":v1"), HasSubstr("repository '' is not valid"));
  EXPECT_THAT(Refusal("m:"), HasSubstr("tag '' is not valid: it is empty"));
  EXPECT_THAT(Refusal("m:v1:v2"), HasSubstr("repository 'm:v1' is not valid"));
  EXPECT_THAT(Refusal("m:a/b"), HasSubstr("host 'm:a' is not valid"));
  EXPECT_THAT(Refusal("host_name.io/m"), HasSubstr("host 'host_name.io' is not valid"));
  EXPECT_THAT(Refusal("m@"), HasSubstr("digest"));
  EXPECT_THAT(Refusal("m@" + SomeDigest() + "@" + SomeDigest()), HasSubstr("digest"));
  EXPECT_THAT(Refusal("m@sha256:" + std::string(64, 'A')), HasSubstr("digest"));
}

TEST(Reference, SaysThatNamesAreLowerCase) {
  EXPECT_THAT(Refusal("Org/Model:Q4_K_M"), HasSubstr("it must be lower case"));
  EXPECT_THAT(Refusal("Bad Name:v"), HasSubstr("it has a space in it"));
  EXPECT_THAT(Refusal("Bad!"), Not(HasSubstr("it must be lower case")));
}

TEST(Reference, SaysWhatIsWrongWithALayout) {
  EXPECT_THAT(Refusal("oci:dir:v1"), HasSubstr("a layout directory cannot stand here"));
  EXPECT_EQ(Reference::Parse("oci:a b").error().hint, "plumb pull 'oci:a b' NAME:TAG");
  for (const std::string_view text : {"oci:", "oci::v1", "oci:@"})
    EXPECT_THAT(Refusal(text), HasSubstr("it names no directory")) << text;
}

TEST(Reference, RefusesADigestOfAnotherAlgorithm) {
  const auto reference = Reference::Parse("m@sha512:" + std::string(128, 'a'));
  ASSERT_FALSE(reference);
  EXPECT_EQ(reference.error().kind, ErrorKind::kUnsupported);
}

TEST(Reference, RepositoryGrammar) {
  for (const auto good : {"a", "0", "a.b", "a_b", "a__b", "a-b", "a---b", "a/b/c", "a1.b2_c3-d4"})
    EXPECT_TRUE(CheckRepository(good)) << good;
  for (const auto bad : {"",     "/",     "a/",   "/a",       "a//b",     ".",     "..",    "a/..",
                         "../a", "a/./b", ".a",   "a.",       "_a",       "a_",    "-a",    "a-",
                         "a..b", "a___b", "a._b", "a-_b",     "a.-b",     "A",     "a b",   "a\nb",
                         "a\\b", "a:b",   "a@b",  "\xc3\xa9", "\xd0\xb0", "a\xff", "a%2fb", "~a"}) {
    const auto status = CheckRepository(bad);
    ASSERT_FALSE(status) << bad;
    EXPECT_EQ(status.error().kind, ErrorKind::kInvalid) << bad;
  }
  EXPECT_FALSE(CheckRepository(std::string_view("a\0b", 3)));
}

TEST(Reference, TagGrammar) {
  for (const auto good : {"v1", "_", "_.-", "A", "0", "1.0.0-rc.1", "Q4_K_M"})
    EXPECT_TRUE(CheckTag(good)) << good;
  for (const auto bad :
       {"", ".", "..", "-", ".a", "-a", "a b", "a/b", "a:b", "a+b", "a,b", "\xc3\xa9", "a\n"}) {
    const auto status = CheckTag(bad);
    ASSERT_FALSE(status) << bad;
    EXPECT_EQ(status.error().kind, ErrorKind::kInvalid) << bad;
  }
}

TEST(Reference, HostGrammar) {
  for (const auto good :
       {"a.b", "1.2.3.4", "1.2.3.4:1", "x-y.z:65535", "localhost:5000", "xn--a.b"})
    EXPECT_TRUE(Reference::Parse(std::string(good) + "/m")) << good;
  for (const auto bad :
       {".",     "..",   "a..b",     ".a",           "a.",        "-a.b",   "a-.b",
        "a_b.c", "a.b:", "a.b:0",    "a.b:65536",    "a.b:80:80", "a.b:-1", "a.b:+1",
        "a.b:x", ":80",  "[::1]:80", "\xc3\xa9.com", "user@a.b",  "a b.c"})
    EXPECT_FALSE(Reference::Parse(std::string(bad) + "/m")) << bad;
}

TEST(Reference, HasLimits) {
  EXPECT_TRUE(CheckTag(std::string(128, 'a')));
  EXPECT_FALSE(CheckTag(std::string(129, 'a')));
  EXPECT_TRUE(CheckRepository(std::string(255, 'a')));
  EXPECT_FALSE(CheckRepository(std::string(256, 'a')));
  EXPECT_TRUE(Reference::Parse("a.b/" + std::string(251, 'a')));
  EXPECT_FALSE(Reference::Parse("a.b/" + std::string(252, 'a')));
  EXPECT_TRUE(Reference::Parse(std::string(63, 'a') + ".b/m"));
  EXPECT_FALSE(Reference::Parse(std::string(64, 'a') + ".b/m"));
  // Nobody wants to see a megabyte in a message.
  EXPECT_LT(Refusal(std::string(1 << 20, 'a')).size(), 400U);
}

TEST(Reference, ErrorsAreSafeToShow) {
  EXPECT_EQ(Refusal("m:\x1b[2J").find('\x1b'), std::string::npos);
  EXPECT_EQ(Refusal("\x1b[2J").find('\x1b'), std::string::npos);
}

TEST(Reference, ListsOfTags) {
  const auto references = Reference::ParseTags("host.io/m:v1,v2,latest");
  ASSERT_TRUE(references) << references.error().message;
  ASSERT_EQ(references->size(), 3U);
  EXPECT_EQ((*references)[0].ToString(), "host.io/m:v1");
  EXPECT_EQ((*references)[1].ToString(), "host.io/m:v2");
  EXPECT_EQ((*references)[2].ToString(), "host.io/m:latest");
  EXPECT_EQ(Reference::ParseTags("m")->front().ToString(), "m:latest");
  EXPECT_EQ(Reference::ParseTags("m:v1,v2,v1")->size(), 2U);
}

TEST(Reference, ListsOfTagsRefuseWhatIsNoTag) {
  for (const auto& bad : {std::string("m:v1,"), std::string("m:,v1"), std::string("m:v1,,v2"),
                          std::string("m:v1,n:v2"), std::string("m:v1, v2"), std::string(""),
                          std::string(","), "m:v1@" + SomeDigest(), "m:v1,v2@" + SomeDigest()}) {
    const auto references = Reference::ParseTags(bad);
    ASSERT_FALSE(references) << bad;
    EXPECT_EQ(references.error().kind, ErrorKind::kInvalid) << bad;
  }
}

std::string TextOf(std::string_view alphabet, int size_min, int size_max) {
  std::string text;
  const int size = *rc::gen::inRange(size_min, size_max + 1);
  for (int i = 0; i < size; ++i)
    text += *rc::gen::elementOf(std::string(alphabet));
  return text;
}

TEST(Reference, PrintedReferencesParseBack) {
  EXPECT_TRUE(rc::check([] {
    Reference reference;
    reference.host = *rc::gen::element<std::string>("", "localhost", "a.b", "x:1", "1.2.3.4:99");
    reference.repository = TextOf("abc019", 1, 9);
    if (*rc::gen::arbitrary<bool>())
      reference.repository += *rc::gen::element<std::string>(".", "_", "__", "--", "/") + "z";
    reference.tag = *rc::gen::element<std::string>("", "_") + TextOf("aZ9_.-", 0, 12);
    RC_PRE(reference.tag.empty() || CheckTag(reference.tag));
    if (*rc::gen::arbitrary<bool>()) reference.digest = Digest{};
    // A local name must not look like one with a host.
    RC_PRE(!reference.host.empty() || reference.repository.find('.') == std::string::npos);
    const auto parsed = Reference::Parse(reference.ToString());
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == reference);
  }));
}

TEST(Reference, WhatParsesPrintsAsItWasWritten) {
  EXPECT_TRUE(rc::check([] {
    const std::string text = TextOf("ab0.-_:/", 1, 12);
    const auto reference = Reference::Parse(text);
    if (!reference) return;
    RC_ASSERT(reference->ToString() == text);
    RC_ASSERT(CheckRepository(reference->repository).has_value());
  }));
}

}  // namespace
}  // namespace plumb::oci
