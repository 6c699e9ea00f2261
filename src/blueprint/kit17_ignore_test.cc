// SPDX-License-Identifier: MIT OR Apache-2.0
#include "blueprint/kit17_ignore.h"

#include <gmock/gmock.h>

#include <string>
#include <string_view>
#include <vector>

#include "blueprint/go_regexp_internal.h"

namespace plumb::blueprint {
namespace {

using ::testing::HasSubstr;

bool Ignores(std::string_view rules, std::string_view path) {
  const auto parsed = Kit17IgnoreRules::Parse(rules);
  const auto ignored = parsed ? parsed->Ignores(path) : Result<bool>(parsed.error());
  EXPECT_TRUE(ignored.has_value()) << rules << ignored.error().message;
  return ignored.value_or(false);
}

TEST(Kit17IgnoreRules, IgnoresWhatKitIgnores) {
  struct Case {
    std::string_view rules;
    std::vector<std::string_view> ignored;
    std::vector<std::string_view> kept;
  };
  const std::vector<Case> cases = {
      {"*.bin\n", {"a.bin", ".bin", "a.bin/x"}, {"a.binx", "d/a.bin"}},
      {"a/*\n!a/b\n", {"a/c", "a/c/b"}, {"a", "a/b", "a/b/c"}},
      {"**/x\n", {"x", "a/x", "a/b/x", "a/x/b"}, {"ax", "xa"}},
      {"a/**\n", {"a/b", "a/b/c"}, {"a", "b/a"}},
      {"a**\n", {"a", "ab", "a/b"}, {"b"}},
      {"a**b*\n", {"ab", "a/b", "a/c/bd"}, {"a/c", "axb"}},
      {"[ab]?\n", {"ax", "b1"}, {"a", "cx", "a/"}},
      {"[!a]x\n", {"!x", "ax"}, {"bx"}},
      {"a.b+(c)$\n", {"a.b+(c)$"}, {"aXb+(c)$"}},
      {"[a].b+(c)$\n", {"a.b+(c)$"}, {"aXbb(c)$"}},
      // '|', '{' and '}' are not escaped, but matter only beside a wildcard.
      {"a|b\n", {"a|b"}, {"a", "b"}},
      {"*.c|b?\n", {"a.c", "a.cd", "b1", "x/b1"}, {"x/a.c", "b"}},
      {"*|\n", {"", "a", "a/b"}, {}},
      {"?x{2}\n", {"axx"}, {"ax", "ax{2}", "axxx"}},
      {"?x{1,2}y\n", {"axy", "axxy"}, {"ay", "axxxy"}},
      {"?x{2,}\n", {"axx", "axxxxx"}, {"ax"}},
      {"?{a,b}\n", {"x{a,b}"}, {"xa", "xb"}},
      {"?x{02}\n", {"ax{02}"}, {"axx"}},
      {"[a*]b\n", {"a]b", "[/a]b"}, {"ab", "*b"}},
      {"[*]\n", {"[]", "/]"}, {"*"}},
      {"\\d\n", {"1"}, {"a", "d"}},
      {"\\x61\\t\n", {"a\t"}, {"x61t"}},
      {"[\\w.]\\S\n", {".a", "_1"}, {"a ", "-a"}},
      {"[[:alpha:][:^digit:]]1\n", {"a1", ".1"}, {"11"}},
      {"\\Qa.b\n", {"a\\.b$x"}, {"a.b"}},
      {"a\\b*\n", {"a", "a b"}, {"ab"}},
      {"\\101\\0*\n", {std::string_view("A\0x", 3)}, {"1"}},
      {"^a?\n", {"ab"}, {"^ab"}},
      {" x \n# y\n\\#z\n", {"x", "#z"}, {"y", "# y", " x "}},
      {"/a/\n./b//c\n", {"a", "b/c"}, {"/a", "b"}},
      {"\xef\xbb\xbf"
       "a\n",
       {"a"},
       {}},
      {"é?\n", {"éa", "é日"}, {"é", "e\xcc\x81"}},
      {"?\n", {"\xff"}, {"\xff\xff"}},
  };
  for (const Case& c : cases) {
    for (const std::string_view path : c.ignored)
      EXPECT_TRUE(Ignores(c.rules, path)) << c.rules << " must ignore '" << path << "'";
    for (const std::string_view path : c.kept)
      EXPECT_FALSE(Ignores(c.rules, path)) << c.rules << " must keep '" << path << "'";
  }
}

TEST(Kit17IgnoreRules, KnowsWhetherThereAreExceptions) {
  EXPECT_TRUE(Kit17IgnoreRules::Parse("a\n!b\n")->has_exceptions());
  EXPECT_TRUE(Kit17IgnoreRules::Parse("/!b\n")->has_exceptions());
  EXPECT_FALSE(Kit17IgnoreRules::Parse("a\n#!b\nc!\n")->has_exceptions());
}

TEST(Kit17IgnoreRules, RefusesAtOnceWhatIsNotWellFormed) {
  for (const std::string_view rules :
       {"[a\n", "a\\\n", "[]a]\n", "[-a]\n", "[a-]\n", "x[\n", "!\n"})
    EXPECT_FALSE(Kit17IgnoreRules::Parse(rules)) << rules;
  EXPECT_EQ(Kit17IgnoreRules::Parse(std::string(std::size_t{1} << 21, 'a')).error().kind,
            ErrorKind::kExhausted);
}

TEST(Kit17IgnoreRules, RefusesWhatGoRefusesOnlyWhenItComesToThat) {
  for (const std::string_view pattern :
       {"*{2}", "?x{2}{2}", "?x{1001}", "?x{2,1}", "[[:nope:]]", "[b-a]", "\\8", "\\y", "?\\xg"}) {
    const auto rules = Kit17IgnoreRules::Parse("first\n" + std::string(pattern) + "\n");
    ASSERT_TRUE(rules.has_value()) << pattern;
    EXPECT_TRUE(rules->Ignores("first").value_or(false)) << pattern;
    const auto other = rules->Ignores("other");
    ASSERT_FALSE(other.has_value()) << pattern;
    EXPECT_EQ(other.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(other.error().message, HasSubstr(pattern));
  }
}

std::optional<GoRegexp> Compiled(std::u32string_view text) {
  auto compiled = GoRegexp::Compile(text, 1000);
  EXPECT_TRUE(compiled) << compiled.error().message;
  return *std::move(compiled);
}

TEST(GoRegexp, TakesTimeInProportion) {
  const auto nested = Compiled(U"^(.*/)?(.*/)?(.*/)?(.*/)?(.*/)?(.*/)?(.*/)?(.*/)?x$");
  ASSERT_TRUE(nested.has_value());
  EXPECT_FALSE(nested->Matches(std::u32string(4096, U'/')));
  EXPECT_TRUE(nested->Matches(std::u32string(4096, U'/') + U"x"));
  EXPECT_FALSE(Compiled(std::u32string(2000, U'(')));
}

TEST(GoRegexp, FindsAMatchAnywhere) {
  EXPECT_TRUE(Compiled(U"b|c")->Matches(U"abc"));
  EXPECT_FALSE(Compiled(U"^b|c$")->Matches(U"abcd"));
  EXPECT_TRUE(Compiled(U"\\Bb")->Matches(U"ab"));
  EXPECT_FALSE(Compiled(U"\\bb")->Matches(U"ab"));
  EXPECT_FALSE(Compiled(U".")->Matches(U"\n"));
  EXPECT_TRUE(Compiled(U"(a|b)+c?\\z")->Matches(U"xab"));
  EXPECT_TRUE(Compiled(U"^(a*)*$")->Matches(U""));
}

// Forty lines of 6 KB that would become forty million instructions.
TEST(Kit17IgnoreAttack, RepetitionsHaveOneBudget) {
  std::string line = "?";
  for (int i = 0; i < 990; ++i)
    line += "a{999}";
  EXPECT_TRUE(Kit17IgnoreRules::Parse(line + "\n"));
  std::string text;
  for (int i = 0; i < 40; ++i)
    text += line + "\n";
  const auto rules = Kit17IgnoreRules::Parse(text);
  ASSERT_FALSE(rules);
  EXPECT_EQ(rules.error().kind, ErrorKind::kExhausted) << rules.error().message;
  EXPECT_NE(rules.error().message.find(".kitignore:2:"), std::string::npos);
}

TEST(GoRegexpAttack, IsNoLargerThanItMayBe) {
  const auto small = GoRegexp::Compile(U"^[a-z]{999}$", 1002);
  ASSERT_TRUE(small && *small);
  EXPECT_EQ((*small)->size(), 1002U);  // with '^', '$' and the match
  EXPECT_EQ(GoRegexp::Compile(U"^[a-z]{999}$", 1001).error().kind, ErrorKind::kExhausted);
  EXPECT_TRUE((*small)->Matches(std::u32string(999, U'q')));
  EXPECT_FALSE((*small)->Matches(std::u32string(998, U'q')));
}

}  // namespace
}  // namespace plumb::blueprint
