// SPDX-License-Identifier: MIT OR Apache-2.0
#include <utility>

#include "base/text.h"
#include "registry/client_internal.h"

namespace plumb::registry {
namespace {

constexpr int kRedirectsMax = 5;

// Redirects after which the same is to be asked of another address (RFC 9110, section 15.4).
bool IsFollowed(const std::string& method, int status) {
  if (status == 307 || status == 308) return true;
  const bool only_reads = method == "GET" || method == "HEAD";
  return only_reads && (status == 301 || status == 302 || status == 303);
}

void MakeLocationAbsolute(const Url& asked, host::HttpResponse& response) {
  for (auto& [name, value] : response.headers) {
    if (!EqualsIgnoreCaseAscii(name, "Location")) continue;
    if (const auto location = asked.Resolve(value)) value = location->ToString();
  }
}

// Docker Hub's registry is not where the name is that people know it by.
std::string AddressOf(const std::string& registry_host) {
  return registry_host == "docker.io" || registry_host == "index.docker.io" ? "registry-1.docker.io"
                                                                            : registry_host;
}

}  // namespace

Result<std::unique_ptr<RegistryClient>> RegistryClient::Make(const Network& network,
                                                             const std::string& registry_host,
                                                             const ConnectOptions& options) {
  const bool is_plain = options.scheme == ConnectOptions::Scheme::kHttp;
  auto origin = Url::Parse((is_plain ? "http://" : "https://") + AddressOf(registry_host));
  if (!origin || registry_host.find_first_of("/?") != std::string::npos)
    return Error{ErrorKind::kInvalid, "'" + Printable(registry_host) + "' is no registry",
                 "write host or host:port, as in registry.example.com"};
  return std::make_unique<RegistryClient>(network, registry_host, *std::move(origin), options);
}

RegistryClient::RegistryClient(const Network& network, std::string registry_host, Url origin,
                               ConnectOptions options)
    : network_(network),
      registry_host_(std::move(registry_host)),
      origin_(std::move(origin)),
      options_(std::move(options)),
      retrier_(network.clock, network.entropy),
      authenticator_(network, registry_host_, origin_, options_, retrier_) {}

Url RegistryClient::UrlOf(std::string_view path) const {
  Url url = origin_;
  url.rest = "/v2/" + std::string(path);
  return url;
}

Result<host::HttpResponse> RegistryClient::SendOnce(host::HttpRequest request,
                                                    const std::string& authorization,
                                                    const OpenBody& open_body,
                                                    const Progress& progress) {
  if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
  std::unique_ptr<ByteSource> body;
  if (open_body) {
    PLUMB_TRY(body, open_body());
    request.body = body.get();
  }
  auto response = network_.http.Send(request, [&] { return progress.StopRequested(); });
  if (!response) {
    Error error = std::move(response).error();
    const bool may_speak_no_tls =
        error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kUnsupported;
    if (may_speak_no_tls && error.hint.empty() && origin_.scheme == "https")
      error.hint = "if the registry speaks no TLS: --plain-http";
    return error;
  }
  retrier_.Heed(*response);
  return response;
}

Result<Url> RegistryClient::NextUrl(const Url& from, const host::HttpResponse& response) const {
  auto to = from.Resolve(response.Header("Location").value_or(""));
  if (!to) return std::move(to).error().While("'" + registry_host_ + "' redirects to nowhere");
  if (from.scheme == "https" && to->scheme == "http")
    return Error{ErrorKind::kDenied, "'" + registry_host_ + "' redirects to '" + to->host +
                                         "' without encryption: refused"};
  return to;
}

Result<host::HttpResponse> RegistryClient::Send(host::HttpRequest request, const std::string& scope,
                                                const OpenBody& open_body, Progress& progress) {
  PLUMB_TRY(Url url, Url::Parse(request.url));
  bool is_registry = url.SharesOrigin(origin_);
  std::string authorization;
  if (is_registry) {
    PLUMB_TRY(authorization, authenticator_.AuthorizationFor(scope, progress));
    request.client_certificate = options_.certificates.client_certificate;
    request.client_key = options_.certificates.client_key;
  }
  request.tls_verify = options_.tls_verify;
  request.certificate_authorities = options_.certificates.authorities;
  request.proxy = options_.proxy;
  bool was_asked = false;
  for (int redirects = 0;;) {
    request.url = url.ToString();
    PLUMB_TRY(host::HttpResponse response, SendOnce(request, authorization, open_body, progress));
    if (response.status == 401 && is_registry && !was_asked) {
      was_asked = true;
      PLUMB_TRY(authorization, authenticator_.Answer(response, scope, authorization, progress));
      continue;
    }
    if (!IsFollowed(request.method, response.status)) {
      if (redirects > 0) MakeLocationAbsolute(url, response);
      return response;
    }
    if (redirects++ == kRedirectsMax)
      return Error{ErrorKind::kUnsupported,
                   "'" + registry_host_ + "' redirects more than five times"};
    PLUMB_TRY(url, NextUrl(url, response));
    if (!url.SharesOrigin(origin_)) {
      is_registry = false;
      authorization.clear();
      request.client_certificate.clear();
      request.client_key.clear();
    }
  }
}

}  // namespace plumb::registry
