// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/needs.h"

#include <utility>

#include "kit/base_resolver.h"
#include "kit/modelkit.h"

namespace plumb::kit {

Result<store::KitNeeds> NeedsOf(store::Store& store, const Digest& id) {
  auto loaded = LoadModelKit(store, id);
  if (!loaded) {
    Error error = std::move(loaded).error();
    // Whatever is wrong with the manifest of a kit that is here, it is not what came here.
    const bool is_unreadable = error.kind == ErrorKind::kNotFound ||
                               error.kind == ErrorKind::kInvalid ||
                               error.kind == ErrorKind::kUnsupported;
    if (is_unreadable) error.kind = ErrorKind::kCorrupt;
    return error;
  }
  store::KitNeeds needs;
  needs.blobs.push_back(loaded->manifest.config.digest);
  for (const oci::Descriptor& layer : loaded->manifest.layers)
    needs.blobs.push_back(layer.digest);
  if (const auto base = PinnedBaseOf(*loaded)) needs.bases.push_back(base->id);
  return needs;
}

}  // namespace plumb::kit
