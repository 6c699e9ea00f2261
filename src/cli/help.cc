// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/help.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"
#include "cli/args.h"
#include "cli/render.h"

namespace plumb::cli {
namespace {

constexpr std::string_view kAbout =
    "Plumb builds models into immutable kits that have the same id everywhere, keeps what they\n"
    "share once, and moves between stores and registries only what is not there yet.\n";

constexpr std::array<ExitCode, 11> kExitCodes = {
    {{0, "done"},
     {kFoundWanting, "checked, and found wanting"},
     {2, "wrong usage or invalid input"},
     {3, "not found"},
     {4, "corrupt"},
     {5, "conflict"},
     {6, "denied"},
     {7, "unavailable: trying again may help"},
     {8, "a limit was reached: a full disk, something too large"},
     {9, "unsupported"},
     {130, "interrupted"}}};

std::vector<std::vector<std::string>> FlagRows(const std::vector<Flag>& flags) {
  std::vector<std::vector<std::string>> rows;
  for (const Flag& flag : flags) {
    const std::vector<std::string> names = flag.Names();
    std::string left = names.size() == 1 ? "    " + names.front() : names[0] + ", " + names[1];
    if (!flag.IsSwitch()) left += " " + flag.value;
    rows.push_back({"  " + left, flag.help});
  }
  return rows;
}

constexpr std::array<Variable, 5> kVariables = {
    {{"PLUMB_HOME",
      "Where kits and logins are kept; default: $XDG_DATA_HOME/plumb, else "
      "~/.local/share/plumb"},
     {"PLUMB_CONFIG",
      "The file of settings; default: $XDG_CONFIG_HOME/plumb/config.toml, else "
      "~/.config/plumb/config.toml"},
     {"PLUMB_THREADS", "As --threads"},
     {"DOCKER_CONFIG", "The directory of docker's config.json, whose logins are read too"},
     {"http_proxy, https_proxy, no_proxy", "As curl has them"}}};

std::vector<std::vector<std::string>> VariableRows() {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(kVariables.size());
  for (const Variable& variable : kVariables)
    rows.push_back({"  " + std::string(variable.name), std::string(variable.meaning)});
  return rows;
}

std::string MarkdownFlags(const std::vector<Flag>& flags) {
  std::string text;
  for (const Flag& flag : flags) {
    std::vector<std::string> names = flag.Names();
    if (!flag.IsSwitch()) names.back() += " " + flag.value;
    for (std::string& name : names)
      name.insert(0, 1, '`').push_back('`');
    text += "- " + Join(names, ", ") + ": " + flag.help + "\n";
  }
  return text;
}

std::string MarkdownVerb(Command& command) {
  const VerbHelp& help = HelpOf(command.Name());
  std::string text = "\n## " + NamesOf(help) + "\n\n" + std::string(help.summary) + ".\n\n    " +
                     UsageLine(command) + "\n\n" + std::string(help.description) + "\n\n";
  for (const Example& example : help.examples) {
    text +=
        "    # " + std::string(example.purpose) + "\n    " + std::string(example.command) + "\n";
  }
  const std::vector<Flag> flags = command.Flags();
  if (!flags.empty()) text += "\n" + MarkdownFlags(flags);
  std::vector<std::string> codes;
  for (const int code : ExitCodesOf(help))
    codes.push_back(std::to_string(code));
  return text + "\nExit codes: " + Join(codes, ", ") + ".\n";
}

}  // namespace

std::span<const ExitCode> ExitCodes() { return kExitCodes; }

std::vector<int> ExitCodesOf(const VerbHelp& help) {
  std::vector<int> codes = help.exit_codes;
  codes.insert(codes.end(), {0, 2, 130});
  std::ranges::sort(codes);
  return codes;
}

std::string_view MeaningOf(int exit_code) {
  const auto* const found = std::ranges::find(kExitCodes, exit_code, &ExitCode::code);
  PLUMB_CHECK(found != kExitCodes.end());
  return found->meaning;
}

std::span<const Variable> Variables() { return kVariables; }

std::string_view About() { return kAbout; }

std::vector<Flag> SharedFlags() {
  static GlobalOptions unused;
  return GlobalFlags(unused);
}

std::string NamesOf(const VerbHelp& help) {
  std::string names(help.name);
  if (!help.alias.empty()) names += ", " + std::string(help.alias);
  return names;
}

int ExitCodeOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return 2;
    case ErrorKind::kNotFound:
      return 3;
    case ErrorKind::kCorrupt:
      return 4;
    case ErrorKind::kConflict:
      return 5;
    case ErrorKind::kDenied:
      return 6;
    case ErrorKind::kUnavailable:
      return 7;
    case ErrorKind::kExhausted:
      return 8;
    case ErrorKind::kUnsupported:
      return 9;
    case ErrorKind::kInterrupted:
      break;
  }
  return 130;
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known,
                       std::string_view otherwise) {
  if (const auto nearest = Nearest(word, known)) return "did you mean '" + *nearest + "'?";
  return std::string(otherwise);
}

