// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "cli/fakes_internal.h"
#include "cli/help.h"
#include "host/files.h"
#include "tests/temporary_directory.h"

namespace plumb::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class RunTest : public testing::Test {
 protected:
  int Run(const std::vector<std::string>& words) {
    terminal_.output.clear();
    terminal_.errors.clear();
    const auto files = host::MakeFiles();
    const auto entropy = host::MakeEntropy();
    return cli::Run({*files, clock_, *entropy, environment_, http_, processes_, *links_}, terminal_,
                    words);
  }

  FakeTerminal terminal_;
  FakeClock clock_;
  FakeEnvironment environment_;
  NoHttp http_;
  NoProcesses processes_;
  std::unique_ptr<host::Links> links_ = host::MakeLinks();
};

TEST_F(RunTest, AnswersOnStandardOutput) {
  EXPECT_EQ(Run({"version"}), 0);
  EXPECT_THAT(terminal_.output, StartsWith("Version: "));
  EXPECT_EQ(terminal_.errors, "");
}

TEST_F(RunTest, AnswersInJson) {
  EXPECT_EQ(Run({"version", "--json"}), 0);
  const auto parsed = ParseJson(terminal_.output);
  ASSERT_TRUE(parsed);
  EXPECT_NE(parsed->Find("version"), nullptr);
}

TEST_F(RunTest, ComplainsOnStandardError) {
  EXPECT_EQ(Run({"buld"}), 2);
  EXPECT_EQ(terminal_.output, "");
  EXPECT_EQ(terminal_.errors, "error: unknown verb 'buld'\nhint: did you mean 'build'?\n");
}

TEST_F(RunTest, ComplainsInJsonEvenIfNothingElseWasUnderstood) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"buld", "--json"}, {"--json", "list", "--format"}}) {
    EXPECT_EQ(Run(words), 2);
    const auto parsed = ParseJson(terminal_.errors);
    ASSERT_TRUE(parsed) << terminal_.errors;
    EXPECT_EQ(*parsed->Find("kind")->IfString(), "invalid");
  }
}

TEST_F(RunTest, WithoutAVerbShowsAllOfThem) {
  EXPECT_EQ(Run({}), 0);
  for (const VerbHelp& help : AllHelp())
    EXPECT_THAT(terminal_.output, HasSubstr(std::string(help.summary)));
}

TEST_F(RunTest, HelpIsTheSameInAllWays) {
  EXPECT_EQ(Run({"help", "pack"}), 0);
  const std::string said = terminal_.output;
  EXPECT_THAT(said, HasSubstr("Examples:"));
  EXPECT_THAT(said, HasSubstr("Exit codes:"));
  EXPECT_EQ(Run({"build", "--help"}), 0);
  EXPECT_EQ(terminal_.output, said);
  EXPECT_EQ(Run({"-h", "build"}), 0);
  EXPECT_EQ(terminal_.output, said);
}

TEST_F(RunTest, HelpSuggestsTheNearestVerb) {
  EXPECT_EQ(Run({"help", "tga"}), 2);
  EXPECT_THAT(terminal_.errors, HasSubstr("did you mean 'tag'?"));
}

TEST_F(RunTest, KnowsTheFlagThatEveryProgramHas) {
  EXPECT_EQ(Run({"--version"}), 0);
  EXPECT_THAT(terminal_.output, StartsWith("Version: "));
}

TEST_F(RunTest, EndsQuietlyIfNobodyReads) {
  terminal_.reader_gone = true;
  EXPECT_EQ(Run({"help"}), 0);
  EXPECT_EQ(terminal_.errors, "");
}

TEST_F(RunTest, ChecksThreadsOfTheEnvironment) {
  environment_.variables["PLUMB_THREADS"] = "many";
  EXPECT_EQ(Run({"version"}), 2);
  EXPECT_THAT(terminal_.errors, HasSubstr("PLUMB_THREADS is 'many'"));
  EXPECT_EQ(Run({"version", "--threads=1"}), 0);
}

TEST_F(RunTest, ABrokenSettingDoesNotKeepFromHelp) {
  TemporaryDirectory directory;
  directory.Write("config.toml", "thread = 1\n");
  environment_.variables["PLUMB_CONFIG"] = directory.path() + "/config.toml";
  environment_.variables["PLUMB_HOME"] = directory.path();
  for (const std::vector<std::string>& words : {std::vector<std::string>{"version"},
                                                {"help", "config"},
                                                {"gc", "--help"},
                                                {"completion", "bash"}})
    EXPECT_EQ(Run(words), 0) << terminal_.errors;
  EXPECT_EQ(Run({"gc"}), 2);
  EXPECT_THAT(terminal_.errors, HasSubstr("line 1: unknown key 'thread'"));
  EXPECT_EQ(Run({"config", "--unset", "thread"}), 0);
  EXPECT_EQ(Run({"gc"}), 0);
}

TEST_F(RunTest, ChecksTheStyleOfProgress) {
  EXPECT_EQ(Run({"version", "--progress", "fancy"}), 2);
  EXPECT_EQ(Run({"version", "--progress", "plain"}), 0);
}

TEST_F(RunTest, AsksOnlyATerminalForAPassword) {
  EXPECT_EQ(Run({"login", "localhost:5000", "-u", "me"}), 2);
  EXPECT_THAT(terminal_.errors, HasSubstr("--password-stdin"));
  terminal_.interactive = true;
  EXPECT_EQ(Run({"login", "localhost:5000", "-u", "me"}), 2);  // an empty line
  EXPECT_THAT(terminal_.errors, StartsWith("Password: "));
}

TEST_F(RunTest, RefusesFlagsThatContradictEachOther) {
  EXPECT_EQ(Run({"unpack", "m:v1", "-o", "-i"}), 2);
  EXPECT_EQ(Run({"remove", "m:v1", "--all"}), 2);
  EXPECT_EQ(Run({"remove"}), 2);
  EXPECT_EQ(Run({"show"}), 2);
  EXPECT_EQ(Run({"show", "m:v1", "--blueprint", "Kitfile"}), 2);
  EXPECT_EQ(Run({"login", "h.io", "-u", "me", "-p", "x", "--password-stdin"}), 2);
}

}  // namespace
}  // namespace plumb::cli
