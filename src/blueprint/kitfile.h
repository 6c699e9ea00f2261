// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BLUEPRINT_KITFILE_H_
#define PLUMB_BLUEPRINT_KITFILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "crypto/digest.h"

namespace plumb::blueprint {

// What a packed entry is known by: digest of the layer, digest of the uncompressed layer.
// Set in the config of a ModelKit, never in a Kitfile.
struct LayerDigests {
  Digest digest;
  Digest diff_id;
  friend bool operator==(const LayerDigests&, const LayerDigests&) = default;
};

struct Package {
  std::string name, version, description, license;
  std::vector<std::string> authors;
  friend bool operator==(const Package&, const Package&) = default;
};

struct ModelPart {
  std::string name, path, license, type;
  std::optional<LayerDigests> layer;
  friend bool operator==(const ModelPart&, const ModelPart&) = default;
};

struct Model {
  std::string name, path, license, framework, format, version, description;
  std::vector<ModelPart> parts;
  std::optional<Json> parameters;  // any JSON; keys sorted when written
  std::optional<LayerDigests> layer;
  friend bool operator==(const Model&, const Model&) = default;
};

struct Code {
  std::string path, description, license;
  std::optional<LayerDigests> layer;
  friend bool operator==(const Code&, const Code&) = default;
};

struct Dataset {
  std::string name, path, description, license;
  std::optional<Json> parameters;
  std::optional<LayerDigests> layer;
  std::string remote_path = {}, remote_hash = {};  // of data that stays where it is: "s3://…"
  friend bool operator==(const Dataset&, const Dataset&) = default;
};

struct Docs {
  std::string path, description;
  std::optional<LayerDigests> layer;
  friend bool operator==(const Docs&, const Docs&) = default;
};

struct Prompt {
  std::string name, path, description;
  std::optional<LayerDigests> layer;
  friend bool operator==(const Prompt&, const Prompt&) = default;
};

struct McpServer {
  std::string name, path, description;
  std::optional<LayerDigests> layer;
  friend bool operator==(const McpServer&, const McpServer&) = default;
};

// The one that is written.
inline constexpr std::string_view kManifestVersion = "1.0.0";

// A Kitfile, and the config of a ModelKit, which is a Kitfile as JSON with digests.
struct Kitfile {
  std::string manifest_version;
  Package package;
  std::optional<Model> model;
  std::vector<Code> code;
  std::vector<Dataset> datasets;
  std::vector<Docs> docs;
  std::vector<Prompt> prompts;         // not known to kit 1.7
  std::vector<McpServer> mcp_servers;  // the same
  friend bool operator==(const Kitfile&, const Kitfile&) = default;
};

// Whose rules a Kitfile is held to: ours, or those of kit 1.7.0 with its defects.
enum class KitRules : std::uint8_t { kOurs, kKit17 };

// YAML 1.2 as yaml.v3 reads it. `file` is only for messages. kInvalid with
// "file:line:column: problem", the line and a caret; unknown and duplicate keys too.
// kExhausted: over 16 MiB, 64 levels, or after aliases 100 000 nodes or 32 MiB of text.
Result<Kitfile> ParseKitfile(std::string_view bytes, std::string_view file, KitRules rules);

// Whether the model's path is a path, or names a base.
enum class ModelPath : std::uint8_t { kFile, kReference };

// What can be said of a Kitfile without looking at files. All problems in one kInvalid:
// "errors while validating Kitfile: " and sorted lines "  * …".
Status ValidateKitfile(const Kitfile& kitfile, ModelPath model_path, KitRules rules);

// A path as it is written in a Kitfile, cleaned ("./a//b/../c/" is "a/c", "" and "." are
// "."), as Go's path.Clean does.
std::string CleanPath(std::string_view path);

// The exact bytes of the config (docs/format.md, "Config"): Go's json.Marshal conventions.
std::string WriteConfig(const Kitfile& kitfile);
Json KitfileToJson(const Kitfile& kitfile);

// Reads a config, from whatever tool wrote it: fields that are not known are ignored. kInvalid for
// those that Go would take for one that is ("Path"): kit would read another config than we.
Result<Kitfile> ParseConfig(std::string_view bytes);

// YAML for people, which ParseKitfile reads back to the same Kitfile; without digests. It is what
// kit 1.7 writes, but where that would lose something: negative zeros, line ends at a beginning,
// characters that cannot be seen; and keys of parameters are sorted by bytes.
std::string PrintKitfile(const Kitfile& kitfile);

// YAML that reads back to an equal value, if the numbers are written as json.Marshal does.
std::string WriteYaml(const Json& value);

}  // namespace plumb::blueprint

#endif  // PLUMB_BLUEPRINT_KITFILE_H_
