// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/run.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/progress.h"
#include "cli/render.h"
#include "verbs/full_disk.h"

namespace plumb::cli {
namespace {

constexpr std::uint64_t kThreadsMax = 256;

// 0 if neither says: then it is up to the settings, which only those read that use threads.
Result<unsigned> ChooseThreads(const GlobalOptions& options, host::Environment& environment) {
  if (options.threads > 0) return options.threads;
  const auto text = environment.Get("PLUMB_THREADS");
  if (!text) return 0U;
  const auto number = ParseUint64(*text);
  if (!number || *number == 0 || *number > kThreadsMax) {
    return Error{ErrorKind::kInvalid, "PLUMB_THREADS is '" + Printable(*text) +
                                          "', not a number from 1 to " +
                                          std::to_string(kThreadsMax)};
  }
  return static_cast<unsigned>(*number);
}

Result<ProgressOptions> ChooseProgress(const GlobalOptions& options, host::Terminal& terminal,
                                       host::Environment& environment) {
  ProgressOptions chosen;
  chosen.stop_requested = host::StopRequested;
  if (options.json) {
    chosen.talk = Talk::kJson;
  } else if (options.quiet) {
    chosen.talk = Talk::kQuiet;
  } else if (options.verbose) {
    chosen.talk = Talk::kVerbose;
  }
  const bool has_screen =
      terminal.IsInteractive(host::Stream::kErrors) && environment.Get("TERM") != "dumb";
  if (options.progress == "auto") {
    if (has_screen) {
      chosen.style = ProgressStyle::kBars;
    } else if (!options.json) {
      chosen.style = ProgressStyle::kPlain;
    }
  } else if (options.progress == "plain") {
    chosen.style = ProgressStyle::kPlain;
  } else if (options.progress != "none") {
    return Error{ErrorKind::kInvalid, "'--progress' takes auto, plain or none, not '" +
                                          Printable(options.progress) + "'"};
  }
  if (options.quiet) chosen.style = ProgressStyle::kNone;
  return chosen;
}

// What a kit says is printed as it is, but must not steer a terminal.
Status PrintText(host::Terminal& terminal, const std::string& text) {
  const bool is_shown = terminal.IsInteractive(host::Stream::kOutput);
  auto status = terminal.Write(host::Stream::kOutput, is_shown ? PrintableLines(text) : text);
  if (status) return status;
  if (status.error().kind == ErrorKind::kInterrupted) return Done{};  // `plumb list | head -1`
  return std::move(status).error().While("cannot print the answer");
}

Result<Answer> RunCommand(const verbs::Machine& machine, host::Terminal& terminal,
                          const GlobalOptions& options, const Commands& commands,
                          Command& command) {
  PLUMB_TRY(const unsigned threads, ChooseThreads(options, machine.environment));
  PLUMB_TRY(ProgressOptions progress_options,
            ChooseProgress(options, terminal, machine.environment));
  const std::unique_ptr<Progress> progress =
      MakeProgress(terminal, machine.clock, std::move(progress_options));
  verbs::Workspace workspace(machine, threads);
  // If this cannot be printed neither can the rest, which is complained of.
  const auto begin = [&](const std::string& line) {
    if (!options.json && !options.quiet) static_cast<void>(PrintText(terminal, line));
  };
  Context context{workspace, *progress, terminal, commands, begin};
  auto answer = command.Run(context);
  if (!answer) return verbs::WithSpaceHint(workspace, std::move(answer).error());
  return answer;
}

Status Print(host::Terminal& terminal, const GlobalOptions& options, const Answer& answer) {
  if (answer.is_given) return Done{};
  if (options.json) return PrintText(terminal, PrintedJson(answer.json));
  return PrintText(terminal, options.quiet && answer.brief ? *answer.brief : answer.text);
}

// What is wrong with the words themselves has its remedy in the help, unless the error shows
// the place already.
Error WithHint(Error error, const Command& command) {
  const bool shows_place = error.message.find('\n') != std::string::npos;
  if (error.kind == ErrorKind::kInvalid && error.hint.empty() && !shows_place) {
    error.hint = "plumb help " + std::string(command.Name());
  }
  return error;
}

// Nobody is left to be told if this fails.
void Complain(host::Terminal& terminal, const Error& error, bool json) {
  static_cast<void>(
      terminal.Write(host::Stream::kErrors, json ? ErrorJson(error) : ErrorText(error)));
}

// Prints the answer, and gives what the program ends with.
Result<int> Tell(host::Terminal& terminal, const GlobalOptions& options, const Answer& answer) {
  PLUMB_RETURN_IF_ERROR(Print(terminal, options, answer));
  if (!answer.is_wanting && answer.failure) return *answer.failure;
  if (answer.failure) Complain(terminal, *answer.failure, options.json);
  return answer.is_wanting ? kFoundWanting : 0;
}

Result<int> Perform(const verbs::Machine& machine, host::Terminal& terminal,
                    const std::vector<std::string>& words, GlobalOptions& options) {
  const Commands commands = AllCommands();
  // What people try first where they know nothing yet.
  const bool asks_version = words == std::vector<std::string>{"--version"};
  PLUMB_TRY(
      Command* const command,
      ReadArguments(asks_version ? std::vector<std::string>{"version"} : words, commands, options));
  if (command == nullptr || options.help) {
    const std::string text = command == nullptr ? Overview() : HelpText(*command);
    Json json = Json::MakeObject();
    json.Append("text", Json::String(text));
    return Tell(terminal, options, {text, std::move(json)});
  }
  auto answer = RunCommand(machine, terminal, options, commands, *command);
  if (!answer) return WithHint(std::move(answer).error(), *command);
  if (answer->failure) answer->failure = WithHint(*std::move(answer->failure), *command);
  return Tell(terminal, options, *answer);
}

}  // namespace

int Run(const verbs::Machine& machine, host::Terminal& terminal,
        const std::vector<std::string>& words) {
  GlobalOptions options;
  const auto exit_code = Perform(machine, terminal, words, options);
  if (exit_code) return *exit_code;
  // Where the arguments could not be read at all, the wish for JSON was not read either.
  const bool json = options.json || std::ranges::find(words, "--json") != words.end();
  Complain(terminal, exit_code.error(), json);
  return ExitCodeOf(exit_code.error().kind);
}

}  // namespace plumb::cli
