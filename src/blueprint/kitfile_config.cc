// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <utility>

#include "base/go_names.h"
#include "base/text.h"
#include "blueprint/kitfile.h"
#include "blueprint/kitfile_internal.h"
#include "blueprint/modelfile.h"

namespace plumb::blueprint {
namespace {

Json SortedByKey(const Json& value) {
  if (const Json::Array* items = value.IfArray()) {
    Json::Array sorted;
    for (const Json& item : *items)
      sorted.push_back(SortedByKey(item));
    return Json::MakeArray(std::move(sorted));
  }
  const Json::Object* members = value.IfObject();
  if (members == nullptr) return value;
  Json::Object sorted;
  for (const auto& [name, member] : *members)
    sorted.emplace_back(name, SortedByKey(member));
  std::sort(sorted.begin(), sorted.end(),
            [](const Json::Member& a, const Json::Member& b) { return a.first < b.first; });
  return Json::MakeObject(std::move(sorted));
}

// Members in the order in which kit's Go structs declare them; empty ones are left out.
class ObjectWriter {
 public:
  explicit ObjectWriter(WithDigests with_digests) : with_digests_(with_digests) {}

  ObjectWriter& Text(std::string_view name, const std::string& value) {
    if (!value.empty()) members_.emplace_back(name, Json::String(value));
    return *this;
  }
  ObjectWriter& RequiredText(std::string_view name, const std::string& value) {
    members_.emplace_back(name, Json::String(value));
    return *this;
  }
  ObjectWriter& Parameters(const std::optional<Json>& value) {
    if (value) members_.emplace_back("parameters", SortedByKey(*value));
    return *this;
  }
  ObjectWriter& Member(std::string_view name, Json value) {
    members_.emplace_back(name, std::move(value));
    return *this;
  }
  template <typename Entry>
  ObjectWriter& List(std::string_view name, const std::vector<Entry>& entries,
                     Json (*write)(const Entry&, WithDigests)) {
    if (entries.empty()) return *this;
    Json::Array items;
    for (const Entry& entry : entries)
      items.push_back(write(entry, with_digests_));
    return Member(name, Json::MakeArray(std::move(items)));
  }
  ObjectWriter& Layer(const std::optional<LayerDigests>& layer) {
    if (!layer || with_digests_ == WithDigests::kNo) return *this;
    return Text("digest", layer->digest.ToString()).Text("diffId", layer->diff_id.ToString());
  }
  Json Finish() { return Json::MakeObject(std::move(members_)); }

 private:
  WithDigests with_digests_;
  Json::Object members_;
};

Json WriteAuthor(const std::string& author, WithDigests) { return Json::String(author); }

Json WritePackage(const Package& package) {
  return ObjectWriter(WithDigests::kNo)
      .Text("name", package.name)
      .Text("version", package.version)
      .Text("description", package.description)
      .Text("license", package.license)
      .List("authors", package.authors, WriteAuthor)
      .Finish();
}

Json WritePart(const ModelPart& part, WithDigests with_digests) {
  return ObjectWriter(with_digests)
      .Text("name", part.name)
      .Text("path", part.path)
      .Text("license", part.license)
      .Text("type", part.type)
      .Layer(part.layer)
      .Finish();
}

Json WriteModel(const Model& model, WithDigests with_digests) {
  return ObjectWriter(with_digests)
      .Text("name", model.name)
      .Text("path", model.path)
      .Text("license", model.license)
      .Text("framework", model.framework)
      .Text("format", model.format)
      .Text("version", model.version)
      .Text("description", model.description)
      .List("parts", model.parts, WritePart)
      .Parameters(model.parameters)
      .Layer(model.layer)
      .Finish();
}

Json WriteCode(const Code& code, WithDigests with_digests) {
  return ObjectWriter(with_digests)
      .Text("path", code.path)
      .Text("description", code.description)
      .Text("license", code.license)
      .Layer(code.layer)
      .Finish();
}

Json WriteDataset(const Dataset& dataset, WithDigests with_digests) {
  return ObjectWriter(with_digests)
      .Text("name", dataset.name)
      .Text("path", dataset.path)
      .Text("description", dataset.description)
      .Text("license", dataset.license)
      .Parameters(dataset.parameters)
      .Text("remotePath", dataset.remote_path)
      .Text("remoteHash", dataset.remote_hash)
      .Layer(dataset.layer)
      .Finish();
}

Json WriteDocs(const Docs& docs, WithDigests with_digests) {
  return ObjectWriter(with_digests)
      .RequiredText("path", docs.path)
      .Text("description", docs.description)
      .Layer(docs.layer)
      .Finish();
}

// Prompts and MCP servers are described alike.
template <typename Entry>
Json WriteNamed(const Entry& entry, WithDigests with_digests) {
  return ObjectWriter(with_digests)
      .Text("name", entry.name)
      .Text("path", entry.path)
      .Text("description", entry.description)
      .Layer(entry.layer)
      .Finish();
}

// Reads what it knows of an object, and keeps the first mismatch.
class ObjectReader {
 public:
  ObjectReader(const Json& object, std::string_view what) : object_(object), what_(what) {
    if (object.IfObject() == nullptr) Fail(what, "an object");
  }

