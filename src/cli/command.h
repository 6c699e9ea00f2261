// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CLI_COMMAND_H_
#define PLUMB_CLI_COMMAND_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/progress.h"
#include "base/result.h"
#include "host/terminal.h"
#include "verbs/workspace.h"

namespace plumb::cli {

// Where what a person wrote goes: a switch (of some it counts whether anything was said), a number,
// a word (of several the last counts), or all words. It keeps its value if nothing was written.
using Target =
    std::variant<bool*, std::optional<bool>*, unsigned*, std::string*, std::vector<std::string>*>;

// What a shell offers where a value stands.
enum class Offer : std::uint8_t { kNothing, kFile, kDirectory, kReference, kWord };

struct Flag {
  std::string names;  // "-f,--file"; the long one last
  std::string value;  // "FILE", as help shows it; empty for a switch
  std::string help;
  Target target;
  Offer offer = Offer::kNothing;
  std::vector<std::string> words = {};  // of kWord

  std::vector<std::string> Names() const;  // "-f", "--file"
  bool IsSwitch() const { return value.empty(); }
};

enum class Presence : std::uint8_t { kRequired, kOptional };

// What stands in a place of its own: "plumb tag SOURCE TARGET".
struct Operand {
  std::string name;  // "SOURCE"
  Target target;
  Presence presence = Presence::kRequired;
  Offer offer = Offer::kNothing;
  std::vector<std::string> words = {};  // of kWord

  bool IsList() const { return std::holds_alternative<std::vector<std::string>*>(target); }
};

class Command;
using Commands = std::vector<std::unique_ptr<Command>>;

// What a command works with.
struct Context {
  verbs::Workspace& workspace;
  Progress& progress;
  host::Terminal& terminal;
  const Commands& commands;  // all of them, for those that tell of others
  // Prints the first line of an answer when the work begins; under --json and --quiet nothing.
  std::function<void(const std::string& line)> begin;
};

// What a command has to say, in both of the ways a person may ask for.
struct Answer {
  std::string text;  // with its line ends
  Json json;
  // What --quiet prints instead of `text`.
  std::optional<std::string> brief = {};
  // What was asked for has gone to standard output already: nothing of the above is printed.
  bool is_given = false;
  // What is complained of although there is an answer: some of several things were done, or what
  // was looked at is damaged. It decides what the program ends with, unless `is_wanting`.
  std::optional<Error> failure = {};
  // What was asked to be checked or compared is not as it should be, which is an answer and no
  // error: the program ends with 1.
  bool is_wanting = false;
};

// A verb as it is written: its arguments are read into it, then it is run, once.
class Command {
 public:
  virtual ~Command() = default;

  // As in help.h, which also says what it is called besides.
  virtual std::string_view Name() const = 0;
  // Both point into this command.
  virtual std::vector<Operand> Operands() { return {}; }
  virtual std::vector<Flag> Flags() { return {}; }

  virtual Result<Answer> Run(Context& context) = 0;
};

// One of each verb. The functions stand in the file of their group.
Commands AllCommands();
void AddBuildCommands(Commands& commands);
void AddExchangeCommands(Commands& commands);
void AddLookCommands(Commands& commands);
void AddChangeCommands(Commands& commands);
void AddShareCommands(Commands& commands);
void AddTrustCommands(Commands& commands);
void AddKeepCommands(Commands& commands);
void AddHelpCommands(Commands& commands);

}  // namespace plumb::cli

#endif  // PLUMB_CLI_COMMAND_H_
