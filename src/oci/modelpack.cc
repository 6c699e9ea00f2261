// SPDX-License-Identifier: MIT OR Apache-2.0
#include "oci/modelpack.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "oci/descriptor_internal.h"
#include "oci/media_types.h"

namespace plumb::oci {
namespace {

constexpr std::string_view kWhat = "the config of a ModelPack";
// What tools write there has 150 bytes and a name.
constexpr std::size_t kFileMetadataSizeMax = std::size_t{64} << 10;
constexpr std::uint32_t kPermissionBits = 0777;

// What the schema wants of a member.
enum class Form : std::uint8_t {
  kText,
  kName,
  kTexts,
  kTime,
  kBool,
  kModalities,
  kLanguages,
  kObject
};

struct Member {
  std::string_view name;
  Form form;
};

constexpr std::array kTopMembers = std::to_array<Member>(
    {{"descriptor", Form::kObject}, {"config", Form::kObject}, {"modelfs", Form::kObject}});
constexpr std::array kDescriptorMembers = std::to_array<Member>({{"createdAt", Form::kTime},
                                                                 {"authors", Form::kTexts},
                                                                 {"family", Form::kText},
                                                                 {"name", Form::kName},
                                                                 {"docURL", Form::kText},
                                                                 {"sourceURL", Form::kText},
                                                                 {"datasetsURL", Form::kTexts},
                                                                 {"version", Form::kText},
                                                                 {"revision", Form::kText},
                                                                 {"vendor", Form::kText},
                                                                 {"licenses", Form::kTexts},
                                                                 {"title", Form::kText},
                                                                 {"description", Form::kText}});
constexpr std::array kTechnicalMembers = std::to_array<Member>({{"architecture", Form::kText},
                                                                {"format", Form::kText},
                                                                {"paramSize", Form::kText},
                                                                {"precision", Form::kText},
                                                                {"quantization", Form::kText},
                                                                {"capabilities", Form::kObject}});
constexpr std::array kCapabilityMembers = std::to_array<Member>({{"inputTypes", Form::kModalities},
                                                                 {"outputTypes", Form::kModalities},
                                                                 {"knowledgeCutoff", Form::kTime},
                                                                 {"reasoning", Form::kBool},
                                                                 {"toolUsage", Form::kBool},
                                                                 {"embedding", Form::kBool},
                                                                 {"reward", Form::kBool},
                                                                 {"languages", Form::kLanguages}});

// What members were called while the media types were "cnai".
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kOlderNames = {
    {{"diff_ids", "diffIds"},
     {"parameterSize", "paramSize"},    // 0.0.1, where it was a number
     {"puantization", "quantization"},  // to 0.0.3
     {"input_types", "inputTypes"},
     {"output_types", "outputTypes"},
     {"knowledge_cutoff", "knowledgeCutoff"},
     {"tool_usage", "toolUsage"}}};
constexpr std::array<std::string_view, 6> kModalities = {"text",  "image",     "audio",
                                                         "video", "embedding", "other"};

bool IsDigits(std::string_view text, std::size_t count) {
  return text.size() == count &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

unsigned TwoDigits(std::string_view text, std::size_t at) {
  return static_cast<unsigned>((text[at] - '0') * 10 + (text[at + 1] - '0'));
}

unsigned DaysIn(unsigned month, unsigned year) {
  constexpr std::array<unsigned, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && is_leap ? 29 : kDays[month - 1];
}

// Of the shape that IsTime asks for: whether there is such a day and time. Go, which wrote them,
// knows no leap seconds.
bool IsOfTheCalendar(std::string_view text) {
  const unsigned year = TwoDigits(text, 0) * 100 + TwoDigits(text, 2);
  const unsigned month = TwoDigits(text, 5);
  const unsigned day = TwoDigits(text, 8);
  return month >= 1 && month <= 12 && day >= 1 && day <= DaysIn(month, year) &&
         TwoDigits(text, 11) < 24 && TwoDigits(text, 14) < 60 && TwoDigits(text, 17) < 60;
}

// RFC 3339, section 5.6.
bool IsTime(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (text.size() <= kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool fits = kShape[i] == '0' ? IsDigits(text.substr(i, 1), 1) : text[i] == kShape[i];
    if (!fits) return false;
  }
  if (!IsOfTheCalendar(text)) return false;
  text.remove_prefix(kShape.size());
  if (text.starts_with('.')) {
    const std::size_t end = text.find_first_not_of("0123456789", 1);
    if (end == 1 || end == std::string_view::npos) return false;
    text.remove_prefix(end);
  }
  if (text == "Z") return true;
  return text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':' &&
         IsDigits(text.substr(1, 2), 2) && IsDigits(text.substr(4), 2) && TwoDigits(text, 1) < 24 &&
         TwoDigits(text, 4) < 60;
}

bool IsLanguage(std::string_view text) {
  return text.size() == 2 && std::ranges::all_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
}

template <typename Test>
bool IsListOf(const Json& value, const Test& test) {
  const Json::Array* items = value.IfArray();
  return items != nullptr && std::ranges::all_of(*items, [&](const Json& item) {
           return item.IfString() != nullptr && test(*item.IfString());
         });
}

bool HasForm(const Json& value, Form form) {
  const std::string* text = value.IfString();
  switch (form) {
    case Form::kText:
      return text != nullptr;
    case Form::kName:
      return text != nullptr && !text->empty();
    case Form::kTime:
      return text != nullptr && IsTime(*text);
    case Form::kBool:
      return value.IfBool() != nullptr;
    case Form::kTexts:
      return IsListOf(value, [](std::string_view) { return true; });
    case Form::kModalities:
      return IsListOf(value, [](std::string_view item) {
        return std::ranges::find(kModalities, item) != kModalities.end();
      });
    case Form::kLanguages:
      return IsListOf(value, IsLanguage);
    case Form::kObject:
      break;
  }
  return value.IfObject() != nullptr;
}

Status CheckMembers(const Json& object, std::span<const Member> known) {
  if (object.IfObject() == nullptr) return Malformed(kWhat, "it is no object");
  for (const auto& [name, value] : *object.IfObject()) {
    const auto member = std::ranges::find(known, std::string_view(name), &Member::name);
    if (member == known.end())
      return Malformed(
          kWhat, "it has the member '" + Printable(name) + "', which model-spec does not know");
    if (!HasForm(value, member->form))
      return Malformed(kWhat, "its '" + name + "' is not what model-spec wants there");
  }
  return Done{};
}

// The object with the names of today, in all that it holds. A member that comes under both of its
// names is refused: one program would read one, another the other.
Result<Json> WithNamesOfToday(const Json& value) {
  if (value.IfObject() == nullptr) return value;
  Json renamed = Json::MakeObject();
  for (const auto& [name, member] : *value.IfObject()) {
    PLUMB_TRY(Json inner, WithNamesOfToday(member));
    const auto older = std::ranges::find(kOlderNames, std::string_view(name),
                                         [](const auto& names) { return names.first; });
    if (older == kOlderNames.end()) {
      renamed.Append(name, std::move(inner));
      continue;
    }
    if (value.Find(older->second) != nullptr)
      return Malformed(kWhat, "it has '" + std::string(older->second) + "' under two names");
    const Json::Number* number = inner.IfNumber();
    if (number != nullptr && name == "parameterSize")
      inner = Json::String(std::string(number->digits));
    renamed.Append(std::string(older->second), std::move(inner));
  }
  return renamed;
}

Result<std::vector<Digest>> ReadDiffIds(const Json& modelfs) {
  constexpr std::array<std::string_view, 2> kKnown = {"type", "diffIds"};
  for (const auto& [name, value] : *modelfs.IfObject())
    if (std::ranges::find(kKnown, name) == kKnown.end())
      return Malformed(kWhat, "its modelfs has the member '" + Printable(name) + "'");
  PLUMB_TRY(const std::string type, OptionalText(modelfs, "type", kWhat));
  if (type != "layers") return Malformed(kWhat, "the type of its modelfs is not 'layers'");
  const Json* list = modelfs.Find("diffIds");
  if (list == nullptr || list->IfArray() == nullptr || list->IfArray()->empty())
    return Malformed(kWhat, "it has no diffIds");
  if (list->IfArray()->size() > kLayerCountMax)
    return Error{ErrorKind::kExhausted, "a ModelPack has more than 20000 diffIds"};
  std::vector<Digest> diff_ids;
  for (const Json& item : *list->IfArray()) {
    if (item.IfString() == nullptr) return Malformed(kWhat, "a diffId is no text");
    auto digest = Digest::Parse(*item.IfString());
    if (!digest) return std::move(digest).error().While(std::string(kWhat));
    diff_ids.push_back(*digest);
  }
  return diff_ids;
}

// The members that are there, in the order of `known`: that of model-spec's own Go types.
Json InOrder(const Json& object, std::span<const Member> known) {
  Json ordered = Json::MakeObject();
  for (const Member& member : known)
    if (const Json* value = object.Find(member.name))
      ordered.Append(std::string(member.name), *value);
  return ordered;
}

std::string_view FindEither(const Annotations& annotations, std::string_view name,
                            std::string_view older_name) {
  const std::string_view value = FindAnnotation(annotations, name);
  return value.empty() ? FindAnnotation(annotations, older_name) : value;
}

}  // namespace

Result<ModelPackConfig> ModelPackConfig::Parse(std::string_view bytes, ModelPackNames names) {
  auto json = ParseJson(bytes);
  if (!json) return std::move(json).error().While(std::string(kWhat));
  if (names == ModelPackNames::kCnai) {
    PLUMB_TRY(json, WithNamesOfToday(*json));
  }
  PLUMB_RETURN_IF_ERROR(CheckMembers(*json, kTopMembers));
  const Json* descriptor = json->Find("descriptor");
  const Json* technical = json->Find("config");
  const Json* modelfs = json->Find("modelfs");
  if (descriptor == nullptr || technical == nullptr || modelfs == nullptr)
    return Malformed(kWhat, "it lacks one of descriptor, config and modelfs");
  ModelPackConfig config;
  config.descriptor = *descriptor;
  config.technical = *technical;
  PLUMB_RETURN_IF_ERROR(CheckModelPackConfig(config));
  PLUMB_TRY(config.diff_ids, ReadDiffIds(*modelfs));
  return config;
}

Status CheckModelPackConfig(const ModelPackConfig& config) {
  PLUMB_RETURN_IF_ERROR(CheckMembers(config.descriptor, kDescriptorMembers));
  PLUMB_RETURN_IF_ERROR(CheckMembers(config.technical, kTechnicalMembers));
  const Json* capabilities = config.technical.Find("capabilities");
  return capabilities == nullptr ? Done{} : CheckMembers(*capabilities, kCapabilityMembers);
}

std::string ModelPackConfig::Descriptor(std::string_view name) const {
  return descriptor.TextOf(name);
}
std::string ModelPackConfig::Technical(std::string_view name) const {
  return technical.TextOf(name);
}

bool IsModelPackDescriptor(std::string_view name) {
  return std::ranges::find(kDescriptorMembers, name, &Member::name) != kDescriptorMembers.end();
}

std::string WriteModelPackConfig(const ModelPackConfig& config) {
  Json technical = InOrder(config.technical, kTechnicalMembers);
  if (const Json* capabilities = technical.Find("capabilities"))
    technical.Set("capabilities", InOrder(*capabilities, kCapabilityMembers));
  Json diff_ids = Json::MakeArray();
  for (const Digest& diff_id : config.diff_ids)
    diff_ids.Add(Json::String(diff_id.ToString()));
  Json modelfs = Json::MakeObject();
  modelfs.Append("type", Json::String("layers")).Append("diffIds", std::move(diff_ids));
  Json json = Json::MakeObject();
  json.Append("descriptor", InOrder(config.descriptor, kDescriptorMembers));
  json.Append("modelfs", std::move(modelfs));
  json.Append("config", std::move(technical));
  return WriteJson(json, JsonStyle::kGo);
}

std::string WriteModelPackManifest(const Descriptor& config, const std::vector<Descriptor>& layers,
                                   const std::string& kitfile) {
  Json list = Json::MakeArray();
  for (const Descriptor& layer : layers)
    list.Add(DescriptorToJson(layer));
  Json annotations = Json::MakeObject();
  annotations.Append(std::string(kKitfileAnnotation), Json::String(kitfile));
  Json json = Json::MakeObject();
  json.Append("schemaVersion", Json::Uint(2));
  json.Append("mediaType", Json::String(kManifestMediaType));
  json.Append("artifactType", Json::String(kModelPackArtifactType));
  json.Append("config", DescriptorToJson(config));
  json.Append("layers", std::move(list));
  json.Append("annotations", std::move(annotations));
  return WriteJson(json, JsonStyle::kGo);
}

std::string_view FilePathOf(const Annotations& annotations) {
  return FindEither(annotations, kFilePathAnnotation, kCnaiFilePathAnnotation);
}

Result<FileAnnotations> ParseFileAnnotations(const Annotations& annotations) {
  constexpr std::string_view kMetadata = "the annotation about the file of a layer";
  FileAnnotations file;
  file.path = FilePathOf(annotations);
  const std::string_view metadata =
      FindEither(annotations, kFileMetadataAnnotation, kCnaiFileMetadataAnnotation);
  if (metadata.empty()) return file;
  const auto json = ParseJson(metadata, JsonLimits{.size_max = kFileMetadataSizeMax});
  if (!json) return Error(json.error()).While(std::string(kMetadata));
  if (json->IfObject() == nullptr) return Malformed(kMetadata, "it is no object");
  if (const Json* mode = json->Find("mode")) {
    const auto value = mode->ToUint64();
    if (!value) return Malformed(kMetadata, "its mode is no number");
    file.mode = static_cast<std::uint32_t>(*value & kPermissionBits);
  }
  if (const Json* size = json->Find("size")) {
    const auto value = size->ToUint64();
    if (!value) return Malformed(kMetadata, "its size is no number");
    file.size = *value;
  }
  return file;
}

Annotations WriteFileAnnotations(const std::string& path, std::uint32_t mode, std::uint64_t size) {
  Json metadata = Json::MakeObject();
  metadata.Append("name", Json::String(path.substr(path.rfind('/') + 1)));
  metadata.Append("mode", Json::Uint(mode));
  metadata.Append("uid", Json::Uint(0)).Append("gid", Json::Uint(0));
  metadata.Append("size", Json::Uint(size));
  metadata.Append("mtime", Json::String("1970-01-01T00:00:00Z"));
  metadata.Append("typeflag", Json::Uint(0));
  return {{std::string(kFileMetadataAnnotation), WriteJson(metadata, JsonStyle::kGo)},
          {std::string(kFilePathAnnotation), path}};
}

}  // namespace plumb::oci
