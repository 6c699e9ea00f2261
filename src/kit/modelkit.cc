// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/modelkit.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/text.h"
#include "blueprint/modelfile.h"
#include "kit/entries_internal.h"
#include "kit/modelpack_internal.h"

namespace plumb::kit {

namespace {

// What one program could take for a ModelKit and another for a ModelPack is neither.
Status CheckArtifactType(const ModelKit& modelkit) {
  const std::string& type = modelkit.manifest.artifact_type;
  const std::string& config = modelkit.manifest.config.media_type;
  const bool says_pack = type == oci::kModelPackArtifactType || type == oci::kCnaiArtifactType;
  const bool is_pack = modelkit.format == oci::KitFormat::kModelPack;
  if (says_pack == is_pack || (is_pack && type.empty())) return Done{};
  return Error{ErrorKind::kInvalid, modelkit.id.ToString() + " says that it is a '" +
                                        Printable(type.substr(0, 128)) + "', but its config is '" +
                                        config + "'"};
}

Status ReadModelPack(std::string_view config, ModelKit& modelkit) {
  const bool is_cnai = modelkit.manifest.config.media_type == oci::kCnaiConfigMediaType;
  PLUMB_TRY(const oci::ModelPackConfig pack,
            oci::ModelPackConfig::Parse(
                config, is_cnai ? oci::ModelPackNames::kCnai : oci::ModelPackNames::kToday));
  if (pack.diff_ids.size() != modelkit.manifest.layers.size())
    return Error{ErrorKind::kInvalid,
                 modelkit.id.ToString() + " does not have one diffId for each layer"};
  modelkit.diff_ids = pack.diff_ids;
  PLUMB_TRY(modelkit.kitfile, KitfileOfModelPack(modelkit.manifest, pack));
  return Done{};
}

// All that the manifest alone says.
Result<ModelKit> ReadManifest(std::string manifest) {
  ModelKit modelkit;
  modelkit.id = Sha256(AsBytes(manifest));
  PLUMB_TRY(modelkit.manifest, oci::Manifest::Parse(manifest));
  const oci::Descriptor& named = modelkit.manifest.config;
  const auto format = oci::FormatOfConfig(named.media_type);
  if (!format)
    return Error{ErrorKind::kUnsupported, "not a ModelKit: " + modelkit.id.ToString() +
                                              " has a config of type '" +
                                              Printable(named.media_type.substr(0, 128)) + "'"};
  modelkit.format = *format;
  // Not the same as one that is not known: no program can have written that.
  if (named.size == 0)
    return Error{ErrorKind::kInvalid, "the config of " + modelkit.id.ToString() + " is empty"};
  PLUMB_RETURN_IF_ERROR(CheckArtifactType(modelkit));
  modelkit.manifest_bytes = std::move(manifest);
  return modelkit;
}

Status AddConfig(std::string config, ModelKit& modelkit) {
  const oci::Descriptor& named = modelkit.manifest.config;
  if (config.size() != named.size || Sha256(AsBytes(config)) != named.digest)
    return Error{ErrorKind::kCorrupt,
                 "the config of " + modelkit.id.ToString() + " is not what its manifest names"};
  if (modelkit.format == oci::KitFormat::kModelPack) {
    PLUMB_RETURN_IF_ERROR(ReadModelPack(config, modelkit));
  } else {
    PLUMB_TRY(modelkit.kitfile, blueprint::ParseConfig(config));
  }
  modelkit.config_bytes = std::move(config);
  return Done{};
}

}  // namespace

Result<ModelKit> LoadModelKit(store::Store& store, const Digest& id) {
  PLUMB_TRY(std::string manifest, store::ReadBlob(store, id, oci::kManifestSizeMax));
  PLUMB_TRY(ModelKit modelkit, ReadManifest(std::move(manifest)));
  Result<std::string> config =
      store::ReadBlob(store, modelkit.manifest.config.digest, blueprint::kBlueprintSizeMax);
  if (!config) {
    Error error = std::move(config).error();
    // A ModelKit comes whole: a part of it that is missing is damage.
    if (error.kind == ErrorKind::kNotFound) error.kind = ErrorKind::kCorrupt;
    return std::move(error).While("cannot read the config of " + id.ToString());
  }
  PLUMB_RETURN_IF_ERROR(AddConfig(*std::move(config), modelkit));
  return modelkit;
}

Result<ModelKit> ParseModelKit(std::string manifest, std::string config) {
  PLUMB_TRY(ModelKit modelkit, ReadManifest(std::move(manifest)));
  if (!config.empty()) {
    PLUMB_RETURN_IF_ERROR(AddConfig(std::move(config), modelkit));
  } else if (modelkit.format == oci::KitFormat::kModelPack) {
    PLUMB_TRY(modelkit.kitfile, KitfileOfModelPack(modelkit.manifest, std::nullopt));
  }
  return modelkit;
}

namespace {

// A layer that is to be paired.
struct OpenLayer {
  oci::LayerMediaType media_type;
  oci::FileAnnotations file;      // of a raw layer
  std::string archive_path = {};  // of a ModelPack's archive, if it says it
  std::size_t index = 0;          // in the manifest
};

Result<std::vector<OpenLayer>> OpenLayersOf(const ModelKit& modelkit) {
  const bool is_pack = modelkit.format == oci::KitFormat::kModelPack;
  std::vector<OpenLayer> layers;
  std::set<std::string> seen;  // path and digest
  for (std::size_t i = 0; i < modelkit.manifest.layers.size(); ++i) {
    const oci::Descriptor& layer = modelkit.manifest.layers[i];
    if (is_pack && (IsKitfileLayer(layer) || IsRepetition(layer, seen))) continue;
    const std::string_view subtype =
        oci::FindAnnotation(layer.annotations, oci::kSubtypeAnnotation);
    PLUMB_TRY(const auto media_type, oci::LayerMediaType::Parse(layer.media_type, subtype));
    if (media_type.format != modelkit.format)
      return Error{ErrorKind::kInvalid, "'" + layer.media_type + "' is no layer for a config of '" +
                                            modelkit.manifest.config.media_type + "'"};
    OpenLayer open = {media_type, {}, {}, i};
    if (IsRaw(media_type.encoding)) {
      PLUMB_TRY(open.file, oci::ParseFileAnnotations(layer.annotations));
    } else if (is_pack) {
      open.archive_path = oci::FilePathOf(layer.annotations);
    }
    layers.push_back(std::move(open));
  }
  return layers;
}

// Pairs by path what says its path, and the rest by order.
class Pairing {
 public:
  Pairing(const ModelKit& modelkit, const std::vector<EntryView>& entries)
      : modelkit_(modelkit), entries_(entries), counts_(entries.size()) {
    for (std::size_t i = 0; i < entries_.size(); ++i)
      by_path_[GroupOf(entries_[i].type)].emplace(blueprint::CleanPath(entries_[i].path), i);
  }

