// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "blueprint/modctl.h"
#include "blueprint/modelfile.h"
#include "kit/modelfile_files_internal.h"
#include "kit/modelfile_places_internal.h"
#include "kit/plan_internal.h"

namespace plumb::kit {
namespace {

using blueprint::kModelfileName;
using blueprint::Modelfile;
using blueprint::ModelfileCommand;

bool NamesFiles(const ModelfileCommand& command) {
  return command.name == "model" || command.name == "adapter" || command.name == "draft";
}

// A command that names files, or a base, and what came of it.
struct FileCommand {
  ModelfileCommand* command = nullptr;
  std::optional<NamedPlace> place;  // nothing: a reference
  std::vector<TakenFile> files;

  bool IsFrom() const { return command->name == "model"; }
};

// Turns a Modelfile into the Kitfile that docs/format.md says it is.
class ModelfileReader {
 public:
  ModelfileReader(const PlanRequest& request, const ContextRules& rules)
      : request_(request), places_(request, rules), rules_(rules) {}

  Result<ReadBlueprint> Read(Modelfile modelfile) {
    for (ModelfileCommand& command : modelfile.commands) {
      if (!NamesFiles(command)) continue;
      PLUMB_RETURN_IF_ERROR(At(command, Locate(command)));
    }
    PLUMB_RETURN_IF_ERROR(TakeFiles());
    read_.kitfile.manifest_version = blueprint::kManifestVersion;
    read_.kitfile.model.emplace();
    AddFiles();
    PLUMB_RETURN_IF_ERROR(AddLicenses(modelfile));
    AddParameters(modelfile);
    PLUMB_RETURN_IF_ERROR(AddReference());
    PLUMB_RETURN_IF_ERROR(AddModelfile(modelfile));
    read_.directories = std::move(places_).TakeDirectories();
    return std::move(read_);
  }

 private:
  // Says which line of the Modelfile is to blame.
  Status At(const ModelfileCommand& command, Status status) const {
    if (status || command.line == 0) return status;
    const std::string where = request_.blueprint.file + ":" + std::to_string(command.line) + ":" +
                              std::to_string(command.column);
    return std::move(status).error().While(where);
  }

  Status Locate(ModelfileCommand& command) {
    PLUMB_TRY(auto place, places_.Locate(command.args));
    if (!place) {
      const auto reference = oci::Reference::Parse(command.args);
      if (command.name != "model" || !reference)
        return Error{ErrorKind::kInvalid, "'" + Printable(command.args) + "' does not exist"};
      if (reference_) return Error{ErrorKind::kInvalid, "only one FROM may name another ModelKit"};
      reference_ = *reference;
    }
    commands_.push_back({&command, std::move(place), {}});
    return Done{};
  }

  // Files that are named come before files that a directory stands for, so that these are
  // what nobody named.
  Status TakeFiles() {
    const auto each = [&](bool is_directory, auto&& take) -> Status {
      for (FileCommand& command : commands_) {
        if (!command.place || command.place->is_directory != is_directory) continue;
        PLUMB_RETURN_IF_ERROR(At(*command.command, take(command)));
      }
      return Done{};
    };
    PLUMB_RETURN_IF_ERROR(each(false, [&](FileCommand& command) -> Status {
      PLUMB_TRY(command.files.emplace_back(), places_.TakeNamed(*command.place));
      return Done{};
    }));
    PLUMB_RETURN_IF_ERROR(each(false, [&](FileCommand& command) -> Status {
      PLUMB_TRY(auto others, places_.TakeSeries(*command.place));
      std::ranges::move(others, std::back_inserter(command.files));
      return Done{};
    }));
    return each(true, [&](FileCommand& command) -> Status {
      PLUMB_TRY(command.files, places_.TakeDirectory(*command.place));
      return Done{};
    });
  }

  // The first weights of the first FROM that names files, unless a FROM names a base.
  const TakenFile* ChooseModel() {
    if (reference_) return nullptr;
    for (const FileCommand& command : commands_) {
      if (!command.IsFrom() || command.files.empty()) continue;
      model_command_ = &command;
      const auto chosen = std::ranges::find_if(command.files, [](const TakenFile& file) {
        return file.is_weights && !IsProjectorName(NameOf(file.path));
      });
      return chosen == command.files.end() ? &command.files.front() : &*chosen;
    }
    return nullptr;
  }

  std::string PartType(const FileCommand& command, const TakenFile& file) {
    if (!command.IsFrom()) return command.command->name;
    const std::string_view name = NameOf(file.path);
    if (!file.is_weights) return std::string(OtherPartType(name));
    if (&command == model_command_ && !IsProjectorName(name)) return "shard";
    const auto series = SeriesName::Parse(name);
    const auto model_series = SeriesName::Parse(NameOf(model().path));
    const bool is_shard = series && model_series && series->IsWith(*model_series) &&
                          DirectoryOf(file.path) == DirectoryOf(model().path);
    return is_shard ? "shard" : "projector";
  }

