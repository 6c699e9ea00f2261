// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/command.h"
#include "cli/render.h"
#include "verbs/export.h"
#include "verbs/import.h"
#include "verbs/init.h"

namespace plumb::cli {
namespace {

class OutputSink final : public ByteSink {
 public:
  explicit OutputSink(host::Terminal& terminal) : terminal_(terminal) {}
  Status Write(ByteSpan bytes) override {
    return terminal_.Write(host::Stream::kOutput, AsText(bytes));
  }

 private:
  host::Terminal& terminal_;
};

class InputSource final : public ByteSource {
 public:
  explicit InputSource(host::Terminal& terminal) : terminal_(terminal) {}
  Result<ByteSpan> Read(std::size_t size_max) override {
    PLUMB_TRY(piece_, terminal_.ReadSome(size_max));
    return AsBytes(piece_);
  }

 private:
  host::Terminal& terminal_;
  std::string piece_;
};

class ExportCommand final : public Command {
 public:
  std::string_view Name() const override { return "export"; }
  std::vector<Operand> Operands() override {
    return {{"REFERENCE", &options_.kits, Presence::kRequired, Offer::kReference},
            {"FILE", &options_.file, Presence::kRequired, Offer::kFile}};
  }
  std::vector<Flag> Flags() override {
    return {{"-f,--force", "", "Replace FILE if it is there", &force_}};
  }
  Result<Answer> Run(Context& context) override {
    OutputSink output(context.terminal);
    const bool is_stream = options_.file == "-" || options_.file == "/dev/stdout";
    if (is_stream) {
      if (context.terminal.IsInteractive(host::Stream::kOutput)) {
        return Error{ErrorKind::kInvalid, "a bundle is nothing for a terminal to show",
                     "plumb export REFERENCE FILE"};
      }
      options_.output = &output;
    }
    if (force_) options_.overwrite = host::Overwrite::kYes;
    PLUMB_TRY(const auto report, verbs::Export(context.workspace, options_, context.progress));
    Answer answer = Render(report);
    answer.is_given = is_stream;
    return answer;
  }

 private:
  verbs::ExportOptions options_;
  bool force_ = false;
};

class ImportCommand final : public Command {
 public:
  std::string_view Name() const override { return "import"; }
  std::vector<Operand> Operands() override {
    return {{"SOURCE", &options_.source, Presence::kRequired, Offer::kFile}};
  }
  std::vector<Flag> Flags() override {
    return {{"-t,--tag", "NAME[:TAG]", "What the kit is called here; default: as there",
             &options_.name, Offer::kReference},
            {"--link", "", "Use the files of models where they lie, by hard links", &link_}};
  }
  Result<Answer> Run(Context& context) override {
    if (link_) options_.link_files = verbs::LinkFiles::kYes;
    options_.input = std::make_unique<InputSource>(context.terminal);
    PLUMB_TRY(const auto report,
              verbs::Import(context.workspace, std::move(options_), context.progress));
    return Render(report);
  }

 private:
  verbs::ImportOptions options_;
  bool link_ = false;
};

class InitCommand final : public Command {
 public:
  std::string_view Name() const override { return "init"; }
  std::vector<Operand> Operands() override {
    return {{"DIR", &options_.directory, Presence::kOptional, Offer::kDirectory}};
  }
  std::vector<Flag> Flags() override {
    return {
        {"--modelfile", "", "Write a Modelfile, not a Kitfile", &modelfile_},
        {"--name", "NAME", "The name of the model; default: that of DIR", &options_.about.name},
        {"--desc", "TEXT", "What it is", &options_.about.description},
        {"--author", "NAME", "Who made it; may be repeated", &options_.about.authors},
        {"-o,--output", "FILE", "Write here; - prints it", &options_.output, Offer::kFile},
        {"-f,--force", "", "Replace a blueprint that is there", &force_},
    };
  }
  Result<Answer> Run(Context& context) override {
    const bool says_more = !options_.about.name.empty() || !options_.about.description.empty() ||
                           !options_.about.authors.empty();
    if (modelfile_ && says_more) {
      return Error{ErrorKind::kInvalid, "a Modelfile has no place for a name or an author"};
    }
    if (modelfile_) options_.kind = kit::BlueprintKind::kModelfile;
    if (force_) options_.overwrite = host::Overwrite::kYes;
    PLUMB_TRY(const auto report, verbs::Init(context.workspace, options_, context.progress));
    return Render(report);
  }

 private:
  verbs::InitOptions options_;
  bool modelfile_ = false;
  bool force_ = false;
};

}  // namespace

void AddExchangeCommands(Commands& commands) {
  commands.push_back(std::make_unique<InitCommand>());
  commands.push_back(std::make_unique<ExportCommand>());
  commands.push_back(std::make_unique<ImportCommand>());
}

}  // namespace plumb::cli
