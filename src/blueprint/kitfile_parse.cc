// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "base/text.h"
#include "blueprint/kitfile.h"
#include "blueprint/modelfile.h"
#include "blueprint/source_internal.h"
#include "blueprint/yaml_internal.h"

namespace plumb::blueprint {
namespace {

constexpr std::array<std::string_view, 3> kManifestVersions = {"1.0.0", "1.0", "v1.0.0"};

// Twice what the file may hold: an escape can be shorter than what it stands for.
constexpr std::size_t kTextSizeMax = 2 * kBlueprintSizeMax;

using NodeId = std::size_t;

// One key of a mapping, and what reads its value.
struct Field {
  std::string_view key;
  std::function<Status(NodeId)> read;
};

// Reads a tree into a Kitfile as yaml.v3 would decode it into kit's Go structs. Where the two
// sets of rules differ, kit drops something without a word and ours refuse it.
class KitfileReader {
 public:
  KitfileReader(const Source& source, const YamlDocument& document, KitRules rules)
      : source_(source), document_(document), rules_(rules) {}

  Result<Kitfile> Read() {
    Kitfile kitfile;
    PLUMB_RETURN_IF_ERROR(ReadKitfile(document_.root, kitfile));
    if (rules_ == KitRules::kOurs && !has_manifest_version_)
      return ErrorAt(document_.root, "manifestVersion is missing: write 'manifestVersion: 1.0.0'");
    return kitfile;
  }

 private:
  // The keys that a mapping has before what it merges in; those win.
  using TakenKeys = std::set<std::string>;
  using Visit = std::function<Status(NodeId key, std::string name, NodeId value)>;

  const YamlNode& At(NodeId id) const { return document_.nodes[id]; }

  Error ErrorAt(NodeId id, std::string_view problem, ErrorKind kind = ErrorKind::kInvalid) const {
    return source_.ErrorAt(ByteOffset(source_.Text(), At(id).position), problem, kind);
  }

  // Follows aliases to the node they stand for, once for each time they are used: ten lines
  // of aliases to aliases are a billion nodes, and one long text used often fills the memory.
  template <typename Use>
  Status Visited(NodeId id, Use use) {
    if (++visit_count_ > kYamlNodesMax)
      return ErrorAt(id, "more than 100000 values", ErrorKind::kExhausted);
    text_size_ += At(id).text.size();
    if (text_size_ > kTextSizeMax)
      return ErrorAt(id, "more than 32 MiB of text after aliases", ErrorKind::kExhausted);
    if (At(id).kind != YamlKind::kAlias) return use(id);
    if (!active_aliases_.insert(id).second)
      return ErrorAt(id, "anchor '&" + Printable(At(id).text) + "' contains itself");
    const Status status = Visited(At(id).target, use);
    active_aliases_.erase(id);
    return status;
  }

  NodeId Target(NodeId id) const { return At(id).kind == YamlKind::kAlias ? At(id).target : id; }
  bool IsNull(NodeId id) const {
    const YamlNode& node = At(Target(id));
    return node.kind == YamlKind::kScalar && node.tag == kTagNull;
  }
  bool IsMergeKey(NodeId id) const {
    return At(id).kind == YamlKind::kScalar && At(id).tag == kTagMerge && At(id).text == "<<";
  }

  Result<YamlScalar> Resolve(NodeId id) const {
    Result<YamlScalar> scalar = ResolveScalar(At(id).tag, At(id).text);
    if (!scalar) return ErrorAt(id, scalar.error().message);
    const bool is_bytes = scalar->tag == kTagBinary && !IsUtf8(*scalar->IfText());
    if (is_bytes && rules_ == KitRules::kOurs)
      return ErrorAt(id, "a !!binary value that is not text");
    return scalar;
  }

  // Any scalar can be text, and is the text it is written with; null leaves what is there.
  Status ReadText(NodeId given, std::string_view what, std::string& out) {
    return Visited(given, [&](NodeId id) -> Status {
      if (At(id).kind != YamlKind::kScalar)
        return ErrorAt(given, "'" + std::string(what) + "' must be text");
      PLUMB_TRY(const YamlScalar scalar, Resolve(id));
      if (scalar.tag == kTagNull) return Done{};
      const std::string* decoded = scalar.tag == kTagBinary ? scalar.IfText() : nullptr;
      out = decoded == nullptr ? At(id).text : *decoded;
      return Done{};
    });
  }

  // Nothing for null, which is no key.
  Result<std::optional<std::string>> ReadKey(NodeId id) {
    if (IsNull(id)) {
      if (rules_ == KitRules::kOurs) return ErrorAt(id, "a key is empty");
      return std::optional<std::string>();
    }
    if (At(Target(id)).kind != YamlKind::kScalar) return ErrorAt(id, "a key must be text");
    std::string name;
    PLUMB_RETURN_IF_ERROR(ReadText(id, "key", name));
    return std::optional<std::string>(std::move(name));
  }

