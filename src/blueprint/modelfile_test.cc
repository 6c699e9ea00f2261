// SPDX-License-Identifier: MIT OR Apache-2.0
#include "blueprint/modelfile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumb::blueprint {
namespace {

using testing::HasSubstr;

// What is wrong with a text, with the kind in front if it is not kInvalid.
std::string Refusal(std::string_view text) {
  const auto modelfile = ParseModelfile(text, "Modelfile");
  if (modelfile) return "accepted";
  const Error& error = modelfile.error();
  if (error.kind == ErrorKind::kInvalid) return error.message;
  return (error.kind == ErrorKind::kUnsupported ? "unsupported: " : "another kind: ") +
         error.message;
}

Modelfile Read(std::string_view text) {
  auto modelfile = ParseModelfile(text, "Modelfile");
  EXPECT_TRUE(modelfile) << modelfile.error().message;
  return modelfile ? *modelfile : Modelfile{};
}

TEST(Modelfile, ReadsEveryCommand) {
  const Modelfile modelfile = Read(
      "# a comment\r\n"
      "FROM ./w.gguf  \n"
      "  from  llama3:8b\n"
      "adapter ./a.gguf\nDRAFT ./d.gguf\nLICENSE MIT\n"
      "TEMPLATE \"\"\"{{ .System }}\n# no comment\n\"quoted\"\n\"\"\"\n"
      "SYSTEM \"be kind # always\"\n"
      "PARAMETER temperature 0.5\nPARAMETER stop \"\"\n"
      "MESSAGE user it's 5: \"ok\"\n"
      "RENDERER r#1\nPARSER p\nREQUIRES 0.14.0");
  const std::vector<ModelfileCommand> expected = {
      {"model", "./w.gguf"},
      {"model", "llama3:8b"},
      {"adapter", "./a.gguf"},
      {"draft", "./d.gguf"},
      {"license", "MIT"},
      {"template", "{{ .System }}\n# no comment\n\"quoted\"\n"},
      {"system", "be kind # always"},
      {"temperature", "0.5"},
      {"stop", ""},
      {"message", "user: it's 5: \"ok\""},
      {"renderer", "r#1"},
      {"parser", "p"},
      {"requires", "0.14.0"},
  };
  EXPECT_EQ(modelfile.commands, expected);
  EXPECT_EQ(modelfile.commands[1].line, 3);
  EXPECT_EQ(modelfile.commands[1].column, 3);
  EXPECT_EQ(modelfile.commands[6].line, 11);
}

struct RefusalCase {
  std::string_view in, message;
};
constexpr RefusalCase kRefusalCases[] = {
    {"FROM x\nSYSTM hi\n",
     "Modelfile:2:1: unknown command 'SYSTM', did you mean 'SYSTEM'?\n  SYSTM hi\n  ^"},
    {"FROM x\n  PARAMETER  num_ctx 1\n",
     "Modelfile:2:13: more than one blank after PARAMETER, which Ollama reads as an empty name\n"
     "    PARAMETER  num_ctx 1\n              ^"},
    {"FROM x\nMESSAGE\t\tuser hi\n",
     "Modelfile:2:9: more than one blank after MESSAGE, which Ollama reads as an empty role\n"
     "  MESSAGE  user hi\n          ^"},
    {"FROM x\nMESSAGE User hi\n",
     "Modelfile:2:9: the role of a message is 'system', 'user' or 'assistant', did you mean "
     "'user'?\n  MESSAGE User hi\n          ^"},
    {"FROM \xc3\xa9 # mine\n",
     "Modelfile:1:8: '#' begins no comment here but is part of the value; write the value in "
     "double quotes if that is meant\n  FROM \xc3\xa9 # mine\n         ^"},
    {"FROM # mine\n",
     "Modelfile:1:6: '#' begins no comment here but is part of the value; write the value in "
     "double quotes if that is meant\n  FROM # mine\n       ^"},
    {"FROM x\r\nSYSTEM \"a\r\nb\r\n",
     "Modelfile:2:8: unclosed quote: no line ends with \"\n  SYSTEM \"a\n         ^"},
    {"FROM x\nSYSTEM \"\"\"a\n\"\" \"",
     "Modelfile:2:8: unclosed quote: no line ends with \"\"\"\n  SYSTEM \"\"\"a\n         ^"},
    {"FROM x\nSYSTEM \"a\" b\n",
     "Modelfile:2:11: text after the closing \", which does not close there for Ollama\n"
     "  SYSTEM \"a\" b\n            ^"},
    {"FROM x\nPARAMETER top-k 1\n",
     "Modelfile:2:14: the name of a parameter has only letters, digits and '_'\n"
     "  PARAMETER top-k 1\n               ^"},
    {"FROM x\nPARAMETER system 1\n",
     "Modelfile:2:11: parameter 'system', which Ollama would take for the command\n"
     "  PARAMETER system 1\n            ^"},
    {"FROM x\nPARAMETER stop\n",
     "Modelfile:2:15: PARAMETER stop has no value; an empty one is \"\"\n"
     "  PARAMETER stop\n                ^"},
    {"FROM x\nSYSTEM\n", "Modelfile:2:7: SYSTEM has no value\n  SYSTEM\n        ^"},
    {"FROM \"\"\n", "Modelfile:1:1: FROM names nothing\n  FROM \"\"\n  ^"},
    {"FROM a\xe2\x80\x8dz\n",
     "Modelfile:1:7: unprintable character U+200D, which Ollama would drop silently\n"
     "  FROM a\\xe2\\x80\\x8dz\n        ^"},
    {"FROM x\nSYSTEM \"a\nb\x1b[2J\"\n",
     "Modelfile:3:2: unprintable character U+001B, which Ollama would drop silently\n"
     "  b\\x1b[2J\"\n   ^"},
    {"FROM a\xf3\xa0\x80\x81\n",
     "Modelfile:1:7: unprintable character U+E0001, which Ollama would drop silently\n"
     "  FROM a\\xf3\\xa0\\x80\\x81\n        ^"},
    {"FROM a\xff\n",
     "Modelfile:1:7: bytes that are not UTF-8 text\n  FROM a\xef\xbf\xbd\n        ^"},
    {"SYSTEM x\n", "Modelfile:1:1: no FROM in this file, so there is no model\n  SYSTEM x\n  ^"},
    {"", "Modelfile:1:1: no FROM in this file, so there is no model\n  \n  ^"},
    {"# c\nCONFIG config.json\n",
     "unsupported: Modelfile:2:1: 'CONFIG' is a command of modctl's Modelfile, which is "
     "another format\n  CONFIG config.json\n  ^"},
};

TEST(Modelfile, SaysWhatIsWrongAndWhere) {
  for (const RefusalCase& c : kRefusalCases)
    EXPECT_EQ(Refusal(c.in), c.message) << c.in;
}

TEST(Modelfile, ShowsOnlySomeOfALongLine) {
  const std::string message =
      Refusal("FROM " + std::string(1000, 'a') + " # " + std::string(1000, 'b'));
  EXPECT_THAT(message, testing::StartsWith("Modelfile:1:1007: '#'"));
  EXPECT_THAT(message, HasSubstr("\n  ... aaaa"));
  EXPECT_LT(message.size(), 400U);
  EXPECT_THAT(message, testing::EndsWith("\n" + std::string(66, ' ') + "^"));
}

TEST(Modelfile, HasALimit) {
  const auto larger = ParseModelfile("FROM " + std::string(kBlueprintSizeMax, 'x'), "f");
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error().kind, ErrorKind::kExhausted);
}

