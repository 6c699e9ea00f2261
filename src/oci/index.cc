// SPDX-License-Identifier: MIT OR Apache-2.0
#include <span>
#include <utility>

#include "base/text.h"
#include "oci/descriptor_internal.h"
#include "oci/manifest.h"

namespace plumb::oci {
namespace {

constexpr std::string_view kWhat = "an index";
constexpr std::string_view kTagAnnotation = "org.opencontainers.image.ref.name";
constexpr std::string_view kLayoutVersion = "1.0.0";
constexpr std::size_t kEntryCountMax = 20000;

Json WithTag(Json json, const std::string& tag) {
  const Json* kept = json.Find("annotations");
  Json annotations = Json::MakeObject();
  if (kept != nullptr && kept->IfObject() != nullptr) {
    for (const auto& [name, value] : *kept->IfObject())
      if (name != kTagAnnotation) annotations.Set(name, value);
  }
  if (!tag.empty()) annotations.Set(kTagAnnotation, Json::String(tag));
  if (kept != nullptr || !annotations.IfObject()->empty())
    json.Set("annotations", std::move(annotations));
  return json;
}

std::string TagOf(const Annotations& annotations) {
  return std::string(FindAnnotation(annotations, kTagAnnotation));
}

// image-spec descriptor.md, "Digests": algorithms that nobody registered may be used too.
bool IsOfOtherAlgorithm(std::string_view digest) {
  constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::string_view kEncoded =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789=_-";
  const std::size_t colon = digest.find(':');
  if (colon == std::string_view::npos || digest.substr(0, colon) == "sha256") return false;
  const std::string_view encoded = digest.substr(colon + 1);
  if (encoded.empty() || encoded.find_first_not_of(kEncoded) != std::string_view::npos)
    return false;
  bool is_after_part = false;
  for (const char c : digest.substr(0, colon)) {
    const bool is_separator = std::string_view("+._-").find(c) != std::string_view::npos;
    const bool is_fine = is_separator ? is_after_part : kLower.find(c) != std::string_view::npos;
    if (!is_fine) return false;
    is_after_part = !is_separator;
  }
  return is_after_part;
}

Status ReadEntry(const Json& received, Index& index) {
  constexpr const char* kWhere = "an entry of an index";
  const Json* digest = received.Find("digest");
  const std::string* text = digest == nullptr ? nullptr : digest->IfString();
  if (text == nullptr || !IsOfOtherAlgorithm(*text)) {
    IndexEntry entry;
    PLUMB_TRY(entry.descriptor, DescriptorFromJson(received, kWhere));
    entry.tag = TagOf(entry.descriptor.annotations);
    entry.received = received;
    index.entries.push_back(std::move(entry));
    return Done{};
  }
  PLUMB_RETURN_IF_ERROR(CheckDescriptorNames(received, kWhere));
  PLUMB_TRY(const Annotations annotations,
            AnnotationsFromJson(received.Find("annotations"), kWhere));
  index.foreign.push_back({*text, TagOf(annotations), received});
  return Done{};
}

}  // namespace

Result<Index> Index::Parse(std::string_view bytes) {
  PLUMB_TRY(Json json, ParseVersion2(bytes, kWhat));
  PLUMB_TRY(const std::string media_type, OptionalText(json, "mediaType", kWhat));
  if (!media_type.empty() && !IsIndexMediaType(media_type))
    return Malformed(kWhat, "it says that it is a '" + Printable(media_type.substr(0, 128)) + "'");
  if (json.Find("layers") != nullptr || json.Find("config") != nullptr)
    return Malformed(kWhat, "it is a manifest and an index at once");
  Index index;
  PLUMB_TRY(const std::span<const Json> manifests, ListMember(json, "manifests", kWhat));
  if (manifests.size() > kEntryCountMax)
    return Error{ErrorKind::kExhausted, "an index has more than 20000 entries"};
  for (const Json& received : manifests)
    PLUMB_RETURN_IF_ERROR(ReadEntry(received, index));
  index.received = std::move(json);
  return index;
}

Error IsForeign(std::string_view asked, const ForeignEntry& entry) {
  constexpr std::size_t kShownSizeMax = 160;
  return Error{ErrorKind::kUnsupported, "'" + Printable(asked.substr(0, kShownSizeMax)) + "' is '" +
                                            Printable(entry.digest.substr(0, kShownSizeMax)) +
                                            "': of digests only sha256 is known here"};
}

std::string WriteIndex(const Index& index) {
  Json json = index.received;
  if (json.IsNull()) {
    json = Json::MakeObject();
    json.Append("schemaVersion", Json::Uint(2));
    json.Append("mediaType", Json::String(kIndexMediaType));
  }
  Json manifests = Json::MakeArray();
  for (const IndexEntry& entry : index.entries)
    manifests.Add(WithTag(
        entry.received.IsNull() ? DescriptorToJson(entry.descriptor) : entry.received, entry.tag));
  for (const ForeignEntry& entry : index.foreign)
    manifests.Add(WithTag(entry.received, entry.tag));
  json.Set("manifests", std::move(manifests));
  return WriteJson(json, JsonStyle::kCompact);
}

std::string WriteLayoutMarker() {
  Json json = Json::MakeObject();
  json.Append("imageLayoutVersion", Json::String(kLayoutVersion));
  return WriteJson(json, JsonStyle::kCompact);
}

Status CheckLayoutMarker(std::string_view bytes) {
  PLUMB_TRY(const Json json, ParseJson(bytes));
  const Json* version = json.Find("imageLayoutVersion");
  if (version == nullptr || version->IfString() == nullptr)
    return Malformed("the file 'oci-layout'", "it names no imageLayoutVersion");
  if (*version->IfString() == kLayoutVersion) return Done{};
  return Error{ErrorKind::kUnsupported, "an image layout of version '" +
                                            Printable(version->IfString()->substr(0, 32)) +
                                            "' is not known"};
}

}  // namespace plumb::oci
