// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/args.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "cli/help.h"

namespace plumb::cli {
namespace {

// More threads or connections than this help nobody.
constexpr std::uint64_t kNumberMax = 256;

// One flag or operand as CLI11 knows it. CLI11 only sorts words: what they mean is decided
// here, so that every wrong one is explained in the same voice.
struct Binding {
  CLI::Option* option;
  std::string name;  // "--threads", "SOURCE"
  Target target;
};

class Grammar {
 public:
  Grammar(const Commands& commands, GlobalOptions& options) {
    Prepare(app_);
    app_.require_subcommand(0, 1);
    for (const Flag& flag : GlobalFlags(options))
      AddFlag(app_, flag);
    for (const std::unique_ptr<Command>& command : commands) {
      const VerbHelp& help = HelpOf(command->Name());
      CLI::App* const verb = app_.add_subcommand(std::string(help.name));
      if (!help.alias.empty()) verb->alias(std::string(help.alias));
      Prepare(*verb);
      for (const Flag& flag : GlobalFlags(options))
        AddFlag(*verb, flag);
      for (const Flag& flag : command->Flags())
        AddFlag(*verb, flag);
      for (const Operand& operand : command->Operands())
        AddOperand(*verb, operand);
      verbs_.emplace_back(verb, command.get());
    }
  }

  Status Parse(std::vector<std::string> words) {
    std::ranges::reverse(words);  // as CLI11 wants them
    try {
      app_.parse(words);
    } catch (const CLI::ArgumentMismatch& mismatch) {
      const std::string what = mismatch.what();
      return Error{ErrorKind::kInvalid, "'" + what.substr(0, what.find(':')) + "' needs a value"};
    } catch (const CLI::ParseError& problem) {
      return Error{ErrorKind::kInvalid, Printable(problem.what())};
    }
    return Done{};
  }

  Command* Named() const {
    for (const auto& [verb, command] : verbs_) {
      if (verb->parsed()) return command;
    }
    return nullptr;
  }

  // What was written before the verb, and behind it, that nothing takes.
  std::vector<std::string> Rest() const {
    std::vector<std::string> rest = app_.remaining();
    for (const auto& [verb, command] : verbs_) {
      if (!verb->parsed()) continue;
      for (std::string& word : verb->remaining())
        rest.push_back(std::move(word));
    }
    std::erase(rest, "--");
    return rest;
  }

  const std::vector<Binding>& Bindings() const { return bindings_; }

 private:
  static void Prepare(CLI::App& app) {
    app.set_help_flag();
    app.allow_extras();
  }

  void AddFlag(CLI::App& app, const Flag& flag) {
    CLI::Option* const option =
        flag.IsSwitch() ? app.add_flag(flag.names) : app.add_option(flag.names);
    option->take_last();
    bindings_.push_back({option, flag.Names().back(), flag.target});
  }

  void AddOperand(CLI::App& app, const Operand& operand) {
    CLI::Option* const option = app.add_option(operand.name);
    if (operand.IsList())
      option->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args();
    bindings_.push_back({option, operand.name, operand.target});
  }

