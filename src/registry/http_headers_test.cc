// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "registry/http_headers_internal.h"

namespace plumb::registry {
namespace {

using testing::HasSubstr;

// "scheme name=value name=value; scheme …"; "malformed" or "too much" if it is refused.
std::string Challenged(std::string_view header) {
  const auto challenges = ParseChallenges(header);
  if (!challenges)
    return challenges.error().kind == ErrorKind::kExhausted ? "too much" : "malformed";
  std::string text;
  for (const Challenge& challenge : *challenges) {
    if (!text.empty()) text += "; ";
    text += challenge.scheme;
    for (const auto& [name, value] : challenge.parameters)
      text += " " + name + "=" + value;
  }
  return text;
}

TEST(ChallengesTest, AreTakenApart) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},
      {" ,\t, ", ""},
      {"Basic", "basic"},
      {"BASIC REALM=\"x\"", "basic realm=x"},
      {R"(Bearer realm="https://host/token",service="s",scope="repository:a/b:pull,push")",
       "bearer realm=https://host/token service=s scope=repository:a/b:pull,push"},
      {"Bearer realm=token , service = \"s\"", "bearer realm=token service=s"},
      {R"(Bearer realm="a" service="b")", "bearer realm=a service=b"},
      // A quoted string keeps what stands in it, whatever that looks like.
      {R"(Basic realm="a, Bearer realm=\"b\" \\")", R"(basic realm=a, Bearer realm="b" \)"},
      {R"(Basic realm="")", "basic realm="},
      // Several in one header.
      {R"(Basic realm="a", Bearer realm="b",service="c")",
       "basic realm=a; bearer realm=b service=c"},
      {"Basic,Bearer realm=b", "basic; bearer realm=b"},
      {"Negotiate, NTLM, Basic realm=x", "negotiate; ntlm; basic realm=x"},
      // The one unnamed value (token68).
      {"Negotiate oYH+/x-._~==, Basic realm=x", "negotiate; basic realm=x"},
      {"Negotiate /x=", "negotiate"},
      {"Basic realm=x, Negotiate abc", "basic realm=x; negotiate"},
  };
  for (const auto& [header, wanted] : cases)
    EXPECT_EQ(Challenged(header), wanted) << header;
}

TEST(ChallengesTest, MalformedOnesAreRefused) {
  for (const std::string_view header :
       {"=", "\"", "realm=\"x\"", ", realm=x", "Bearer realm=\"", "Bearer realm=\"x",
        "Bearer realm=\"x\\", "Bearer realm=\"x\\\"", "Bearer realm=\"x\"\"y\"", "Bearer =x",
        "Bearer realm=x, realm=y", "Bearer realm=x, REALM=y", "Bearer realm=@", "Bearer; Basic",
        "Bearer realm=https://host/token", "B\xC3\xB6se"})
    EXPECT_EQ(Challenged(header), "malformed") << header;
}

TEST(ChallengesTest, AreLimited) {
  const auto repeated = [](const std::string& part, int count, const std::string& start = "") {
    std::string text = start;
    for (int i = 0; i < count; ++i)
      text += (i == 0 ? "" : ",") + part + std::to_string(i) + (start.empty() ? "" : "=v");
    return text;
  };
  EXPECT_EQ(ParseChallenges(repeated("s", 16))->size(), 16U);
  EXPECT_EQ(Challenged(repeated("s", 17)), "too much");
  EXPECT_EQ(ParseChallenges(repeated("p", 32, "Bearer "))->front().parameters.size(), 32U);
  EXPECT_EQ(Challenged(repeated("p", 33, "Bearer ")), "too much");
  const std::string pad = "Basic realm=\"" + std::string(8192 - 14, 'x') + "\"";
  EXPECT_EQ(ParseChallenges(pad)->size(), 1U);
  EXPECT_EQ(Challenged(pad + ","), "too much");
}

TEST(ChallengesTest, AParameterThatIsNotThereIsEmpty) {
  const auto challenges = ParseChallenges("Bearer realm=x");
  EXPECT_EQ(challenges->front().Parameter("realm"), "x");
  EXPECT_EQ(challenges->front().Parameter("service"), "");
}

TEST(ChallengesTest, SeveralHeadersAreOneList) {
  const host::HttpResponse response = {401,
                                       {{"WWW-Authenticate", "Basic realm=\"a\""},
                                        {"Content-Length", "0"},
                                        {"www-authenticate", "Bearer realm=\"b\""}},
                                       {}};
  EXPECT_EQ(Challenged(AllOf(response, "WWW-Authenticate")), "basic realm=a; bearer realm=b");
  EXPECT_EQ(AllOf(response, "Link"), "");
}

TEST(ContentRangeTest, SaysWhereItBeginsAndHowLongTheWholeIs) {
  const auto range = ParseContentRange("bytes 5-9/10");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->start, 5U);
  EXPECT_EQ(range->whole_size, 10U);
  EXPECT_EQ(ParseContentRange("Bytes 0-0/*")->whole_size, std::nullopt);
  EXPECT_EQ(ParseContentRange("bytes 0-18446744073709551614/18446744073709551615")->whole_size,
            18446744073709551615U);
}

