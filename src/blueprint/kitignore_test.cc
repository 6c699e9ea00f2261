// SPDX-License-Identifier: MIT OR Apache-2.0
#include "blueprint/kitignore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace plumb::blueprint {
namespace {

// The answers of moby/patternmatcher, but for the row of '|', '{' and '}'.
TEST(IgnoreRules, MatchAsDockerignoreDoes) {
  struct Case {
    std::string_view rules;
    std::vector<std::string> ignored, kept;
  };
  const std::vector<Case> cases = {
      {"a", {"a", "a/b", "a/b/c"}, {"b", "ab", "b/a"}},
      {"/a/", {"a", "a/b"}, {"b/a"}},
      {"./a//b/../c", {"a/c"}, {"a/b", "a"}},
      {"*.tmp", {"x.tmp", ".tmp", "x.tmp/y"}, {"d/x.tmp", "x.tmpl"}},
      {"**/*.tmp", {"x.tmp", "d/x.tmp", "d/e/x.tmp"}, {"x.tmp2"}},
      {"**/cache", {"cache", "d/cache", "d/cache/x"}, {"d/cache2"}},
      {"a/**", {"a/b", "a/b/c"}, {"a", "ab"}},
      {"a/**/b", {"a/b", "a/x/b", "a/x/y/b"}, {"a/xb", "ab"}},
      {"**", {"a", "a/b"}, {}},
      {"a?c",
       {"abc",
        "a\xc3\xa9"
        "c"},
       {"ac", "a/c", "abbc"}},
      {"[a-c]x", {"ax", "cx"}, {"dx", "x"}},
      {"[^a-c]x", {"dx"}, {"ax"}},
      {"[\\]\\-]", {"]", "-"}, {"a"}},
      {"\\#a\n\\!b\n\\*", {"#a", "!b", "*"}, {"a", "b"}},
      {"#a\n # b", {"# b"}, {"#a", "b"}},
      {"  a  \r\n\n\t\nb", {"a", "b"}, {}},
      {"\xef\xbb\xbf"
       "a",
       {"a"},
       {}},
      {"a.b+c(d)$", {"a.b+c(d)$"}, {"axb+c(d)$"}},
      {"x|y\nz{2}", {"x|y", "z{2}"}, {"x", "y", "zz"}},
      {"*.md\n!README.md", {"a.md"}, {"README.md"}},
      {"*.md\n!README*.md\nREADME-secret.md", {"README-secret.md", "a.md"}, {"README.md"}},
      {"*.md\nREADME-secret.md\n!README*.md", {"a.md"}, {"README.md", "README-secret.md"}},
      {"a\n!a/keep", {"a", "a/b"}, {"a/keep", "a/keep/x"}},
      {"! a\na", {"a"}, {}},
      {"*\n!/b", {"a"}, {"b", "b/c"}},
      {"..", {".."}, {"a"}},
      {".", {}, {"a"}},
      {"", {}, {"a", "."}},
  };
  for (const Case& c : cases) {
    const auto rules = IgnoreRules::Parse(c.rules);
    if (!rules) {
      ADD_FAILURE() << c.rules << ": " << rules.error().message;
      continue;
    }
    for (const std::string& path : c.ignored)
      EXPECT_TRUE(rules->Ignores(path)) << c.rules << " does not ignore " << path;
    for (const std::string& path : c.kept)
      EXPECT_FALSE(rules->Ignores(path)) << c.rules << " ignores " << path;
  }
}

TEST(IgnoreRules, KnowWhereAnExceptionMayLie) {
  const auto exact = IgnoreRules::Parse("a\nb\n!a/b/c");
  ASSERT_TRUE(exact);
  for (const std::string_view yes : {".", "a", "a/b"})
    EXPECT_TRUE(exact->MayExceptBeneath(yes)) << yes;
  for (const std::string_view no : {"b", "a/c", "ab"})
    EXPECT_FALSE(exact->MayExceptBeneath(no)) << no;
  const auto wild = IgnoreRules::Parse("a\n!**/keep");
  ASSERT_TRUE(wild);
  EXPECT_TRUE(wild->MayExceptBeneath("a/b/c"));
  EXPECT_FALSE(IgnoreRules::Parse("a")->MayExceptBeneath("."));
}

TEST(IgnoreRules, RefuseWhatHasNoMeaning) {
  struct Case {
    std::string_view rules, message;
  };
  constexpr Case kCases[] = {
      {"a\n[b", ".kitignore:2: pattern '[b': its '[' has no ']'"},
      {"[b-a]", ".kitignore:1: pattern '[b-a]': a range in its [class] runs backwards"},
      {"[]a]", ".kitignore:1: pattern '[]a]': '-' or ']' out of place in its [class]"},
      {"[a*]", ".kitignore:1: pattern '[a*]': a wildcard in its [class]"},
      {"[[:alpha:]]", ".kitignore:1: pattern '[[:alpha:]]': a named class in its [class]"},
      {"\\d", ".kitignore:1: pattern '\\d': '\\' before a letter or digit, which has no meaning"},
      {"a\\", ".kitignore:1: pattern 'a\\': nothing follows its '\\'"},
      {"\n!", ".kitignore:2: pattern '!': nothing follows its '!'"},
  };
  for (const Case& c : kCases) {
    const auto rules = IgnoreRules::Parse(c.rules);
    ASSERT_FALSE(rules) << c.rules;
    EXPECT_EQ(rules.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(rules.error().message, c.message);
  }
}

TEST(IgnoreRules, HaveLimits) {
  const auto large = IgnoreRules::Parse(std::string((1 << 20) + 1, '\n'));
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().kind, ErrorKind::kExhausted);
  EXPECT_FALSE(IgnoreRules::Parse(std::string(65536, 'a')));
  EXPECT_TRUE(IgnoreRules::Parse(std::string(65535, 'a')));
}

// One that tried each way by itself would not end.
TEST(IgnoreRules, AreNotSlowForAnyPattern) {
  std::string pattern;
  for (int i = 0; i < 100; ++i)
    pattern += "*a";
  std::string path;
  for (int i = 0; i < 1000; ++i)
    path += 'a';
  const auto rules = IgnoreRules::Parse(pattern + "b");
  ASSERT_TRUE(rules);
  EXPECT_FALSE(rules->Ignores(path));
  EXPECT_TRUE(rules->Ignores(path + "b"));
}

}  // namespace
}  // namespace plumb::blueprint
