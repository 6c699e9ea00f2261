// SPDX-License-Identifier: MIT OR Apache-2.0
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "oci/reference.h"
#include "registry/kit_tags_internal.h"

namespace plumb::registry {
namespace {

Error Malformed(std::string_view why) {
  return Error{ErrorKind::kInvalid, "the list of tags: " + std::string(why)};
}

Result<Digest> DigestOf(const std::string& tag, const Json& descriptor) {
  const Json* const digest = descriptor.Find("digest");
  if (digest == nullptr || digest->IfString() == nullptr)
    return Malformed("'" + Printable(tag) + "' names no digest");
  return Digest::Parse(*digest->IfString());
}

}  // namespace

Result<oci::Index> AddKitTags(const oci::Index& index, std::string_view tags) {
  PLUMB_TRY(const Json json, ParseJson(tags));
  if (json.IfObject() == nullptr) return Malformed("it is no object");
  std::map<Digest, std::vector<std::string>> by_digest;
  for (const auto& [tag, descriptor] : *json.IfObject()) {
    PLUMB_TRY(const Digest digest, DigestOf(tag, descriptor));
    // What was pulled by its digest may stand there by that.
    if (tag == digest.ToString()) continue;
    if (!oci::CheckTag(tag)) return Malformed("'" + Printable(tag) + "' is no tag");
    by_digest[digest].push_back(tag);
  }
  oci::Index tagged;
  tagged.received = index.received;
  for (const oci::IndexEntry& entry : index.entries) {
    const auto found = by_digest.extract(entry.descriptor.digest);
    if (!found) {
      tagged.entries.push_back(entry);
      continue;
    }
    for (std::string& tag : found.mapped()) {
      tagged.entries.push_back(entry);
      tagged.entries.back().tag = std::move(tag);
    }
  }
  if (by_digest.empty()) return tagged;
  const auto& [digest, names] = *by_digest.begin();
  return Error{ErrorKind::kCorrupt, "the tag '" + names.front() + "' is of " + digest.ToString() +
                                        ", which is not in the index"};
}

}  // namespace plumb::registry
