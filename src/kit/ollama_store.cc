// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "blueprint/kitfile.h"
#include "blueprint/modelfile.h"
#include "kit/entries_internal.h"
#include "kit/foreign_model.h"
#include "kit/gathered_files.h"
#include "kit/modelfile_files_internal.h"
#include "oci/manifest.h"

namespace plumb::kit {
namespace {

// Templates, licences and the like; Ollama shows them to people.
constexpr std::uint64_t kTextSizeMax = std::uint64_t{4} << 20;
// Directories of a store that holds every model there is.
constexpr std::size_t kManifestCountMax = 100'000;

using blueprint::ModelfileCommand;
using oci::OllamaLayer;

std::string BlobPath(const Digest& digest) { return "blobs/sha256-" + digest.ToHex(); }

constexpr std::string_view kModelfileName = "Modelfile";

// How the file of a layer is called in the kit, by which command, and as what part of the model.
struct FileRole {
  std::string_view command;
  std::string_view stem;
  std::string_view part_type;
};
std::optional<FileRole> RoleOf(OllamaLayer layer) {
  switch (layer) {
    case OllamaLayer::kModel:
      return FileRole{"model", "model", "projector"};
    case OllamaLayer::kProjector:
      return FileRole{"model", "mmproj", "projector"};
    case OllamaLayer::kAdapter:
      return FileRole{"adapter", "adapter", "adapter"};
    case OllamaLayer::kDraft:
      return FileRole{"draft", "draft", "draft"};
    default:
      return std::nullopt;
  }
}

Error Malformed(std::string_view what) {
  return Error{ErrorKind::kInvalid, std::string(what) + " of this model cannot be understood"};
}

// Whether PARAMETER may be followed by it; and not, say, "system", which would be another command.
bool IsParameterName(const std::string& name) {
  const auto text = blueprint::PrintModelfile({{{"model", "x"}, {name, "1"}}});
  return text && *text == "FROM x\nPARAMETER " + name + " 1\n";
}

// Whether a Modelfile can say it, and is built from then.
bool CanBeSaid(const ModelfileCommand& command) {
  blueprint::Modelfile modelfile{{{"model", "x"}, command}};
  return blueprint::PrintModelfile(modelfile) && blueprint::CheckParameters(modelfile, "");
}

// A value as it stands behind PARAMETER.
Result<std::string> ParameterText(const Json& value) {
  if (const std::string* const text = value.IfString()) return *text;
  if (value.IfNumber() != nullptr || value.IfBool() != nullptr)
    return WriteJson(value, JsonStyle::kCompact);
  return Malformed("a parameter");
}

Status AddParameters(std::string_view text, std::vector<ModelfileCommand>& commands) {
  PLUMB_TRY(const Json json, ParseJson(text));
  if (json.IfObject() == nullptr) return Malformed("the list of parameters");
  for (const auto& [name, value] : *json.IfObject()) {
    if (!IsParameterName(name)) return Malformed("the name of a parameter");
    const Json::Array* const list = value.IfArray();
    for (const Json& item : list != nullptr ? *list : Json::Array{value}) {
      PLUMB_TRY(std::string shown, ParameterText(item));
      commands.push_back({name, std::move(shown)});
    }
  }
  return Done{};
}

Status AddMessages(std::string_view text, std::vector<ModelfileCommand>& commands) {
  PLUMB_TRY(const Json json, ParseJson(text));
  if (json.IfArray() == nullptr) return Malformed("the list of messages");
  for (const Json& message : *json.IfArray()) {
    const Json* const role = message.Find("role");
    const Json* const content = message.Find("content");
    if (role == nullptr || content == nullptr || role->IfString() == nullptr ||
        content->IfString() == nullptr)
      return Malformed("a message");
    commands.push_back({"message", *role->IfString() + ": " + *content->IfString()});
  }
  return Done{};
}

// What Ollama keeps of these commands is in the config, beside what it knows of the weights.
Status AddConfig(std::string_view text, std::vector<ModelfileCommand>& commands) {
  PLUMB_TRY(const Json json, ParseJson(text));
  if (json.IfObject() == nullptr) return Malformed("the config");
  for (const char* const name : {"renderer", "parser", "requires"}) {
    const Json* const value = json.Find(name);
    if (value == nullptr || value->IsNull()) continue;
    if (value->IfString() == nullptr) return Malformed("the config");
    if (!value->IfString()->empty()) commands.push_back({name, *value->IfString()});
  }
  return Done{};
}

// By a rank of 0, 1 or 2; equal ones keep their order.
template <typename Item, typename Rank>
void SortByRank(std::vector<Item>& items, const Rank& rank) {
  std::vector<Item> sorted;
  for (int wanted = 0; wanted <= 2; ++wanted)
    std::ranges::copy_if(items, std::back_inserter(sorted),
                         [&](const Item& item) { return rank(item) == wanted; });
  items = std::move(sorted);
}

class OllamaModel {
 public:
  OllamaModel(std::string path, std::shared_ptr<host::Directory> store)
      : path_(std::move(path)), store_(std::move(store)) {}

