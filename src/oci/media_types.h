// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_OCI_MEDIA_TYPES_H_
#define PLUMB_OCI_MEDIA_TYPES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

// The media types of a ModelKit (ModelKit specification 0.1 and KitOps 1.7 to 1.15), of a ModelPack
// (CNCF model-spec), and two older families that are read and never written: the `jozu` ones of
// the first ModelKit specification, and the `cnai` ones that ModelPacks had before.
namespace plumb::oci {

inline constexpr std::string_view kModelKitConfigMediaType =
    "application/vnd.kitops.modelkit.config.v1+json";
inline constexpr std::string_view kJozuConfigMediaType =
    "application/vnd.jozu.model.config.v1+json";
inline constexpr std::string_view kModelPackConfigMediaType =
    "application/vnd.cncf.model.config.v1+json";
inline constexpr std::string_view kCnaiConfigMediaType =
    "application/vnd.cnai.model.config.v1+json";
inline constexpr std::string_view kModelPackArtifactType =
    "application/vnd.cncf.model.manifest.v1+json";
inline constexpr std::string_view kCnaiArtifactType = "application/vnd.cnai.model.manifest.v1+json";

// Annotations of a layer. A prompt is a layer of code whose subtype says so.
inline constexpr std::string_view kSubtypeAnnotation = "ml.kitops.modelkit.layer-subtype";
inline constexpr std::string_view kPromptSubtype = "prompt";
inline constexpr std::string_view kFilePathAnnotation = "org.cncf.model.filepath";
inline constexpr std::string_view kCnaiFilePathAnnotation = "org.cnai.model.filepath";
inline constexpr std::string_view kFileMetadataAnnotation = "org.cncf.model.file.metadata+json";
inline constexpr std::string_view kCnaiFileMetadataAnnotation = "org.cnai.model.file.metadata+json";
// Annotations of a ModelPack's manifest that hold a Kitfile: KitOps' own, and ours.
inline constexpr std::string_view kKitopsKitfileAnnotation = "ml.kitops.modelkit.kitfile";
inline constexpr std::string_view kKitfileAnnotation = "plumb.kitfile";

// Of a manifest: which kit wrote it.
inline constexpr std::string_view kKitVersionAnnotation = "ml.kitops.modelkit.cli-version";

enum class KitFormat : std::uint8_t { kModelKit, kModelPack };

// What a layer holds. The order is the order of layers in a manifest.
enum class LayerType : std::uint8_t {
  kModel,
  kModelPart,
  kCode,
  kDataset,
  kDocs,
  kPrompt,
  kMcpServer
};
inline constexpr std::size_t kLayerTypeCount = 7;

// An archive, or the bytes of one file as they are.
enum class LayerEncoding : std::uint8_t { kTar, kTarGzip, kTarZstd, kRaw, kRawGzip, kRawZstd };
bool IsRaw(LayerEncoding encoding);

struct LayerMediaType {
  LayerType type = LayerType::kModel;
  LayerEncoding encoding = LayerEncoding::kTar;
  KitFormat format = KitFormat::kModelKit;

  // kUnsupported, naming it, for a media type that is none of these. `subtype` is the layer's
  // annotation of that name, or empty. What a `jozu` layer holds is a model; a ModelPack's "weight"
  // is a model, its "weight.config" a part.
  static Result<LayerMediaType> Parse(std::string_view text, std::string_view subtype = {});
  std::string ToString() const;

  friend bool operator==(const LayerMediaType&, const LayerMediaType&) = default;
};

// "model", "modelpart", "code", "dataset", "docs", "prompt", "mcpserver": for people, as in kit's
// output.
std::string_view LayerTypeName(LayerType type);

// kUnsupported, naming it, for a config of something else.
Result<KitFormat> FormatOfConfig(std::string_view media_type);

}  // namespace plumb::oci

#endif  // PLUMB_OCI_MEDIA_TYPES_H_