  CLI::App app_;
  std::vector<Binding> bindings_;
  std::vector<std::pair<CLI::App*, Command*>> verbs_;
};

std::optional<bool> ParseBool(std::string_view text) {
  for (const std::string_view yes : {"true", "yes", "1"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"false", "no", "0"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

Error Misread(const Binding& binding, std::string_view wanted, std::string_view text) {
  return Error{ErrorKind::kInvalid, "'" + binding.name + "' takes " + std::string(wanted) +
                                        ", not '" + Printable(text) + "'"};
}

Status Assign(const Binding& binding) {
  const std::vector<std::string>& results = binding.option->results();
  if (results.empty()) return Done{};
  const std::string& last = results.back();
  // As a rule a variable of a script that was never set; it must not mean "all" or "none".
  if (std::ranges::any_of(results, &std::string::empty)) {
    return Error{ErrorKind::kInvalid, "'" + binding.name + "' must not be empty"};
  }
  if (auto* const* words = std::get_if<std::vector<std::string>*>(&binding.target)) {
    (*words)->insert((*words)->end(), results.begin(), results.end());
  } else if (auto* const* word = std::get_if<std::string*>(&binding.target)) {
    **word = last;
  } else if (auto* const* number = std::get_if<unsigned*>(&binding.target)) {
    const auto value = ParseUint64(last);
    if (!value || *value == 0 || *value > kNumberMax) {
      return Misread(binding, "a number from 1 to " + std::to_string(kNumberMax), last);
    }
    **number = static_cast<unsigned>(*value);
  } else {
    const auto value = ParseBool(last);
    if (!value) return Misread(binding, "true or false", last);
    if (auto* const* on = std::get_if<std::optional<bool>*>(&binding.target)) {
      **on = value;
    } else {
      *std::get<bool*>(binding.target) = *value;
    }
  }
  return Done{};
}

Error UnknownFlag(std::string_view word, Command* command) {
  GlobalOptions ignored;
  std::vector<Flag> flags = GlobalFlags(ignored);
  std::string otherwise = "plumb help";
  if (command != nullptr) {
    for (Flag& flag : command->Flags())
      flags.push_back(std::move(flag));
    otherwise += " " + std::string(command->Name());
  }
  std::vector<std::string> known;
  for (const Flag& flag : flags) {
    for (std::string& name : flag.Names())
      known.push_back(std::move(name));
  }
  const std::string_view name = word.substr(0, word.find('='));
  if (std::ranges::find(known, name) != known.end()) {
    return Error{ErrorKind::kInvalid, "flag '" + std::string(name) + "' must stand behind the verb",
                 UsageLine(*command)};
  }
  // Of a single letter every other one is near.
  const std::string hint = name.size() > 2 ? DidYouMean(name, known, otherwise) : otherwise;
  return Error{ErrorKind::kInvalid, "unknown flag '" + Printable(name) + "'", hint};
}

Status CheckRest(const std::vector<std::string>& rest, Command* command) {
  const auto flag = std::ranges::find_if(
      rest, [](const std::string& word) { return word.size() > 1 && word.starts_with('-'); });
  if (flag != rest.end()) return UnknownFlag(*flag, command);
  if (rest.empty()) return Done{};
  if (command == nullptr) return UnknownVerb(rest.front());
  return Error{ErrorKind::kInvalid, "'" + Printable(rest.front()) + "' is one word too many",
               UsageLine(*command)};
}

// In "REFERENCE... FILE" all words have gone to the list: the last is not its own, unless there is
// only one, which is the first that is needed.
void GiveLastWord(const std::vector<Operand>& operands) {
  for (std::size_t i = 0; i + 1 < operands.size(); ++i) {
    if (!operands[i].IsList()) continue;
    std::vector<std::string>& list = *std::get<std::vector<std::string>*>(operands[i].target);
    std::string& word = *std::get<std::string*>(operands[i + 1].target);
    if (!word.empty() || list.size() < 2) continue;
    word = std::move(list.back());
    list.pop_back();
  }
}

bool IsMissing(const Operand& operand) {
  if (operand.presence == Presence::kOptional) return false;
  if (operand.IsList()) return std::get<std::vector<std::string>*>(operand.target)->empty();
  return std::get<std::string*>(operand.target)->empty();
}

}  // namespace

std::vector<std::string> Flag::Names() const {
  std::vector<std::string> all;
  for (const std::string_view name : Split(names, ','))
    all.emplace_back(name);
  return all;
}

std::vector<Flag> GlobalFlags(GlobalOptions& options) {
  return {
      {"-h,--help", "", "Show this help", &options.help},
      {"--json", "", "Answer, and complain, in JSON", &options.json},
      {"-q,--quiet", "", "Show no progress, no notes and no steps, only the result",
       &options.quiet},
      {"-v,--verbose", "", "Show progress of short steps too", &options.verbose},
      {"--threads", "N", "Use at most N threads (or PLUMB_THREADS); default: one per processor",
       &options.threads},
      {"--progress",
       "HOW",
       "auto (bars on a terminal), plain or none; default: auto",
       &options.progress,
       Offer::kWord,
       {"auto", "plain", "none"}},
  };
}

Result<Command*> ReadArguments(const std::vector<std::string>& words, const Commands& commands,
                               GlobalOptions& options) {
  Grammar grammar(commands, options);
  Status read = grammar.Parse(words);
  for (const Binding& binding : grammar.Bindings()) {
    if (read) read = Assign(binding);
  }
  Command* const command = grammar.Named();
  if (!read) {
    Error error = std::move(read).error();
    error.hint = command == nullptr ? "plumb help" : "plumb help " + std::string(command->Name());
    return error;
  }
  PLUMB_RETURN_IF_ERROR(CheckRest(grammar.Rest(), command));
  if (command == nullptr || options.help) return command;
  GiveLastWord(command->Operands());
  for (const Operand& operand : command->Operands()) {
    if (!IsMissing(operand)) continue;
    return Error{ErrorKind::kInvalid,
                 "'plumb " + std::string(command->Name()) + "' needs " + operand.name,
                 UsageLine(*command)};
  }
  return command;
}

}  // namespace plumb::cli