  Status Add(const oci::Descriptor& layer) {
    PLUMB_TRY(const OllamaLayer type, oci::ParseOllamaLayer(layer.media_type));
    if (const auto role = RoleOf(type)) return AddFile(*role, layer);
    PLUMB_TRY(const std::string text, ReadText(layer));
    switch (type) {
      case OllamaLayer::kParams:
        return AddParameters(text, commands_);
      case OllamaLayer::kMessages:
        return AddMessages(text, commands_);
      case OllamaLayer::kTemplate:
        commands_.push_back({"template", text});
        break;
      case OllamaLayer::kSystem:
        commands_.push_back({"system", text});
        break;
      default:
        commands_.push_back({"license", text});
        break;
    }
    return Done{};
  }

  Status AddConfigOf(const oci::Manifest& manifest, Progress& progress) {
    const auto text = ReadText(manifest.config);
    if (text) return AddConfig(*text, commands_);
    if (text.error().kind != ErrorKind::kNotFound) return text.error();
    // The model runs without: it is made of its layers.
    progress.Warn(
        "its config is not in Ollama's store: RENDERER, PARSER and REQUIRES are left out, "
        "if there were any");
    return Done{};
  }

  Result<ForeignModel> Finish(const oci::OllamaName& name, Progress& progress) {
    PLUMB_RETURN_IF_ERROR(DescribeFiles());
    ForeignModel model;
    for (const GatheredFile& file : files_)
      model.paths.push_back(path_ + "/" + file.path);
    AddLicenses();
    PLUMB_TRY(std::string modelfile, PrintCommands(name, progress));
    files_.push_back(GatherText(std::string(kModelfileName), std::move(modelfile)));
    blueprint::ModelPart part;
    part.path = kModelfileName;
    part.type = kModelfilePartType;
    kitfile_.model->parts.push_back(std::move(part));
    PLUMB_TRY(model.files, GatherFiles(std::move(files_)));
    model.digests = std::move(digests_);
    model.blueprint = {BlueprintKind::kKitfile, "-", {}, blueprint::PrintKitfile(kitfile_)};
    // Of our names only tags may have capitals.
    model.name = name.ToString();
    const std::size_t colon = model.name.rfind(':');
    model.name = ToLowerAscii(model.name.substr(0, colon)) + model.name.substr(colon);
    return model;
  }

 private:
  Status AddFile(const FileRole& role, const oci::Descriptor& layer) {
    PLUMB_TRY(const auto file, store_->Open(BlobPath(layer.digest), host::OpenHow::kRead));
    PLUMB_TRY(const host::FileState state, file->State());
    if (state.size != layer.size) {
      return Error{ErrorKind::kCorrupt, "blob '" + layer.digest.ToString() +
                                            "' has not the size that its manifest says"};
    }
    const unsigned number = ++counts_[std::string(role.stem)];
    std::string name(role.stem);
    if (number > 1) name += "-" + std::to_string(number);
    name += ".gguf";
    commands_.push_back({std::string(role.command), "./" + name});
    files_.push_back({name, store_, BlobPath(layer.digest), host::OpenHow::kRead});
    blueprint::ModelPart part;
    part.path = name;
    part.type = role.part_type;
    parts_.push_back(std::move(part));
    digests_.emplace(name, layer.digest);
    return Done{};
  }

  Result<std::string> ReadText(const oci::Descriptor& layer) {
    PLUMB_TRY(std::string text, host::ReadFile(*store_, BlobPath(layer.digest), kTextSizeMax));
    if (Sha256(AsBytes(text)) == layer.digest) return text;
    return Error{ErrorKind::kCorrupt, "blob '" + layer.digest.ToString() + "' has other bytes"};
  }

  // The model stands first, then what else is FROM a file; all else in the order of the manifest.
  Status DescribeFiles() {
    const auto main = std::ranges::find(parts_, kModelPath, &blueprint::ModelPart::path);
    if (main == parts_.end()) return Malformed("the manifest");
    parts_.erase(main);
    SortByRank(parts_,
               [](const blueprint::ModelPart& part) { return part.type == "projector" ? 0 : 1; });
    SortByRank(commands_, [](const ModelfileCommand& command) {
      if (command.name != "model") return 2;
      return command.args == "./" + std::string(kModelPath) ? 0 : 1;
    });
    kitfile_.manifest_version = "1.0.0";
    blueprint::Model& model = kitfile_.model.emplace();
    model.path = kModelPath;
    model.format = "gguf";
    model.parts = std::move(parts_);
    return Done{};
  }

  // A licence is a file, whatever bytes it is made of.
  void AddLicenses() {
    for (const ModelfileCommand& command : commands_) {
      if (command.name != "license") continue;
      const std::size_t count = kitfile_.docs.size() + 1;
      const std::string path = count == 1 ? "LICENSE" : "LICENSE." + std::to_string(count);
      kitfile_.docs.push_back({path, {}, {}});
      kitfile_.package.license = count == 1 ? SpdxIdentifier(command.args) : std::string_view();
      files_.push_back(GatherText(path, command.args));
    }
  }

