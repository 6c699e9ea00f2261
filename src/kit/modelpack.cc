// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "kit/entries_internal.h"
#include "kit/modelfile_files_internal.h"
#include "kit/modelpack_internal.h"

namespace plumb::kit {
namespace {

using blueprint::Kitfile;

// Beneath model.parameters: what a ModelPack says and a Kitfile has no place for.
constexpr std::string_view kParametersKey = "modelpack";

// Members that have a place of their own in a Kitfile.
constexpr std::array<std::string_view, 5> kNamedInDescriptor = {"name", "version", "description",
                                                                "authors", "licenses"};

bool IsOneOf(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

std::vector<std::string> TextsOf(const Json& object, std::string_view name) {
  std::vector<std::string> texts;
  const Json* list = object.Find(name);
  if (list == nullptr || list->IfArray() == nullptr) return texts;
  for (const Json& item : *list->IfArray())
    if (item.IfString() != nullptr) texts.push_back(*item.IfString());
  return texts;
}

// What the config says of the model, in the words of a Kitfile.
void Describe(const oci::ModelPackConfig& config, Kitfile& kitfile) {
  blueprint::Package& package = kitfile.package;
  package.name = config.Descriptor("name");
  package.version = config.Descriptor("version");
  package.description = config.Descriptor("description");
  package.authors = TextsOf(config.descriptor, "authors");
  const std::vector<std::string> licenses = TextsOf(config.descriptor, "licenses");
  if (licenses.size() == 1) package.license = licenses.front();

  Json other = Json::MakeObject();
  for (const auto& [name, value] : *config.descriptor.IfObject()) {
    const bool is_named =
        name == "licenses" ? licenses.size() == 1 : IsOneOf(name, kNamedInDescriptor);
    // A time would make every build another one.
    if (!is_named && name != "createdAt") other.Append(name, value);
  }
  for (const auto& [name, value] : *config.technical.IfObject())
    if (name != "format") other.Append(name, value);
  PLUMB_CHECK(kitfile.model.has_value());
  blueprint::Model& model = *kitfile.model;
  model.format = config.Technical("format");
  if (other.IfObject()->empty()) return;
  Json parameters = Json::MakeObject();
  parameters.Append(std::string(kParametersKey), std::move(other));
  model.parameters = std::move(parameters);
}

// One entry for each layer. Of several models the first is the model and the others are parts.
Status AddLayer(const oci::Descriptor& layer, std::optional<Digest> diff_id, Kitfile& kitfile) {
  PLUMB_TRY(const auto media_type,
            oci::LayerMediaType::Parse(
                layer.media_type, oci::FindAnnotation(layer.annotations, oci::kSubtypeAnnotation)));
  PLUMB_TRY(const oci::FileAnnotations file, oci::ParseFileAnnotations(layer.annotations));
  if (file.path.empty() && oci::IsRaw(media_type.encoding))
    return Error{ErrorKind::kInvalid, "layer " + layer.digest.ToString() +
                                          " of a ModelPack does not say which file it is"};
  const std::string path = file.path.empty() ? "." : file.path;
  std::optional<blueprint::LayerDigests> digests;
  if (diff_id) digests = blueprint::LayerDigests{layer.digest, *diff_id};
  PLUMB_CHECK(kitfile.model.has_value());
  blueprint::Model& model = *kitfile.model;
  switch (media_type.type) {
    case oci::LayerType::kModel:
      if (model.path.empty()) {
        model.path = path;
        model.layer = digests;
      } else {
        model.parts.push_back({{}, path, {}, {}, digests});
      }
      break;
    case oci::LayerType::kModelPart:
      model.parts.push_back({{}, path, {}, {}, digests});
      break;
    case oci::LayerType::kCode:
      kitfile.code.push_back({path, {}, {}, digests});
      break;
    case oci::LayerType::kDataset:
      kitfile.datasets.push_back({{}, path, {}, {}, {}, digests});
      break;
    case oci::LayerType::kPrompt:
      kitfile.prompts.push_back({{}, path, {}, digests});
      break;
    case oci::LayerType::kDocs:
    case oci::LayerType::kMcpServer:  // a ModelPack has none
      kitfile.docs.push_back({path, {}, digests});
      break;
  }
  return Done{};
}

void AddText(Json& object, std::string_view name, const std::string& text) {
  if (!text.empty()) object.Append(std::string(name), Json::String(text));
}

void AddTexts(Json& object, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  Json list = Json::MakeArray();
  for (const std::string& text : texts)
    list.Add(Json::String(text));
  object.Append(std::string(name), std::move(list));
}

// All licences that the Kitfile names, sorted, each once, as kit gathers them.
std::vector<std::string> LicensesOf(const Kitfile& kitfile) {
  std::set<std::string> licenses = {kitfile.package.license};
  if (kitfile.model) {
    licenses.insert(kitfile.model->license);
    for (const blueprint::ModelPart& part : kitfile.model->parts)
      licenses.insert(part.license);
  }
  for (const blueprint::Code& code : kitfile.code)
    licenses.insert(code.license);
  for (const blueprint::Dataset& dataset : kitfile.datasets)
    licenses.insert(dataset.license);
  licenses.erase(std::string());
  return {licenses.begin(), licenses.end()};
}

}  // namespace

bool IsKitfileLayer(const oci::Descriptor& layer) {
  return layer.media_type == oci::kModelKitConfigMediaType;
}

bool IsRepetition(const oci::Descriptor& layer, std::set<std::string>& seen) {
  const std::string_view path = oci::FilePathOf(layer.annotations);
  if (path.empty()) return false;
  return !seen.insert(layer.digest.ToString() + std::string(path)).second;
}

Result<Kitfile> KitfileOfModelPack(const oci::Manifest& manifest,
                                   const std::optional<oci::ModelPackConfig>& config) {
  for (const std::string_view name : {oci::kKitfileAnnotation, oci::kKitopsKitfileAnnotation}) {
    const std::string_view annotation = oci::FindAnnotation(manifest.annotations, name);
    if (annotation.empty()) continue;
    auto kitfile = blueprint::ParseConfig(annotation);
    if (!kitfile) return std::move(kitfile).error().While("annotation " + std::string(name));
    return kitfile;
  }
  Kitfile kitfile;
  kitfile.manifest_version = blueprint::kManifestVersion;
  kitfile.model.emplace();
  std::set<std::string> seen;
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const oci::Descriptor& layer = manifest.layers[i];
    if (IsKitfileLayer(layer) || IsRepetition(layer, seen)) continue;
    const auto diff_id = config ? std::optional(config->diff_ids[i]) : std::nullopt;
    PLUMB_RETURN_IF_ERROR(AddLayer(layer, diff_id, kitfile));
  }
  if (config) Describe(*config, kitfile);
  if (*kitfile.model == blueprint::Model()) kitfile.model.reset();
  return kitfile;
}

oci::ModelPackConfig ModelPackConfigOf(const Kitfile& kitfile) {
  oci::ModelPackConfig config;
  const blueprint::Package& package = kitfile.package;
  AddText(config.descriptor, "name", package.name);
  AddText(config.descriptor, "version", package.version);
  AddText(config.descriptor, "description", package.description);
  AddTexts(config.descriptor, "authors", package.authors);
  AddTexts(config.descriptor, "licenses", LicensesOf(kitfile));
  if (!kitfile.model) return config;
  AddText(config.technical, "format", kitfile.model->format);
  const Json* other =
      kitfile.model->parameters ? kitfile.model->parameters->Find(kParametersKey) : nullptr;
  if (other == nullptr) return config;
  // Whoever checks the config says what is wrong with it.
  if (other->IfObject() == nullptr) config.technical = *other;
  if (config.technical.IfObject() == nullptr) return config;
  for (const auto& [name, value] : *other->IfObject()) {
    if (oci::IsModelPackDescriptor(name)) {
      if (config.descriptor.Find(name) == nullptr) config.descriptor.Append(name, value);
    } else if (config.technical.Find(name) == nullptr) {
      config.technical.Append(name, value);
    }
  }
  return config;
}

bool IsWeightsName(std::string_view path) { return !FormatOf(NameOf(path)).empty(); }

oci::LayerType ModelPackTypeOfPart(std::string_view part_type, std::string_view path) {
  constexpr std::array<std::string_view, 4> kWeights = {"shard", "adapter", "draft", "projector"};
  constexpr std::array<std::string_view, 3> kConfigs = {"tokenizer", "config", kModelfilePartType};
  if (IsOneOf(part_type, kWeights)) return oci::LayerType::kModel;
  if (IsOneOf(part_type, kConfigs)) return oci::LayerType::kModelPart;
  return IsWeightsName(path) ? oci::LayerType::kModel : oci::LayerType::kModelPart;
}

}  // namespace plumb::kit
