// SPDX-License-Identifier: MIT OR Apache-2.0
#include <memory>

#include "cli/command.h"
#include "cli/network_flags.h"
#include "cli/render.h"
#include "verbs/config.h"
#include "verbs/du.h"
#include "verbs/fsck.h"
#include "verbs/gc.h"
#include "verbs/optimize.h"
#include "verbs/repair.h"

namespace plumb::cli {
namespace {

class GcCommand final : public Command {
 public:
  std::string_view Name() const override { return "gc"; }
  std::vector<Flag> Flags() override {
    return {
        {"-n,--dry-run", "", "Say what would go, and change nothing", &dry_run_},
        {"--keep-untagged", "TIME",
         "Keep kits without tags for 14d, 12h, 0 …; default: 90d after a tag left, else 14d",
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

class OptimizeCommand final : public Command {
 public:
  std::string_view Name() const override { return "optimize"; }
  std::vector<Flag> Flags() override {
    return {{"--archive", "", "As small as it gets; some times slower to read", &archive_}};
  }
  Result<Answer> Run(Context& context) override {
    verbs::OptimizeOptions options;
    if (archive_) options.tier = store::Tier::kArchive;
    PLUMB_TRY(const auto report, verbs::Optimize(context.workspace, options, context.progress));
    return Render(report);
  }

 private:
  bool archive_ = false;
};

class FsckCommand final : public Command {
 public:
  std::string_view Name() const override { return "fsck"; }
  std::vector<Flag> Flags() override {
    std::vector<Flag> flags = {
        {"--full", "", "Read and hash every byte", &full_},
        {"--repair", "FROM", "Store anew what is damaged, from HOST/REPOSITORY, oci:DIR or FILE",
         &repair_from_, Offer::kFile},
        {"--rebuild-catalog", "", "First make the catalog again from the packs", &rebuild_},
    };
    network_.AddWithConcurrencyTo(flags);
    return flags;
  }
  Result<Answer> Run(Context& context) override {
    if (!repair_from_.empty()) return Repair(context);
    verbs::FsckOptions options;
    if (full_) options.depth = store::Depth::kContent;
    if (rebuild_) options.rebuild = verbs::RebuildCatalog::kYes;
    PLUMB_TRY(const auto report, verbs::Fsck(context.workspace, options, context.progress));
    return Render(report);
  }

 private:
  Result<Answer> Repair(Context& context) {
    verbs::RepairOptions options;
    options.source = repair_from_;
    PLUMB_TRY(options.network, network_.Options());
    if (rebuild_) options.rebuild = verbs::RebuildCatalog::kYes;
    PLUMB_TRY(const auto report, verbs::Repair(context.workspace, options, context.progress));
    return Render(report);
  }

  NetworkFlags network_;
  std::string repair_from_;
  bool full_ = false;
  bool rebuild_ = false;
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

class ConfigCommand final : public Command {
 public:
  std::string_view Name() const override { return "config"; }
  std::vector<Operand> Operands() override {
    return {{"KEY", &key_, Presence::kOptional, Offer::kWord, verbs::KnownSettingKeys()},
            {"VALUE", &value_, Presence::kOptional}};
  }
  std::vector<Flag> Flags() override {
    return {{"--unset", "", "Take KEY away, so that it is as it is built in", &unset_}};
  }
  Result<Answer> Run(Context& context) override {
    if (unset_) return Unset(context);
    if (key_.empty()) {
      PLUMB_TRY(const auto report, verbs::ListSettings(context.workspace));
      return Render(report);
    }
    if (value_.empty()) {
      PLUMB_TRY(const auto setting, verbs::ReadSetting(context.workspace, key_));
      return Render(setting);
    }
    PLUMB_TRY(const auto setting, verbs::WriteSetting(context.workspace, key_, value_));
    Answer answer = Render(setting);
    answer.text.clear();  // who said it knows it
    return answer;
  }

 private:
  Result<Answer> Unset(Context& context) const {
    if (key_.empty() || !value_.empty())
      return Error{ErrorKind::kInvalid, "'--unset' takes one key", "plumb config --unset KEY"};
    PLUMB_RETURN_IF_ERROR(verbs::UnsetSetting(context.workspace, key_));
    return Answer{"", Json::MakeObject().Set("key", Json::String(key_)).Set("value", Json())};
  }

  std::string key_;
  std::string value_;
  bool unset_ = false;
};

}  // namespace

void AddKeepCommands(Commands& commands) {
  commands.push_back(std::make_unique<GcCommand>());
  commands.push_back(std::make_unique<OptimizeCommand>());
  commands.push_back(std::make_unique<FsckCommand>());
  commands.push_back(std::make_unique<DuCommand>());
  commands.push_back(std::make_unique<ConfigCommand>());
}

}  // namespace plumb::cli
