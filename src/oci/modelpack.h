// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_OCI_MODELPACK_H_
#define PLUMB_OCI_MODELPACK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "oci/manifest.h"

namespace plumb::oci {

// Whose names the members of a config have: those of today, or also those that model-spec had as
// long as its media types were "cnai" (to 0.0.6).
enum class ModelPackNames : std::uint8_t { kToday, kCnai };

// The config of a ModelPack: what it says about a model, and of each layer the digest of what it
// is uncompressed, in the order of the manifest.
// Format: CNCF model-spec, docs/config.md and schema/config-schema.json.
// Trust: from strangers; Parse takes what the schema takes and "embedding", which 0.0.7 had (modctl
// writes it), and nothing else.
struct ModelPackConfig {
  Json descriptor = Json::MakeObject();  // the member of that name
  Json technical = Json::MakeObject();   // the member "config"
  std::vector<Digest> diff_ids;

  // Older names become those of today. kInvalid for what the schema refuses (members it does not
  // know, too; a Go program would take "Name" for "name"), kUnsupported for digests of another
  // algorithm, kExhausted over 4 MiB.
  static Result<ModelPackConfig> Parse(std::string_view bytes,
                                       ModelPackNames names = ModelPackNames::kToday);

  // A text of the descriptor or of the technical part; empty if it is not there.
  std::string Descriptor(std::string_view name) const;
  std::string Technical(std::string_view name) const;

  friend bool operator==(const ModelPackConfig&, const ModelPackConfig&) = default;
};

// kInvalid for what Parse would refuse of the descriptor or the technical part.
Status CheckModelPackConfig(const ModelPackConfig& config);

// Whether a member of that name belongs to the descriptor; else it can only be technical.
bool IsModelPackDescriptor(std::string_view name);

// The bytes of a config (docs/format.md, "ModelPack"). What Parse would refuse is a bug.
std::string WriteModelPackConfig(const ModelPackConfig& config);

// The bytes of the manifest of a ModelPack; `kitfile` becomes the annotation "plumb.kitfile".
std::string WriteModelPackManifest(const Descriptor& config, const std::vector<Descriptor>& layers,
                                   const std::string& kitfile);

// What the annotations of a layer tell of the file it holds, or in a tar of one file, held.
struct FileAnnotations {
  std::string path;                   // as it stands there: hostile; empty if it is not there
  std::uint32_t mode = 0644;          // permission bits
  std::optional<std::uint64_t> size;  // of the file
};
// kInvalid if they are no JSON of the form that model-spec gives, kExhausted over 64 KiB.
Result<FileAnnotations> ParseFileAnnotations(const Annotations& annotations);
// Of these only the path, as it is written there; empty if there is none.
std::string_view FilePathOf(const Annotations& annotations);
// The same for a file of ours: constant owner and time (docs/format.md, "Raw layers").
Annotations WriteFileAnnotations(const std::string& path, std::uint32_t mode, std::uint64_t size);

}  // namespace plumb::oci

#endif  // PLUMB_OCI_MODELPACK_H_
