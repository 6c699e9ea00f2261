// SPDX-License-Identifier: MIT OR Apache-2.0
#include <memory>

#include "cli/command.h"
#include "cli/render.h"
#include "verbs/du.h"
#include "verbs/fsck.h"
#include "verbs/gc.h"

namespace plumb::cli {
namespace {

class GcCommand final : public Command {
 public:
  std::string_view Name() const override { return "gc"; }
  std::vector<Flag> Flags() override {
    return {
        {"-n,--dry-run", "", "Say what would go, and change nothing", &dry_run_},
        {"--keep-untagged", "TIME", "Keep kits without tags for 14d, 12h, 0 …; default: 14d",
         &options_.keep_untagged},
    };
  }
  Result<Answer> Run(Context& context) override {
    if (dry_run_) options_.dry_run = store::DryRun::kYes;
    PLUMB_TRY(const auto report, verbs::Gc(context.workspace, options_, context.progress));
    return Render(report);
  }

 private:
  verbs::GcOptions options_;
  bool dry_run_ = false;
};

class FsckCommand final : public Command {
 public:
  std::string_view Name() const override { return "fsck"; }
  std::vector<Flag> Flags() override {
    return {{"--full", "", "Read and hash every byte", &full_}};
  }
  Result<Answer> Run(Context& context) override {
    verbs::FsckOptions options;
    if (full_) options.depth = store::Depth::kContent;
    PLUMB_TRY(const auto report, verbs::Fsck(context.workspace, options, context.progress));
    return Render(report);
  }

 private:
  bool full_ = false;
};

class DuCommand final : public Command {
 public:
  std::string_view Name() const override { return "du"; }
  std::vector<Operand> Operands() override {
    return {{"REFERENCE", &options_.names, Presence::kOptional, Offer::kReference}};
  }
  Result<Answer> Run(Context& context) override {
    PLUMB_TRY(const auto report, verbs::Du(context.workspace, options_, context.progress));
    return Render(report);
  }

 private:
  verbs::DuOptions options_;
};

}  // namespace

void AddKeepCommands(Commands& commands) {
  commands.push_back(std::make_unique<GcCommand>());
  commands.push_back(std::make_unique<FsckCommand>());
  commands.push_back(std::make_unique<DuCommand>());
}

}  // namespace plumb::cli