Error UnknownVerb(std::string_view word) {
  std::vector<std::string> known;
  for (const VerbHelp& help : AllHelp()) {
    known.emplace_back(help.name);
    if (!help.alias.empty()) known.emplace_back(help.alias);
  }
  return Error{ErrorKind::kInvalid, "unknown verb '" + Printable(word) + "'",
               DidYouMean(word, known, "plumb help")};
}

const VerbHelp& HelpOf(std::string_view name) {
  const std::span<const VerbHelp> all = AllHelp();
  const auto found = std::ranges::find(all, name, &VerbHelp::name);
  PLUMB_CHECK(found != all.end());
  return *found;
}

std::string UsageLine(Command& command) {
  std::string line = "plumb " + std::string(command.Name());
  for (const Operand& operand : command.Operands()) {
    const std::string name = operand.name + (operand.IsList() ? "..." : "");
    line += operand.presence == Presence::kRequired ? " " + name : " [" + name + "]";
  }
  return line + " [flags]";
}

std::string Overview() {
  std::string text(kAbout);
  text += "\nUsage: plumb VERB [REFERENCE] [flags]\n";
  std::vector<std::vector<std::string>> rows;
  std::string_view group;
  for (const VerbHelp& help : AllHelp()) {
    rows.push_back({help.group == group ? "" : std::string(help.group), NamesOf(help),
                    std::string(help.summary)});
    group = help.group;
  }
  text += "\n" + Table(rows);
  text += "\nFlags of every verb:\n" + Table(FlagRows(SharedFlags()));
  text += "\nEnvironment:\n" + Table(VariableRows());
  return text + "\nMore of one verb: plumb help VERB\n";
}

std::string HelpText(Command& command) {
  const VerbHelp& help = HelpOf(command.Name());
  std::string text = std::string(help.summary) + "\n\nUsage: " + UsageLine(command) + "\n";
  if (!help.alias.empty()) text += "Also called: plumb " + std::string(help.alias) + "\n";
  text += "\n" + std::string(help.description) + "\n\nExamples:\n";
  for (const Example& example : help.examples) {
    text += "  # " + std::string(example.purpose) + "\n  " + std::string(example.command) + "\n";
  }
  const std::vector<Flag> flags = command.Flags();
  if (!flags.empty()) text += "\nFlags:\n" + Table(FlagRows(flags));
  text += "\nFlags of every verb:\n" + Table(FlagRows(SharedFlags()));
  std::vector<std::vector<std::string>> rows;
  for (const int code : ExitCodesOf(help))
    rows.push_back({"  " + std::to_string(code), std::string(MeaningOf(code))});
  return text + "\nExit codes:\n" + Table(rows);
}

std::string HelpMarkdown(const Commands& commands) {
  std::string text =
      "# The command line\n\n"
      "Written by `plumb help --markdown`; a test checks that it is current.\n\n";
  text += std::string(kAbout) + "\nFlags of every verb:\n\n" + MarkdownFlags(SharedFlags());
  text += "\nEnvironment:\n\n";
  for (const Variable& variable : kVariables)
    text += "- `" + std::string(variable.name) + "`: " + std::string(variable.meaning) + "\n";
  text += "\nExit codes:\n\n";
  for (const ExitCode& code : kExitCodes)
    text += "- " + std::to_string(code.code) + ": " + std::string(code.meaning) + "\n";
  for (const VerbHelp& help : AllHelp()) {
    for (const std::unique_ptr<Command>& command : commands) {
      if (command->Name() == help.name) text += MarkdownVerb(*command);
    }
  }
  return text;
}

}  // namespace plumb::cli