TEST(ContentRangeTest, WhatCannotBeIsNone) {
  for (const std::string_view header : {"",
                                        "bytes",
                                        "bytes ",
                                        "bytes 5",
                                        "bytes 5-",
                                        "bytes 5-9",
                                        "bytes 5-9/",
                                        "bytes -9/10",
                                        "bytes 9-5/10",
                                        "bytes 5-10/10",
                                        "bytes 5-9/5",
                                        "bytes */10",
                                        "bytes 5-9/x",
                                        "bytes 5-9/10 ",
                                        "bytes 5-9/-1",
                                        "bytes +5-9/10",
                                        "bytes 5 - 9/10",
                                        "bytes=5-9/10",
                                        "items 5-9/10",
                                        "bytes 18446744073709551616-18446744073709551617/*",
                                        "bytes 5-9/18446744073709551616",
                                        "bytes 5-9/10, 0-1/10",
                                        "5-9/10"})
    EXPECT_FALSE(ParseContentRange(header)) << header;
}

TEST(RetryAfterTest, IsInSecondsOrADate) {
  EXPECT_EQ(ParseRetryAfter("0", 0), 0U);
  EXPECT_EQ(ParseRetryAfter(" 120 ", 0), 120U);
  EXPECT_EQ(ParseRetryAfter("18446744073709551615", 0), 18446744073709551615U);
  // RFC 9110, section 5.6.7.
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", 784'111'770), 7U);
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", 784'111'777), 0U);
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", 900'000'000), 0U);
  EXPECT_EQ(ParseRetryAfter("Tue, 29 Feb 2028 23:59:59 GMT", 1'835'481'599), 0U);
  EXPECT_EQ(ParseRetryAfter("Tue, 29 Feb 2028 23:59:59 GMT", 1'835'481'589), 10U);
  for (const std::string_view header :
       {"", "-1", "1.5", "1s", "18446744073709551616", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 anF 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT "
        "x"})
    EXPECT_FALSE(ParseRetryAfter(header, 0)) << header;
}

TEST(UploadRangeTest, BeginsAtTheBeginning) {
  EXPECT_EQ(ParseUploadRange("0-0"), 1U);
  EXPECT_EQ(ParseUploadRange(" 0-99 "), 100U);
  EXPECT_EQ(ParseUploadRange("bytes=0-99"), 100U);
  for (const std::string_view header : {"", "0", "0-", "-", "1-99", "99", "0--1", "0-99/100",
                                        "bytes 0-99", "00-99", "0-18446744073709551615"})
    EXPECT_FALSE(ParseUploadRange(header)) << header;
}

TEST(NextLinkTest, IsTheOneThatSaysNext) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"(</v2/a/tags/list?last=b&n=2>; rel="next")", "/v2/a/tags/list?last=b&n=2"},
      {"</a>;rel=next", "/a"},
      {"</a> ; REL = \"NEXT\"", "/a"},
      {R"(</a>; title="x, <y>; rel=\"next\""; rel="next")", "/a"},
      {R"(</a>; rel="prev", </b>; rel="next", </c>; rel="last")", "/b"},
      {R"(</a>; rel="prev next")", "/a"},
      {R"(</a>; crossorigin; rel=next)", "/a"},
  };
  for (const auto& [header, wanted] : cases)
    EXPECT_EQ(ParseNextLink(header), wanted) << header;
  for (const std::string_view header :
       {"", "</a>", "</a; rel=next", "/a; rel=next", "</a>; rel=\"next",
        "</a>; rel=", "</a>; rel=prev", "</a>; rel=nextish", "</a>; rev=next",
        "</a>; title=\"rel=next\"", "junk, </a>; rel=next"})
    EXPECT_FALSE(ParseNextLink(header)) << header;
  EXPECT_TRUE(ParseNextLink("</" + std::string(8000, 'a') + ">; rel=next"));
  EXPECT_FALSE(ParseNextLink("</" + std::string(8192, 'a') + ">; rel=next"));
}

TEST(ContentDigestTest, OnlyAnotherSha256IsAContradiction) {
  const Digest digest = Sha256(AsBytes("x"));
  const Digest other = Sha256(AsBytes("y"));
  EXPECT_TRUE(CheckContentDigest(std::nullopt, digest));
  EXPECT_TRUE(CheckContentDigest("", digest));
  EXPECT_TRUE(CheckContentDigest(digest.ToString(), digest));
  EXPECT_TRUE(CheckContentDigest("sha512:00", digest));
  for (const std::string& header :
       {other.ToString(), digest.ToString() + "0", std::string("sha256:"),
        "sha256:\x1B[2J" + std::string(1000, 'x')}) {
    const Status status = CheckContentDigest(header, digest);
    ASSERT_FALSE(status) << header;
    EXPECT_EQ(status.error().kind, ErrorKind::kCorrupt);
    EXPECT_LT(status.error().message.size(), 500U);
    EXPECT_THAT(status.error().message, testing::Not(HasSubstr("\x1B")));
  }
}

}  // namespace
}  // namespace plumb::registry
