// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "registry/url_internal.h"

namespace plumb::registry {
namespace {

// As it is understood; "" if it is none.
std::string Parsed(std::string_view text) {
  const auto url = Url::Parse(text);
  if (url) return url->ToString();
  EXPECT_EQ(url.error().kind, ErrorKind::kInvalid) << text;
  return "";
}

TEST(UrlTest, AnAddressHasOneForm) {
  EXPECT_EQ(Parsed("https://host/path?a=b&c"), "https://host/path?a=b&c");
  EXPECT_EQ(Parsed("HTTPS://Host.Example/Path"), "https://host.example/Path");
  EXPECT_EQ(Parsed("https://host"), "https://host/");
  EXPECT_EQ(Parsed("https://host?q"), "https://host/?q");
  EXPECT_EQ(Parsed("https://host:443/"), "https://host/");
  EXPECT_EQ(Parsed("http://host:80/"), "http://host/");
  EXPECT_EQ(Parsed("http://host:443/"), "http://host:443/");
  EXPECT_EQ(Parsed("https://[::1]:5000/"), "https://[::1]:5000/");
  EXPECT_EQ(Parsed("https://[2001:DB8::1]/"), "https://[2001:db8::1]/");
  EXPECT_EQ(Parsed("http://a_b-c.d:65535/"), "http://a_b-c.d:65535/");
}

TEST(UrlTest, WhatTwoReadersCouldTakeForTwoHostsIsNone) {
  for (const std::string_view text : {"",
                                      "host",
                                      "/path",
                                      "://host",
                                      "https:",
                                      "https:/host",
                                      "https://",
                                      "https:///path",
                                      "ftp://host/",
                                      "file:///etc/passwd",
                                      "javascript://host/",
                                      "xhttp://host/",
                                      "https://user@host/",
                                      "https://user:secret@host/",
                                      "https://good:443@evil/",
                                      "https://good\\@evil/",
                                      "https://good\\.evil/",
                                      "https://good#@evil/",
                                      "https://host/#fragment",
                                      "https://good%2eevil/",
                                      "https://good evil/",
                                      "https://host/a b",
                                      "https://host/\r\nX: y",
                                      "https://host/\t",
                                      "https://h\xC3\xB6st/",
                                      "https://host/\xFF",
                                      "https://host:/",
                                      "https://host:0/",
                                      "https://host:65536/",
                                      "https://host:-1/",
                                      "https://host:+1/",
                                      "https://host:80:80/",
                                      "https://host:99999999/",
                                      "https://[::1/",
                                      "https://[]/",
                                      "https://[::1]x/",
                                      "https://[::1]:/",
                                      "https://[::1%25eth0]/",
                                      "https://::1/",
                                      "https://*/",
                                      "https://a,b/",
                                      "https://ho\"st/"})
    EXPECT_EQ(Parsed(text), "") << text;
  EXPECT_EQ(Parsed(std::string("https://host/\0", 14)), "");
}

TEST(UrlTest, AnAddressIsAtMost8Kib) {
  const std::string longest = "https://host/" + std::string(8192 - 13, 'p');
  EXPECT_EQ(Parsed(longest), longest);
  EXPECT_EQ(Parsed(longest + "p"), "");
}

TEST(UrlTest, WhatIsShownOfABadOneIsShortPrintableAndWithoutItsQuery) {
  const auto url = Url::Parse("https://host\x1B[2J/" + std::string(10'000, 'p') + "?token=secret");
  ASSERT_FALSE(url);
  EXPECT_LT(url.error().message.size(), 400U);
  EXPECT_THAT(url.error().message, testing::Not(testing::HasSubstr("\x1B")));
  EXPECT_THAT(Url::Parse("ftp://host/?token=secret").error().message,
              testing::Not(testing::HasSubstr("secret")));
}

TEST(UrlTest, LocationsAreResolved) {
  const Url base = *Url::Parse("https://host:5000/v2/a/blobs/uploads/?x=/y");
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"https://other/z", "https://other/z"},
      {"HTTP://other", "http://other/"},
      {"//other/z", "https://other/z"},
      {"/v2/z?q=1:2", "https://host:5000/v2/z?q=1:2"},
      {"id?_state=a:b", "https://host:5000/v2/a/blobs/uploads/id?_state=a:b"},
      {"?z", "https://host:5000/v2/a/blobs/uploads/?z"},
      {"./a:b", "https://host:5000/v2/a/blobs/uploads/./a:b"},
      {"/https://other/", "https://host:5000/https://other/"},
      // A path, however much it looks like a host.
      {"other:80/z", ""},
      {"@other/z", "https://host:5000/v2/a/blobs/uploads/@other/z"},
      {".other/z", "https://host:5000/v2/a/blobs/uploads/.other/z"},
      {"", ""},
      {"#z", ""},
      {"//", ""},
      {"///other/z", ""},
      {"//user@other/z", ""},
      {"/\\other/z", ""},
      {"\\\\other\\z", ""},
      {"https:other", ""},
      {"https:/other", ""},
      {"https:", ""},
      {"ftp://other/z", ""},
      {"file:///etc/passwd", ""},
      {"data:text/plain,z", ""},
      {" /z", ""},
      {"/z\r\nX: y", ""},
  };
  for (const auto& [location, wanted] : cases) {
    const auto resolved = base.Resolve(location);
    EXPECT_EQ(resolved ? resolved->ToString() : "", wanted) << location;
  }
}

TEST(UrlTest, SameOriginIsSchemeHostAndPort) {
  const Url url = *Url::Parse("https://host:5000/a");
  for (const char* same : {"https://host:5000/", "HTTPS://HOST:5000/b?c"})
    EXPECT_TRUE(url.SharesOrigin(*Url::Parse(same))) << same;
  for (const char* other :
       {"http://host:5000/a", "https://host/a", "https://host:500/a", "https://host.:5000/a",
        "https://xhost:5000/a", "https://host:5000.evil/a", "https://host:05000/a"}) {
    const auto parsed = Url::Parse(other);
    EXPECT_FALSE(parsed && url.SharesOrigin(*parsed)) << other;
  }
  EXPECT_EQ(url.HostWithoutPort(), "host");
  EXPECT_EQ(Url::Parse("http://[::1]:5000/")->HostWithoutPort(), "[::1]");
  EXPECT_EQ(Url::Parse("http://[::1]/")->HostWithoutPort(), "[::1]");
}

TEST(UrlTest, AQueryIsAddedToAndEscaped) {
  const Url url = *Url::Parse("https://host/a");
  EXPECT_EQ(url.WithQuery("n", "v").ToString(), "https://host/a?n=v");
  EXPECT_EQ(url.WithQuery("n", "").WithQuery("m", "-._~").ToString(), "https://host/a?n=&m=-._~");
  EXPECT_EQ(url.WithQuery("n", "a:b c&d=e#\xC3\xB6/?+%").ToString(),
            "https://host/a?n=a%3ab%20c%26d%3de%23%c3%b6%2f%3f%2b%25");
  EXPECT_EQ(url.ToString(), "https://host/a");
}

RC_GTEST_PROP(UrlProperty, WhateverIsAddedAParsedAddressStaysOneOfItsOrigin,
              (const std::string& value, const std::string& location)) {
  const Url base = *Url::Parse("https://host:5000/v2/?q");
  RC_ASSERT(*Url::Parse(base.WithQuery("n", value).ToString()) == base.WithQuery("n", value));
  if (const auto resolved = base.Resolve(location))
    RC_ASSERT(*Url::Parse(resolved->ToString()) == *resolved);
}

}  // namespace
}  // namespace plumb::registry
