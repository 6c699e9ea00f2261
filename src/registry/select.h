// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_SELECT_H_
#define PLUMB_REGISTRY_SELECT_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/digest.h"
#include "oci/manifest.h"
#include "registry/remote.h"

namespace plumb::registry {

struct Selection {
  std::string tag;  // of the two, as Remote::FetchManifest takes them
  std::optional<Digest> digest = std::nullopt;
  std::string platform = {};  // "os/architecture[/variant]" of an entry of an index; empty: any
  // Whether a manifest is one of those that are looked for.
  std::function<bool(const oci::Manifest& manifest)> is_wanted;
};

// The manifest of that name; if an index (or docker's manifest list) has it, the one that is wanted
// of those that the index names. A manifest that is named itself is given whatever it is.
//
// kUnsupported if none of them is wanted, kInvalid if several are: the message lists them. An index
// in an index is passed over. kExhausted if more than 32 would have to be looked at. kCorrupt if a
// manifest is not as its index says.
Result<RemoteManifest> FetchSelected(Remote& remote, const Selection& selection);

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_SELECT_H_
