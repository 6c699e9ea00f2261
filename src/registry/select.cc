// SPDX-License-Identifier: MIT OR Apache-2.0
#include "registry/select.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace plumb::registry {
namespace {

// An index of all platforms of a large project has about twenty; of kits there are fewer.
constexpr std::size_t kCandidateCountMax = 32;
constexpr std::size_t kShownCountMax = 8;
constexpr std::size_t kShownSizeMax = 128;

// image-spec image-index.md, "platform": "os/architecture[/variant]"; empty if it has none.
std::string PlatformOf(const oci::IndexEntry& entry) {
  const Json* platform = entry.received.Find("platform");
  if (platform == nullptr) return {};
  std::string text = platform->TextOf("os");
  for (const char* name : {"architecture", "variant"}) {
    const std::string part = platform->TextOf(name);
    if (!part.empty()) text += "/" + part;
  }
  return text;
}

bool IsOnPlatform(const std::string& platform, const std::string& wanted) {
  return wanted.empty() || platform == wanted || platform.starts_with(wanted + "/");
}

std::string Describe(const oci::IndexEntry& entry) {
  std::string text = entry.descriptor.digest.ToString();
  std::string type = entry.received.TextOf("artifactType");
  const std::string& media_type = entry.descriptor.media_type;
  if (type.empty() && !oci::IsManifestMediaType(media_type)) type = media_type;
  for (const std::string& part : {PlatformOf(entry), type})
    if (!part.empty()) text += " " + Printable(part.substr(0, kShownSizeMax));
  return text;
}

std::string DescribeAll(const std::vector<oci::IndexEntry>& entries,
                        const std::vector<oci::ForeignEntry>& foreign = {}) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < std::min(entries.size(), kShownCountMax); ++i)
    texts.push_back(Describe(entries[i]));
  for (std::size_t i = 0; i < foreign.size() && texts.size() < kShownCountMax; ++i)
    texts.push_back(Printable(foreign[i].digest.substr(0, kShownSizeMax)) +
                    " (of digests only sha256 is known here)");
  const std::size_t count = entries.size() + foreign.size();
  if (count > texts.size()) texts.push_back(std::to_string(count - texts.size()) + " more");
  return Join(texts, ", ");
}

// A manifest that an index names, which need not be there to be no answer: it is damage.
Result<RemoteManifest> FetchEntry(Remote& remote, const oci::IndexEntry& entry) {
  auto manifest = remote.FetchManifest("", entry.descriptor.digest);
  if (!manifest) {
    Error error = std::move(manifest).error();
    if (error.kind == ErrorKind::kNotFound) error.kind = ErrorKind::kCorrupt;
    return std::move(error).While("cannot fetch '" + entry.descriptor.digest.ToString() +
                                  "', which the index names");
  }
  const oci::Descriptor& got = manifest->descriptor;
  if (got.size == entry.descriptor.size && got.media_type == entry.descriptor.media_type)
    return manifest;
  return Error{ErrorKind::kCorrupt, "'" + got.digest.ToString() +
                                        "' is not as the index says that names it: a '" +
                                        Printable(got.media_type.substr(0, kShownSizeMax)) +
                                        "' of " + std::to_string(got.size) + " bytes"};
}

}  // namespace

Result<RemoteManifest> FetchSelected(Remote& remote, const Selection& selection) {
  PLUMB_TRY(RemoteManifest named,
            remote.FetchManifest(selection.digest ? "" : selection.tag, selection.digest));
  if (!oci::IsIndexMediaType(named.descriptor.media_type)) return named;
  PLUMB_TRY(const oci::Index index, oci::Index::Parse(named.bytes));
  std::vector<oci::IndexEntry> candidates;
  for (const oci::IndexEntry& entry : index.entries) {
    // One manifest may be there for several platforms.
    const auto is_same = [&](const oci::IndexEntry& other) {
      return other.descriptor.digest == entry.descriptor.digest;
    };
    if (oci::IsManifestMediaType(entry.descriptor.media_type) &&
        IsOnPlatform(PlatformOf(entry), selection.platform) &&
        std::ranges::none_of(candidates, is_same))
      candidates.push_back(entry);
    if (candidates.size() > kCandidateCountMax) break;
  }
  if (candidates.size() > kCandidateCountMax)
    return Error{ErrorKind::kExhausted, "this index names more than 32 manifests",
                 "name one by its digest: NAME@sha256:…"};
  std::vector<oci::IndexEntry> wanted;
  RemoteManifest found;
  std::optional<Error> beyond_us;  // that of a manifest which names blobs by other digests, say
  for (oci::IndexEntry& entry : candidates) {
    PLUMB_TRY(RemoteManifest manifest, FetchEntry(remote, entry));
    const auto parsed = oci::Manifest::Parse(manifest.bytes);
    if (!parsed && parsed.error().kind == ErrorKind::kUnsupported) {
      beyond_us = parsed.error();
      continue;
    }
    if (!parsed) return parsed.error();
    if (!selection.is_wanted(*parsed)) continue;
    found = std::move(manifest);
    wanted.push_back(std::move(entry));
  }
  if (wanted.size() == 1) return found;
  if (wanted.empty() && beyond_us)
    return std::move(*beyond_us).While("this is an index without a kit that can be read here");
  if (wanted.empty()) {
    const std::string where =
        selection.platform.empty() ? "" : " for '" + Printable(selection.platform) + "'";
    return Error{ErrorKind::kUnsupported, "this is an index without a kit" + where + ": it has " +
                                              DescribeAll(index.entries, index.foreign)};
  }
  return Error{ErrorKind::kInvalid, "this is an index of several kits: " + DescribeAll(wanted),
               "name one by its digest: NAME@" + wanted.front().descriptor.digest.ToString()};
}

}  // namespace plumb::registry
