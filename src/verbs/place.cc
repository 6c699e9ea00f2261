// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/place.h"

#include <utility>
#include <vector>

#include "base/streams.h"
#include "base/text.h"
#include "oci/manifest.h"
#include "registry/connect.h"
#include "verbs/kit_name.h"

namespace plumb::verbs {

registry::ConnectOptions ToConnectOptions(const NetworkOptions& options) {
  registry::ConnectOptions connect;
  if (options.plain_http == PlainHttp::kYes) {
    connect.scheme = registry::ConnectOptions::Scheme::kHttp;
  }
  connect.tls_verify = options.tls_verify;
  return connect;
}

Result<PlaceName> PlaceName::Parse(std::string_view text) {
  if (const auto layout = registry::ParseLayoutName(text)) {
    PlaceName place;
    place.directory = layout->directory;
    place.reference.tag = layout->tag;
    return place;
  }
  PLUMB_RETURN_IF_ERROR(RefuseAncestor(text));
  PLUMB_TRY(oci::Reference reference, oci::Reference::Parse(text));
  if (reference.host.empty()) {
    return Error{ErrorKind::kInvalid, "'" + std::string(text) + "' names no registry",
                 "write HOST/" + reference.ToString() + ", or oci:DIRECTORY:TAG"};
  }
  return PlaceName{std::move(reference)};
}

std::string PlaceName::ToString() const {
  if (!IsLayout()) return reference.ToString();
  return "oci:" + directory + (reference.tag.empty() ? "" : ":" + reference.tag);
}

Result<std::unique_ptr<registry::Remote>> Connect(Workspace& workspace, const PlaceName& place,
                                                  const NetworkOptions& options,
                                                  Progress& progress) {
  const Machine& machine = workspace.machine();
  if (place.IsLayout()) return registry::OpenLayout(machine.files, place.directory);
  PLUMB_TRY(registry::Credentials * credentials, workspace.Credentials());
  PLUMB_TRY(registry::Uploads * uploads, workspace.Uploads());
  const registry::Network network{machine.http, machine.clock, machine.entropy,
                                  *credentials, &progress,     uploads};
  return registry::ConnectRegistry(network, place.reference.host, place.reference.repository,
                                   ToConnectOptions(options));
}

Status RememberPlace(Workspace& workspace, const PlaceName& place, const Digest& manifest) {
  if (place.IsLayout() || place.reference.host.empty()) return Done{};
  PLUMB_TRY(registry::KnownPlaces * known, workspace.KnownPlaces());
  known->Remember(place.reference.host, {place.reference.repository, manifest});
  return Done{};
}

Status CompleteTag(registry::Remote& remote, PlaceName& place) {
  if (!place.reference.tag.empty() || place.reference.digest) return Done{};
  if (!place.IsLayout()) {
    place.reference.tag = oci::kDefaultTag;
    return Done{};
  }
  PLUMB_TRY(const std::vector<std::string> tags, remote.ListTags());
  if (tags.empty()) {
    return Error{ErrorKind::kNotFound, "'" + place.ToString() + "' has no tags"};
  }
  if (tags.size() > 1) {
    return Error{ErrorKind::kInvalid,
                 "'" + place.ToString() + "' has several tags: " + Join(tags, ", "),
                 "write " + place.ToString() + ":" + tags.front()};
  }
  place.reference.tag = tags.front();
  return Done{};
}

Result<kit::ModelKit> FetchModelKit(registry::Remote& remote, const oci::Reference& reference,
                                    Progress& progress) {
  PLUMB_TRY(
      registry::RemoteManifest manifest,
      remote.FetchManifest(reference.digest ? "" : reference.TagOrDefault(), reference.digest));
  PLUMB_TRY(const oci::Manifest parsed, oci::Manifest::Parse(manifest.bytes));
  auto config = registry::FetchWholeBlob(remote, parsed.config, progress);
  if (!config) {
    Error error = std::move(config).error();
    // The manifest names it: that it is not there is damage, not absence.
    if (error.kind == ErrorKind::kNotFound) error.kind = ErrorKind::kCorrupt;
    return error;
  }
  return kit::ParseModelKit(std::move(manifest.bytes), *std::move(config));
}

}  // namespace plumb::verbs
