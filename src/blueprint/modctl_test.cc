// SPDX-License-Identifier: MIT OR Apache-2.0
#include "blueprint/modctl.h"

#include <gtest/gtest.h>

namespace plumb::blueprint {
namespace {

std::string Refusal(const std::string& text) {
  const auto modelfile = ParseModctl(text, "Modelfile");
  if (modelfile) return "accepted";
  EXPECT_EQ(modelfile.error().kind, ErrorKind::kInvalid);
  return modelfile.error().message;
}

TEST(ModctlTest, ReadsEveryCommand) {
  const auto modelfile = ParseModctl(
      "# comment\r\n\n  NAME tiny\nconfig *.json\nCONFIG \"a b\".json\nMODEL m\\ 1.bin  \n"
      "MODEL \"q\\\"\\\\\"\nCODE *.py\nDATASET d\nDOC README.md\nARCH x\nFAMILY x\nFORMAT x\n"
      "PARAMSIZE x\nPRECISION x\nQUANTIZATION x",
      "Modelfile");
  ASSERT_TRUE(modelfile) << modelfile.error().message;
  const std::string printed = PrintModctl(*modelfile);
  EXPECT_EQ(
      printed,
      "NAME tiny\nCONFIG *.json\nCONFIG \"a b.json\"\nMODEL \"m 1.bin\"\nMODEL \"q\\\"\\\\\"\n"
      "CODE *.py\nDATASET d\nDOC README.md\nARCH x\nFAMILY x\nFORMAT x\nPARAMSIZE x\n"
      "PRECISION x\nQUANTIZATION x\n");
  const auto again = ParseModctl(printed, "Modelfile");
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *modelfile);
  EXPECT_EQ(modelfile->commands[0].line, 3);
  EXPECT_EQ(modelfile->commands[0].column, 3);
}

TEST(ModctlTest, IsToldFromOllamas) {
  EXPECT_TRUE(LooksLikeModctl("\n# FROM x\n config *.json\n"));
  EXPECT_FALSE(LooksLikeModctl("FROM x\nCONFIG y\n"));
  EXPECT_FALSE(LooksLikeModctl("CONFIGURE x\n"));
  EXPECT_FALSE(LooksLikeModctl(""));
  EXPECT_TRUE(LooksLikeModelfile("MODEL x\n"));
}

TEST(ModctlTest, SaysWhereAndWhat) {
  EXPECT_EQ(Refusal("NAME a\nMODELS x\n"),
            "Modelfile:2:1: unknown command 'MODELS', did you mean 'MODEL'?\n  MODELS x\n  ^");
  EXPECT_EQ(
      Refusal("NAME a\nFROM x\n"),
      "Modelfile:2:1: unknown command 'FROM': it is of Ollama's Modelfile, and this one is of "
      "modctl\n  FROM x\n  ^");
  const std::pair<const char*, const char*> cases[] = {
      {"NAME", "Modelfile:1:5: NAME has no value"},
      {"NAME  ", "Modelfile:1:7: NAME has no value"},
      {"NAME \"\"", "Modelfile:1:6: NAME has an empty value"},
      {"NAME a b", "Modelfile:1:8: a second value"},
      {"MODEL a.bin # x", "Modelfile:1:13: a second value"},
      {"NAME a\nname b", "Modelfile:2:1: a second name"},
      {"NAME\ta", "Modelfile:1:5: a tab after NAME"},
      {"DOC \"a b", "Modelfile:1:5: unclosed quote"},
      {"DOC a\\", "Modelfile:1:6: a backslash before the end of the line"},
      {"DOC a\xe2\x80\x8d"
       "b",
       "Modelfile:1:6: unprintable character"},
      {"DOC a\xff", "Modelfile:1:6: bytes that are not UTF-8 text"},
  };
  for (const auto& [text, problem] : cases)
    EXPECT_TRUE(Refusal(text).starts_with(problem)) << text << ": " << Refusal(text);
}

TEST(ModctlTest, HasALimit) {
  const auto large = ParseModctl(std::string(kBlueprintSizeMax + 1, '#'), "Modelfile");
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().kind, ErrorKind::kExhausted);
}

}  // namespace
}  // namespace plumb::blueprint
