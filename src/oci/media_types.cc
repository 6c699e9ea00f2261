// SPDX-License-Identifier: MIT OR Apache-2.0
#include "oci/media_types.h"

#include <array>
#include <optional>
#include <string>

#include "base/check.h"
#include "base/text.h"

namespace plumb::oci {
namespace {

constexpr std::string_view kKitopsPrefix = "application/vnd.kitops.modelkit.";
constexpr std::string_view kModelPackPrefix = "application/vnd.cncf.model.";
constexpr std::string_view kCnaiPrefix = "application/vnd.cnai.model.";
// The one layer type of the ModelKit specification's first example.
constexpr std::string_view kJozuPrefix = "application/vnd.jozu.model.";
constexpr std::string_view kVersion = ".v1.";

struct TypeNames {
  LayerType type;
  std::string_view shown;
  std::string_view kitops;
  std::string_view modelpack;  // empty: it has none
};
// Of two of one name, the first is what is read without a subtype.
constexpr std::array<TypeNames, kLayerTypeCount> kTypes = {{
    {LayerType::kModel, "model", "model", "weight"},
    {LayerType::kModelPart, "modelpart", "modelpart", "weight.config"},
    {LayerType::kCode, "code", "code", "code"},
    {LayerType::kDataset, "dataset", "dataset", "dataset"},
    {LayerType::kDocs, "docs", "docs", "doc"},
    {LayerType::kPrompt, "prompt", "code", "code"},
    {LayerType::kMcpServer, "mcpserver", "mcpb", ""},
}};

struct EncodingName {
  LayerEncoding encoding;
  std::string_view name;
};
constexpr std::array<EncodingName, 6> kEncodings = {{
    {LayerEncoding::kTar, "tar"},
    {LayerEncoding::kTarGzip, "tar+gzip"},
    {LayerEncoding::kTarZstd, "tar+zstd"},
    {LayerEncoding::kRaw, "raw"},
    {LayerEncoding::kRawGzip, "raw+gzip"},
    {LayerEncoding::kRawZstd, "raw+zstd"},
}};

const TypeNames& NamesOf(LayerType type) { return kTypes.at(static_cast<std::size_t>(type)); }

std::optional<LayerEncoding> EncodingNamed(std::string_view name) {
  for (const EncodingName& known : kEncodings)
    if (known.name == name) return known.encoding;
  return std::nullopt;
}

// What follows the prefix is "NAME.v1.ENCODING".
std::optional<LayerMediaType> ParseRest(std::string_view rest, KitFormat format) {
  const std::size_t version = rest.rfind(kVersion);
  if (version == std::string_view::npos) return std::nullopt;
  const auto encoding = EncodingNamed(rest.substr(version + kVersion.size()));
  if (!encoding) return std::nullopt;
  const std::string_view name = rest.substr(0, version);
  for (const TypeNames& names : kTypes) {
    const bool is_pack = format == KitFormat::kModelPack;
    if (name.empty() || name != (is_pack ? names.modelpack : names.kitops)) continue;
    // model-spec knows no compressed files, and kit no archives of MCP bundles.
    if (is_pack && IsRaw(*encoding) && *encoding != LayerEncoding::kRaw) return std::nullopt;
    if (names.type == LayerType::kMcpServer && *encoding != LayerEncoding::kRaw)
      return std::nullopt;
    return LayerMediaType{names.type, *encoding, format};
  }
  return std::nullopt;
}

std::optional<LayerMediaType> ParseKnown(std::string_view text) {
  if (text.starts_with(kKitopsPrefix))
    return ParseRest(text.substr(kKitopsPrefix.size()), KitFormat::kModelKit);
  for (const std::string_view prefix : {kModelPackPrefix, kCnaiPrefix})
    if (text.starts_with(prefix))
      return ParseRest(text.substr(prefix.size()), KitFormat::kModelPack);
  constexpr std::string_view kContent = "content";
  if (!text.starts_with(kJozuPrefix) || !text.substr(kJozuPrefix.size()).starts_with(kContent))
    return std::nullopt;
  const std::string rest = "model" + std::string(text.substr(kJozuPrefix.size() + kContent.size()));
  return ParseRest(rest, KitFormat::kModelKit);
}

}  // namespace

bool IsRaw(LayerEncoding encoding) {
  return encoding == LayerEncoding::kRaw || encoding == LayerEncoding::kRawGzip ||
         encoding == LayerEncoding::kRawZstd;
}

Result<LayerMediaType> LayerMediaType::Parse(std::string_view text, std::string_view subtype) {
  std::optional<LayerMediaType> parsed = ParseKnown(text);
  if (!parsed)
    return Error{ErrorKind::kUnsupported,
                 "'" + Printable(text.substr(0, 128)) + "' is no layer of a modelkit"};
  if (parsed->type == LayerType::kCode && subtype == kPromptSubtype)
    parsed->type = LayerType::kPrompt;
  return *parsed;
}

std::string LayerMediaType::ToString() const {
  const bool is_pack = format == KitFormat::kModelPack;
  const TypeNames& names = NamesOf(type);
  std::string text(is_pack ? kModelPackPrefix : kKitopsPrefix);
  text += is_pack ? names.modelpack : names.kitops;
  text += kVersion;
  for (const EncodingName& known : kEncodings)
    if (known.encoding == encoding) text += known.name;
  return text;
}

std::string_view LayerTypeName(LayerType type) { return NamesOf(type).shown; }

Result<KitFormat> FormatOfConfig(std::string_view media_type) {
  if (media_type == kModelKitConfigMediaType || media_type == kJozuConfigMediaType)
    return KitFormat::kModelKit;
  if (media_type == kModelPackConfigMediaType || media_type == kCnaiConfigMediaType)
    return KitFormat::kModelPack;
  return Error{ErrorKind::kUnsupported,
               "'" + Printable(media_type.substr(0, 128)) + "' is the config of no ModelKit"};
}

}  // namespace plumb::oci
