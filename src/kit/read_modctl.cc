// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "blueprint/modctl.h"
#include "blueprint/modelfile.h"
#include "kit/go_glob_internal.h"
#include "kit/plan_internal.h"
#include "kit/rules_internal.h"

namespace plumb::kit {
namespace {

using blueprint::kModelfileName;
using blueprint::ModelfileCommand;

constexpr std::string_view kPatternCharacters = "*?[]";

// What a single-valued command is called in the config of a ModelPack; those that a Kitfile has a
// place for are not here.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kParameters = {
    {{"arch", "architecture"},
     {"family", "family"},
     {"paramsize", "paramSize"},
     {"precision", "precision"},
     {"quantization", "quantization"}}};

// Turns a Modelfile of modctl into the Kitfile that docs/format.md says it is.
class ModctlBlueprint {
 public:
  ModctlBlueprint(const PlanRequest& request, const ContextRules& rules)
      : request_(request), rules_(rules) {}

  Result<ReadBlueprint> Read(const blueprint::ModctlModelfile& modelfile) {
    blueprint::Kitfile& kitfile = read_.kitfile;
    kitfile.manifest_version = blueprint::kManifestVersion;
    kitfile.model.emplace();
    for (const ModelfileCommand& command : modelfile.commands) {
      const Status taken = Take(command);
      if (!taken) return At(command, taken.error());
    }
    AddEntries();
    AddModelfile(blueprint::PrintModctl(modelfile));
    read_.model_layer = model().path.empty() ? ModelLayer::kNo : ModelLayer::kYes;
    return std::move(read_);
  }

 private:
  blueprint::Model& model() {
    PLUMB_CHECK(read_.kitfile.model.has_value());
    return *read_.kitfile.model;
  }

  Error At(const ModelfileCommand& command, Error error) const {
    return std::move(error).While(request_.blueprint.file + ":" + std::to_string(command.line) +
                                  ":" + std::to_string(command.column));
  }

  Status Take(const ModelfileCommand& command) {
    if (command.name == "name") {
      read_.kitfile.package.name = command.args;
    } else if (command.name == "format") {
      model().format = command.args;
    } else if (const auto named =
                   std::ranges::find(kParameters, std::string_view(command.name),
                                     [](const auto& parameter) { return parameter.first; });
               named != kParameters.end()) {
      parameters_.emplace(named->second, command.args);
    } else {
      return TakeFiles(command);
    }
    return Done{};
  }

  // A path that is named must be there; a pattern may match nothing, which is said.
  Status TakeFiles(const ModelfileCommand& command) {
    if (command.args.starts_with('/'))
      return Error{ErrorKind::kInvalid, "the path must be relative"};
    const std::string path = blueprint::CleanPath(command.args);
    if (path == ".." || path.starts_with("../"))
      return Error{ErrorKind::kInvalid, "the path leaves the context"};
    std::set<std::string> found;
    if (path.find_first_of(kPatternCharacters) == std::string::npos) {
      const auto state = request_.context.directory.State(path);
      if (!state && state.error().kind == ErrorKind::kNotFound)
        return Error{ErrorKind::kInvalid, "'" + Printable(path) + "' does not exist"};
      if (!state) return state.error();
      PLUMB_RETURN_IF_ERROR(AddFile(path, state->type, found));
    } else {
      PLUMB_RETURN_IF_ERROR(Expand("", path, found));
      if (found.empty())
        request_.progress.Warn(request_.blueprint.file + ":" + std::to_string(command.line) +
                               ": '" + Printable(command.args) + "' matches no file");
    }
    // Stored as what it was read as, and only once: AddModelfile says so where it matters.
    found.erase(std::string(kModelfileName));
    for (const std::string& name : found) {
      const auto [first, is_new] = kinds_.emplace(name, command.name);
      if (!is_new && first->second != command.name)
        return Error{ErrorKind::kInvalid,
                     "'" + Printable(name) + "' is named as " + first->second + " already"};
    }
    return Done{};
  }

  Status AddFile(const std::string& name, host::FileType type, std::set<std::string>& found) {
    if (type == host::FileType::kDirectory)
      return Error{ErrorKind::kInvalid,
                   "'" + Printable(name) + "' is a directory, and modctl takes files only"};
    found.insert(name);
    return Done{};
  }

  // As Go's filepath.Glob: part by part, "*" never over a '/'. What is ignored is not there.
  Status Expand(const std::string& directory, std::string_view pattern,
                std::set<std::string>& found) {
    if (request_.progress.StopRequested()) return Interrupted();
    const std::size_t slash = pattern.find('/');
    const std::string_view part = pattern.substr(0, slash);
    PLUMB_TRY(const GoPattern names, GoPattern::Parse(part));
    auto listed = request_.context.directory.List(directory);
    if (!listed) return std::move(listed).error();
    for (const host::DirectoryEntry& entry : *listed) {
      if (!names.Matches(entry.name)) continue;
      const std::string name = JoinPath(directory, entry.name);
      if (slash != std::string_view::npos) {
        const bool may_enter = entry.type == host::FileType::kDirectory && !rules_.IsReserved(name);
        if (may_enter) PLUMB_RETURN_IF_ERROR(Expand(name, pattern.substr(slash + 1), found));
      } else if (!rules_.Ignores(name)) {
        PLUMB_RETURN_IF_ERROR(AddFile(name, entry.type, found));
      }
    }
    return Done{};
  }

  void AddEntries() {
    blueprint::Kitfile& kitfile = read_.kitfile;
    blueprint::Model& model = this->model();
    std::vector<blueprint::ModelPart> configs;
    for (const auto& [path, kind] : kinds_) {
      if (kind == "config") {
        configs.push_back({{}, path, {}, "config", {}});
      } else if (kind == "code") {
        kitfile.code.push_back({path, {}, {}, {}});
      } else if (kind == "dataset") {
        kitfile.datasets.push_back({{}, path, {}, {}, {}, {}});
      } else if (kind == "doc") {
        kitfile.docs.push_back({path, {}, {}});
      } else if (model.path.empty()) {
        model.path = path;
      } else {
        model.parts.push_back({{}, path, {}, "shard", {}});
      }
    }
    std::ranges::move(configs, std::back_inserter(model.parts));
    if (parameters_.empty()) return;
    Json said = Json::MakeObject();
    for (const auto& [name, value] : parameters_)
      said.Append(name, Json::String(value));
    model.parameters = Json::MakeObject();
    model.parameters->Append("modelpack", std::move(said));
  }

  void AddModelfile(std::string text) {
    WarnOfOtherModelfile(request_);
    Content content;
    content.bytes = std::move(text);
    read_.provided.emplace(kModelfileName, std::move(content));
    model().parts.push_back(ModelfilePart());
  }

  const PlanRequest& request_;
  const ContextRules& rules_;
  ReadBlueprint read_;
  std::map<std::string, std::string> kinds_;  // of each file, by path: the command's name
  std::map<std::string, std::string> parameters_;
};

}  // namespace

Result<ReadBlueprint> ReadModctlBlueprint(const PlanRequest& request) {
  const BlueprintText& blueprint = request.blueprint;
  PLUMB_TRY(const blueprint::ModctlModelfile modelfile,
            blueprint::ParseModctl(blueprint.bytes, blueprint.file));
  PLUMB_TRY(const ContextRules rules,
            ContextRules::Load(request.context.directory, blueprint.context_path,
                               request.options.reserved));
  return ModctlBlueprint(request, rules).Read(modelfile);
}

}  // namespace plumb::kit