  void Text(std::string_view name, std::string& out) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    if (const std::string* text = value->IfString()) {
      out = *text;
    } else {
      Fail(name, "a string");
    }
  }
  void Parameters(std::optional<Json>& out) {
    if (const Json* value = Find("parameters")) out = *value;
  }
  template <typename Entry>
  void List(std::string_view name, std::vector<Entry>& out, Result<Entry> (*read)(const Json&)) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    if (value->IfArray() == nullptr) return Fail(name, "an array");
    for (const Json& item : *value->IfArray()) {
      Result<Entry> entry = read(item);
      if (!entry) return Fail(std::move(entry).error());
      out.push_back(*std::move(entry));
    }
  }
  // Only both digests together are of use.
  void Layer(std::optional<LayerDigests>& out) {
    std::string digest;
    std::string diff_id;
    Text("digest", digest);
    Text("diffId", diff_id);
    if (digest.empty() || diff_id.empty()) return;
    const Result<Digest> layer = Digest::Parse(digest);
    if (!layer) return Fail(layer.error());
    const Result<Digest> uncompressed = Digest::Parse(diff_id);
    if (!uncompressed) return Fail(uncompressed.error());
    out = LayerDigests{*layer, *uncompressed};
  }
  const Json* Find(std::string_view name) {
    known_.push_back(name);
    const Json* value = object_.Find(name);
    return value == nullptr || value->IsNull() ? nullptr : value;
  }
  void Fail(Error error) {
    if (!failure_) failure_ = std::move(error);
  }
  // Once all members were asked for.
  template <typename Value>
  Result<Value> Finish(Value value) {
    CheckNames();
    if (failure_) return *std::move(failure_);
    return value;
  }

 private:
  // Go, and by that kit, takes "Path" for "path", and of both the last.
  void CheckNames() {
    if (object_.IfObject() == nullptr) return;
    for (const auto& [name, value] : *object_.IfObject()) {
      for (const std::string_view known : known_) {
        if (GoMistakesFor(name, known))
          return Fail(Error{ErrorKind::kInvalid,
                            "'" + Printable(name) + "' in the " + std::string(what_) +
                                " of a config can be mistaken for '" + std::string(known) + "'"});
      }
    }
  }

  void Fail(std::string_view name, std::string_view wanted) {
    Fail(Error{ErrorKind::kInvalid, "'" + std::string(name) + "' in the " + std::string(what_) +
                                        " of a config is not " + std::string(wanted)});
  }

  const Json& object_;
  std::string_view what_;
  std::vector<std::string_view> known_;  // members that were asked for
  std::optional<Error> failure_;
};

Result<std::string> ReadAuthor(const Json& value) {
  if (const std::string* text = value.IfString()) return *text;
  return Error{ErrorKind::kInvalid, "an author in a config is not a string"};
}

Result<Package> ReadPackage(const Json& value) {
  ObjectReader reader(value, "package");
  Package package;
  reader.Text("name", package.name);
  reader.Text("version", package.version);
  reader.Text("description", package.description);
  reader.Text("license", package.license);
  reader.List("authors", package.authors, ReadAuthor);
  return reader.Finish(std::move(package));
}

