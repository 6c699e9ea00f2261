// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_PLACE_H_
#define PLUMB_VERBS_PLACE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "host/http.h"
#include "kit/modelkit.h"
#include "oci/reference.h"
#include "registry/remote.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

// How to reach registries, as a person asked this time. What is empty is as the settings say, of
// that registry first; else as it is built in.
enum class PlainHttp : std::uint8_t { kNo, kYes };
struct NetworkOptions {
  std::optional<PlainHttp> plain_http = std::nullopt;
  std::optional<host::TlsVerify> tls_verify = std::nullopt;
  unsigned concurrency = 0;  // ConcurrencyFor
  // PEM files, for which those beneath certs.d stand in (registry::FindCertificates).
  std::string authorities_file = {};
  std::string client_certificate = {};
  std::string client_key = {};
  std::string proxy = {};  // the environment counts before the settings
};

// kInvalid for a certificate without a key, or the other way round, and for any of these files
// beside plain HTTP, over which nobody would look at them. Whoever asks a person says so first.
Status CheckNetworkOptions(const NetworkOptions& options);

// How many blobs may move at once: 5 if nobody says.
Result<unsigned> ConcurrencyFor(Workspace& workspace, const NetworkOptions& options);

// Those for one registry, with its certificates found and read. kInvalid as CheckNetworkOptions,
// also where the settings ask for plain HTTP. Certificates that are set beside it are of no use,
// and no error: both stay for the day on which one is changed. What is set for a registry is used
// for that one only.
Result<registry::ConnectOptions> ConnectOptionsFor(Workspace& workspace,
                                                   const std::string& registry_host,
                                                   const NetworkOptions& options);

// Where a kit is, or shall be, outside of this store: "host/repository[:tag][@digest]",
// "oci:DIRECTORY[:TAG]" or "oci:DIRECTORY@DIGEST".
struct PlaceName {
  oci::Reference reference;    // without a host: a layout, of which only tag and digest count
  std::string directory = {};  // of a layout; else empty

  // kInvalid for a name without a host.
  static Result<PlaceName> Parse(std::string_view text);
  bool IsLayout() const { return !directory.empty(); }
  std::string ToString() const;
};

// Nothing is sent, and for a layout nothing is made, before it is used. `progress`, which must
// outlive what is returned, is asked whether to stop.
Result<std::unique_ptr<registry::Repository>> Connect(Workspace& workspace, const PlaceName& place,
                                                      const NetworkOptions& options,
                                                      Progress& progress);

// That this kit is there now, for the next push to that registry.
Status RememberPlace(Workspace& workspace, const PlaceName& place, const Digest& manifest);

// Fills in the tag of a name that has neither tag nor digest: "latest", but of a layout its
// only one, if it has only one.
Status CompleteTag(registry::Remote& remote, PlaceName& place);

// Manifest and config of a kit that is elsewhere, checked; nothing is stored. If an index has that
// name, the one kit in it, on that platform if one is said (registry/select.h).
Result<kit::ModelKit> FetchModelKit(registry::Remote& remote, const oci::Reference& reference,
                                    Progress& progress, const std::string& platform = {});

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_PLACE_H_
