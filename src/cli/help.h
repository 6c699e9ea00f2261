// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CLI_HELP_H_
#define PLUMB_CLI_HELP_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/command.h"

namespace plumb::cli {

struct Example {
  std::string_view purpose;
  std::string_view command;
};

// What is told of a verb besides its arguments.
struct VerbHelp {
  std::string_view name;
  std::string_view alias;  // empty if it has one name only
  std::string_view group;
  std::string_view summary;
  std::string_view description;  // sentences; paragraphs are separated by an empty line
  std::vector<Example> examples;
  std::vector<int> exit_codes;  // besides those every verb has: 0, 2 and 130
};

// In the order in which they are told. Every name of AllCommands() has one.
std::span<const VerbHelp> AllHelp();
// Stops the program for a name that has none.
const VerbHelp& HelpOf(std::string_view name);

struct ExitCode {
  int code;
  std::string_view meaning;
};
std::span<const ExitCode> ExitCodes();
inline constexpr int kFoundWanting = 1;
int ExitCodeOf(ErrorKind kind);
// Those that a verb may end with, and what one of them says.
std::vector<int> ExitCodesOf(const VerbHelp& help);
std::string_view MeaningOf(int exit_code);

// Of the environment.
struct Variable {
  std::string_view name;
  std::string_view meaning;
};
std::span<const Variable> Variables();

// What Plumb is, in whole sentences and lines.
std::string_view About();
// Those of every verb.
std::vector<Flag> SharedFlags();
// "build, pack"
std::string NamesOf(const VerbHelp& help);

// The hint for a word that is not among `known`: the nearest one that is, or `otherwise`.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& known,
                       std::string_view otherwise);
Error UnknownVerb(std::string_view word);

// For a terminal: what all verbs are for, or one verb.
std::string Overview();
std::string HelpText(Command& command);
// "plumb tag SOURCE TARGET [flags]"
std::string UsageLine(Command& command);
// docs/cli.md: all of it.
std::string HelpMarkdown(const Commands& commands);

}  // namespace plumb::cli

#endif  // PLUMB_CLI_HELP_H_
