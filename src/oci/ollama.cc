// SPDX-License-Identifier: MIT OR Apache-2.0
#include "oci/ollama.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text.h"

namespace plumb::oci {
namespace {

constexpr std::string_view kDefaultHost = "registry.ollama.ai";
constexpr std::string_view kDefaultOrganization = "library";
constexpr std::string_view kDefaultOllamaTag = "latest";
constexpr std::size_t kHostSizeMax = 350;
constexpr std::size_t kPartSizeMax = 80;
constexpr std::string_view kTypePrefix = "application/vnd.ollama.image.";

constexpr std::array<std::pair<std::string_view, OllamaLayer>, 9> kTypes = {{
    {"model", OllamaLayer::kModel},
    {"projector", OllamaLayer::kProjector},
    {"adapter", OllamaLayer::kAdapter},
    {"draft", OllamaLayer::kDraft},
    {"template", OllamaLayer::kTemplate},
    {"system", OllamaLayer::kSystem},
    {"license", OllamaLayer::kLicense},
    {"params", OllamaLayer::kParams},
    {"messages", OllamaLayer::kMessages},
}};

bool IsWordByte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool IsPart(std::string_view text, std::size_t size_max, bool may_have_port) {
  return !text.empty() && text.size() <= size_max && IsWordByte(text.front()) &&
         std::ranges::all_of(text, [&](char c) {
           return IsWordByte(c) || c == '-' || c == '.' || (may_have_port && c == ':');
         });
}

}  // namespace

Result<OllamaName> OllamaName::Parse(std::string_view text) {
  OllamaName name;
  std::string_view rest = text;
  const std::size_t colon = rest.rfind(':');
  if (colon != std::string_view::npos && rest.find('/', colon) == std::string_view::npos) {
    name.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  } else {
    name.tag = kDefaultOllamaTag;
  }
  const std::vector<std::string_view> parts = Split(rest, '/');
  name.model = parts.back();
  name.organization = parts.size() > 1 ? parts[parts.size() - 2] : kDefaultOrganization;
  name.host = parts.size() > 2 ? parts[0] : kDefaultHost;
  const bool is_good = parts.size() <= 3 && IsPart(name.host, kHostSizeMax, true) &&
                       IsPart(name.organization, kPartSizeMax, false) &&
                       IsPart(name.model, kPartSizeMax, false) &&
                       IsPart(name.tag, kPartSizeMax, false);
  if (!is_good) {
    return Error{ErrorKind::kInvalid,
                 "'" + Printable(text.substr(0, 512)) + "' is no name of a model of Ollama",
                 "write [HOST/][NAMESPACE/]MODEL[:TAG]"};
  }
  return name;
}

std::string OllamaName::ToString() const {
  std::string text;
  if (host != kDefaultHost) text += host + "/";
  if (host != kDefaultHost || organization != kDefaultOrganization) text += organization + "/";
  return text + model + ":" + tag;
}

std::string OllamaName::ManifestPath() const {
  return "manifests/" + host + "/" + organization + "/" + model + "/" + tag;
}

Result<OllamaLayer> ParseOllamaLayer(std::string_view media_type) {
  if (media_type.starts_with(kTypePrefix)) {
    const std::string_view word = media_type.substr(kTypePrefix.size());
    for (const auto& [name, type] : kTypes)
      if (name == word) return type;
    if (word == "tensor" || word == "json") {
      return Error{ErrorKind::kUnsupported,
                   "Ollama keeps this model tensor by tensor; only those of GGUF can be imported"};
    }
  }
  return Error{ErrorKind::kUnsupported,
               "layers of type '" + Printable(media_type.substr(0, 128)) + "' cannot be imported"};
}

}  // namespace plumb::oci
