// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_OCI_OLLAMA_H_
#define PLUMB_OCI_OLLAMA_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

// How Ollama names models, and what the layers of its manifests hold (they are image manifests of
// Docker's type).
namespace plumb::oci {

// [host/][namespace/]model[:tag]; what is left out is registry.ollama.ai, library, latest.
struct OllamaName {
  std::string host;
  std::string organization;
  std::string model;
  std::string tag;

  // kInvalid: not of Ollama's grammar (each part letters, digits, '_', '-', '.', at most 80 bytes,
  // 350 for a host, beginning with a letter, digit or '_'). So no part can leave a directory.
  static Result<OllamaName> Parse(std::string_view text);
  // As people write it: without the parts that go without saying, but with the tag.
  std::string ToString() const;
  // Where its manifest lies in a store.
  std::string ManifestPath() const;

  friend bool operator==(const OllamaName&, const OllamaName&) = default;
};

enum class OllamaLayer : std::uint8_t {
  kModel,
  kProjector,
  kAdapter,
  kDraft,
  kTemplate,
  kSystem,
  kLicense,
  kParams,
  kMessages,
};
// kUnsupported, naming it, for a media type that is none of these.
Result<OllamaLayer> ParseOllamaLayer(std::string_view media_type);

}  // namespace plumb::oci

#endif  // PLUMB_OCI_OLLAMA_H_
