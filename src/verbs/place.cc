// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/place.h"

#include <utility>
#include <vector>

#include "base/streams.h"
#include "base/text.h"
#include "oci/manifest.h"
#include "oci/media_types.h"
#include "registry/connect.h"
#include "registry/select.h"
#include "verbs/kit_name.h"
#include "verbs/settings.h"

namespace plumb::verbs {

namespace {

// The flag of the first file that is of use with TLS only; empty: there is none.
std::string_view TlsFlagIn(const NetworkOptions& options) {
  if (!options.authorities_file.empty()) return "--ca-file";
  if (!options.client_certificate.empty()) return "--cert";
  return options.client_key.empty() ? "" : "--key";
}

// Who we are is said by one who says both: a key of the settings is none for another certificate.
Status FindIdentity(const NetworkOptions& options, const RegistrySettings& set,
                    const std::string& registry_host, registry::Certificates& certificates) {
  if (!options.client_certificate.empty()) {
    certificates.client_certificate = options.client_certificate;
    certificates.client_key = options.client_key;
    return Done{};
  }
  if (set.client_certificate.empty() != set.client_key.empty()) {
    const std::string registry = "registry." + registry_host;
    return Error{
        ErrorKind::kInvalid,
        "settings '" + registry + ".cert' and '" + registry + ".key' are of use only together",
        "plumb config"};
  }
  if (set.client_certificate.empty()) return Done{};
  certificates.client_certificate = set.client_certificate;
  certificates.client_key = set.client_key;
  return Done{};
}

}  // namespace

Status CheckNetworkOptions(const NetworkOptions& options) {
  if (options.client_certificate.empty() != options.client_key.empty())
    return Error{ErrorKind::kInvalid, "'--cert' and '--key' are of use only together"};
  const std::string_view flag = TlsFlagIn(options);
  if (flag.empty() || options.plain_http != PlainHttp::kYes) return Done{};
  return Error{ErrorKind::kInvalid,
               "'" + std::string(flag) + "' is of use with TLS only, and '--plain-http' is without",
               "leave out one of them"};
}

Result<unsigned> ConcurrencyFor(Workspace& workspace, const NetworkOptions& options) {
  constexpr unsigned kConcurrency = 5;
  if (options.concurrency > 0) return options.concurrency;
  PLUMB_TRY(const Settings* const settings, workspace.Settings());
  return settings->concurrency > 0 ? settings->concurrency : kConcurrency;
}

Result<registry::ConnectOptions> ConnectOptionsFor(Workspace& workspace,
                                                   const std::string& registry_host,
                                                   const NetworkOptions& options) {
  PLUMB_TRY(const Settings* const settings, workspace.Settings());
  const RegistrySettings& set = settings->Of(registry_host);
  registry::ConnectOptions connect;
  const bool verifies = set.tls_verify.value_or(true);
  connect.tls_verify =
      options.tls_verify.value_or(verifies ? host::TlsVerify::kYes : host::TlsVerify::kNo);
  connect.proxy = options.proxy;
  connect.default_proxy = set.proxy.empty() ? settings->proxy : set.proxy;
  PLUMB_RETURN_IF_ERROR(CheckNetworkOptions(options));
  const bool is_plain = set.plain_http.value_or(false);
  if (options.plain_http.value_or(is_plain ? PlainHttp::kYes : PlainHttp::kNo) == PlainHttp::kYes) {
    if (const std::string_view flag = TlsFlagIn(options); !flag.empty()) {
      return Error{ErrorKind::kInvalid,
                   "'" + std::string(flag) + "' is of use with TLS only, and 'registry." +
                       registry_host + ".plain-http' is set",
                   "--plain-http=false"};
    }
    connect.scheme = registry::ConnectOptions::Scheme::kHttp;
    return connect;
  }
  host::Files& files = workspace.machine().files;
  PLUMB_TRY(connect.certificates,
            registry::FindCertificates(files, workspace.CertificateDirectories(), registry_host));
  const std::string& authorities =
      options.authorities_file.empty() ? set.authorities_file : options.authorities_file;
  if (!authorities.empty()) {
    PLUMB_TRY(connect.certificates.authorities, registry::ReadAuthorities(files, authorities));
  }
  PLUMB_RETURN_IF_ERROR(FindIdentity(options, set, registry_host, connect.certificates));
  return connect;
}

Result<PlaceName> PlaceName::Parse(std::string_view text) {
  if (const auto layout = registry::ParseLayoutName(text)) {
    PlaceName place;
    place.directory = layout->directory;
    place.reference.tag = layout->tag;
    place.reference.digest = layout->digest;
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
  const std::string name = "oci:" + directory;
  if (reference.digest) return name + "@" + reference.digest->ToString();
  return reference.tag.empty() ? name : name + ":" + reference.tag;
}

Result<std::unique_ptr<registry::Repository>> Connect(Workspace& workspace, const PlaceName& place,
                                                      const NetworkOptions& options,
                                                      Progress& progress) {
  const Machine& machine = workspace.machine();
  if (place.IsLayout()) return registry::OpenLayout(machine.files, place.directory);
  PLUMB_TRY(registry::Credentials * credentials, workspace.Credentials());
  PLUMB_TRY(registry::Uploads * uploads, workspace.Uploads());
  const registry::Network network{machine.http, machine.clock, machine.entropy,
                                  *credentials, &progress,     uploads};
  PLUMB_TRY(const auto connect, ConnectOptionsFor(workspace, place.reference.host, options));
  return registry::ConnectRegistry(network, place.reference.host, place.reference.repository,
                                   connect);
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
                                    Progress& progress, const std::string& platform) {
  registry::Selection selection;
  selection.tag = reference.TagOrDefault();
  selection.digest = reference.digest;
  selection.platform = platform;
  selection.is_wanted = [](const oci::Manifest& candidate) {
    return oci::FormatOfConfig(candidate.config.media_type).has_value();
  };
  PLUMB_TRY(registry::RemoteManifest manifest, registry::FetchSelected(remote, selection));
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
