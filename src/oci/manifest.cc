// SPDX-License-Identifier: MIT OR Apache-2.0
#include "oci/manifest.h"

#include <cstdint>
#include <span>
#include <utility>

#include "base/text.h"
#include "oci/descriptor_internal.h"
#include "oci/media_types.h"

namespace plumb::oci {
namespace {

constexpr std::string_view kWhat = "a manifest";

// One document must not be an image to one program and an index to another.
Status CheckIsManifest(const Json& json, const std::string& media_type) {
  const bool is_index = json.Find("manifests") != nullptr;
  const bool is_manifest = json.Find("layers") != nullptr || json.Find("config") != nullptr;
  if (is_index && is_manifest) return Malformed(kWhat, "it is a manifest and an index at once");
  const bool says_index = IsIndexMediaType(media_type);
  const bool says_manifest = IsManifestMediaType(media_type);
  const bool says_nothing = media_type.empty();
  if ((says_manifest || says_nothing) && !is_index) return Done{};
  if ((says_index || says_nothing) && !is_manifest)
    return Error{ErrorKind::kUnsupported, "this is an index of several manifests, no modelkit"};
  return Malformed(kWhat, "it says that it is a '" + Printable(media_type.substr(0, 128)) + "'");
}

// So that whoever adds up the sizes of one manifest need not fear to overflow.
Status CheckTotalSize(const Manifest& manifest) {
  std::uint64_t total = manifest.config.size;
  for (const Descriptor& layer : manifest.layers) {
    total += layer.size;  // each at most 2^62
    if (total > kBlobSizeMax) return Malformed(kWhat, "its sizes add up to more than 2^62");
  }
  return Done{};
}

Json LayersToJson(const std::vector<Descriptor>& layers) {
  Json array = Json::MakeArray();
  for (const Descriptor& layer : layers)
    array.Add(DescriptorToJson(layer));
  return array;
}

}  // namespace

bool IsManifestMediaType(std::string_view media_type) {
  return media_type == kManifestMediaType || media_type == kDockerManifestMediaType;
}

bool IsIndexMediaType(std::string_view media_type) {
  return media_type == kIndexMediaType || media_type == kDockerIndexMediaType;
}

std::string_view FindAnnotation(const Annotations& annotations, std::string_view name) {
  for (const auto& [key, value] : annotations)
    if (key == name) return value;
  return {};
}

Result<Manifest> Manifest::Parse(std::string_view bytes) {
  PLUMB_TRY(const Json json, ParseVersion2(bytes, kWhat));
  Manifest manifest;
  PLUMB_TRY(manifest.media_type, OptionalText(json, "mediaType", kWhat));
  PLUMB_RETURN_IF_ERROR(CheckIsManifest(json, manifest.media_type));
  PLUMB_TRY(manifest.artifact_type, OptionalText(json, "artifactType", kWhat));
  const Json* config = json.Find("config");
  if (config == nullptr) return Malformed(kWhat, "it has no config");
  PLUMB_TRY(manifest.config, DescriptorFromJson(*config, "the config of a manifest"));
  PLUMB_TRY(manifest.annotations,
            AnnotationsFromJson(json.Find("annotations"), std::string(kWhat)));
  if (const Json* subject = json.Find("subject"); subject != nullptr && !subject->IsNull()) {
    PLUMB_TRY(manifest.subject, DescriptorFromJson(*subject, "the subject of a manifest"));
  }

  PLUMB_TRY(const std::span<const Json> layers, ListMember(json, "layers", kWhat));
  if (layers.size() > kLayerCountMax)
    return Error{ErrorKind::kExhausted, "a manifest has more than 20000 layers"};
  for (const Json& layer : layers) {
    const std::string where =
        "layer " + std::to_string(manifest.layers.size() + 1) + " of a manifest";
    PLUMB_TRY(Descriptor descriptor, DescriptorFromJson(layer, where));
    manifest.layers.push_back(std::move(descriptor));
  }
  PLUMB_RETURN_IF_ERROR(CheckTotalSize(manifest));
  return manifest;
}

std::string WriteManifest(const Descriptor& config, const std::vector<Descriptor>& layers) {
  Json json = Json::MakeObject();
  json.Append("schemaVersion", Json::Uint(2));
  json.Append("mediaType", Json::String(kManifestMediaType));
  json.Append("config", DescriptorToJson(config));
  json.Append("layers", LayersToJson(layers));
  return WriteJson(json, JsonStyle::kGo);
}

std::string WriteKit17Manifest(const Descriptor& config, const std::vector<Descriptor>& layers) {
  Json annotations = Json::MakeObject();
  annotations.Append(std::string(kKitVersionAnnotation), Json::String("1.7.0"));
  Json json = Json::MakeObject();
  json.Append("schemaVersion", Json::Uint(2));
  json.Append("config", DescriptorToJson(config));
  json.Append("layers", layers.empty() ? Json() : LayersToJson(layers));
  json.Append("annotations", std::move(annotations));
  return WriteJson(json, JsonStyle::kGo);
}

}  // namespace plumb::oci
