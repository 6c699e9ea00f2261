// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <fstream>
#include <iterator>

#include "base/text.h"
#include "blueprint/modelfile.h"

namespace plumb::blueprint {
namespace {

// "model=foo|system=a", or the error.
std::string Commands(std::string_view bytes) {
  const auto modelfile = ParseModelfileCompat(bytes);
  if (!modelfile) return "error: " + modelfile.error().message;
  std::string text;
  for (const ModelfileCommand& command : modelfile->commands)
    text += (text.empty() ? "" : "|") + command.name + "=" + command.args;
  return text;
}

// A table of what Ollama's own parser gave: the commands or the error, the text it printed for
// them, and whether that text gave them again.
Json ReadTable() {
  std::ifstream file("tests/fixtures/modelfile_cases.json", std::ios::binary);
  PLUMB_CHECK(file.is_open());  // tests run in the root of the repository
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto table = ParseJson(bytes);
  PLUMB_CHECK(table && table->IfArray() != nullptr);
  return *table;
}

std::string Expected(const Json& row) {
  const std::string& error = *row.Find("Err")->IfString();
  if (!error.empty()) return "error: " + error;
  std::string text;
  for (const Json& command : *row.Find("Cmds")->IfArray())
    text += (text.empty() ? "" : "|") + *command.Find("Name")->IfString() + "=" +
            *command.Find("Args")->IfString();
  return text;
}

TEST(ModelfileCompat, EqualsOllamaOnEveryRecordedCase) {
  const Json table = ReadTable();
  EXPECT_GE(table.IfArray()->size(), 35U);
  for (const Json& row : *table.IfArray()) {
    const std::string& in = *row.Find("In")->IfString();
    EXPECT_EQ(Commands(in), Expected(row)) << in;
    const auto modelfile = ParseModelfileCompat(in);
    if (!modelfile) continue;
    const auto printed = PrintModelfileCompat(*modelfile);
    ASSERT_TRUE(printed) << in << ": " << printed.error().message;
    EXPECT_EQ(ParseModelfileCompat(*printed), *modelfile) << in;
    // Where Ollama's own text gives something else again, ours says what was read.
    const bool is_faithful = *row.Find("Rt")->IfString() == "ok";
    EXPECT_EQ(*printed == *row.Find("Str")->IfString(), is_faithful) << in << "\n" << *printed;
  }
}

TEST(ModelfileCompat, ReadsWhatOllamaReads) {
  struct Case {
    std::string_view in, out;
  };
  using namespace std::string_view_literals;
  constexpr Case kCases[] = {
      {"\xef\xbb\xbf"
       "FROM x",
       "model=x"},
      {"\xff\xfe"
       "F\0R\0O\0M\0 \0\xe9\0"sv,
       "model=\xc3\xa9"},
      {"\xfe\xff\0F\0R\0O\0M\0 \xd8\x3d\xde\x00"sv, "model=\xf0\x9f\x98\x80"},
      {"\xfe\xff\0F\0R\0O\0M\0 \xdc\x00\0a\0"sv,
       "model=\xef\xbf\xbd"
       "a\xef\xbf\xbd"},
      {"FROM a\xe2\x82z", "model=a\xef\xbf\xbdz"},  // one for a part of a character
      {"\xef\xbb\xbf"
       "FROM a\xe2\x82z",
       "model=a\xef\xbf\xbd\xef\xbf\xbdz"},  // or one a byte
      {"FROM a\xff\xfez", "model=a\xef\xbf\xbd\xef\xbf\xbdz"},
      {"FROM a\xe2\x80\x8d\xc2\xa0\xe3\x80\x80\xc2\xad\xe2\x80\xae\x1b\x01z", "model=az"},
      {"FROM \xc2\xa0", "model="},
      {"\x01"
       "FROM x",
       "model=x"},  // a first character that is dropped
      {"F\x01ROM x",
       "error: (line 1): command must be one of \"from\", \"license\", "
       "\"template\", \"system\", \"adapter\", \"draft\", \"renderer\", \"parser\", "
       "\"parameter\", \"message\", or \"requires\""},
      {"\r\n\r\nFROM x\nMESSAGE Bot hi",
       "error: (line 6): message role must be one of \"system\", \"user\", or \"assistant\""},
      {"FROM x\rSYSTEM y\r", "model=x|system=y"},
      {"FROM x\nSYSTEM \"a\r\nb\" \t\r\n", "model=x|system=a\r\nb"},
      {"FROM x\nSYSTEM \"\"\"\n", "error: unexpected EOF"},
      {"FROM x\nSYSTEM \"\"", "model=x|system="},
      {"FROM x\nSYSTEM \"\n\n\"", "model=x|system=\n\n"},
      {"FROM x\nPARAMETER from y", "model=x|from=y"},
      {"FROM x\nPARAMETER a-b y", "error: unexpected EOF: a"},
      {"FROM x\nMESSAGE user", "error: unexpected EOF"},
      {"FROM x\nMESSAGE user: hi", "error: unexpected EOF: user"},
      {"PARAMETER model y", "model=y"},  // enough of a FROM for Ollama
      {"SYSTEM x", "error: no FROM line"},
      {"", "error: no FROM line"},
  };
  for (const Case& c : kCases)
    EXPECT_EQ(Commands(c.in), c.out) << c.in;
}

TEST(ModelfileCompat, SaysWhereACommandBegan) {
  const auto modelfile = ParseModelfileCompat("# c\r\n\n  FROM \"\na\"\r SYSTEM b");
  ASSERT_TRUE(modelfile);
  EXPECT_EQ(modelfile->commands[0].line, 3);
  EXPECT_EQ(modelfile->commands[0].column, 3);
  EXPECT_EQ(modelfile->commands[1].line, 5);
  EXPECT_EQ(modelfile->commands[1].column, 2);
}

// Text made of what means something to a Modelfile.
rc::Gen<std::string> GenText(std::vector<std::string> pieces) {
  for (const char* piece : {"\nFROM ", "\nSYSTEM ", "\nPARAMETER stop ", "\nMESSAGE user ",
                            "\nLICENSE\t", "\n", "a", "\xc3\xa9"})
    pieces.emplace_back(piece);
  const auto piece = rc::gen::elementOf(std::move(pieces));
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece),
                      [](const auto& chosen) { return "FROM x" + Join(chosen, ""); });
}

