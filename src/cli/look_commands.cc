// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/blueprint_input.h"
#include "cli/command.h"
#include "cli/network_flags.h"
#include "cli/render.h"
#include "verbs/diff.h"
#include "verbs/info.h"
#include "verbs/inspect.h"
#include "verbs/list.h"
#include "verbs/show.h"

namespace plumb::cli {
namespace {

class ListCommand final : public Command {
 public:
  std::string_view Name() const override { return "list"; }
  std::vector<Operand> Operands() override {
    return {{"REPOSITORY", &options_.repository, Presence::kOptional, Offer::kNothing}};
  }
  std::vector<Flag> Flags() override {
    std::vector<Flag> flags = {{"--format",
                                "FORMAT",
                                "table, json or a template; default: table",
                                &format_,
                                Offer::kWord,
                                {"table", "json"}}};
    network_.AddWithConcurrencyTo(flags);
    return flags;
  }
  Result<Answer> Run(Context& context) override {
    PLUMB_RETURN_IF_ERROR(Render(verbs::ListReport(), format_));  // before any work
    PLUMB_TRY(options_.network, network_.Options());
    PLUMB_TRY(const auto report, verbs::List(context.workspace, options_, context.progress));
    return Render(report, format_);
  }

 private:
  verbs::ListOptions options_;
  NetworkFlags network_;
  std::string format_ = "table";
};

// The kit that info and inspect look at.
class KitFlags {
 public:
  std::vector<Operand> Operands() {
    return {{"REFERENCE", &kit_.name, Presence::kRequired, Offer::kReference}};
  }
  void AddTo(std::vector<Flag>& flags) {
    flags.push_back({"-r,--remote", "", "Look where its name says, not in this store", &remote_});
    network_.AddTo(flags);
  }
  Result<verbs::KitSource> Source() {
    if (remote_) kit_.where = verbs::Where::kElsewhere;
    PLUMB_TRY(kit_.network, network_.Options());
    return kit_;
  }

 private:
  verbs::KitSource kit_;
  NetworkFlags network_;
  bool remote_ = false;
};

class InfoCommand final : public Command {
 public:
  std::string_view Name() const override { return "info"; }
  std::vector<Operand> Operands() override { return kit_.Operands(); }
  std::vector<Flag> Flags() override {
    std::vector<Flag> flags = {
        {"-f,--filter", "PATH", "Show only this part, as .model.path", &options_.filter}};
    kit_.AddTo(flags);
    return flags;
  }
  Result<Answer> Run(Context& context) override {
    PLUMB_TRY(options_.kit, kit_.Source());
    PLUMB_TRY(auto report, verbs::Info(context.workspace, options_, context.progress));
    return Answer{std::move(report.yaml), std::move(report.value)};
  }

 private:
  verbs::InfoOptions options_;
  KitFlags kit_;
};

class InspectCommand final : public Command {
 public:
  std::string_view Name() const override { return "inspect"; }
  std::vector<Operand> Operands() override { return kit_.Operands(); }
  std::vector<Flag> Flags() override {
    std::vector<Flag> flags = {
        {"--referrers", "", "With --remote: list what is attached to it there", &referrers_}};
    kit_.AddTo(flags);
    return flags;
  }
  Result<Answer> Run(Context& context) override {
    verbs::InspectOptions options;
    PLUMB_TRY(options.kit, kit_.Source());
    if (referrers_) options.with_referrers = verbs::WithReferrers::kYes;
    PLUMB_TRY(const auto report, verbs::Inspect(context.workspace, options, context.progress));
    return Render(report);
  }

 private:
  KitFlags kit_;
  bool referrers_ = false;
};

class DiffCommand final : public Command {
 public:
  std::string_view Name() const override { return "diff"; }
  std::vector<Operand> Operands() override {
    return {{"BEFORE", &options_.before.name, Presence::kRequired, Offer::kReference},
            {"AFTER", &options_.after.name, Presence::kRequired, Offer::kReference}};
  }
  std::vector<Flag> Flags() override {
    std::vector<Flag> flags = {
        {"-r,--remote", "", "Look where their names say, not in this store", &remote_},
        {"--exit-code", "", "Exit with 1 if they differ", &tells_by_code_}};
    network_.AddTo(flags);
    return flags;
  }
  Result<Answer> Run(Context& context) override {
    for (verbs::KitSource* kit : {&options_.before, &options_.after}) {
      if (remote_) kit->where = verbs::Where::kElsewhere;
      PLUMB_TRY(kit->network, network_.Options());
    }
    PLUMB_TRY(const auto report, verbs::Diff(context.workspace, options_, context.progress));
    Answer answer = Render(report);
    answer.is_wanting = tells_by_code_ && report.before != report.after;
    return answer;
  }

 private:
  verbs::DiffOptions options_;
  NetworkFlags network_;
  bool remote_ = false;
  bool tells_by_code_ = false;
};

class ShowCommand final : public Command {
 public:
  std::string_view Name() const override { return "show"; }
  std::vector<Operand> Operands() override {
    return {{"REFERENCE", &kit_, Presence::kOptional, Offer::kReference}};
  }
  std::vector<Flag> Flags() override {
    return {
        {"--blueprint", "FILE", "Show this Kitfile or Modelfile; - reads standard input", &file_,
         Offer::kFile},
        {"--compat", "", "Read a Modelfile as Ollama does", &compatible_},
    };
  }
  Result<Answer> Run(Context& context) override {
    if (file_.empty() == kit_.empty()) {
      return Error{ErrorKind::kInvalid, "'plumb show' needs a kit or a blueprint, and not both",
                   "plumb show --blueprint FILE"};
    }
    if (!kit_.empty()) {
      PLUMB_TRY(const auto tensors, verbs::ShowTensors(context.workspace, kit_, context.progress));
      return Render(tensors);
    }
    PLUMB_TRY(options_.blueprint, ChooseBlueprint(file_, context.terminal));
    if (compatible_) options_.reading = verbs::ModelfileReading::kCompatible;
    PLUMB_TRY(auto report, verbs::Show(context.workspace, options_));
    return Answer{std::move(report.text), std::move(report.json)};
  }

 private:
  verbs::ShowOptions options_;
  std::string kit_;
  std::string file_;
  bool compatible_ = false;
};

}  // namespace

void AddLookCommands(Commands& commands) {
  commands.push_back(std::make_unique<ListCommand>());
  commands.push_back(std::make_unique<InfoCommand>());
  commands.push_back(std::make_unique<InspectCommand>());
  commands.push_back(std::make_unique<DiffCommand>());
  commands.push_back(std::make_unique<ShowCommand>());
}

}  // namespace plumb::cli
