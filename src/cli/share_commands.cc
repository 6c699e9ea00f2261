// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/command.h"
#include "cli/network_flags.h"
#include "cli/render.h"
#include "verbs/login.h"
#include "verbs/pull.h"
#include "verbs/push.h"

namespace plumb::cli {
namespace {

class LoginCommand final : public Command {
 public:
  std::string_view Name() const override { return "login"; }
  std::vector<Operand> Operands() override { return {{"HOST", &options_.registry}}; }
  std::vector<Flag> Flags() override {
    std::vector<Flag> flags = {
        {"-u,--username", "USER", "Who logs in", &options_.user},
        {"-p,--password", "SECRET", "The password or token, seen by all who list processes",
         &options_.secret},
        {"--password-stdin", "", "Read the password or token from standard input", &from_input_},
    };
    network_.AddTo(flags);
    return flags;
  }
  Result<Answer> Run(Context& context) override {
    if (from_input_ && !options_.secret.empty()) {
      return Error{ErrorKind::kInvalid,
                   "'--password' and '--password-stdin' cannot be used together"};
    }
    PLUMB_RETURN_IF_ERROR(verbs::CheckRegistryName(options_.registry));
    const std::string command = "plumb login " + options_.registry + " --username USER";
    if (options_.user.empty() && context.terminal.IsInteractive(host::Stream::kInput)) {
      PLUMB_TRY(options_.user, context.terminal.ReadLine("Username: "));
    }
    if (options_.user.empty()) {
      return Error{ErrorKind::kInvalid, "'plumb login' needs a user", command};
    }
    if (from_input_) {
      PLUMB_TRY(options_.secret, ReadInput(context.terminal));
    } else if (!options_.secret.empty()) {
      context.progress.Warn(
          "other users can see a password on the command line: --password-stdin hides it");
    } else if (context.terminal.IsInteractive(host::Stream::kInput)) {
      PLUMB_TRY(options_.secret, context.terminal.ReadSecret("Password: "));
    }
    if (options_.secret.empty()) {
      return Error{ErrorKind::kInvalid, "'plumb login' needs a password",
                   command + " --password-stdin"};
    }
    PLUMB_TRY(options_.network, network_.Options());
    PLUMB_TRY(const auto report, verbs::Login(context.workspace, options_, context.progress));
    Json json = Json::MakeObject();
    json.Append("registry", Json::String(report.registry));
    json.Append("user", Json::String(report.user));
    return Answer{"Log in successful\n", std::move(json)};
  }

 private:
  // Without the line end that `echo` and editors leave.
  static Result<std::string> ReadInput(host::Terminal& terminal) {
    constexpr std::size_t kSecretSizeMax = std::size_t{64} << 10;
    PLUMB_TRY(std::string secret, terminal.ReadInput(kSecretSizeMax));
    if (secret.ends_with('\n')) secret.pop_back();
    if (secret.ends_with('\r')) secret.pop_back();
    return secret;
  }

  verbs::LoginOptions options_;
  NetworkFlags network_;
  bool from_input_ = false;
};

class LogoutCommand final : public Command {
 public:
  std::string_view Name() const override { return "logout"; }
  std::vector<Operand> Operands() override { return {{"HOST", &options_.registry}}; }
  Result<Answer> Run(Context& context) override {
    PLUMB_TRY(const auto report, verbs::Logout(context.workspace, options_));
    Json json = Json::MakeObject();
    json.Append("registry", Json::String(report.registry));
    return Answer{"Successfully logged out from " + report.registry + "\n", std::move(json)};
  }

 private:
  verbs::LogoutOptions options_;
};

class PushCommand final : public Command {
 public:
  std::string_view Name() const override { return "push"; }
  std::vector<Operand> Operands() override {
    return {{"SOURCE", &options_.source, Presence::kRequired, Offer::kReference},
            {"TARGET", &options_.target, Presence::kOptional, Offer::kReference}};
  }
  std::vector<Flag> Flags() override {
    std::vector<Flag> flags;
    network_.AddWithConcurrencyTo(flags);
    return flags;
  }
  Result<Answer> Run(Context& context) override {
    PLUMB_TRY(options_.network, network_.Options());
    options_.on_begin = [&](const verbs::PushReport& report) {
      context.begin(BeginningOf(report));
    };
    PLUMB_TRY(const auto report, verbs::Push(context.workspace, options_, context.progress));
    return Render(report);
  }

 private:
  verbs::PushOptions options_;
  NetworkFlags network_;
};

class PullCommand final : public Command {
 public:
  std::string_view Name() const override { return "pull"; }
  std::vector<Operand> Operands() override {
    return {{"SOURCE", &options_.source, Presence::kRequired, Offer::kReference},
            {"NAME", &options_.name, Presence::kOptional, Offer::kReference}};
  }
  std::vector<Flag> Flags() override {
    std::vector<Flag> flags = {{"--platform", "OS/ARCH",
                                "Of an index, take the kit for this platform", &options_.platform}};
    network_.AddWithConcurrencyTo(flags);
    return flags;
  }
  Result<Answer> Run(Context& context) override {
    PLUMB_TRY(options_.network, network_.Options());
    options_.on_begin = [&](const verbs::PullReport& report) {
      context.begin(BeginningOf(report));
    };
    PLUMB_TRY(const auto report, verbs::Pull(context.workspace, options_, context.progress));
    return Render(report);
  }

 private:
  verbs::PullOptions options_;
  NetworkFlags network_;
};

}  // namespace

void AddShareCommands(Commands& commands) {
  commands.push_back(std::make_unique<LoginCommand>());
  commands.push_back(std::make_unique<LogoutCommand>());
  commands.push_back(std::make_unique<PushCommand>());
  commands.push_back(std::make_unique<PullCommand>());
}

}  // namespace plumb::cli
