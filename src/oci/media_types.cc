// SPDX-License-Identifier: MIT OR Apache-2.0
#include "oci/media_types.h"

#include <array>
#include <string>
#include <utility>

#include "base/text.h"

namespace plumb::oci {
namespace {

constexpr std::string_view kPrefix = "application/vnd.kitops.modelkit.";
constexpr std::string_view kVersionAndTar = ".v1.tar";
// The one layer type of the specification's first example.
constexpr std::string_view kJozuModel = "application/vnd.jozu.model.content.v1.tar";

constexpr std::array<std::pair<LayerType, std::string_view>, 5> kTypes = {{
    {LayerType::kModel, "model"},
    {LayerType::kModelPart, "modelpart"},
    {LayerType::kCode, "code"},
    {LayerType::kDataset, "dataset"},
    {LayerType::kDocs, "docs"},
}};

constexpr std::array<std::pair<LayerEncoding, std::string_view>, 3> kEncodings = {{
    {LayerEncoding::kTar, ""},
    {LayerEncoding::kTarGzip, "+gzip"},
    {LayerEncoding::kTarZstd, "+zstd"},
}};

}  // namespace

Result<LayerMediaType> LayerMediaType::Parse(std::string_view text) {
  for (const auto& [encoding, suffix] : kEncodings) {
    if (text == std::string(kJozuModel) + std::string(suffix))
      return LayerMediaType{LayerType::kModel, encoding};
    for (const auto& [type, name] : kTypes) {
      const LayerMediaType candidate = {type, encoding};
      if (text == candidate.ToString()) return candidate;
    }
  }
  return Error{ErrorKind::kUnsupported,
               "'" + Printable(text.substr(0, 128)) + "' is no layer of a modelkit"};
}

std::string LayerMediaType::ToString() const {
  std::string text(kPrefix);
  text += LayerTypeName(type);
  text += kVersionAndTar;
  for (const auto& [candidate, suffix] : kEncodings)
    if (candidate == encoding) text += suffix;
  return text;
}

std::string_view LayerTypeName(LayerType type) {
  for (const auto& [candidate, name] : kTypes)
    if (candidate == type) return name;
  return {};
}

bool IsModelKitConfig(std::string_view media_type) {
  return media_type == kModelKitConfigMediaType || media_type == kJozuConfigMediaType;
}

}  // namespace plumb::oci
