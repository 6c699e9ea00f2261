// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "registry/referrers_internal.h"

namespace plumb::registry {
namespace {

// Hundreds of signatures of one manifest are a nuisance, more are an attack on whoever reads them.
constexpr std::size_t kReferrerCountMax = 1000;
constexpr std::string_view kTagPrefix = "sha256-";
constexpr std::size_t kHexSize = 64;

}  // namespace

std::string ReferrersTag(const Digest& subject) {
  return std::string(kTagPrefix) + subject.ToHex();
}

bool IsReferrersTag(std::string_view tag) {
  return tag.size() == kTagPrefix.size() + kHexSize && tag.starts_with(kTagPrefix) &&
         tag.find_first_not_of("0123456789abcdef", kTagPrefix.size()) == std::string_view::npos;
}

Result<std::vector<Referrer>> ReferrersIn(const oci::Index& index, std::string_view artifact_type) {
  std::vector<Referrer> referrers;
  for (const oci::IndexEntry& entry : index.entries) {
    Referrer referrer = {entry.descriptor, entry.received.TextOf("artifactType")};
    if (!artifact_type.empty() && referrer.artifact_type != artifact_type) continue;
    if (referrers.size() == kReferrerCountMax)
      return Error{ErrorKind::kExhausted, "a manifest has more than 1000 referrers"};
    referrers.push_back(std::move(referrer));
  }
  return referrers;
}

Result<ListedManifest> ParseReferrer(const oci::Descriptor& descriptor, std::string_view bytes) {
  if (descriptor.size != bytes.size() || descriptor.digest != Sha256(AsBytes(bytes)))
    return Error{ErrorKind::kInvalid,
                 "manifest '" + descriptor.digest.ToString() + "' has other bytes"};
  PLUMB_TRY(const oci::Manifest manifest, oci::Manifest::Parse(bytes));
  if (!manifest.subject)
    return Error{ErrorKind::kInvalid, "'" + descriptor.digest.ToString() + "' has no subject"};
  Referrer referrer = {descriptor, manifest.artifact_type};
  // image-spec manifest.md: an artifact without a type of its own is known by its config's.
  if (referrer.artifact_type.empty()) referrer.artifact_type = manifest.config.media_type;
  referrer.descriptor.annotations = manifest.annotations;
  return ListedManifest{std::move(referrer), manifest.subject->digest};
}

bool HasReferrer(const oci::Index& index, const Digest& referrer) {
  return std::ranges::any_of(index.entries, [&](const oci::IndexEntry& entry) {
    return entry.descriptor.digest == referrer;
  });
}

void AddReferrer(oci::Index& index, const Referrer& referrer) {
  Json received = oci::DescriptorToJson(referrer.descriptor);
  if (!referrer.artifact_type.empty())
    received.Set("artifactType", Json::String(referrer.artifact_type));
  index.entries.push_back({referrer.descriptor, {}, std::move(received)});
}

}  // namespace plumb::registry
