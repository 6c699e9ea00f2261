// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/args.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "cli/help.h"

namespace plumb::cli {
namespace {

// Stands for a verb, and keeps what was read into it.
class FakeCommand final : public Command {
 public:
  FakeCommand(std::string_view name, Presence presence) : name_(name), presence_(presence) {}
  std::string_view Name() const override { return name_; }
  std::vector<Operand> Operands() override {
    return {{"SOURCE", &source, presence_}, {"TARGET", &target, Presence::kOptional}};
  }
  std::vector<Flag> Flags() override {
    return {{"-f,--filter", "F", "", &filters},
            {"-m,--message", "TEXT", "", &message},
            {"-o,--overwrite", "", "", &overwrite},
            {"--tls-verify", "", "", &tls_verify},
            {"--concurrency", "N", "", &concurrency}};
  }
  Result<Answer> Run(Context& /*context*/) override { return Answer{}; }

  std::string source;
  std::string target;
  std::vector<std::string> filters;
  std::string message;
  bool overwrite = false;
  bool tls_verify = true;
  unsigned concurrency = 5;

 private:
  std::string_view name_;
  Presence presence_;
};

class FakeList final : public Command {
 public:
  std::string_view Name() const override { return "remove"; }
  std::vector<Operand> Operands() override { return {{"REFERENCE", &names}}; }
  Result<Answer> Run(Context& /*context*/) override { return Answer{}; }

  std::vector<std::string> names;
};

class ArgsTest : public testing::Test {
 protected:
  ArgsTest() {
    auto tag = std::make_unique<FakeCommand>("tag", Presence::kRequired);
    tag_ = tag.get();
    auto remove = std::make_unique<FakeList>();
    remove_ = remove.get();
    commands_.push_back(std::move(tag));
    commands_.push_back(std::move(remove));
    commands_.push_back(std::make_unique<FakeCommand>("build", Presence::kOptional));
  }

  // The verb that was read, or "error: …" with its hint.
  std::string Read(const std::vector<std::string>& words) {
    const auto command = ReadArguments(words, commands_, options_);
    if (!command) {
      EXPECT_EQ(command.error().kind, ErrorKind::kInvalid);
      return command.error().message + " | " + command.error().hint;
    }
    return *command == nullptr ? "nothing" : std::string((*command)->Name());
  }

