// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_CLIENT_INTERNAL_H_
#define PLUMB_REGISTRY_CLIENT_INTERNAL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/progress.h"
#include "host/http.h"
#include "registry/connect.h"
#include "registry/http_headers_internal.h"

namespace plumb::registry {

// Speaks HTTP with one registry: credentials and tokens, redirects, retries.
//
// Credentials are only ever sent to the registry itself, and to a token service on its host or,
// both by https, beneath its domain. What authorises is never sent along a redirect to another
// host. Threads: any number at once.
class RegistryClient {
 public:
  // `scope` is what a token is asked for: "repository:NAME:pull". May be empty.
  RegistryClient(const Network& network, std::string registry_host, const ConnectOptions& options,
                 std::string scope);

  // Of "/v2/…".
  Url UrlOf(std::string_view path) const;

  // Sends once; and, if the registry asks who we are, once more with the answer. Follows the
  // redirects of GET and HEAD. A body must be one that can be read again from `open_body`.
  using OpenBody = std::function<Result<std::unique_ptr<ByteSource>>()>;
  Result<host::HttpResponse> Send(host::HttpRequest request, const OpenBody& open_body,
                                  Progress& progress);

  // Calls `work` until it succeeds, fails for good, or has failed five times in ways that may pass
  // (kUnavailable), waiting longer each time, and as long as the registry asks (up to 60 s).
  Status Retry(Progress& progress, const std::function<Status()>& work);

  // The Error that a status means: `doing` is for the message ("push blob 'sha256:…'").
  Error ErrorOf(const host::HttpResponse& response, std::string_view doing) const;

  const std::string& registry_host() const { return registry_host_; }

  // Uses this credential instead of a stored one.
  void UseCredential(Credential credential) { given_ = std::move(credential); }

 private:
  Result<host::HttpResponse> Perform(host::HttpRequest& request, const OpenBody& open_body,
                                     Progress& progress);
  Result<host::HttpResponse> FollowRedirects(host::HttpRequest request,
                                             host::HttpResponse response, Progress& progress);
  // What to send as Authorization from now on; kDenied if there is nothing.
  Status Authenticate(const host::HttpResponse& response, Progress& progress);
  Result<std::string> FetchToken(const Challenge& challenge, Progress& progress);
  bool MayReceiveCredential(const Url& realm) const;
  Result<std::optional<Credential>> FindCredential();
  void ApplyTls(host::HttpRequest& request) const;

  const Network network_;
  const std::string registry_host_;
  const ConnectOptions options_;
  const std::string scope_;
  std::optional<Credential> given_;
  std::mutex mutex_;
  std::string authorization_;  // of the header; empty: none
  std::atomic<std::uint64_t> asked_pause_ms_ = 0;
};

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_CLIENT_INTERNAL_H_
