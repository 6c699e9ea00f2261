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

Json EntryToJson(const IndexEntry& entry) {
  Json json = entry.received.IsNull() ? DescriptorToJson(entry.descriptor) : entry.received;
  const Json* kept = json.Find("annotations");
  Json annotations = Json::MakeObject();
  if (kept != nullptr && kept->IfObject() != nullptr) {
    for (const auto& [name, value] : *kept->IfObject())
      if (name != kTagAnnotation) annotations.Set(name, value);
  }
  if (!entry.tag.empty()) annotations.Set(kTagAnnotation, Json::String(entry.tag));
  if (kept != nullptr || !annotations.IfObject()->empty())
    json.Set("annotations", std::move(annotations));
  return json;
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
  for (const Json& received : manifests) {
    IndexEntry entry;
    PLUMB_TRY(entry.descriptor, DescriptorFromJson(received, "an entry of an index"));
    for (const auto& [name, value] : entry.descriptor.annotations)
      if (name == kTagAnnotation) entry.tag = value;
    entry.received = received;
    index.entries.push_back(std::move(entry));
  }
  index.received = std::move(json);
  return index;
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
    manifests.Add(EntryToJson(entry));
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
