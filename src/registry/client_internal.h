// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_CLIENT_INTERNAL_H_
#define PLUMB_REGISTRY_CLIENT_INTERNAL_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/progress.h"
#include "base/streams.h"
#include "host/http.h"
#include "registry/auth_internal.h"
#include "registry/connect.h"
#include "registry/retry_internal.h"
#include "registry/url_internal.h"

namespace plumb::registry {

// Gives what a request sends, from its beginning: it may have to be sent again.
using OpenBody = std::function<Result<std::unique_ptr<ByteSource>>()>;

// Speaks HTTP with one registry: proves who we are, follows redirects.
//
// What authorises (Authorization, the client certificate) is sent to the registry only, and never
// again once a redirect has led to another host or scheme.
// Threads: any number at once.
class RegistryClient {
 public:
  // kInvalid if `registry_host` is no host. All of the network must outlive it.
  static Result<std::unique_ptr<RegistryClient>> Make(const Network& network,
                                                      const std::string& registry_host,
                                                      const ConnectOptions& options);
  RegistryClient(const Network& network, std::string registry_host, Url origin,
                 ConnectOptions options);

  // The address of something beneath "/v2/".
  Url UrlOf(std::string_view path) const;

  // Sends; and once more, authorised for `scope`, if the registry answers 401. At most five
  // redirects are followed, of GET and HEAD all, of other methods those that keep the method; one
  // from https to http is kDenied. Any other status is a success. Does not try again: see Retrier.
  // A relative Location that comes after a redirect is made absolute, since it is meant where the
  // redirect led.
  Result<host::HttpResponse> Send(host::HttpRequest request, const std::string& scope,
                                  const OpenBody& open_body, Progress& progress);

  Authenticator& authenticator() { return authenticator_; }
  Retrier& retrier() { return retrier_; }
  const std::string& registry_host() const { return registry_host_; }
  const ConnectOptions& options() const { return options_; }
  host::Clock& clock() const { return network_.clock; }
  Uploads* uploads() const { return network_.uploads; }  // may be null

 private:
  // Sends once. Nothing that authorises is added unless the registry itself is asked.
  Result<host::HttpResponse> SendOnce(host::HttpRequest request, const std::string& authorization,
                                      const OpenBody& open_body, const Progress& progress);
  Result<Url> NextUrl(const Url& from, const host::HttpResponse& response) const;

  const Network network_;
  const std::string registry_host_;
  const Url origin_;
  const ConnectOptions options_;
  Retrier retrier_;
  Authenticator authenticator_;
};

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_CLIENT_INTERNAL_H_
