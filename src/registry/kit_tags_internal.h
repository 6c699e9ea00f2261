// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_KIT_TAGS_INTERNAL_H_
#define PLUMB_REGISTRY_KIT_TAGS_INTERNAL_H_

#include <string_view>

#include "base/result.h"
#include "oci/manifest.h"

namespace plumb::registry {

// The index of a repository in kit's store, with an entry for each tag of its file BASE64-tags.json
// ({"TAG":DESCRIPTOR,…}); what has no tag keeps its entry without one. kInvalid: no such file, or a
// name that is no tag; kCorrupt: a tag of what is not in the index. Trust: as an enemy's.
Result<oci::Index> AddKitTags(const oci::Index& index, std::string_view tags);

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_KIT_TAGS_INTERNAL_H_
