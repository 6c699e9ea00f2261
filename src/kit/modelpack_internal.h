// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_MODELPACK_INTERNAL_H_
#define PLUMB_KIT_MODELPACK_INTERNAL_H_

#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "blueprint/kitfile.h"
#include "oci/manifest.h"
#include "oci/media_types.h"
#include "oci/modelpack.h"

// What a ModelPack and a Kitfile say of the same things (docs/format.md, "ModelPack").
namespace plumb::kit {

// A layer that holds a Kitfile, which KitOps, too, passes over in a ModelPack. It belongs to no
// entry.
bool IsKitfileLayer(const oci::Descriptor& layer);

// Whether a layer is the same file under the same path as one before it, by its annotations: modctl
// packs what two of its patterns match twice. `seen` is for the layers of one manifest, in order.
bool IsRepetition(const oci::Descriptor& layer, std::set<std::string>& seen);

// The Kitfile of a ModelPack: from its annotation, else made from its layers and, if it is known,
// its config. kInvalid if it cannot be, because a raw layer does not say its path.
Result<blueprint::Kitfile> KitfileOfModelPack(const oci::Manifest& manifest,
                                              const std::optional<oci::ModelPackConfig>& config);

// The config of a ModelPack that is built from this Kitfile; without diffIds.
oci::ModelPackConfig ModelPackConfigOf(const blueprint::Kitfile& kitfile);

// Whether a file is called as weights are.
bool IsWeightsName(std::string_view path);

// "weight" or "weight.config", for a part of a model.
oci::LayerType ModelPackTypeOfPart(std::string_view part_type, std::string_view path);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_MODELPACK_INTERNAL_H_