Result<ModelPart> ReadPart(const Json& value) {
  ObjectReader reader(value, "part");
  ModelPart part;
  reader.Text("name", part.name);
  reader.Text("path", part.path);
  reader.Text("license", part.license);
  reader.Text("type", part.type);
  reader.Layer(part.layer);
  return reader.Finish(std::move(part));
}

Result<Model> ReadModel(const Json& value) {
  ObjectReader reader(value, "model");
  Model model;
  reader.Text("name", model.name);
  reader.Text("path", model.path);
  reader.Text("license", model.license);
  reader.Text("framework", model.framework);
  reader.Text("format", model.format);
  reader.Text("version", model.version);
  reader.Text("description", model.description);
  reader.List("parts", model.parts, ReadPart);
  reader.Parameters(model.parameters);
  reader.Layer(model.layer);
  return reader.Finish(std::move(model));
}

Result<Code> ReadCode(const Json& value) {
  ObjectReader reader(value, "code");
  Code code;
  reader.Text("path", code.path);
  reader.Text("description", code.description);
  reader.Text("license", code.license);
  reader.Layer(code.layer);
  return reader.Finish(std::move(code));
}

Result<Dataset> ReadDataset(const Json& value) {
  ObjectReader reader(value, "dataset");
  Dataset dataset;
  reader.Text("name", dataset.name);
  reader.Text("path", dataset.path);
  reader.Text("description", dataset.description);
  reader.Text("license", dataset.license);
  reader.Parameters(dataset.parameters);
  reader.Text("remotePath", dataset.remote_path);
  reader.Text("remoteHash", dataset.remote_hash);
  reader.Layer(dataset.layer);
  return reader.Finish(std::move(dataset));
}

Result<Docs> ReadDocs(const Json& value) {
  ObjectReader reader(value, "docs");
  Docs docs;
  reader.Text("path", docs.path);
  reader.Text("description", docs.description);
  reader.Layer(docs.layer);
  return reader.Finish(std::move(docs));
}

template <typename Entry>
Result<Entry> ReadNamed(const Json& value) {
  ObjectReader reader(value, "prompt or MCP server");
  Entry entry;
  reader.Text("name", entry.name);
  reader.Text("path", entry.path);
  reader.Text("description", entry.description);
  reader.Layer(entry.layer);
  return reader.Finish(std::move(entry));
}

}  // namespace

Json WriteKitfile(const Kitfile& kitfile, WithDigests with_digests) {
  ObjectWriter writer(with_digests);
  writer.RequiredText("manifestVersion", kitfile.manifest_version);
  writer.Member("package", WritePackage(kitfile.package));
  if (kitfile.model) writer.Member("model", WriteModel(*kitfile.model, with_digests));
  return writer.List("code", kitfile.code, WriteCode)
      .List("datasets", kitfile.datasets, WriteDataset)
      .List("docs", kitfile.docs, WriteDocs)
      .List("prompts", kitfile.prompts, WriteNamed<Prompt>)
      .List("mcpServers", kitfile.mcp_servers, WriteNamed<McpServer>)
      .Finish();
}

Json KitfileToJson(const Kitfile& kitfile) { return WriteKitfile(kitfile, WithDigests::kYes); }

std::string WriteConfig(const Kitfile& kitfile) {
  return WriteJson(KitfileToJson(kitfile), JsonStyle::kGo);
}

Result<Kitfile> ParseConfig(std::string_view bytes) {
  PLUMB_TRY(const Json json, ParseJson(bytes, JsonLimits{.size_max = kBlueprintSizeMax}));
  ObjectReader reader(json, "top level");
  Kitfile kitfile;
  reader.Text("manifestVersion", kitfile.manifest_version);
  if (const Json* value = reader.Find("package")) {
    PLUMB_TRY(kitfile.package, ReadPackage(*value));
  }
  if (const Json* value = reader.Find("model")) {
    PLUMB_TRY(kitfile.model, ReadModel(*value));
  }
  reader.List("code", kitfile.code, ReadCode);
  reader.List("datasets", kitfile.datasets, ReadDataset);
  reader.List("docs", kitfile.docs, ReadDocs);
  reader.List("prompts", kitfile.prompts, ReadNamed<Prompt>);
  reader.List("mcpServers", kitfile.mcp_servers, ReadNamed<McpServer>);
  return reader.Finish(std::move(kitfile));
}

}  // namespace plumb::blueprint