  Commands commands_;
  FakeCommand* tag_ = nullptr;
  FakeList* remove_ = nullptr;
  GlobalOptions options_;
};

TEST_F(ArgsTest, ReadsOperandsAndFlagsInAnyOrder) {
  EXPECT_EQ(Read({"tag", "-f", "model", "a", "-of", "code", "b", "--message=why", "--filter", "-"}),
            "tag");
  EXPECT_EQ(tag_->source, "a");
  EXPECT_EQ(tag_->target, "b");
  EXPECT_EQ(tag_->filters, (std::vector<std::string>{"model", "code", "-"}));
  EXPECT_EQ(tag_->message, "why");
  EXPECT_TRUE(tag_->overwrite);
}

TEST_F(ArgsTest, AFlagTakesOneValue) {
  EXPECT_EQ(Read({"tag", "-f", "model", "a"}), "tag");
  EXPECT_EQ(tag_->filters, std::vector<std::string>{"model"});
  EXPECT_EQ(tag_->source, "a");
}

TEST_F(ArgsTest, ValuesAreTakenAsTheyAre) {
  EXPECT_EQ(Read({"tag", "a", "-m", "[x, y]", "-f", "[a,b]", "-f", "\"q\""}), "tag");
  EXPECT_EQ(tag_->message, "[x, y]");
  EXPECT_EQ(tag_->filters, (std::vector<std::string>{"[a,b]", "\"q\""}));
}

TEST_F(ArgsTest, TheLastOfSeveralValuesCounts) {
  EXPECT_EQ(Read({"tag", "a", "-m", "x", "-m", "y"}), "tag");
  EXPECT_EQ(tag_->message, "y");
}

TEST_F(ArgsTest, NamesOfVerbsAreGoodOperands) {
  EXPECT_EQ(Read({"tag", "build", "tag"}), "tag");
  EXPECT_EQ(tag_->source, "build");
  EXPECT_EQ(tag_->target, "tag");
}

TEST_F(ArgsTest, AfterTwoDashesNothingIsAFlag) {
  EXPECT_EQ(Read({"tag", "--", "-o", "--filter"}), "tag");
  EXPECT_EQ(tag_->source, "-o");
  EXPECT_EQ(tag_->target, "--filter");
}

TEST_F(ArgsTest, SwitchesMayBeSwitchedOff) {
  EXPECT_EQ(Read({"tag", "a", "--tls-verify=false"}), "tag");
  EXPECT_FALSE(tag_->tls_verify);
  EXPECT_EQ(Read({"tag", "a", "--tls-verify=maybe"}),
            "'--tls-verify' takes true or false, not 'maybe' | plumb help tag");
}

TEST_F(ArgsTest, ReadsListsOfOperands) {
  EXPECT_EQ(Read({"rm", "a", "b", "--quiet", "c"}), "remove");
  EXPECT_EQ(remove_->names, (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(ArgsTest, GlobalFlagsStandAnywhere) {
  EXPECT_EQ(Read({"--json", "tag", "a", "-q", "--threads", "3"}), "tag");
  EXPECT_TRUE(options_.json);
  EXPECT_TRUE(options_.quiet);
  EXPECT_EQ(options_.threads, 3U);
  EXPECT_FALSE(options_.verbose);
}

TEST_F(ArgsTest, NoVerbIsNothing) {
  EXPECT_EQ(Read({}), "nothing");
  EXPECT_EQ(Read({"--help"}), "nothing");
  EXPECT_TRUE(options_.help);
}

TEST_F(ArgsTest, AliasesNameTheSameVerb) { EXPECT_EQ(Read({"pack", "x"}), "build"); }

TEST_F(ArgsTest, ExplainsWhatIsMissing) {
  EXPECT_EQ(Read({"tag"}), "'plumb tag' needs SOURCE | plumb tag SOURCE [TARGET] [flags]");
  EXPECT_EQ(Read({"remove"}), "'plumb remove' needs REFERENCE | plumb remove REFERENCE... [flags]");
  EXPECT_EQ(Read({"tag", "a", "-m"}), "'--message' needs a value | plumb help tag");
  EXPECT_EQ(Read({"--threads"}), "'--threads' needs a value | plumb help");
}

TEST_F(ArgsTest, AnEmptyWordIsNoValue) {
  EXPECT_EQ(Read({"tag", ""}), "'SOURCE' must not be empty | plumb help tag");
  EXPECT_EQ(Read({"tag", "a", ""}), "'TARGET' must not be empty | plumb help tag");
  EXPECT_EQ(Read({"tag", "a", "-m", ""}), "'--message' must not be empty | plumb help tag");
  EXPECT_EQ(Read({"tag", "a", "-f", "model", "-f", ""}),
            "'--filter' must not be empty | plumb help tag");
  EXPECT_EQ(Read({"rm", "a", ""}), "'REFERENCE' must not be empty | plumb help remove");
}

TEST_F(ArgsTest, HelpNeedsNothing) {
  EXPECT_EQ(Read({"tag", "--help"}), "tag");
  EXPECT_TRUE(options_.help);
}

TEST_F(ArgsTest, ExplainsWhatIsTooMuch) {
  EXPECT_EQ(Read({"tag", "a", "b", "c"}),
            "'c' is one word too many | plumb tag SOURCE [TARGET] [flags]");
}

TEST_F(ArgsTest, SuggestsTheNearestWord) {
  EXPECT_EQ(Read({"tga"}), "unknown verb 'tga' | did you mean 'tag'?");
  EXPECT_EQ(Read({"xyzzy"}), "unknown verb 'xyzzy' | plumb help");
  EXPECT_EQ(Read({"tag", "a", "--overwrit"}),
            "unknown flag '--overwrit' | did you mean '--overwrite'?");
  EXPECT_EQ(Read({"tag", "a", "--jsn=true"}), "unknown flag '--jsn' | did you mean '--json'?");
  EXPECT_EQ(Read({"tag", "a", "-z"}), "unknown flag '-z' | plumb help tag");
  EXPECT_EQ(Read({"--overwrite", "tag"}),
            "flag '--overwrite' must stand behind the verb | plumb tag SOURCE [TARGET] [flags]");
}

TEST_F(ArgsTest, RefusesNumbersThatAreNone) {
  for (const std::string_view text : {"x", "0", "-1", "257", "1.5", "99999999999999999999"}) {
    EXPECT_EQ(Read({"tag", "a", "--concurrency=" + std::string(text)}),
              "'--concurrency' takes a number from 1 to 256, not '" + std::string(text) +
                  "' | plumb help tag");
  }
}

TEST_F(ArgsTest, WhatIsRepeatedFromOutsideIsPrintable) {
  EXPECT_EQ(Read({"\x1b[2J"}), "unknown verb '\\x1b[2J' | plumb help");
  EXPECT_EQ(Read({"tag", "a", "--\x1b"}), "unknown flag '--\\x1b' | plumb help tag");
}

TEST(Help, EveryVerbHasAllOfIt) {
  std::set<std::string_view> names;
  for (const VerbHelp& help : AllHelp()) {
    EXPECT_TRUE(names.insert(help.name).second) << help.name;
    EXPECT_GE(help.examples.size(), 2U) << help.name;
    EXPECT_TRUE(help.description.ends_with('.')) << help.name;
    EXPECT_FALSE(help.summary.ends_with('.')) << help.name;
    for (const Example& example : help.examples)
      EXPECT_NE(example.command.find(help.name), std::string_view::npos) << example.command;
  }
}

TEST(Help, EveryErrorHasItsExitCode) {
  EXPECT_EQ(ExitCodeOf(ErrorKind::kInvalid), 2);
  EXPECT_EQ(ExitCodeOf(ErrorKind::kNotFound), 3);
  EXPECT_EQ(ExitCodeOf(ErrorKind::kCorrupt), 4);
  EXPECT_EQ(ExitCodeOf(ErrorKind::kConflict), 5);
  EXPECT_EQ(ExitCodeOf(ErrorKind::kDenied), 6);
  EXPECT_EQ(ExitCodeOf(ErrorKind::kUnavailable), 7);
  EXPECT_EQ(ExitCodeOf(ErrorKind::kExhausted), 8);
  EXPECT_EQ(ExitCodeOf(ErrorKind::kUnsupported), 9);
  EXPECT_EQ(ExitCodeOf(ErrorKind::kInterrupted), 130);
}

}  // namespace
}  // namespace plumb::cli
