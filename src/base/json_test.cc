// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/json.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace plumb {
namespace {

std::string Compact(std::string_view text) {
  const auto json = ParseJson(text);
  return json ? WriteJson(*json, JsonStyle::kCompact) : "error: " + json.error().message;
}

TEST(Json, KeepsOrderAndDigits) {
  for (const auto digits : {"-0", "-0.0", "0e-0", "1E+2", "-9223372036854775809", "1.10",
                            "18446744073709551616", "0.1000000000000000055511151231257827"})
    EXPECT_EQ(Compact(digits), digits);
  EXPECT_EQ(Compact(R"( {"b": 1.0, "a": [12345678901234567890123, -7, 1e+21, true, null, {}]} )"),
            R"({"b":1.0,"a":[12345678901234567890123,-7,1e+21,true,null,{}]})");
}

TEST(Json, RefusesWhatIsNotStrict) {
  for (const auto bad : {"", "{", "[1,]", "{} {}", "{\"a\":1,}", "// x\n1", "NaN", "01", "+1", ".5",
                         "'a'", "\"\xff\"", "\"\\ud800\"", "\xef\xbb\xbf{}", "\"\n\"", "nul"}) {
    const auto json = ParseJson(bad);
    ASSERT_FALSE(json) << bad;
    EXPECT_EQ(json.error().kind, ErrorKind::kInvalid) << bad;
  }
}

TEST(Json, NothingLiesBehindTheEnd) {
  using namespace std::string_view_literals;
  for (const auto bad : {"{}\0"sv, "{\"a\":1}\0{\"a\":2}"sv, "\0"sv, "[1\0]"sv, "\"\0\""sv}) {
    const auto json = ParseJson(bad);
    ASSERT_FALSE(json) << bad;
    EXPECT_EQ(json.error().kind, ErrorKind::kInvalid) << bad;
  }
  EXPECT_EQ(Compact("{}\n\0"sv), "error: malformed JSON at line 2, column 1");
  EXPECT_EQ(*ParseJson("\"\\u0000\"")->IfString(), "\0"sv);
}

TEST(Json, RefusesDuplicateMembersAtAnyDepth) {
  EXPECT_NE(Compact(R"([{"x":{"size":1,"digest":2,"size":3}}])").find("duplicate member 'size'"),
            std::string::npos);
  EXPECT_NE(Compact(R"({"a":1,"\u0061":2})").find("duplicate member 'a'"), std::string::npos);
}

TEST(Json, SaysWhereTheGrammarBreaks) {
  EXPECT_EQ(Compact("{\n  \"a\": x\n}"), "error: malformed JSON at line 2, column 8");
}

TEST(Json, HasLimits) {
  EXPECT_EQ(ParseJson(std::string(65, '[') + std::string(65, ']')).error().kind,
            ErrorKind::kExhausted);
  EXPECT_TRUE(ParseJson(std::string(64, '[') + std::string(64, ']')));
  EXPECT_EQ(ParseJson("[1]", {.size_max = 2}).error().kind, ErrorKind::kExhausted);
  EXPECT_TRUE(ParseJson("[1]", {.size_max = 3}));
  EXPECT_EQ(ParseJson(R"({"a":{"b":[]}})", {.depth_max = 2}).error().kind, ErrorKind::kExhausted);
  EXPECT_TRUE(ParseJson(R"([{},[],{"a":[]}])", {.depth_max = 3}));
  // However deep, it is refused at the limit and not by the stack.
  EXPECT_EQ(ParseJson(std::string(4'000'000, '[')).error().kind, ErrorKind::kExhausted);
}

TEST(Json, EscapesAsGoDoes) {
  const Json text = Json::String("<&>\xe2\x80\xa8\"\\/\b\f\n\r\t\x01\x7f\xc3\xa9");
  EXPECT_EQ(WriteJson(text, JsonStyle::kGo),
            "\"\\u003c\\u0026\\u003e\\u2028\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f\xc3\xa9\"");
  EXPECT_EQ(WriteJson(Json::String("<\xe2\x80\xa8"), JsonStyle::kCompact), "\"<\xe2\x80\xa8\"");
}

TEST(Json, IndentsForPeople) {
  EXPECT_EQ(WriteJson(*ParseJson(R"({"a":[1,2],"b":{},"c":[]})"), JsonStyle::kIndented),
            "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": []\n}");
}

TEST(Json, TextRoundTrips) {
  EXPECT_TRUE(rc::check([](const std::vector<std::string>& names) {
    Json object = Json::MakeObject();
    for (const std::string& name : names) {
      // Bytes of random strings are made well-formed by the writer, so go through it once.
      const auto clean = ParseJson(WriteJson(Json::String(name), JsonStyle::kCompact));
      object.Set(*clean->IfString(), *clean);
    }
    for (const JsonStyle style : {JsonStyle::kCompact, JsonStyle::kGo, JsonStyle::kIndented})
      RC_ASSERT(*ParseJson(WriteJson(object, style)) == object);
  }));
}

TEST(Json, IsBuiltInOrder) {
  Json object = Json::MakeObject();
  object.Set("b", Json::Int(-1)).Set("a", Json::Bool(false)).Append("c", Json());
  object.Set("b", Json::MakeArray().Add(Json::Uint(~std::uint64_t{0})));
  EXPECT_EQ(WriteJson(object, JsonStyle::kCompact),
            R"({"b":[18446744073709551615],"a":false,"c":null})");
  EXPECT_EQ(*object.Find("a")->IfBool(), false);
  EXPECT_EQ(object.Find("d"), nullptr);
  EXPECT_EQ(Json().Find("a"), nullptr);
  EXPECT_EQ(Json::MakeObject({{"t", Json::String("x")}}).TextOf("t"), "x");
  EXPECT_EQ(object.TextOf("a"), "");  // no text
  EXPECT_EQ(object.TextOf("d"), "");
  EXPECT_EQ(Json().TextOf("a"), "");
  EXPECT_FALSE(*ParseJson(R"({"a":1,"b":2})") == *ParseJson(R"({"b":2,"a":1})"));
}

TEST(Json, WholeNumbers) {
  EXPECT_EQ(*ParseJson("18446744073709551615")->ToUint64(), ~std::uint64_t{0});
  for (const auto bad : {"-1", "1.0", "1e3", "\"1\"", "18446744073709551616", "null"})
    EXPECT_FALSE(ParseJson(bad)->ToUint64()) << bad;
}

}  // namespace
}  // namespace plumb
