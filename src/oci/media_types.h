// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_OCI_MEDIA_TYPES_H_
#define PLUMB_OCI_MEDIA_TYPES_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

// The media types of a ModelKit (ModelKit specification 0.1 and KitOps 1.7), and the older
// `jozu` ones of its example, which are read and never written.
namespace plumb::oci {

inline constexpr std::string_view kModelKitConfigMediaType =
    "application/vnd.kitops.modelkit.config.v1+json";
inline constexpr std::string_view kJozuConfigMediaType =
    "application/vnd.jozu.model.config.v1+json";

// What a layer holds. The order is the order of layers in a manifest.
enum class LayerType : std::uint8_t { kModel, kModelPart, kCode, kDataset, kDocs };

enum class LayerEncoding : std::uint8_t { kTar, kTarGzip, kTarZstd };

struct LayerMediaType {
  LayerType type = LayerType::kModel;
  LayerEncoding encoding = LayerEncoding::kTar;

  // kUnsupported, naming it, for a media type that is none of ours. What a `jozu` layer holds
  // is a model.
  static Result<LayerMediaType> Parse(std::string_view text);
  std::string ToString() const;

  friend bool operator==(const LayerMediaType&, const LayerMediaType&) = default;
};

// "model", "modelpart", "code", "dataset", "docs": as in the media type and in kit's output.
std::string_view LayerTypeName(LayerType type);

bool IsModelKitConfig(std::string_view media_type);

}  // namespace plumb::oci

#endif  // PLUMB_OCI_MEDIA_TYPES_H_
