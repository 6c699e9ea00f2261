// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_MODELKIT_H_
#define PLUMB_KIT_MODELKIT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "blueprint/kitfile.h"
#include "crypto/digest.h"
#include "oci/manifest.h"
#include "oci/media_types.h"
#include "oci/modelpack.h"
#include "store/store.h"

namespace plumb::kit {

// A ModelKit or a ModelPack, its manifest and config read and checked; its layers are not.
struct ModelKit {
  Digest id;  // the ModelKitID: sha256 of the manifest
  oci::KitFormat format = oci::KitFormat::kModelKit;
  oci::Manifest manifest;
  // The config, with digests. Of a ModelPack: the Kitfile that an annotation holds, or one made
  // from config and layers (docs/format.md, "ModelPack").
  blueprint::Kitfile kitfile;
  std::vector<Digest> diff_ids;  // of a ModelPack whose config is known: of each layer
  std::string manifest_bytes;
  std::string config_bytes;
};

// From the store. kNotFound: it is not there. kCorrupt: it is there and damaged, or its
// config is missing. kUnsupported: a manifest of something else than a ModelKit.
Result<ModelKit> LoadModelKit(store::Store& store, const Digest& id);

// The same from bytes that came from elsewhere; `config` may be empty if only the manifest is
// known. kCorrupt if the config is not what the manifest names. kInvalid for what one program
// could take for a ModelKit and another for a ModelPack.
Result<ModelKit> ParseModelKit(std::string manifest, std::string config);

// A layer and the entry of the Kitfile that it holds.
struct PackedEntry {
  oci::LayerMediaType media_type;
  oci::Descriptor layer;
  std::optional<Digest> diff_id;   // of the uncompressed layer, if the config tells it
  std::string name;                // of the entry; may be empty
  std::string path;                // as written in the Kitfile
  std::string part_type = {};      // of a model part
  std::string remote_path = {};    // of a dataset that is elsewhere: it has no layer
  oci::FileAnnotations file = {};  // of a raw layer: where its file goes, and what is said of it
};

// Pairs layers with entries, in the order of the manifest: a raw layer that says its path with the
// deepest entry of its type at or above that; the others with those left over, by order within
// each type, as the ModelKit specification says. An entry may have several raw layers. kInvalid if
// something has no counterpart, or an entry's digest is not its layer's.
Result<std::vector<PackedEntry>> PairLayers(const ModelKit& modelkit);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_MODELKIT_H_
