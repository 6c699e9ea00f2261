// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/command.h"
#include "cli/render.h"
#include "verbs/remove.h"
#include "verbs/tag.h"

namespace plumb::cli {
namespace {

Flag MessageFlag(std::string& message) {
  return {"-m,--message", "TEXT", "Why; recorded with each tag that moves", &message};
}

class TagCommand final : public Command {
 public:
  std::string_view Name() const override { return "tag"; }
  std::vector<Operand> Operands() override {
    return {{"SOURCE", &options_.source, Presence::kRequired, Offer::kReference},
            {"TARGET", &options_.target, Presence::kRequired, Offer::kReference}};
  }
  std::vector<Flag> Flags() override { return {MessageFlag(options_.message)}; }
  Result<Answer> Run(Context& context) override {
    PLUMB_TRY(const auto report, verbs::Tag(context.workspace, options_));
    // As build, pull and import say it.
    if (report.previous) {
      context.progress.Note("'" + report.target + "' pointed at " + report.previous->ToString() +
                            " before");
    }
    return Render(report);
  }

 private:
  verbs::TagOptions options_;
};

class RemoveCommand final : public Command {
 public:
  std::string_view Name() const override { return "remove"; }
  std::vector<Operand> Operands() override {
    return {{"REFERENCE", &names_, Presence::kOptional, Offer::kReference}};
  }
  std::vector<Flag> Flags() override {
    return {
        {"-f,--force", "", "Take the kit with all its tags, even if others are based on it",
         &force_},
        {"-a,--all", "", "Take every kit without a tag that no other needs; with --force every kit",
         &all_},
        MessageFlag(options_.message),
    };
  }
  Result<Answer> Run(Context& context) override {
    if (all_ == !names_.empty()) {
      return Error{ErrorKind::kInvalid, "'plumb remove' needs references or '--all', and not both",
                   "plumb list"};
    }
    if (all_) return RemoveAll(context);
    if (force_) options_.force = verbs::RemoveForce::kYes;
    std::vector<verbs::RemoveReport> reports;
    for (const std::string& name : names_) {
      options_.name = name;
      auto report = verbs::Remove(context.workspace, options_, context.progress);
      if (!report) return Stopped(std::move(report).error(), reports);
      reports.push_back(*std::move(report));
    }
    return Render(reports);
  }

 private:
  Result<Answer> RemoveAll(Context& context) {
    options_.what = force_ ? verbs::RemoveWhat::kAll : verbs::RemoveWhat::kUntagged;
    PLUMB_TRY(auto report, verbs::Remove(context.workspace, options_, context.progress));
    return Render(std::vector{std::move(report)});
  }

  // An error does not undo what came before it, and must not hide it.
  Result<Answer> Stopped(Error error, const std::vector<verbs::RemoveReport>& done) const {
    if (done.empty()) return error;
    Answer answer = Render(done);
    answer.failure = std::move(error).While("stopped after '" + names_[done.size() - 1] + "'");
    return answer;
  }

  verbs::RemoveOptions options_;
  std::vector<std::string> names_;
  bool force_ = false;
  bool all_ = false;
};

}  // namespace

void AddChangeCommands(Commands& commands) {
  commands.push_back(std::make_unique<TagCommand>());
  commands.push_back(std::make_unique<RemoveCommand>());
}

}  // namespace plumb::cli
