// SPDX-License-Identifier: MIT OR Apache-2.0
// What a file of settings means; and that a change of it changes that one setting and nothing else.
#include "verbs/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "base/toml.h"
#include "store/upkeep.h"

namespace plumb::verbs {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Settings Parsed(std::string_view text) {
  const auto settings = ParseSettings(text, "/home/me");
  EXPECT_TRUE(settings) << text << settings.error().message;
  return settings ? *settings : Settings();
}

Error ErrorOf(std::string_view text) {
  const auto settings = ParseSettings(text, "/home/me");
  EXPECT_FALSE(settings) << text;
  return settings ? Error{ErrorKind::kInterrupted, ""} : settings.error();
}

std::string Edited(std::string_view text, const std::string& key, const std::string& value) {
  const SettingPath path = SplitSettingKey(key);
  const auto edited = EditSettings(text, path, *ParseSettingValue(path, value));
  return edited ? *edited : edited.error().message;
}

std::string Without(std::string_view text, const std::string& key) {
  const auto edited = EditSettings(text, SplitSettingKey(key), std::nullopt);
  return edited ? *edited : edited.error().message;
}

TEST(SettingsTest, AllKeysAreRead) {
  Settings wanted;
  wanted.threads = 4;
  wanted.concurrency = 7;
  wanted.proxy = "http://proxy:3128";
  wanted.keep_untagged_ns = 7 * store::kDayNs;
  wanted.registries["localhost:5000"] = {
      true, false, "/etc/ca.pem", "/home/me/a.crt", "/etc/a.key", "socks5://p:1"};
  wanted.registries["a.b.example.org"].plain_http = false;
  EXPECT_EQ(Parsed("threads = 4\nconcurrency = 7\nproxy = 'http://proxy:3128'\n"
                   "gc.keep-untagged = \"7d\"\n"
                   "[registry.\"localhost:5000\"]\nplain-http = true\ntls-verify = false\n"
                   "ca-file = \"/etc/ca.pem\"\ncert = '~/a.crt'\nkey = '/etc/a.key'\n"
                   "proxy = \"socks5://p:1\"\n"
                   "[registry]\n'a.b.example.org' = {plain-http = false}\n"),
            wanted);
  EXPECT_EQ(Parsed(""), Settings());
  EXPECT_EQ(Parsed("[gc]\n[registry]\n[registry.localhost]\n"), Settings());
}

TEST(SettingsTest, WhatIsSetForARegistryIsForExactlyThatOne) {
  const Settings settings = Parsed("registry.'a.example:5000'.plain-http = true\n");
  EXPECT_EQ(settings.Of("a.example:5000").plain_http, true);
  for (const std::string other :
       {"a.example", "a.example:50001", "a.example:500", "b.a.example:5000", "A.example:5000", ""})
    EXPECT_EQ(settings.Of(other), RegistrySettings()) << other;
}

TEST(SettingsTest, AMistakeIsNamedWithItsLine) {
  Error error = ErrorOf("# mine\n\nthread = 4\n");
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_EQ(error.message, "line 3: unknown key 'thread'");
  EXPECT_EQ(error.hint, "did you mean 'threads'?");
  error = ErrorOf("threads = 1\n[registry.\"localhost:5000\"]\nca-file = '/a'\nplain-htp = true\n");
  EXPECT_EQ(error.message, "line 4: unknown key 'registry.localhost:5000.plain-htp'");
  EXPECT_EQ(error.hint, "did you mean 'registry.localhost:5000.plain-http'?");
  EXPECT_EQ(ErrorOf("\n[gc]\nkeep-untagged = 14\n").message,
            "line 3: 'gc.keep-untagged' takes a time such as 14d, 12h, 30m or 0, as text, not 14");
  EXPECT_THAT(ErrorOf("a = 1\nb = = 1\n").message, StartsWith("line 2, column "));
}

TEST(SettingsTest, NothingIsPassedOver) {
  for (const std::string_view text : {"gc = 1",
                                      "gc.x = 1",
                                      "registry = 1",
                                      "[registry.localhost.plain-http]",
                                      "[threads]",
                                      "[x]",
                                      "[[registry]]",
                                      "registry.localhost = true",
                                      "'gc.keep-untagged' = '1d'",
                                      "[registry.'Example.org']",
                                      "[registry.'http://example.org']",
                                      "[registry.'']",
                                      "[registry.name]",
                                      "threads = 0",
                                      "threads = 257",
                                      "threads = -1",
                                      "threads = '4'",
                                      "threads = [4]",
                                      "concurrency = true",
                                      "proxy = 'proxy:3128'",
                                      "proxy = 'http://'",
                                      "proxy = 1",
                                      "gc.keep-untagged = 'never'",
                                      "registry.localhost.plain-http = 'true'",
                                      "registry.localhost.tls-verify = 1",
                                      "registry.localhost.ca-file = 'ca.pem'",
                                      "registry.localhost.ca-file = \"/a\\u0000b\"",
                                      "registry.localhost.key = '~me/key'"}) {
    EXPECT_EQ(ErrorOf(text).kind, ErrorKind::kInvalid) << text;
    EXPECT_THAT(ErrorOf(text).message, StartsWith("line 1")) << text;
  }
  EXPECT_EQ(ErrorOf("registry.localhost.cert = '/" + std::string(4096, 'a') + "'").kind,
            ErrorKind::kInvalid);
  EXPECT_EQ(ErrorOf("#" + std::string(kSettingsSizeMax, 'a')).kind, ErrorKind::kExhausted);
  EXPECT_FALSE(ParseSettings("registry.localhost.cert = '~/a'", ""));
}

TEST(SettingsTest, AProxysPasswordIsNotShown) {
  EXPECT_THAT(ErrorOf("proxy = 'me:hidden@proxy'").message, Not(HasSubstr("hidden")));
}

TEST(SettingsTest, KeysAreWrittenWithDots) {
  for (const std::string key : {"threads", "gc.keep-untagged", "registry.localhost:5000.plain-http",
                                "registry.a.b.example.org.ca-file", "registry.x", "a.b.c.d", ""})
    EXPECT_EQ(SettingKey(SplitSettingKey(key)), key);
  EXPECT_EQ(SplitSettingKey("registry.a.b:1.key"), (SettingPath{"registry", "a.b:1", "key"}));
  EXPECT_TRUE(CheckSettingKey({"registry", "a.b:1", "key"}));
  EXPECT_EQ(CheckSettingKey({"registry", "a.b:1", "keys"}).error().hint,
            "did you mean 'registry.a.b:1.key'?");
  EXPECT_EQ(CheckSettingKey({"registry", "key"}).error().kind, ErrorKind::kInvalid);
}

TEST(EditSettingsTest, WhatIsThereIsReplacedInItsPlace) {
  EXPECT_EQ(Edited("# many\n  threads =  4   # cores\nproxy = 'http://a'\n", "threads", "8"),
            "# many\n  threads =  8   # cores\nproxy = 'http://a'\n");
  EXPECT_EQ(Edited("proxy = \"http://a#b=\" # x = 1", "proxy", "http://c"),
            "proxy = \"http://c\" # x = 1");
  EXPECT_EQ(Edited("proxy = '''\nhttp://a # b\n''' # c\r\n", "proxy", "http://c"),
            "proxy = \"http://c\" # c\r\n");
  EXPECT_EQ(Edited("[ 'registry' . \"a.b\" ] # =\n'plain-http'=true\n", "registry.a.b.plain-http",
                   "false"),
            "[ 'registry' . \"a.b\" ] # =\n'plain-http'=false\n");
  EXPECT_EQ(Edited("threads = 'x'\n", "threads", "1"), "threads = 1\n");
}

TEST(EditSettingsTest, WhatIsNewStandsWithItsKin) {
  EXPECT_EQ(Edited("", "threads", "8"), "threads = 8\n");
  EXPECT_EQ(Edited("proxy = 'http://a'", "threads", "8"), "proxy = 'http://a'\nthreads = 8\n");
  EXPECT_EQ(Edited("# mine\n[gc]\nkeep-untagged = '1d'\n", "threads", "8"),
            "threads = 8\n\n# mine\n[gc]\nkeep-untagged = '1d'\n");
  EXPECT_EQ(Edited("threads = 8\r\n", "gc.keep-untagged", "0"),
            "threads = 8\r\n\r\n[gc]\r\nkeep-untagged = \"0\"\r\n");
  EXPECT_EQ(Edited("[gc] # empty\n[registry.a]\n", "gc.keep-untagged", "0"),
            "[gc] # empty\nkeep-untagged = \"0\"\n[registry.a]\n");
  EXPECT_EQ(Edited("registry.'a.b'.plain-http = true\n\n[gc]\n", "registry.a.b.cert", "/c"),
            "registry.'a.b'.plain-http = true\nregistry.\"a.b\".cert = \"/c\"\n\n[gc]\n");
  EXPECT_EQ(Edited("[registry]\n'a.b'.plain-http = true", "registry.a.b.cert", "/c"),
            "[registry]\n'a.b'.plain-http = true\n\"a.b\".cert = \"/c\"\n");
}

TEST(EditSettingsTest, WhatIsTakenAwayLeavesTheRest) {
  EXPECT_EQ(Without("# a\nthreads = 4 # b\n# c\nproxy = 'http://a'\n", "threads"),
            "# a\n# c\nproxy = 'http://a'\n");
  EXPECT_EQ(Without("[x]\ny = 1\n[gc]\nz = [\n1, # q\n2]\n# end", "gc.z"),
            "[x]\ny = 1\n[gc]\n# end");
  EXPECT_EQ(Without("threads = 1\n", "proxy"), "'proxy' is not set");
  EXPECT_EQ(Without("[gc]\nkeep-untagged = '1d'\n", "gc"), "'gc' is not set");
}

// To change it, all of the line would have to be written anew.
TEST(EditSettingsTest, WhatCannotBeChangedAloneIsRefused) {
  constexpr std::string_view kWhy = ": cannot be changed without a change to what stands there";
  EXPECT_EQ(Edited("\nregistry = { localhost = { plain-http = true } }\n",
                   "registry.localhost.plain-http", "false"),
            "line 2" + std::string(kWhy));
  EXPECT_EQ(Edited("registry = { localhost = { plain-http = true } }\n", "registry.a.b.plain-http",
                   "true"),
            "line 1" + std::string(kWhy));
  EXPECT_EQ(Without("gc = { keep-untagged = '1d' }\n", "gc.keep-untagged"),
            "line 1" + std::string(kWhy));
  EXPECT_EQ(Edited("[threads]\na = 1\n", "threads", "4"), "line 1" + std::string(kWhy));
  EXPECT_THAT(Edited("threads = = 1\n", "threads", "4"), StartsWith("line 1, column "));
  EXPECT_EQ(Edited("proxy = '''\n" + std::string(9000, '\n') + "'''\n", "threads", "4"),
            "line 1: too long for a setting");
}

TEST(EditSettingsTest, AFileGrowsNoLongerThanItIsRead) {
  const auto edited =
      EditSettings("#" + std::string(kSettingsSizeMax - 2, 'a') + "\n", {"threads"}, Json::Uint(4));
  ASSERT_FALSE(edited);
  EXPECT_EQ(edited.error().kind, ErrorKind::kExhausted);
}

// A file as people might write one, out of such lines; of a mistake each is a stranger.
std::string AnyFile(const std::vector<unsigned>& choices) {
  static const std::vector<std::string> kPieces = {
      "# remark = 1",
      "",
      "threads = 4",
      "  proxy = \"http://a#b\"   # why",
      "[gc]",
      "keep-untagged = '1d'",
      "[registry.\"a.b:1\"]",
      "plain-http = true # [x]",
      "registry.\"a.b:1\".cert = '/x'",
      "[registry]",
      "\"a.b:1\".key = '/='",
      "\tca-file = '''\n/a # no remark\n''' # one",
      "registry = { \"a.b:1\" = { proxy = 'http://x' } }",
      "gc.keep-untagged = \"2d\"",
      "concurrency = 3\r",
      "[ other . 'x' ] # y"};
  std::string text;
  for (const unsigned choice : choices) {
    const std::string longer = text + kPieces[choice % kPieces.size()] + "\n";
    if (ParseToml(longer)) text = longer;
  }
  if (choices.size() % 3 == 0) text = Trim(text);
  return text;
}

RC_GTEST_PROP(EditSettingsTest, ChangesOneSettingAndNoLineOfAnother, ()) {
  const std::string text =
      AnyFile(*rc::gen::container<std::vector<unsigned>>(rc::gen::inRange(0U, 1000U)));
  const auto before = ParseToml(text);
  RC_ASSERT(before.has_value());
  const std::vector<std::string> keys = {"threads",
                                         "proxy",
                                         "gc.keep-untagged",
                                         "registry.a.b:1.plain-http",
                                         "registry.a.b:1.ca-file",
                                         "registry.a.b:1.key",
                                         "registry.c.key"};
  const SettingPath path = SplitSettingKey(*rc::gen::elementOf(keys));
  std::optional<Json> value;
  if (*rc::gen::arbitrary<bool>()) value = Json::String(*rc::gen::string<std::string>());
  if (value && !IsUtf8(*value->IfString())) value = Json::Int(7);
  const auto edited = EditSettings(text, path, value);
  if (!edited) {
    const bool is_absent = edited.error().kind == ErrorKind::kNotFound;
    RC_ASSERT(is_absent == (!value && !SettingsIn(*before).contains(path)));
    RC_ASSERT(is_absent || edited.error().kind == ErrorKind::kInvalid);
    RC_TAG(is_absent ? "absent" : "refused");
    return;
  }
  const auto after = ParseToml(*edited);
  RC_ASSERT(after.has_value());
  auto wanted = SettingsIn(*before);
  wanted.erase(path);
  if (value) wanted.emplace(path, *value);
  RC_ASSERT(SettingsIn(*after) == wanted);
  // Of the lines that were, those of the setting itself may be gone, and all others are there.
  std::vector<std::string_view> lines = Split(*edited, '\n');
  std::size_t gone = 0;
  for (const std::string_view line : Split(text, '\n')) {
    const auto found = std::ranges::find(lines, line);
    if (found == lines.end()) {
      ++gone;
    } else {
      lines.erase(found);
    }
  }
  RC_ASSERT(gone <= 3U);  // a string of the lines above has three
}

}  // namespace
}  // namespace plumb::verbs
