// SPDX-License-Identifier: MIT OR Apache-2.0
#include <array>
#include <string_view>

#include "base/text.h"
#include "cli/command.h"
#include "cli/network_flags.h"
#include "cli/render.h"
#include "verbs/verify.h"

namespace plumb::cli {
namespace {

std::string_view WordOf(verbs::Verdict verdict) {
  constexpr std::array<std::string_view, 4> kWords = {"yes", "no", "not present", "unknown"};
  return kWords.at(static_cast<std::size_t>(verdict));
}

// The table of docs/threat-model.md: what was looked at, what was found, and why.
Answer Render(const verbs::VerifyReport& report, const std::string& kit) {
  std::vector<std::vector<std::string>> rows = {{"CHECK", "RESULT", "WHY"}};
  Json checks = Json::MakeArray();
  for (const verbs::Check& check : report.checks) {
    Json reasons = Json::MakeArray();
    for (const std::string& reason : check.reasons) {
      const bool is_first = &reason == check.reasons.data();
      rows.push_back({is_first ? check.name : "",
                      is_first ? std::string(WordOf(check.verdict)) : "", Printable(reason)});
      reasons.Add(Json::String(reason));
    }
    Json row = Json::MakeObject();
    row.Append("check", Json::String(check.name));
    row.Append("result", Json::String(WordOf(check.verdict)));
    row.Append("why", std::move(reasons));
    checks.Add(std::move(row));
  }
  Json json = Json::MakeObject();
  json.Append("digest", Json::String(report.id.ToString()));
  json.Append("checks", std::move(checks));
  Answer answer{report.id.ToString() + "\n" + Table(rows), std::move(json)};
  if (const verbs::Check* failed = report.Failure()) {
    const bool is_damage = failed->name != "rebuild";
    answer.is_wanting = true;
    answer.failure = Error{is_damage ? ErrorKind::kCorrupt : ErrorKind::kConflict,
                           "'" + kit + "' is not what it says it is: " + failed->name,
                           failed->name == "digests" ? "plumb fsck --full" : ""};
  } else if (const verbs::Check* open = report.Unanswered()) {
    // Whoever asked for it and reads the exit code only must not take it for a yes.
    answer.failure =
        Error{*open->obstacle,
              "whether '" + kit + "' is what it says it is stays unknown: " + open->name};
  }
  return answer;
}

class VerifyCommand final : public Command {
 public:
  std::string_view Name() const override { return "verify"; }
  std::vector<Operand> Operands() override {
    return {{"REFERENCE", &options_.kit, Presence::kRequired, Offer::kReference}};
  }
  std::vector<Flag> Flags() override {
    std::vector<Flag> flags = {
        {"--rebuild", "", "Build it again from its own files, and compare the ModelKitID",
         &build_again_},
    };
    network_.AddTo(flags);
    return flags;
  }
  Result<Answer> Run(Context& context) override {
    if (build_again_) options_.build_again = verbs::BuildAgain::kYes;
    PLUMB_TRY(options_.network, network_.Options());
    PLUMB_TRY(const auto report, verbs::Verify(context.workspace, options_, context.progress));
    return Render(report, Printable(options_.kit));
  }

 private:
  verbs::VerifyOptions options_;
  NetworkFlags network_;
  bool build_again_ = false;
};

}  // namespace

void AddTrustCommands(Commands& commands) { commands.push_back(std::make_unique<VerifyCommand>()); }

}  // namespace plumb::cli