  // The index of the entry of each layer.
  Result<std::vector<std::size_t>> Pair(const std::vector<OpenLayer>& layers) {
    std::vector<std::size_t> pairs(layers.size());
    std::vector<bool> is_paired(layers.size());
    const auto pair = [&](std::size_t layer, std::size_t entry) {
      pairs[layer] = entry;
      is_paired[layer] = true;
      ++counts_[entry];
    };
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (layers[i].file.path.empty()) continue;
      PLUMB_TRY(const std::size_t entry, ByPath(layers[i]));
      pair(i, entry);
    }
    // modctl has configuration before weights, but the first of the weights is the model.
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (const auto entry = ByOwnPath(layers[i]); entry && counts_[*entry] == 0) pair(i, *entry);
    const std::vector<std::size_t> with_paths = counts_;
    std::array<std::size_t, oci::kLayerTypeCount> next = {};
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (is_paired[i]) continue;
      const std::size_t group = GroupOf(layers[i].media_type.type);
      std::size_t& entry = next[group];
      while (entry < entries_.size() &&
             (GroupOf(entries_[entry].type) != group || with_paths[entry] != 0))
        ++entry;
      if (entry == entries_.size()) return CountsDiffer(layers[i].media_type.type);
      pairs[i] = entry;
      ++counts_[entry++];
    }
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (counts_[i] == 0) return CountsDiffer(entries_[i].type);
    return pairs;
  }

  bool IsOnly(std::size_t entry) const { return counts_[entry] == 1; }

 private:
  // A ModelPack tells weights from their configuration; what is the model and what a part of it, it
  // does not.
  std::size_t GroupOf(oci::LayerType type) const {
    const bool is_pack = modelkit_.format == oci::KitFormat::kModelPack;
    if (is_pack && type == oci::LayerType::kModelPart) type = oci::LayerType::kModel;
    return static_cast<std::size_t>(type);
  }

