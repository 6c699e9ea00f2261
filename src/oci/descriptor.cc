// SPDX-License-Identifier: MIT OR Apache-2.0
#include <utility>

#include "oci/descriptor_internal.h"

namespace plumb::oci {

Error Malformed(std::string_view what, std::string_view why) {
  return Error{ErrorKind::kInvalid, std::string(what) + " is not valid: " + std::string(why)};
}

Result<std::string> OptionalText(const Json& object, std::string_view name) {
  const Json* member = object.Find(name);
  if (member == nullptr) return std::string();
  const std::string* text = member->IfString();
  if (text == nullptr) return Malformed("a manifest", std::string(name) + " is no text");
  return *text;
}

Result<Annotations> AnnotationsFromJson(const Json* json, const std::string& where) {
  Annotations annotations;
  if (json == nullptr || json->IsNull()) return annotations;
  const Json::Object* members = json->IfObject();
  if (members == nullptr) return Malformed(where, "its annotations are no object");
  for (const auto& [name, value] : *members) {
    const std::string* text = value.IfString();
    if (text == nullptr) return Malformed(where, "an annotation is no text");
    annotations.emplace_back(name, *text);
  }
  return annotations;
}

Result<Descriptor> DescriptorFromJson(const Json& json, const std::string& where) {
  if (json.IfObject() == nullptr) return Malformed(where, "it is no object");
  Descriptor descriptor;
  PLUMB_TRY(descriptor.media_type, OptionalText(json, "mediaType"));
  if (descriptor.media_type.empty()) return Malformed(where, "it has no mediaType");
  PLUMB_TRY(const std::string digest, OptionalText(json, "digest"));
  auto parsed = Digest::Parse(digest);
  if (!parsed) return std::move(parsed).error().While(where);
  descriptor.digest = *parsed;
  const Json* size = json.Find("size");
  const auto number = size == nullptr ? Result<std::uint64_t>(Error{ErrorKind::kInvalid, ""})
                                      : size->ToUint64();
  if (!number || *number > kBlobSizeMax) return Malformed(where, "its size is no such number");
  descriptor.size = *number;
  PLUMB_TRY(descriptor.annotations, AnnotationsFromJson(json.Find("annotations"), where));
  return descriptor;
}

Json DescriptorToJson(const Descriptor& descriptor) {
  Json json = Json::MakeObject();
  json.Append("mediaType", Json::String(descriptor.media_type));
  json.Append("digest", Json::String(descriptor.digest.ToString()));
  json.Append("size", Json::Uint(descriptor.size));
  if (descriptor.annotations.empty()) return json;
  Json annotations = Json::MakeObject();
  for (const auto& [name, value] : descriptor.annotations)
    annotations.Set(name, Json::String(value));
  json.Append("annotations", std::move(annotations));
  return json;
}

Result<Json> ParseVersion2(std::string_view bytes, std::string_view what) {
  JsonLimits limits;
  limits.size_max = kManifestSizeMax;
  auto json = ParseJson(bytes, limits);
  if (!json) return std::move(json).error().While(what);
  if (json->IfObject() == nullptr) return Malformed(what, "it is no object");
  const Json* version = json->Find("schemaVersion");
  if (version == nullptr || version->IfNumber() == nullptr || version->IfNumber()->digits != "2")
    return Malformed(what, "its schemaVersion is not 2");
  return json;
}

}  // namespace plumb::oci
