// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/blueprint_input.h"
#include "cli/command.h"
#include "cli/network_flags.h"
#include "cli/render.h"
#include "verbs/build.h"
#include "verbs/unpack.h"

namespace plumb::cli {
namespace {

class BuildCommand final : public Command {
 public:
  std::string_view Name() const override { return "build"; }
  std::vector<Operand> Operands() override {
    return {{"DIR", &options_.directory, Presence::kOptional, Offer::kDirectory}};
  }
  std::vector<Flag> Flags() override {
    std::vector<Flag> flags = {
        {"-f,--file", "BLUEPRINT", "Build from this Kitfile or Modelfile; - reads standard input",
         &file_, Offer::kFile},
        {"-t,--tag", "REF[:TAG,...]", "Point these tags at the kit; may be repeated",
         &options_.tags, Offer::kReference},
        {"--compression",
         "HOW",
         "none, gzip, gzip-fastest or zstd; default: none",
         &options_.compression,
         Offer::kWord,
         {"none", "gzip", "gzip-fastest", "zstd"}},
        {"--format",
         "FORMAT",
         "modelkit or cncf, which is a ModelPack; default: modelkit",
         &options_.format,
         Offer::kWord,
         {"modelkit", "cncf"}},
        {"--use-model-pack", "", "The same as --format cncf", &use_model_pack_},
        {"--layer-format",
         "FORMAT",
         "tar, or raw: one layer for each file; default: tar, for cncf raw",
         &options_.layer_format,
         Offer::kWord,
         {"tar", "raw"}},
        {"--kit-compat",
         "VERSION",
         "Make the kit that this version of KitOps makes, with the same id (1.7)",
         &options_.kit_compatibility,
         Offer::kWord,
         {"1.7"}},
        {"-m,--message", "TEXT", "Why; recorded with each tag that moves", &options_.message},
        {"--rehash", "", "Read every file, even where nothing seems to have changed", &rehash_},
        {"--follow-symlinks", "", "Pack what symlinks point at, as long as it is in DIR",
         &follow_symlinks_},
        {"--lock", "", "Write the lock file even if no base is named", &lock_},
        {"--locked", "", "Fail if anything is not as the lock file says; write none", &locked_},
        {"--update", "", "Resolve bases anew, whatever the lock file says", &update_},
    };
    network_.AddTo(flags);
    return flags;
  }
  Result<Answer> Run(Context& context) override {
    if (locked_ && (lock_ || update_)) {
      return Error{ErrorKind::kInvalid, std::string("'--locked' and '") +
                                            (lock_ ? "--lock" : "--update") +
                                            "' cannot be used together"};
    }
    if (lock_) options_.locking = verbs::Locking::kWrite;
    if (locked_) options_.locking = verbs::Locking::kCheck;
    if (update_) options_.locking = verbs::Locking::kUpdate;
    PLUMB_TRY(options_.blueprint, ChooseBlueprint(file_, context.terminal));
    if (use_model_pack_) {
      if (options_.format == "modelkit") {
        return Error{ErrorKind::kInvalid,
                     "'--use-model-pack' and '--format modelkit' cannot be used together"};
      }
      options_.format = "cncf";
    }
    if (rehash_) options_.rehash = verbs::Rehash::kYes;
    if (follow_symlinks_) options_.follow_symlinks = verbs::FollowSymlinks::kYes;
    PLUMB_TRY(options_.network, network_.Options());
    PLUMB_TRY(const auto report, verbs::Build(context.workspace, options_, context.progress));
    return Render(report);
  }

 private:
  verbs::BuildOptions options_;
  std::string file_;
  NetworkFlags network_;
  bool use_model_pack_ = false;
  bool rehash_ = false;
  bool follow_symlinks_ = false;
  bool lock_ = false;
  bool locked_ = false;
  bool update_ = false;
};

class UnpackCommand final : public Command {
 public:
  std::string_view Name() const override { return "unpack"; }
  std::vector<Operand> Operands() override {
    return {{"REFERENCE", &options_.kit, Presence::kRequired, Offer::kReference}};
  }
  std::vector<Flag> Flags() override {
    std::vector<Flag> flags = {
        {"-d,--dir", "DIR", "Unpack here; default: the working directory", &options_.directory,
         Offer::kDirectory},
        {"-f,--filter", "FILTER", "Unpack only what matches; may be repeated", &options_.filters},
        {"-o,--overwrite", "", "Replace files that are there", &overwrite_},
        {"-i,--ignore-existing", "", "Leave files that are there as they are", &ignore_existing_},
    };
    network_.AddWithConcurrencyTo(flags);
    return flags;
  }
  Result<Answer> Run(Context& context) override {
    if (overwrite_ && ignore_existing_) {
      return Error{ErrorKind::kInvalid,
                   "'--overwrite' and '--ignore-existing' cannot be used together"};
    }
    if (overwrite_) options_.existing = verbs::Existing::kOverwrite;
    if (ignore_existing_) options_.existing = verbs::Existing::kIgnore;
    PLUMB_TRY(options_.network, network_.Options());
    options_.on_begin = [&](const verbs::UnpackReport& report) {
      context.begin(BeginningOf(report));
    };
    PLUMB_TRY(const auto report, verbs::Unpack(context.workspace, options_, context.progress));
    return Render(report);
  }

 private:
  verbs::UnpackOptions options_;
  NetworkFlags network_;
  bool overwrite_ = false;
  bool ignore_existing_ = false;
};

}  // namespace

void AddBuildCommands(Commands& commands) {
  commands.push_back(std::make_unique<BuildCommand>());
  commands.push_back(std::make_unique<UnpackCommand>());
}

}  // namespace plumb::cli
