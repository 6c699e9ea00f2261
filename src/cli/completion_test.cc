// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>

#include "cli/help.h"
#include "tests/temporary_directory.h"

namespace plumb::cli {
namespace {

using testing::HasSubstr;

std::string Script(std::string_view shell) {
  const auto script = CompletionScript(shell, AllCommands());
  EXPECT_TRUE(script);
  return script ? *script : "";
}

// What bash prints when it is given this program.
std::string RunBash(const std::string& program) {
  const TemporaryDirectory directory;
  directory.Write("program", program);
  const std::string command = "bash --norc '" + directory.path() + "/program' 2>&1";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"),
                                                             ::pclose);
  std::string printed;
  std::array<char, 4096> buffer = {};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
    printed.append(buffer.data(), got);
  return printed;
}

// What bash offers behind "plumb …" as it was typed so far.
std::string Offered(const std::string& typed) {
  constexpr std::string_view kStore = R"(
plumb() { printf '<none> []\nteam/demo [v1 v2]\nhost.io:5000/x [latest]\n'; }
)";
  return RunBash(Script("bash") + std::string(kStore) + "COMP_LINE='" + typed +
                 "' COMP_POINT=${#COMP_LINE}\n_plumb\necho \"${COMPREPLY[*]}\"\n");
}

TEST(BashCompletion, OffersVerbs) {
  EXPECT_EQ(Offered("plumb un"), "unpack\n");
  EXPECT_EQ(Offered("plumb --json pu"), "push pull\n");
}

TEST(BashCompletion, OffersFlagsOfTheVerb) {
  EXPECT_EQ(Offered("plumb unpack --over"), "--overwrite\n");
  EXPECT_EQ(Offered("plumb pack --reh"), "--rehash\n");
  EXPECT_EQ(Offered("plumb tag --over"), "\n");
  EXPECT_EQ(Offered("plumb tag --js"), "--json\n");
}

TEST(BashCompletion, OffersWordsForValues) {
  EXPECT_EQ(Offered("plumb build . --compression z"), "zstd\n");
  EXPECT_EQ(Offered("plumb build --compression=gz"), "gzip gzip-fastest\n");
  EXPECT_EQ(Offered("plumb completion "), "bash zsh fish\n");
  EXPECT_EQ(Offered("plumb --progress "), "auto plain none\n");
  EXPECT_EQ(Offered("plumb --pro"), "--progress\n");
  EXPECT_EQ(Offered("plumb --progress plain uni"), "\n");
  EXPECT_EQ(Offered("plumb --progress plain unp"), "unpack\n");
}

TEST(BashCompletion, OffersReferences) {
  EXPECT_EQ(Offered("plumb tag "), "team/demo:v1 team/demo:v2 host.io:5000/x:latest\n");
  EXPECT_EQ(Offered("plumb push tea"), "team/demo:v1 team/demo:v2\n");
  // bash takes what is offered for what stands behind the last ':'.
  EXPECT_EQ(Offered("plumb unpack team/demo:v"), "v1 v2\n");
  EXPECT_EQ(Offered("plumb unpack host.io:50"), "5000/x:latest\n");
}

TEST(BashCompletion, LeavesFilesToBash) {
  EXPECT_EQ(Offered("plumb build -f "), "\n");
  EXPECT_EQ(Offered("plumb unpack m:1 -d "), "\n");
}

TEST(Completion, EveryShellKnowsEveryVerbAndFlag) {
  const Commands commands = AllCommands();
  for (const std::string_view shell : {"bash", "zsh", "fish"}) {
    const std::string script = Script(shell);
    for (const VerbHelp& help : AllHelp()) {
      EXPECT_THAT(script, HasSubstr(std::string(help.name)));
      EXPECT_THAT(script, HasSubstr(std::string(help.alias)));
    }
    for (const std::unique_ptr<Command>& command : commands) {
      for (const Flag& flag : command->Flags())
        EXPECT_THAT(script, HasSubstr(flag.Names().back().substr(2))) << shell;
    }
  }
}

TEST(Completion, QuotesForEachShell) {
  EXPECT_THAT(Script("zsh"), HasSubstr(R"(Plumb'\''s verbs)"));
  EXPECT_THAT(Script("fish"), HasSubstr(R"(Plumb\'s verbs)"));
  EXPECT_THAT(Script("zsh"), HasSubstr(R"(default\: none])"));
}

TEST(Completion, RefusesOtherShells) {
  const auto script = CompletionScript("tcsh", AllCommands());
  ASSERT_FALSE(script);
  EXPECT_EQ(script.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(script.error().hint, "plumb completion bash");
}

}  // namespace
}  // namespace plumb::cli