TEST(ModelfileCompat, WhatIsPrintedReadsBackToTheSame) {
  EXPECT_TRUE(rc::check([] {
    const auto modelfile = ParseModelfileCompat(
        *GenText({"\r", "\"", "\"\"\"", " ", "\t", "#", "b: ", "\xe2\x80\x8d", "\x01", "\xff"}));
    if (!modelfile) return;
    const auto printed = PrintModelfileCompat(*modelfile);
    RC_ASSERT(printed.has_value());
    RC_ASSERT(ParseModelfileCompat(*printed) == *modelfile);
    if (const auto strictly = PrintModelfile(*modelfile))
      RC_ASSERT(ParseModelfile(*strictly, "f") == *modelfile);
  }));
}

TEST(ModelfileCompat, WhatTheStrictReadingAcceptsMeansTheSame) {
  int accepted = 0;
  EXPECT_TRUE(rc::check([&accepted] {
    const std::string text =
        *GenText({"\nSYSTEM \"a", "b\"\n", "x\"\"\"\r\n", "\nLICENSE \"\"\"", "#c"});
    const auto strict = ParseModelfile(text, "f");
    if (!strict) return;
    ++accepted;
    RC_ASSERT(ParseModelfileCompat(text) == *strict);
    const auto printed = PrintModelfile(*strict);
    RC_ASSERT(printed.has_value());
    RC_ASSERT(ParseModelfile(*printed, "f") == *strict);
    RC_ASSERT(ParseModelfileCompat(*printed) == *strict);
  }));
  EXPECT_GT(accepted, 0);
}

TEST(ModelfileCompat, HasALimit) {
  const auto larger = ParseModelfileCompat("FROM " + std::string(kBlueprintSizeMax - 4, 'x'));
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error().kind, ErrorKind::kExhausted);
  std::string lines = "FROM \"";  // a quote that every line could close
  while (lines.size() < kBlueprintSizeMax / 16)
    lines += "\" x\n";
  EXPECT_EQ(Commands(lines), "error: unexpected EOF");
}

}  // namespace
}  // namespace plumb::blueprint