  // Everything goes into the Kitfile that text can be, and what can be said into the Modelfile.
  Result<std::string> PrintCommands(const oci::OllamaName& name, Progress& progress) {
    blueprint::Modelfile modelfile;
    Json::Array parameters;
    std::set<std::string> unsaid;
    std::set<std::string> lost;
    for (const ModelfileCommand& command : commands_) {
      const bool is_elsewhere = command.name == "model" || command.name == "license" ||
                                command.name == "adapter" || command.name == "draft";
      const bool is_text = IsUtf8(command.args);
      if (CanBeSaid(command)) {
        modelfile.commands.push_back(command);
      } else {
        (is_text || is_elsewhere ? unsaid : lost).insert(command.name);
      }
      if (is_elsewhere || !is_text) continue;
      Json item = Json::MakeObject();
      item.Append("args", Json::String(command.args)).Append("name", Json::String(command.name));
      parameters.push_back(std::move(item));
    }
    const auto warn = [&](const std::set<std::string>& names, std::string_view what) {
      if (names.empty()) return;
      const std::vector<std::string> list(names.begin(), names.end());
      progress.Warn("'" + name.ToString() + "': " + std::string(what) + ": " + Join(list, ", "));
    };
    warn(unsaid, "no Modelfile can say this, so only the Kitfile has it");
    warn(lost, "left out, because it is no text");
    if (!parameters.empty()) {
      Json json = Json::MakeObject();
      json.Append("modelfile", Json::MakeArray(std::move(parameters)));
      kitfile_.model->parameters = std::move(json);
    }
    return blueprint::PrintModelfile(modelfile);
  }

  static constexpr std::string_view kModelPath = "model.gguf";

  const std::string path_;
  const std::shared_ptr<host::Directory> store_;
  std::vector<ModelfileCommand> commands_;
  std::vector<GatheredFile> files_;
  std::vector<blueprint::ModelPart> parts_;  // of all of them
  FileDigests digests_;
  std::map<std::string, unsigned> counts_;
  blueprint::Kitfile kitfile_;
};

}  // namespace

Result<ForeignModel> ReadOllamaModel(host::Files& files, const std::string& path,
                                     const oci::OllamaName& name, Progress& progress) {
  PLUMB_TRY(auto directory, files.OpenDirectory(path, host::IfMissing::kFail));
  const std::shared_ptr<host::Directory> store = std::move(directory);
  const auto text = host::ReadFile(*store, name.ManifestPath(), oci::kManifestSizeMax);
  if (!text && text.error().kind == ErrorKind::kNotFound) {
    return Error{ErrorKind::kNotFound,
                 "'" + name.ToString() + "' is not in Ollama's store '" + path + "'",
                 "ollama list"};
  }
  if (!text) return text.error();
  PLUMB_TRY(const oci::Manifest manifest, oci::Manifest::Parse(*text));
  OllamaModel model(path, store);
  const auto add = [](Status added) {
    // A manifest names it: that it is not there is damage, not absence.
    if (!added && added.error().kind == ErrorKind::kNotFound)
      added.error().kind = ErrorKind::kCorrupt;
    return added;
  };
  for (const oci::Descriptor& layer : manifest.layers)
    PLUMB_RETURN_IF_ERROR(add(model.Add(layer)));
  PLUMB_RETURN_IF_ERROR(add(model.AddConfigOf(manifest, progress)));
  return model.Finish(name, progress);
}

Result<std::vector<oci::OllamaName>> ListOllamaModels(host::Files& files, const std::string& path) {
  PLUMB_TRY(const auto store, files.OpenDirectory(path, host::IfMissing::kFail));
  std::vector<std::string> waiting = {""};
  constexpr int kDepth = 4;  // host, namespace, model, tag
  for (int depth = 0; depth < kDepth; ++depth) {
    std::vector<std::string> found;
    for (const std::string& parent : waiting) {
      PLUMB_TRY(const auto entries, store->List("manifests" + parent));
      for (const host::DirectoryEntry& entry : entries) {
        const bool is_last = depth + 1 == kDepth;
        const auto wanted = is_last ? host::FileType::kRegular : host::FileType::kDirectory;
        if (entry.type == wanted) found.push_back(parent + "/" + entry.name);
      }
      if (found.size() > kManifestCountMax)
        return Error{ErrorKind::kExhausted, "'" + path + "' has more than 100000 models"};
    }
    waiting = std::move(found);
  }
  std::vector<oci::OllamaName> names;
  for (std::string& manifest : waiting) {
    manifest[manifest.rfind('/')] = ':';
    auto name = oci::OllamaName::Parse(manifest.substr(1));
    if (name) names.push_back(*std::move(name));
  }
  return names;
}

}  // namespace plumb::kit