  // Two keys written alike are an error before anything is made of them.
  Status CheckKeysDiffer(const YamlNode& mapping) const {
    std::set<std::pair<YamlKind, std::string_view>> seen;
    for (std::size_t i = 0; i < mapping.children.size(); i += 2) {
      const YamlNode& key = At(mapping.children[i]);
      if (!seen.emplace(key.kind, key.text).second)
        return ErrorAt(mapping.children[i], "key '" + Printable(key.text) + "' for a second time");
    }
    return Done{};
  }

  // The entries of a mapping in order, then those of the mappings it merges in ("<<") that
  // do not have a key that came before.
  Status VisitEntries(const YamlNode& mapping, TakenKeys* taken, const Visit& visit) {
    PLUMB_RETURN_IF_ERROR(CheckKeysDiffer(mapping));
    std::optional<NodeId> merged;
    TakenKeys names;
    for (std::size_t i = 0; i < mapping.children.size(); i += 2) {
      const NodeId key = mapping.children[i];
      if (IsMergeKey(key)) {
        merged = mapping.children[i + 1];
        continue;
      }
      PLUMB_TRY(std::optional<std::string> name, ReadKey(key));
      if (!name) continue;
      const bool is_new = names.insert(*name).second;
      if (!is_new && rules_ == KitRules::kOurs)
        return ErrorAt(key, "key '" + Printable(*name) + "' for a second time");
      if (taken != nullptr && !taken->insert(*name).second) continue;
      PLUMB_RETURN_IF_ERROR(visit(key, *std::move(name), mapping.children[i + 1]));
    }
    if (!merged) return Done{};
    if (taken != nullptr) return MergeIn(*merged, *taken, visit);
    names = TextKeys(mapping);
    return MergeIn(*merged, names, visit);
  }

  // As what yaml.v3 compares merged keys with: text only, the number 1 is not the text "1".
  TakenKeys TextKeys(const YamlNode& mapping) const {
    TakenKeys names;
    for (std::size_t i = 0; i < mapping.children.size(); i += 2) {
      const NodeId key = Target(mapping.children[i]);
      if (At(key).kind != YamlKind::kScalar) continue;
      const Result<YamlScalar> scalar = ResolveScalar(At(key).tag, At(key).text);
      if (!scalar || (scalar->tag != kTagString && scalar->tag != kTagBinary)) continue;
      if (const std::string* text = scalar->IfText()) names.insert(*text);
    }
    return names;
  }

  Status MergeIn(NodeId value, TakenKeys& taken, const Visit& visit) {
    const YamlNode& node = At(value);
    const std::vector<NodeId> sources =
        node.kind == YamlKind::kSequence ? node.children : std::vector<NodeId>{value};
    for (const NodeId source : sources) {
      if (At(Target(source)).kind != YamlKind::kMapping)
        return ErrorAt(source, "'<<' merges mappings only");
      PLUMB_RETURN_IF_ERROR(
          Visited(source, [&](NodeId id) { return VisitEntries(At(id), &taken, visit); }));
    }
    return Done{};
  }

  Error UnknownKey(NodeId key, std::string_view name, std::string_view what,
                   std::span<const Field> fields) const {
    const std::string place = " in " + std::string(what);
    std::vector<std::string> candidates;
    for (const Field& field : fields)
      candidates.emplace_back(field.key);
    std::string problem = "unknown key '" + Printable(name) + "'" + place;
    if (const auto nearest = Nearest(name, candidates))
      problem += ", did you mean '" + *nearest + "'?";
    return ErrorAt(key, problem);
  }

  // `what` names the kind of mapping in messages.
  Status ReadFields(NodeId given, std::string_view what, std::span<const Field> fields) {
    return Visited(given, [&](NodeId id) -> Status {
      if (At(id).kind != YamlKind::kMapping) {
        PLUMB_RETURN_IF_ERROR(CheckNull(given, id, what, "a mapping"));
        return Done{};
      }
      return VisitEntries(At(id), nullptr, [&](NodeId key, const std::string& name, NodeId value) {
        const auto field = std::find_if(fields.begin(), fields.end(),
                                        [&name](const Field& f) { return f.key == name; });
        if (field == fields.end()) return Status(UnknownKey(key, name, what, fields));
        return field->read(value);
      });
    });
  }

  // Something that is not what it must be passes only if it is null, which is like nothing.
  Status CheckNull(NodeId given, NodeId id, std::string_view what, std::string_view wanted) const {
    if (At(id).kind == YamlKind::kScalar) {
      PLUMB_TRY(const YamlScalar scalar, Resolve(id));
      if (scalar.tag == kTagNull) return Done{};
    }
    return ErrorAt(given, std::string(what) + " must be " + std::string(wanted));
  }

