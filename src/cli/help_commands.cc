// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/help.h"
#include "cli/man.h"
#include "verbs/version.h"

namespace plumb::cli {
namespace {

class VersionCommand final : public Command {
 public:
  std::string_view Name() const override { return "version"; }
  Result<Answer> Run(Context& /*context*/) override {
    const verbs::VersionReport report = verbs::Version();
    Json json = Json::MakeObject();
    json.Append("version", Json::String(report.version));
    json.Append("compiler", Json::String(report.compiler));
    return Answer{"Version: " + report.version + "\nCompiler: " + report.compiler + "\n",
                  std::move(json)};
  }
};

class CompletionCommand final : public Command {
 public:
  std::string_view Name() const override { return "completion"; }
  std::vector<Operand> Operands() override {
    return {{"SHELL", &shell_, Presence::kRequired, Offer::kWord, {"bash", "zsh", "fish"}}};
  }
  Result<Answer> Run(Context& context) override {
    PLUMB_TRY(std::string script, CompletionScript(shell_, context.commands));
    Json json = Json::MakeObject();
    json.Append("shell", Json::String(shell_));
    json.Append("script", Json::String(script));
    return Answer{std::move(script), std::move(json)};
  }

 private:
  std::string shell_;
};

class HelpCommand final : public Command {
 public:
  std::string_view Name() const override { return "help"; }
  std::vector<Operand> Operands() override {
    std::vector<std::string> verbs;
    for (const VerbHelp& help : AllHelp())
      verbs.emplace_back(help.name);
    return {{"VERB", &verb_, Presence::kOptional, Offer::kWord, std::move(verbs)}};
  }
  std::vector<Flag> Flags() override {
    return {{"--markdown", "", "Print the help of all verbs as a document", &markdown_},
            {"--man", "", "Print the help as a page of the manual, for man(1)", &man_}};
  }
  Result<Answer> Run(Context& context) override {
    PLUMB_TRY(std::string text, Text(context.commands));
    Json json = Json::MakeObject();
    json.Append("text", Json::String(text));
    json.Append("verbs", Verbs());
    return Answer{std::move(text), std::move(json)};
  }

 private:
  static Json Verbs() {
    Json verbs = Json::MakeArray();
    for (const VerbHelp& help : AllHelp()) {
      Json verb = Json::MakeObject();
      verb.Append("name", Json::String(help.name));
      if (!help.alias.empty()) verb.Append("alias", Json::String(help.alias));
      verb.Append("summary", Json::String(help.summary));
      verbs.Add(std::move(verb));
    }
    return verbs;
  }

  Result<std::string> Text(const Commands& commands) const {
    if (markdown_ && man_) {
      return Error{ErrorKind::kInvalid, "'--markdown' and '--man' cannot be used together"};
    }
    if (markdown_) return HelpMarkdown(commands);
    if (verb_.empty()) return man_ ? ManOverview() : Overview();
    for (const std::unique_ptr<Command>& command : commands) {
      const std::string_view name = command->Name();
      if (verb_ == name || verb_ == HelpOf(name).alias) {
        return man_ ? ManPage(*command) : HelpText(*command);
      }
    }
    return UnknownVerb(verb_);
  }

  std::string verb_;
  bool markdown_ = false;
  bool man_ = false;
};

}  // namespace

void AddHelpCommands(Commands& commands) {
  commands.push_back(std::make_unique<VersionCommand>());
  commands.push_back(std::make_unique<CompletionCommand>());
  commands.push_back(std::make_unique<HelpCommand>());
}

Commands AllCommands() {
  Commands commands;
  AddBuildCommands(commands);
  AddExchangeCommands(commands);
  AddLookCommands(commands);
  AddChangeCommands(commands);
  AddShareCommands(commands);
  AddTrustCommands(commands);
  AddKeepCommands(commands);
  AddHelpCommands(commands);
  return commands;
}

}  // namespace plumb::cli
