// SPDX-License-Identifier: MIT OR Apache-2.0
#include <array>
#include <utility>

#include "base/go_names.h"
#include "base/text.h"
#include "oci/descriptor_internal.h"

namespace plumb::oci {
namespace {

constexpr std::array<std::string_view, 4> kDescriptorMembers = {"mediaType", "digest", "size",
                                                                "annotations"};
// All that decide what a manifest or an index is, so that neither can hide the other's.
constexpr std::array<std::string_view, 8> kDocumentMembers = {
    "schemaVersion", "mediaType", "artifactType", "config",
    "layers",        "manifests", "subject",      "annotations"};

}  // namespace

Error Malformed(std::string_view what, std::string_view why) {
  return Error{ErrorKind::kInvalid, std::string(what) + " is not valid: " + std::string(why)};
}

Result<std::string> OptionalText(const Json& object, std::string_view name,
                                 std::string_view where) {
  const Json* member = object.Find(name);
  if (member == nullptr) return std::string();
  const std::string* text = member->IfString();
  if (text == nullptr) return Malformed(where, "its " + std::string(name) + " is no text");
  return *text;
}

Result<std::span<const Json>> ListMember(const Json& object, std::string_view name,
                                         std::string_view where) {
  const Json* member = object.Find(name);
  if (member != nullptr && member->IsNull()) return std::span<const Json>();
  if (member == nullptr || member->IfArray() == nullptr)
    return Malformed(where, "it has no list of " + std::string(name));
  return std::span<const Json>(*member->IfArray());
}

Status CheckMemberNames(const Json& object, std::span<const std::string_view> known,
                        std::string_view where) {
  for (const auto& [name, value] : *object.IfObject()) {
    for (const std::string_view other : known) {
      if (GoMistakesFor(name, other))
        return Malformed(where, "its member '" + Printable(name) + "' can be mistaken for '" +
                                    std::string(other) + "'");
    }
  }
  return Done{};
}

Status CheckDescriptorNames(const Json& json, std::string_view where) {
  return CheckMemberNames(json, kDescriptorMembers, where);
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
  PLUMB_RETURN_IF_ERROR(CheckDescriptorNames(json, where));
  Descriptor descriptor;
  PLUMB_TRY(descriptor.media_type, OptionalText(json, "mediaType", where));
  if (descriptor.media_type.empty()) return Malformed(where, "it has no mediaType");
  PLUMB_TRY(const std::string digest, OptionalText(json, "digest", where));
  auto parsed = Digest::Parse(digest);
  if (!parsed) return std::move(parsed).error().While(where);
  descriptor.digest = *parsed;
  const Json* size = json.Find("size");
  const auto number =
      size == nullptr ? Result<std::uint64_t>(Error{ErrorKind::kInvalid, ""}) : size->ToUint64();
  if (!number || *number > kBlobSizeMax)
    return Malformed(where, "its size is no whole number from 0 to 2^62");
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
  PLUMB_RETURN_IF_ERROR(CheckMemberNames(*json, kDocumentMembers, what));
  const Json* version = json->Find("schemaVersion");
  if (version == nullptr || version->IfNumber() == nullptr || version->IfNumber()->digits != "2")
    return Malformed(what, "its schemaVersion is not 2");
  return json;
}

}  // namespace plumb::oci
