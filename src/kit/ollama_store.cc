// SPDX-License-Identifier: MIT OR Apache-2.0
#include <map>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "blueprint/modelfile.h"
#include "kit/foreign_model.h"
#include "kit/gathered_files.h"
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

// How the file of a layer is called in the kit, and by which command.
struct FileRole {
  std::string_view command;
  std::string_view stem;
};
std::optional<FileRole> RoleOf(OllamaLayer layer) {
  switch (layer) {
    case OllamaLayer::kModel:
      return FileRole{"model", "model"};
    case OllamaLayer::kProjector:
      return FileRole{"model", "mmproj"};
    case OllamaLayer::kAdapter:
      return FileRole{"adapter", "adapter"};
    case OllamaLayer::kDraft:
      return FileRole{"draft", "draft"};
    default:
      return std::nullopt;
  }
}

Error Malformed(std::string_view what) {
  return Error{ErrorKind::kInvalid, std::string(what) + " of this model cannot be understood"};
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

  Result<ForeignModel> Finish(const oci::OllamaName& name) {
    if (files_.empty()) return Malformed("the manifest");
    // FROM stands first, by custom; all else in the order of the manifest.
    blueprint::Modelfile modelfile;
    for (const bool is_from : {true, false}) {
      for (const ModelfileCommand& command : commands_)
        if ((command.name == "model") == is_from) modelfile.commands.push_back(command);
    }
    ForeignModel model;
    for (const GatheredFile& file : files_)
      model.paths.push_back(path_ + "/" + file.path);
    PLUMB_TRY(std::string text, blueprint::PrintModelfile(modelfile));
    PLUMB_TRY(model.files, GatherFiles(std::move(files_)));
    model.digests = std::move(digests_);
    model.blueprint = {BlueprintKind::kModelfile, "-", {}, std::move(text)};
    model.name = ToLowerAscii(name.ToString());
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
    digests_.emplace(name, layer.digest);
    return Done{};
  }

  Result<std::string> ReadText(const oci::Descriptor& layer) {
    PLUMB_TRY(std::string text, host::ReadFile(*store_, BlobPath(layer.digest), kTextSizeMax));
    if (Sha256(AsBytes(text)) == layer.digest) return text;
    return Error{ErrorKind::kCorrupt, "blob '" + layer.digest.ToString() + "' has other bytes"};
  }

  const std::string path_;
  const std::shared_ptr<host::Directory> store_;
  std::vector<ModelfileCommand> commands_;
  std::vector<GatheredFile> files_;
  FileDigests digests_;
  std::map<std::string, unsigned> counts_;
};

}  // namespace

Result<ForeignModel> ReadOllamaModel(host::Files& files, const std::string& path,
                                     const oci::OllamaName& name) {
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
  for (const oci::Descriptor& layer : manifest.layers) {
    Status added = model.Add(layer);
    // A manifest names it: that it is not there is damage, not absence.
    if (!added && added.error().kind == ErrorKind::kNotFound)
      added.error().kind = ErrorKind::kCorrupt;
    PLUMB_RETURN_IF_ERROR(added);
  }
  return model.Finish(name);
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