TEST(Modelfile, PrintsTheShortestSpellingThatSaysTheSame) {
  struct Case {
    std::string_view value, printed;
  };
  constexpr Case kCases[] = {
      {"x", "x"},         {"", "\"\""},
      {" x", "\" x\""},   {"a # b", "\"a # b\""},
      {"a#b", "a#b"},     {"\"x\"", "\"\"x\"\""},
      {"a\"", "a\""},     {"a\nb", "\"\"\"a\nb\"\"\""},
      {"it's", "it's"},   {"a\n\"b\"\nc", "\"\"\"a\n\"b\"\nc\"\"\""},
      {"\tx", "\"\tx\""}, {"#", "\"#\""},
  };
  for (const Case& c : kCases) {
    const Modelfile modelfile{{{"model", "m"}, {"system", std::string(c.value)}}};
    const auto printed = PrintModelfile(modelfile);
    if (!printed) {
      ADD_FAILURE() << c.value << ": " << printed.error().message;
      continue;
    }
    EXPECT_EQ(*printed, "FROM m\nSYSTEM " + std::string(c.printed) + "\n");
    EXPECT_EQ(Read(*printed), modelfile);
  }
}

TEST(Modelfile, RefusesToPrintWhatNoSpellingCanSay) {
  for (const std::string_view value : {"a\"\"\"\nb\"", "a\x01", "\xff"}) {
    const auto printed =
        PrintModelfile(Modelfile{{{"model", "m"}, {"system", std::string(value)}}});
    ASSERT_FALSE(printed) << *printed;
    EXPECT_THAT(printed.error().message,
                HasSubstr("no spelling of a Modelfile can say the system"));
  }
  EXPECT_FALSE(PrintModelfile(Modelfile{{{"system", "x"}}}));
  EXPECT_FALSE(PrintModelfileCompat(Modelfile{{{"system", "x"}}}));
}

