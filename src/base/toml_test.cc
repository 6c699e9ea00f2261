// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/toml.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/text.h"

namespace plumb {
namespace {

std::string AsJson(std::string_view text) {
  const auto parsed = ParseToml(text);
  return parsed ? WriteJson(*parsed, JsonStyle::kCompact) : parsed.error().message;
}

ErrorKind KindOf(std::string_view text) {
  const auto parsed = ParseToml(text);
  EXPECT_FALSE(parsed) << text;
  return parsed ? ErrorKind::kInterrupted : parsed.error().kind;
}

TEST(TomlTest, BecomesTheJsonThatItMeans) {
  EXPECT_EQ(AsJson(""), "{}");
  EXPECT_EQ(AsJson("b = 1 # remark\na = [true, -2, \"x\", 'y\\']\n"),
            R"({"a":[true,-2,"x","y\\"],"b":1})");
  EXPECT_EQ(AsJson("a.b = 1\n[c]\nd = {e = 2}\n[[f]]\n[[f]]\ng = 3\n"),
            R"({"a":{"b":1},"c":{"d":{"e":2}},"f":[{},{"g":3}]})");
  EXPECT_EQ(AsJson("a = \"\"\"\nb\nc\"\"\""), R"({"a":"b\nc"})");
  EXPECT_EQ(AsJson("a = 9223372036854775807"), R"({"a":9223372036854775807})");
}

TEST(TomlTest, SaysWhereTheGrammarIsBroken) {
  const auto parsed = ParseToml("a = 1\nb = = 2\n");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(parsed.error().message.starts_with("line 2, column ")) << parsed.error().message;
}

TEST(TomlTest, RefusesWhatTwoReadersCouldReadAsTwoThings) {
  EXPECT_EQ(KindOf("a = 1\na = 2\n"), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf("[a]\nb = 1\n[a]\nc = 1\n"), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf("a = 'b\xff'\n"), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf("# \xff\n"), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf("[[[[a = 1\n"), ErrorKind::kInvalid);
  EXPECT_EQ(AsJson("# é\n\"é\" = \"\"\"\né\"\"\"\né = 1\n"),
            "line 4: letters like this must stand in quotes");
  EXPECT_EQ(KindOf("\xEF\xBB\xBF"
                   "a = 1\n"),
            ErrorKind::kInvalid);
  EXPECT_EQ(KindOf("a = 9223372036854775808\n"), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(std::string_view("a = 1\0b", 7)), ErrorKind::kInvalid);
}

TEST(TomlTest, RefusesFractionsAndDates) {
  EXPECT_EQ(AsJson("\na = 1.5"),
            "line 2, column 5: neither fractions nor dates have a meaning here");
  EXPECT_EQ(KindOf("a = 2026-01-02"), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf("a = nan"), ErrorKind::kInvalid);
}

TEST(TomlTest, HasLimits) {
  EXPECT_EQ(KindOf(std::string((1U << 20) + 1, '\n')), ErrorKind::kExhausted);
  EXPECT_EQ(KindOf("a = " + std::string(40, '[') + std::string(40, ']')), ErrorKind::kExhausted);
  // Freed by recursion, if it were read: a level for two bytes.
  std::string deep = "a";
  for (int i = 0; i < 500'000; ++i)
    deep += ".a";
  EXPECT_EQ(KindOf(deep + " = 1"), ErrorKind::kExhausted);
  EXPECT_EQ(KindOf("[" + deep + "]"), ErrorKind::kExhausted);
  std::string quoted = "\"=\"";
  for (int i = 0; i < 100'000; ++i)
    quoted += i % 2 == 0 ? ".',{'" : ".\"\\\"={\"";
  EXPECT_EQ(KindOf("[" + quoted + "]"), ErrorKind::kExhausted);
  // A string that ends with a quote of its own does not hide what follows.
  EXPECT_EQ(KindOf("b = {c = \"\"\"x\"\"\"\", " + deep + " = 1}"), ErrorKind::kExhausted);
  EXPECT_EQ(AsJson("a = \"\"\"x\"\"\"\"\"\n"), R"({"a":"x\"\""})");
  EXPECT_EQ(AsJson("a = \"\"\"\\\n  é\"\"\"\n"), R"({"a":"é"})");
  EXPECT_EQ(AsJson("a = \"" + std::string(50, '.') + "\" # " + std::string(50, '.')),
            "{\"a\":\"" + std::string(50, '.') + "\"}");
  EXPECT_EQ(KindOf("b = {" + deep + " = 1}"), ErrorKind::kExhausted);
  // The sum of headers, keys and inline tables counts.
  EXPECT_EQ(KindOf("[a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a]\nb.b.b.b.b.b.b.b.b.b.b.b.b.b.b = 1"),
            ErrorKind::kExhausted);
  EXPECT_EQ(KindOf("a = " + std::string(100'000, '[')), ErrorKind::kInvalid);
}

TEST(TomlTest, StringsAreEscaped) {
  EXPECT_EQ(TomlString("a\"b\\c\n\x1b\x7f\xC2\x9B"
                       "é"),
            R"("a\"b\\c\u000a\u001b\u007f\u009bé")");
}

RC_GTEST_PROP(TomlPropertyTest, StringsComeBack, (const std::vector<std::uint16_t>& points)) {
  std::string text;
  for (const std::uint16_t point : points)
    AppendUtf8(text, point % 0x300);
  const auto parsed = ParseToml("a = " + TomlString(text) + "\n");
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(*parsed->Find("a")->IfString() == text);
}

}  // namespace
}  // namespace plumb
