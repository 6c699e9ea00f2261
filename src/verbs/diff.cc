// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/diff.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "blueprint/kitfile.h"
#include "oci/media_types.h"

namespace plumb::verbs {
namespace {

// How an entry of a list is called, wherever it stands; nothing if it has no path of its own.
std::optional<std::string> KeyOf(const Json& entry) {
  const Json* const path = entry.Find("path");
  const Json* const name = path != nullptr ? path : entry.Find("name");
  if (name == nullptr || name->IfString() == nullptr) return std::nullopt;
  return *name->IfString();
}

const Json* FindEntry(const Json::Array& entries, const std::string& key) {
  for (const Json& entry : entries)
    if (KeyOf(entry) == key) return &entry;
  return nullptr;
}

// Whether each entry has a key that no other has.
bool HasKeys(const Json::Array& entries) {
  std::set<std::string> keys;
  return std::ranges::all_of(entries, [&](const Json& entry) {
    const auto key = KeyOf(entry);
    return key && keys.insert(*key).second;
  });
}

void DiffObjects(const std::string& path, const Json& before, const Json& after,
                 std::vector<DiffField>& fields) {
  const auto under = [&](const std::string& name) {
    return path.empty() ? name : path + "." + name;
  };
  for (const auto& [name, value] : *before.IfObject()) {
    const Json* const other = after.Find(name);
    if (other == nullptr) {
      fields.push_back({under(name), value, std::nullopt});
    } else {
      DiffJson(under(name), value, *other, fields);
    }
  }
  for (const auto& [name, value] : *after.IfObject())
    if (before.Find(name) == nullptr) fields.push_back({under(name), std::nullopt, value});
}

void DiffEntries(const std::string& path, const Json::Array& before, const Json::Array& after,
                 std::vector<DiffField>& fields) {
  const auto at = [&](const std::string& key) { return path + "[" + key + "]"; };
  for (const Json& entry : before) {
    const std::string key = *KeyOf(entry);
    const Json* const other = FindEntry(after, key);
    if (other == nullptr) {
      fields.push_back({at(key), entry, std::nullopt});
    } else {
      DiffJson(at(key), entry, *other, fields);
    }
  }
  for (const Json& entry : after) {
    const std::string key = *KeyOf(entry);
    if (FindEntry(before, key) == nullptr) fields.push_back({at(key), std::nullopt, entry});
  }
}

std::vector<DiffLayer> LayersOf(const kit::ModelKit& modelkit) {
  std::vector<DiffLayer> layers;
  const auto entries = kit::PairLayers(modelkit);
  for (std::size_t i = 0; i < modelkit.manifest.layers.size(); ++i) {
    const oci::Descriptor& layer = modelkit.manifest.layers[i];
    const auto type = oci::LayerMediaType::Parse(layer.media_type);
    layers.push_back({type ? std::string(oci::LayerTypeName(type->type)) : layer.media_type,
                      entries ? (*entries)[i].path : std::string(), layer.digest, layer.size});
  }
  return layers;
}

bool Holds(const std::vector<DiffLayer>& layers, const Digest& digest) {
  return std::ranges::find(layers, digest, &DiffLayer::digest) != layers.end();
}

// "remote://" and "local://", as kit has them, say where a kit is.
KitSource Resolved(KitSource source) {
  constexpr std::string_view kRemote = "remote://";
  constexpr std::string_view kLocal = "local://";
  if (source.name.starts_with(kRemote)) {
    source.name.erase(0, kRemote.size());
    source.where = Where::kElsewhere;
  } else if (source.name.starts_with(kLocal)) {
    source.name.erase(0, kLocal.size());
    source.where = Where::kHere;
  } else if (source.name.starts_with("oci:")) {
    source.where = Where::kElsewhere;
  }
  return source;
}

}  // namespace

void DiffJson(const std::string& path, const Json& before, const Json& after,
              std::vector<DiffField>& fields) {
  if (before == after) return;
  const Json::Array* const old_list = before.IfArray();
  const Json::Array* const new_list = after.IfArray();
  if (before.IfObject() != nullptr && after.IfObject() != nullptr) {
    DiffObjects(path, before, after, fields);
  } else if (old_list != nullptr && new_list != nullptr && HasKeys(*old_list) &&
             HasKeys(*new_list)) {
    const std::size_t found = fields.size();
    DiffEntries(path, *old_list, *new_list, fields);
    // Nothing but their order, which decides the order of layers.
    if (fields.size() == found) fields.push_back({path, before, after});
  } else {
    fields.push_back({path, before, after});
  }
}

Result<DiffReport> Diff(Workspace& workspace, const DiffOptions& options, Progress& progress) {
  PLUMB_TRY(const kit::ModelKit before, ReadKit(workspace, Resolved(options.before), progress));
  PLUMB_TRY(const kit::ModelKit after, ReadKit(workspace, Resolved(options.after), progress));
  DiffReport report;
  report.before_name = options.before.name;
  report.after_name = options.after.name;
  report.before = before.id;
  report.after = after.id;
  report.same_config = before.manifest.config.digest == after.manifest.config.digest;
  report.same_annotations = before.manifest.annotations == after.manifest.annotations;
  const std::vector<DiffLayer> old_layers = LayersOf(before);
  const std::vector<DiffLayer> new_layers = LayersOf(after);
  for (const DiffLayer& layer : old_layers)
    (Holds(new_layers, layer.digest) ? report.shared : report.only_before).push_back(layer);
  for (const DiffLayer& layer : new_layers)
    if (!Holds(old_layers, layer.digest)) report.only_after.push_back(layer);
  DiffJson("", blueprint::KitfileToJson(WithoutDigests(before.kitfile)),
           blueprint::KitfileToJson(WithoutDigests(after.kitfile)), report.fields);
  return report;
}

}  // namespace plumb::verbs