  // Null items are not there for kit; ours refuse what would vanish.
  template <typename Item>
  Status ReadList(NodeId given, std::string_view what, std::vector<Item>& out,
                  Status (KitfileReader::*read)(NodeId, Item&)) {
    return Visited(given, [&](NodeId id) -> Status {
      out.clear();
      if (At(id).kind != YamlKind::kSequence) return CheckNull(given, id, what, "a list");
      for (const NodeId item : At(id).children) {
        if (IsNull(item) && rules_ == KitRules::kOurs)
          return ErrorAt(item, "an entry of " + std::string(what) + " is empty");
        Item value;
        PLUMB_RETURN_IF_ERROR((this->*read)(item, value));
        if (!IsNull(item)) out.push_back(std::move(value));
      }
      return Done{};
    });
  }

  Field TextField(std::string_view key, std::string& out) {
    return {key, [this, key, &out](NodeId id) { return ReadText(id, key, out); }};
  }
  Field ParametersField(std::optional<Json>& out) {
    return {"parameters", [this, &out](NodeId id) -> Status {
              Json value;
              PLUMB_RETURN_IF_ERROR(ReadJson(id, value));
              out.reset();
              if (!value.IsNull()) out = std::move(value);
              return Done{};
            }};
  }
  template <typename Item>
  Field ListField(std::string_view key, std::vector<Item>& out,
                  Status (KitfileReader::*read)(NodeId, Item&)) {
    return {key, [this, key, &out, read](NodeId id) { return ReadList(id, key, out, read); }};
  }

  Status ReadKitfile(NodeId id, Kitfile& kitfile) {
    std::vector<Field> fields = {
        {"manifestVersion",
         [this, &kitfile](NodeId value) { return ReadManifestVersion(value, kitfile); }},
        {"package", [this, &kitfile](NodeId value) { return ReadPackage(value, kitfile.package); }},
        {"model", [this, &kitfile](NodeId value) { return ReadModel(value, kitfile.model); }},
        ListField("code", kitfile.code, &KitfileReader::ReadCode),
        ListField("datasets", kitfile.datasets, &KitfileReader::ReadDataset),
        ListField("docs", kitfile.docs, &KitfileReader::ReadDocs),
    };
    if (rules_ == KitRules::kOurs) {
      fields.push_back(ListField("prompts", kitfile.prompts, &KitfileReader::ReadPrompt));
      fields.push_back(ListField("mcpServers", kitfile.mcp_servers, &KitfileReader::ReadMcpServer));
    }
    return ReadFields(id, "a Kitfile", fields);
  }

  Status ReadManifestVersion(NodeId id, Kitfile& kitfile) {
    std::string& version = kitfile.manifest_version;
    PLUMB_RETURN_IF_ERROR(ReadText(id, "manifestVersion", version));
    has_manifest_version_ = true;
    const bool known = std::find(kManifestVersions.begin(), kManifestVersions.end(), version) !=
                       kManifestVersions.end();
    if (rules_ == KitRules::kOurs && !known)
      return ErrorAt(id, "manifestVersion '" + Printable(version) + "' is not 1.0.0",
                     ErrorKind::kUnsupported);
    return Done{};
  }

  Status ReadPackage(NodeId id, Package& package) {
    const Field fields[] = {
        TextField("name", package.name),
        TextField("version", package.version),
        TextField("description", package.description),
        TextField("license", package.license),
        ListField("authors", package.authors, &KitfileReader::ReadAuthor),
    };
    return ReadFields(id, "package", fields);
  }

  Status ReadAuthor(NodeId id, std::string& author) { return ReadText(id, "authors", author); }

  Status ReadModel(NodeId id, std::optional<Model>& out) {
    out.reset();
    if (At(Target(id)).tag == kTagNull) return CheckNull(id, Target(id), "model", "a mapping");
    Model& model = out.emplace();
    const Field fields[] = {
        TextField("name", model.name),
        TextField("path", model.path),
        TextField("license", model.license),
        TextField("framework", model.framework),
        TextField("format", model.format),
        TextField("version", model.version),
        TextField("description", model.description),
        ListField("parts", model.parts, &KitfileReader::ReadPart),
        ParametersField(model.parameters),
    };
    return ReadFields(id, "model", fields);
  }

  Status ReadPart(NodeId id, ModelPart& part) {
    const Field fields[] = {TextField("name", part.name), TextField("path", part.path),
                            TextField("license", part.license), TextField("type", part.type)};
    return ReadFields(id, "a part", fields);
  }

  Status ReadCode(NodeId id, Code& code) {
    const Field fields[] = {TextField("path", code.path),
                            TextField("description", code.description),
                            TextField("license", code.license)};
    return ReadFields(id, "a code entry", fields);
  }