TEST(Modelfile, IsJson) {
  const Modelfile modelfile = Read("FROM x\nPARAMETER stop \"<\"\nMESSAGE user hi");
  const auto json = ModelfileToJson(modelfile, *PrintModelfile(modelfile));
  ASSERT_TRUE(json);
  EXPECT_EQ(
      WriteJson(*json, JsonStyle::kCompact),
      R"({"kind":"modelfile","commands":[{"name":"model","args":"x"},{"name":"stop","args":"<"},)"
      R"({"name":"message","args":"user: hi"}],"text":"FROM x\nPARAMETER stop <\nMESSAGE user hi\n"})");
  EXPECT_FALSE(ModelfileToJson(Modelfile{{{"model", "\xff"}}}, ""));
  EXPECT_FALSE(ModelfileToJson(modelfile, "\xff"));
}

TEST(Modelfile, IsRecognisedByItsFirstWord) {
  for (const std::string_view yes : {"FROM x", "# c\r\n\n from\tx", "\xef\xbb\xbfSystem y", "from",
                                     "CONFIG c.json", "# only\rparameter x"})
    EXPECT_TRUE(LooksLikeModelfile(yes)) << yes;
  for (const std::string_view no :
       {"", "# from", "manifestVersion: 1.0.0", "model:\n  path: x", "FROM: x", "{}"})
    EXPECT_FALSE(LooksLikeModelfile(no)) << no;
}

std::string Check(std::string_view parameter) {
  Modelfile modelfile = Read("FROM x\n PARAMETER " + std::string(parameter));
  const auto status = CheckParameters(modelfile, "f");
  if (!status) return status.error().message;
  return modelfile.warnings.empty() ? "" : "warning: " + modelfile.warnings.front();
}

TEST(Modelfile, ParametersHaveTypes) {
  for (const std::string_view good :
       {"num_ctx 4096", "seed -1", "seed +7", "num_keep 9223372036854775807", "num_gpu 0",
        "draft_num_predict 3", "temperature 0.5", "top_p 1", "min_p 1e-3", "repeat_penalty .5",
        "typical_p 0x1p-2", "use_mmap true", "use_mmap 0", "use_mmap F", "stop \"\"", "stop x y"})
    EXPECT_EQ(Check(good), "") << good;
  struct Case {
    std::string_view parameter, message;
  };
  constexpr Case kCases[] = {
      {"num_ctx 4k", "f:2:2: parameter 'num_ctx': '4k' is not an integer"},
      {"seed 1.0", "f:2:2: parameter 'seed': '1.0' is not an integer"},
      {"seed 9223372036854775808",
       "f:2:2: parameter 'seed': '9223372036854775808' is not an integer"},
      {"seed 1_0", "f:2:2: parameter 'seed': '1_0' is not an integer"},
      {"top_p high", "f:2:2: parameter 'top_p': 'high' is not a number"},
      {"top_p 1e39", "f:2:2: parameter 'top_p': '1e39' is not a number"},
      {"top_p \"\"", "f:2:2: parameter 'top_p': '' is not a number"},
      {"use_mmap yes", "f:2:2: parameter 'use_mmap': 'yes' is neither true nor false"},
      {"num_ctxt 1", "f:2:2: unknown parameter 'num_ctxt', did you mean 'num_ctx'?"},
      {"Stop x", "f:2:2: unknown parameter 'Stop', did you mean 'stop'?"},
      {"from x", "f:2:2: unknown parameter 'from'"},
      {"mirostat x", "warning: f:2:2: parameter 'mirostat' is deprecated"},
      {"penalize_newline 1", "warning: f:2:2: parameter 'penalize_newline' is deprecated"},
      {"low_vram 1", "warning: f:2:2: parameter 'low_vram' is deprecated"},
      {"f16_kv 1", "warning: f:2:2: parameter 'f16_kv' is deprecated"},
      {"logits_all 1", "warning: f:2:2: parameter 'logits_all' is deprecated"},
      {"vocab_only 1", "warning: f:2:2: parameter 'vocab_only' is deprecated"},
      {"use_mlock 1", "warning: f:2:2: parameter 'use_mlock' is deprecated"},
      {"mirostat_tau 1", "warning: f:2:2: parameter 'mirostat_tau' is deprecated"},
      {"mirostat_eta 1", "warning: f:2:2: parameter 'mirostat_eta' is deprecated"},
  };
  for (const Case& c : kCases)
    EXPECT_EQ(Check(c.parameter), c.message);
}

}  // namespace
}  // namespace plumb::blueprint
