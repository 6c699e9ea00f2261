// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BLUEPRINT_YAML_INTERNAL_H_
#define PLUMB_BLUEPRINT_YAML_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "blueprint/source_internal.h"

// YAML as yaml.v3 (Go) reads it, which is how kit reads Kitfiles: the grammar of libyaml,
// scalars typed by yaml.v3's own rules.
namespace plumb::blueprint {

// Indentation of text by a person stays far below these; memory and stack do too.
inline constexpr std::size_t kYamlDepthMax = 64;
inline constexpr std::size_t kYamlNodesMax = 100'000;

inline constexpr std::string_view kTagNull = "!!null";
inline constexpr std::string_view kTagBool = "!!bool";
inline constexpr std::string_view kTagInt = "!!int";
inline constexpr std::string_view kTagFloat = "!!float";
inline constexpr std::string_view kTagString = "!!str";
inline constexpr std::string_view kTagTimestamp = "!!timestamp";
inline constexpr std::string_view kTagBinary = "!!binary";
inline constexpr std::string_view kTagMerge = "!!merge";

enum class YamlKind : std::uint8_t { kScalar, kSequence, kMapping, kAlias };

struct YamlNode {
  YamlKind kind = YamlKind::kScalar;
  std::string tag;                    // of scalars always: as written, or as the text resolves
  std::string text;                   // of a scalar; of an alias the name of its anchor
  std::vector<std::size_t> children;  // items; or key, value, key, value …
  std::size_t target = 0;             // of an alias
  std::size_t position = 0;           // in code points from the beginning
};

// kYamlV3: further documents are not looked at, and %YAML must say 1.1. kYaml12: there must
// be no further document.
enum class YamlDialect : std::uint8_t { kYaml12, kYamlV3 };

// The nodes of one document; children and targets are indices into `nodes`.
struct YamlDocument {
  std::vector<YamlNode> nodes;
  std::size_t root = 0;
};

// kInvalid for what is not YAML, holds no document, or refers to no anchor; kExhausted over
// a limit. An alias may lie inside its own anchor: whoever follows aliases must notice.
Result<YamlDocument> ParseYaml(const Source& source, YamlDialect dialect);

// The byte offset of a node's position.
std::size_t ByteOffset(std::string_view text, std::size_t code_points);

struct YamlScalar {
  std::string_view tag;
  // Nothing for what JSON cannot say: NaN, infinities, offsets of a day and more.
  std::optional<Json> value;

  const std::string* IfText() const { return value ? value->IfString() : nullptr; }
};

// What a scalar is, by its text and its tag ("" if it has none and is not quoted). kInvalid
// if the text does not suit the tag. Of kTagBinary it is bytes, which need not be text.
Result<YamlScalar> ResolveScalar(std::string_view tag, std::string_view text);

}  // namespace plumb::blueprint

#endif  // PLUMB_BLUEPRINT_YAML_INTERNAL_H_