  void AddFiles() {
    blueprint::Model& model = this->model();
    const TakenFile* const chosen = ChooseModel();
    if (chosen != nullptr) {
      model.path = chosen->path;
      model.format = FormatOf(NameOf(chosen->path));
    }
    for (FileCommand& command : commands_) {
      for (TakenFile& file : command.files) {
        if (&file != chosen)
          model.parts.push_back({{}, file.path, {}, PartType(command, file), {}});
        read_.provided.emplace(file.path, std::move(file.content));
      }
    }
  }

  Status AddLicenses(const Modelfile& modelfile) {
    std::string only;
    for (const ModelfileCommand& command : modelfile.commands) {
      if (command.name != "license") continue;
      const std::size_t count = read_.kitfile.docs.size() + 1;
      const std::string path = count == 1 ? "LICENSE" : "LICENSE." + std::to_string(count);
      PLUMB_RETURN_IF_ERROR(At(command, CheckSame(path, command.args)));
      read_.kitfile.docs.push_back({path, {}, {}});
      PLUMB_RETURN_IF_ERROR(Generate(path, command.args));
      only = count == 1 ? command.args : std::string();
    }
    read_.kitfile.package.license = SpdxIdentifier(only);
    return Done{};
  }

  // A file of the context where a generated one will stand must be that.
  Status CheckSame(const std::string& path, const std::string& text) {
    if (rules_.Ignores(path)) return Done{};
    const auto there = host::ReadFile(request_.context.directory, path, text.size());
    if (there && *there == text) return Done{};
    if (!there && there.error().kind == ErrorKind::kNotFound) return Done{};
    return Error{ErrorKind::kInvalid,
                 "'" + path + "' of the context is not the text of this LICENSE"};
  }

  Status Generate(const std::string& path, std::string text) {
    Content content;
    content.bytes = std::move(text);
    const auto beneath = read_.provided.upper_bound(path + "/");
    const bool is_directory =
        beneath != read_.provided.end() && beneath->first.starts_with(path + "/");
    if (is_directory || !read_.provided.emplace(path, std::move(content)).second)
      return Error{ErrorKind::kInvalid, "'" + path + "' is the name of a generated file"};
    return Done{};
  }

  blueprint::Model& model() {
    PLUMB_CHECK(read_.kitfile.model.has_value());
    return *read_.kitfile.model;
  }

  void AddParameters(const Modelfile& modelfile) {
    Json::Array commands;
    for (const ModelfileCommand& command : modelfile.commands) {
      if (NamesFiles(command) || command.name == "license") continue;
      Json item = Json::MakeObject();
      item.Append("args", Json::String(command.args)).Append("name", Json::String(command.name));
      commands.push_back(std::move(item));
    }
    if (commands.empty()) return;
    Json parameters = Json::MakeObject();
    parameters.Append("modelfile", Json::MakeArray(std::move(commands)));
    model().parameters = std::move(parameters);
  }

  Status AddReference() {
    model().parts.push_back(ModelfilePart());
    if (!reference_) return Done{};
    return AddBase(*reference_, request_, read_);
  }

  // The Modelfile as it will stand beside what it names.
  Status AddModelfile(Modelfile& modelfile) {
    for (const FileCommand& command : commands_) {
      std::string& args = command.command->args;
      if (!command.place) {
        args = model().path;
      } else {
        const std::string& path = command.place->packed_path;
        args = path.empty() ? "." : "./" + path;
      }
    }
    PLUMB_TRY(std::string text, blueprint::PrintModelfile(modelfile));
    WarnOfOtherModelfile(request_);
    return Generate(std::string(kModelfileName), std::move(text));
  }

  const PlanRequest& request_;
  ModelfilePlaces places_;
  const ContextRules& rules_;
  ReadBlueprint read_;
  std::vector<FileCommand> commands_;
  std::optional<oci::Reference> reference_;
  const FileCommand* model_command_ = nullptr;
};

}  // namespace

blueprint::ModelPart ModelfilePart() {
  return {{}, std::string(kModelfileName), {}, std::string(kModelfilePartType), {}};
}

void WarnOfOtherModelfile(const PlanRequest& request) {
  if (request.blueprint.context_path != kModelfileName &&
      request.context.directory.State(kModelfileName))
    request.progress.Warn(
        "the file 'Modelfile' is not packed: the blueprint is stored under that name");
}

Result<ReadBlueprint> ReadModelfileBlueprint(const PlanRequest& request) {
  if (request.options.rules == blueprint::KitRules::kKit17) return NoModelfiles();
  const BlueprintText& blueprint = request.blueprint;
  if (blueprint::LooksLikeModctl(blueprint.bytes)) return ReadModctlBlueprint(request);
  PLUMB_TRY(Modelfile modelfile, blueprint::ParseModelfile(blueprint.bytes, blueprint.file));
  PLUMB_RETURN_IF_ERROR(blueprint::CheckParameters(modelfile, blueprint.file));
  for (const std::string& warning : modelfile.warnings)
    request.progress.Warn(warning);
  PLUMB_TRY(const ContextRules rules,
            ContextRules::Load(request.context.directory, blueprint.context_path,
                               request.options.reserved));
  return ModelfileReader(request, rules).Read(std::move(modelfile));
}

}  // namespace plumb::kit
