// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_REFERRERS_INTERNAL_H_
#define PLUMB_REGISTRY_REFERRERS_INTERNAL_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"
#include "oci/manifest.h"
#include "registry/remote.h"

// Lists of referrers, wherever they are kept: an index whose entries have an "artifactType".
namespace plumb::registry {

// distribution-spec 1.1, "Referrers Tag Schema": "sha256-HEX".
std::string ReferrersTag(const Digest& subject);
bool IsReferrersTag(std::string_view tag);

// Those of that type (empty: all). kExhausted over 1000.
Result<std::vector<Referrer>> ReferrersIn(const oci::Index& index, std::string_view artifact_type);

// How a manifest is to be listed. kInvalid if it is no manifest with a subject, or not the one that
// the descriptor says.
struct ListedManifest {
  Referrer referrer;
  Digest subject;
};
Result<ListedManifest> ParseReferrer(const oci::Descriptor& descriptor, std::string_view bytes);

bool HasReferrer(const oci::Index& index, const Digest& referrer);
void AddReferrer(oci::Index& index, const Referrer& referrer);

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_REFERRERS_INTERNAL_H_
