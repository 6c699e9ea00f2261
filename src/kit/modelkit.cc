// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/modelkit.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <optional>
#include <utility>

#include "blueprint/modelfile.h"
#include "kit/entries_internal.h"

namespace plumb::kit {

Result<ModelKit> LoadModelKit(store::Store& store, const Digest& id) {
  PLUMB_TRY(std::string manifest, store::ReadBlob(store, id, oci::kManifestSizeMax));
  PLUMB_TRY(ModelKit modelkit, ParseModelKit(std::move(manifest), {}));
  Result<std::string> config =
      store::ReadBlob(store, modelkit.manifest.config.digest, blueprint::kBlueprintSizeMax);
  if (!config) {
    Error error = std::move(config).error();
    // A ModelKit comes whole: a part of it that is missing is damage.
    if (error.kind == ErrorKind::kNotFound) error.kind = ErrorKind::kCorrupt;
    return std::move(error).While("cannot read the config of " + id.ToString());
  }
  return ParseModelKit(std::move(modelkit.manifest_bytes), *std::move(config));
}

Result<ModelKit> ParseModelKit(std::string manifest, std::string config) {
  ModelKit modelkit;
  modelkit.id = Sha256(AsBytes(manifest));
  PLUMB_TRY(modelkit.manifest, oci::Manifest::Parse(manifest));
  const oci::Descriptor& named = modelkit.manifest.config;
  if (!oci::IsModelKitConfig(named.media_type))
    return Error{ErrorKind::kUnsupported, "not a ModelKit: " + modelkit.id.ToString() +
                                              " has a config of type '" + named.media_type + "'"};
  modelkit.manifest_bytes = std::move(manifest);
  if (config.empty()) return modelkit;
  if (config.size() != named.size || Sha256(AsBytes(config)) != named.digest)
    return Error{ErrorKind::kCorrupt,
                 "the config of " + modelkit.id.ToString() + " is not what its manifest names"};
  PLUMB_TRY(modelkit.kitfile, blueprint::ParseConfig(config));
  modelkit.config_bytes = std::move(config);
  return modelkit;
}

namespace {

constexpr std::size_t kLayerTypeCount = 5;

std::size_t TypeIndex(oci::LayerType type) { return static_cast<std::size_t>(type); }

Error CountsDiffer(const ModelKit& modelkit, oci::LayerType type) {
  return Error{ErrorKind::kInvalid,
               "ModelKit " + modelkit.id.ToString() + " does not have one layer for each " +
                   std::string(oci::LayerTypeName(type)) + " entry of its Kitfile"};
}

}  // namespace

Result<std::vector<PackedEntry>> PairLayers(const ModelKit& modelkit) {
  std::vector<oci::LayerMediaType> types;
  for (const oci::Descriptor& layer : modelkit.manifest.layers) {
    PLUMB_TRY(types.emplace_back(), oci::LayerMediaType::Parse(layer.media_type));
  }
  const bool has_model_layer =
      std::ranges::any_of(types, [](auto type) { return type.type == oci::LayerType::kModel; });
  // EntriesOf points into what it is given, and may be asked to change it.
  blueprint::Kitfile kitfile = modelkit.kitfile;
  const std::vector<EntryView> entries =
      EntriesOf(kitfile, has_model_layer ? ModelLayer::kYes : ModelLayer::kNo);
  // Entries of one type stand together; next[type] is the first that has no layer yet.
  std::array<std::size_t, kLayerTypeCount + 1> next = {};
  for (const EntryView& entry : entries)
    ++next[TypeIndex(entry.type) + 1];
  std::partial_sum(next.begin(), next.end(), next.begin());
  const auto end = next;

  std::vector<PackedEntry> packed;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::size_t type = TypeIndex(types[i].type);
    if (next[type] == end[type + 1]) return CountsDiffer(modelkit, types[i].type);
    const EntryView& entry = entries[next[type]++];
    const oci::Descriptor& layer = modelkit.manifest.layers[i];
    const auto& digests = *entry.layer;
    if (digests && digests->digest != layer.digest)
      return Error{ErrorKind::kInvalid, "layer " + layer.digest.ToString() +
                                            " is not the one of '" + std::string(entry.path) +
                                            "' in the Kitfile"};
    packed.push_back({types[i], layer, digests ? std::optional(digests->diff_id) : std::nullopt,
                      std::string(entry.name), std::string(entry.path),
                      std::string(entry.part_type)});
  }
  for (const EntryView& entry : entries)
    if (next[TypeIndex(entry.type)] != end[TypeIndex(entry.type) + 1])
      return CountsDiffer(modelkit, entry.type);
  return packed;
}

}  // namespace plumb::kit