  Result<std::size_t> ByPath(const OpenLayer& layer) const {
    const auto& paths = by_path_.at(GroupOf(layer.media_type.type));
    const std::string path = blueprint::CleanPath(layer.file.path);
    for (std::string_view above = path; !above.empty(); above = DirectoryOf(above))
      if (const auto found = paths.find(above); found != paths.end()) return found->second;
    if (const auto found = paths.find("."); found != paths.end()) return found->second;
    return Error{ErrorKind::kInvalid, "'" + Printable(path) + "', a layer of ModelKit " +
                                          modelkit_.id.ToString() +
                                          ", belongs to no entry of its Kitfile"};
  }

  // Of an archive that is called as an entry is. Others may be called as they like.
  std::optional<std::size_t> ByOwnPath(const OpenLayer& layer) const {
    if (layer.archive_path.empty()) return std::nullopt;
    const auto& paths = by_path_.at(GroupOf(layer.media_type.type));
    const auto found = paths.find(blueprint::CleanPath(layer.archive_path));
    return found == paths.end() ? std::nullopt : std::optional(found->second);
  }

  Error CountsDiffer(oci::LayerType type) const {
    return Error{ErrorKind::kInvalid,
                 "ModelKit " + modelkit_.id.ToString() + " does not have one layer for each " +
                     std::string(oci::LayerTypeName(type)) + " entry of its Kitfile"};
  }

  using ByPathMap = std::map<std::string, std::size_t, std::less<>>;

  const ModelKit& modelkit_;
  const std::vector<EntryView>& entries_;
  std::array<ByPathMap, oci::kLayerTypeCount> by_path_;
  std::vector<std::size_t> counts_;  // layers of each entry
};

// The diffId of a layer, by the config or its Kitfile, which must agree.
Result<std::optional<Digest>> DiffIdOf(const ModelKit& modelkit, const oci::Descriptor& layer,
                                       std::size_t index, const EntryView& entry, bool is_only) {
  std::optional<Digest> diff_id;
  if (!modelkit.diff_ids.empty()) diff_id = modelkit.diff_ids[index];
  const auto& digests = *entry.layer;
  if (!digests) return diff_id;
  const bool agrees = !diff_id || *diff_id == digests->diff_id;
  if (!is_only || digests->digest != layer.digest || !agrees)
    return Error{ErrorKind::kInvalid, "layer " + layer.digest.ToString() + " is not the one of '" +
                                          Printable(entry.path) + "' in the Kitfile"};
  return std::optional(digests->diff_id);
}

}  // namespace

Result<std::vector<PackedEntry>> PairLayers(const ModelKit& modelkit) {
  PLUMB_TRY(std::vector<OpenLayer> layers, OpenLayersOf(modelkit));
  bool has_model_layer = std::ranges::any_of(layers, [](const OpenLayer& layer) {
    return layer.media_type.type == oci::LayerType::kModel;
  });
  // Of a ModelPack any weights may be the model; without a path it has none.
  if (modelkit.format == oci::KitFormat::kModelPack)
    has_model_layer =
        has_model_layer && modelkit.kitfile.model && !modelkit.kitfile.model->path.empty();
  // EntriesOf points into what it is given, and may be asked to change it.
  blueprint::Kitfile kitfile = modelkit.kitfile;
  const std::vector<EntryView> entries =
      EntriesOf(kitfile, has_model_layer ? ModelLayer::kYes : ModelLayer::kNo);
  Pairing pairing(modelkit, entries);
  PLUMB_TRY(const std::vector<std::size_t> pairs, pairing.Pair(layers));

  std::vector<PackedEntry> packed;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    OpenLayer& open = layers[i];
    const EntryView& entry = entries[pairs[i]];
    const oci::Descriptor& layer = modelkit.manifest.layers[open.index];
    PLUMB_TRY(const auto diff_id,
              DiffIdOf(modelkit, layer, open.index, entry, pairing.IsOnly(pairs[i])));
    // What the entry is, not what the layer calls itself: of weights all but one are parts.
    open.media_type.type = entry.type;
    if (IsRaw(open.media_type.encoding) && open.file.path.empty()) open.file.path = entry.path;
    packed.push_back({open.media_type,
                      layer,
                      diff_id,
                      std::string(entry.name),
                      std::string(entry.path),
                      std::string(entry.part_type),
                      {},
                      std::move(open.file)});
  }
  return packed;
}

}  // namespace plumb::kit
