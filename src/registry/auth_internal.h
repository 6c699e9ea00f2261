// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_AUTH_INTERNAL_H_
#define PLUMB_REGISTRY_AUTH_INTERNAL_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/progress.h"
#include "host/http.h"
#include "registry/connect.h"
#include "registry/http_headers_internal.h"
#include "registry/retry_internal.h"
#include "registry/url_internal.h"

namespace plumb::registry {

// Finds what to send one registry as Authorization: nothing, a login (Basic), or tokens of the
// service that the registry names (distribution, "Token Authentication Specification").
//
// A login goes to the registry itself, or to a token service on its host or, both by https, beneath
// its domain; to nobody else. No redirect is followed on the way.
// A scope is "repository:NAME:pull", or several with spaces between.
// Threads: any number at once; one asks for a token, the others wait for it.
class Authenticator {
 public:
  // All of the network must outlive it, and so must `retrier`, which is told of pauses that a token
  // service asks for. `registry_host` is as a person writes it, `registry` where that is.
  Authenticator(const Network& network, std::string registry_host, Url registry,
                ConnectOptions options, Retrier& retrier);

  // Uses this login instead of a stored one. Before anything else is called.
  void UseCredential(Credential credential) { given_ = std::move(credential); }

  // What to send with a request; empty if the registry did not ask for anything yet.
  Result<std::string> AuthorizationFor(const std::string& scope, const Progress& progress);

  // What to send instead of `refused`, to which the registry answered 401. kDenied if there is
  // nothing better, or if the registry asks for what it must not have.
  Result<std::string> Answer(const host::HttpResponse& response, const std::string& scope,
                             const std::string& refused, const Progress& progress);

 private:
  struct Token {
    std::string authorization;
    std::int64_t fresh_until_ns = 0;  // of the monotonic clock
  };

  // Nothing if there is none, or none that lives much longer.
  std::optional<std::string> KnownToken(const std::string& scope) const;
  Result<std::string> FetchToken(const Challenge& challenge, const std::string& scope,
                                 const Progress& progress);
  Result<Token> ParseToken(const std::string& text) const;
  // A request to a token service, with nothing in it that authorises but what its own address may
  // have.
  host::HttpRequest RequestTo(const Url& url) const;
  Status CheckRealm(const Url& realm, bool has_credential) const;
  Result<std::optional<Credential>> FindCredential();

  const Network network_;
  const std::string registry_host_;
  const Url registry_;
  const ConnectOptions options_;
  Retrier& retrier_;
  std::optional<Credential> given_;

  std::mutex mutex_;
  std::optional<std::optional<Credential>> stored_;  // once it was looked for
  std::string basic_;                                // empty unless the registry takes a login
  std::optional<Challenge> token_service_;           // if it wants tokens
  std::map<std::string, Token> tokens_;              // by scope
};

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_AUTH_INTERNAL_H_