  Status ReadDataset(NodeId id, Dataset& dataset) {
    std::vector<Field> fields = {
        TextField("name", dataset.name),
        TextField("path", dataset.path),
        TextField("description", dataset.description),
        TextField("license", dataset.license),
        ParametersField(dataset.parameters),
    };
    if (rules_ == KitRules::kOurs) {
      fields.push_back(TextField("remotePath", dataset.remote_path));
      fields.push_back(TextField("remoteHash", dataset.remote_hash));
    }
    return ReadFields(id, "a dataset", fields);
  }

  Status ReadDocs(NodeId id, Docs& docs) {
    const Field fields[] = {TextField("path", docs.path),
                            TextField("description", docs.description)};
    return ReadFields(id, "a docs entry", fields);
  }

  Status ReadPrompt(NodeId id, Prompt& prompt) {
    const Field fields[] = {TextField("name", prompt.name), TextField("path", prompt.path),
                            TextField("description", prompt.description)};
    return ReadFields(id, "a prompt", fields);
  }

  Status ReadMcpServer(NodeId id, McpServer& server) {
    const Field fields[] = {TextField("name", server.name), TextField("path", server.path),
                            TextField("description", server.description)};
    return ReadFields(id, "an MCP server", fields);
  }

  // Aliases can nest deeper than the text does.
  Status ReadJson(NodeId given, Json& out) {
    if (json_depth_ == kYamlDepthMax)
      return ErrorAt(given, "more than 64 levels deep", ErrorKind::kExhausted);
    ++json_depth_;
    const Status status = Visited(given, [&](NodeId id) -> Status {
      if (At(id).kind == YamlKind::kScalar) return ReadJsonScalar(id, out);
      if (At(id).kind == YamlKind::kSequence) return ReadJsonArray(id, out);
      return ReadJsonObject(id, out);
    });
    --json_depth_;
    return status;
  }

  Status ReadJsonScalar(NodeId id, Json& out) const {
    PLUMB_TRY(const YamlScalar scalar, Resolve(id));
    if (!scalar.value) return ErrorAt(id, "'" + Printable(At(id).text) + "' has no form in JSON");
    out = *scalar.value;
    return Done{};
  }

  Status ReadJsonArray(NodeId id, Json& out) {
    Json::Array items;
    for (const NodeId child : At(id).children) {
      Json item;
      PLUMB_RETURN_IF_ERROR(ReadJson(child, item));
      items.push_back(std::move(item));
    }
    out = Json::MakeArray(std::move(items));
    return Done{};
  }

  // Keys must be text as they stand; those of mappings that are merged in become it.
  Status ReadJsonObject(NodeId id, Json& out) {
    for (std::size_t i = 0; i < At(id).children.size(); i += 2) {
      const NodeId key = At(id).children[i];
      const YamlNode& target = At(Target(key));
      const bool text =
          target.kind == YamlKind::kScalar && (target.tag == kTagString || target.tag == kTagMerge);
      if (!text) return ErrorAt(key, "this key is not text; write it in double quotes");
    }
    std::map<std::string, Json> members;
    const Visit read_member = [&](NodeId, std::string name, NodeId value) -> Status {
      Json member;
      PLUMB_RETURN_IF_ERROR(ReadJson(value, member));
      members.insert_or_assign(std::move(name), std::move(member));
      return Done{};
    };
    PLUMB_RETURN_IF_ERROR(VisitEntries(At(id), nullptr, read_member));
    Json::Object object;
    for (auto& [name, member] : members)
      object.emplace_back(name, std::move(member));
    out = Json::MakeObject(std::move(object));
    return Done{};
  }

  const Source& source_;
  const YamlDocument& document_;
  KitRules rules_;
  bool has_manifest_version_ = false;
  std::size_t visit_count_ = 0;
  std::size_t text_size_ = 0;
  std::size_t json_depth_ = 0;
  std::set<NodeId> active_aliases_;
};

}  // namespace

Result<Kitfile> ParseKitfile(std::string_view bytes, std::string_view file, KitRules rules) {
  if (bytes.size() > kBlueprintSizeMax)
    return Error{ErrorKind::kExhausted, "'" + Printable(file) + "' is larger than 16 MiB"};
  const DecodedText decoded = DecodeText(bytes);
  const Source source(decoded.utf8, file);
  if (decoded.first_replaced)
    return source.ErrorAt(*decoded.first_replaced, "bytes that are not UTF-8 text");
  const auto dialect = rules == KitRules::kOurs ? YamlDialect::kYaml12 : YamlDialect::kYamlV3;
  PLUMB_TRY(const YamlDocument document, ParseYaml(source, dialect));
  return KitfileReader(source, document, rules).Read();
}

}  // namespace plumb::blueprint
