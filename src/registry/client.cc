// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "registry/client_internal.h"

namespace plumb::registry {
namespace {

constexpr int kTriesMax = 5;
constexpr std::uint64_t kFirstPauseMs = 500;
constexpr std::uint64_t kPauseMaxMs = 60'000;
constexpr std::uint64_t kSleepSliceMs = 50;
constexpr int kRedirectsMax = 5;
constexpr std::size_t kTokenSizeMax = 32768;

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

ErrorKind KindOf(int status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorKind::kDenied;
    case 404:
      return ErrorKind::kNotFound;
    case 409:
      return ErrorKind::kConflict;
    case 413:
      return ErrorKind::kExhausted;
    case 405:
    case 415:
    case 501:
      return ErrorKind::kUnsupported;
    case 408:
    case 429:
      return ErrorKind::kUnavailable;
    default:
      return status >= 500 ? ErrorKind::kUnavailable : ErrorKind::kInvalid;
  }
}

// distribution-spec, "Error Codes": {"errors":[{"code":…,"message":…}]}.
std::string ReasonIn(const std::string& text) {
  const auto json = ParseJson(text);
  const Json* errors = json ? json->Find("errors") : nullptr;
  if (errors == nullptr || errors->IfArray() == nullptr || errors->IfArray()->empty()) return {};
  const Json& first = errors->IfArray()->front();
  for (const char* name : {"message", "code"}) {
    const Json* member = first.Find(name);
    const std::string* reason = member == nullptr ? nullptr : member->IfString();
    if (reason != nullptr && !reason->empty()) return Printable(reason->substr(0, 256));
  }
  return {};
}

std::string HostWithoutPort(const std::string& host) { return host.substr(0, host.find(':')); }

// "registry.example.org" and "auth.example.org": the same domain above.
bool AreUnderOneDomain(const std::string& a, const std::string& b) {
  const std::size_t dot = a.find('.');
  if (dot == std::string::npos) return false;
  const std::string domain = a.substr(dot + 1);
  // A last label alone is nobody's; a number is part of an address.
  if (domain.find('.') == std::string::npos || (domain.back() >= '0' && domain.back() <= '9'))
    return false;
  return b == domain || b.ends_with("." + domain);
}

}  // namespace

RegistryClient::RegistryClient(const Network& network, std::string registry_host,
                               const ConnectOptions& options, std::string scope)
    : network_(network),
      registry_host_(std::move(registry_host)),
      options_(options),
      scope_(std::move(scope)) {}

Url RegistryClient::UrlOf(std::string_view path) const {
  const bool is_plain = options_.scheme == ConnectOptions::Scheme::kHttp;
  return {is_plain ? "http" : "https", ToLowerAscii(registry_host_), "/v2/" + std::string(path)};
}

void RegistryClient::ApplyTls(host::HttpRequest& request) const {
  request.tls_verify = options_.tls_verify;
}

Result<host::HttpResponse> RegistryClient::Perform(host::HttpRequest& request,
                                                   const OpenBody& open_body,
                                                   Progress& progress) {
  std::unique_ptr<ByteSource> body;
  if (open_body) {
    PLUMB_TRY(body, open_body());
    request.body = body.get();
  }
  return network_.http.Send(request, [&] { return progress.StopRequested(); });
}

Result<host::HttpResponse> RegistryClient::Send(host::HttpRequest request,
                                                const OpenBody& open_body, Progress& progress) {
  ApplyTls(request);
  request.client_certificate = options_.client_certificate;
  request.client_key = options_.client_key;
  for (int round = 0;; ++round) {
    host::HttpRequest sent = request;
    {
      const std::lock_guard lock(mutex_);
      if (!authorization_.empty()) sent.headers.emplace_back("Authorization", authorization_);
    }
    auto response = Perform(sent, open_body, progress);
    if (!response) {
      if (response.error().kind == ErrorKind::kUnavailable && request.url.starts_with("https:"))
        response.error().hint = "if the registry speaks no TLS: --plain-http";
      return response;
    }
    // In seconds; the other form, a date, is as good as none.
    if (const auto seconds = ParseUint64(response->Header("Retry-After").value_or("")))
      asked_pause_ms_ = std::min(*seconds, kPauseMaxMs / 1000) * 1000;
    if (response->status == 401 && round == 0) {
      PLUMB_RETURN_IF_ERROR(Authenticate(*response, progress));
      continue;
    }
    const bool follows = request.method == "GET" || request.method == "HEAD";
    if (!follows || !IsRedirect(response->status)) return response;
    return FollowRedirects(std::move(sent), *std::move(response), progress);
  }
}

Result<host::HttpResponse> RegistryClient::FollowRedirects(host::HttpRequest request,
                                                           host::HttpResponse response,
                                                           Progress& progress) {
  for (int i = 0; i < kRedirectsMax && IsRedirect(response.status); ++i) {
    PLUMB_TRY(const Url from, Url::Parse(request.url));
    PLUMB_TRY(const Url to, from.Resolve(response.Header("Location").value_or("")));
    if (from.scheme == "https" && to.scheme == "http")
      return Error{ErrorKind::kDenied, "'" + registry_host_ + "' redirects to '" +
                                           Printable(to.host) + "' without encryption: refused"};
    if (to.host != from.host || to.scheme != from.scheme) {
      std::erase_if(request.headers, [](const host::HttpHeader& header) {
        return EqualsIgnoreCaseAscii(header.first, "Authorization");
      });
      request.client_certificate.clear();
      request.client_key.clear();
    }
    request.url = to.ToString();
    PLUMB_TRY(response, Perform(request, nullptr, progress));
  }
  if (!IsRedirect(response.status)) return response;
  return Error{ErrorKind::kUnavailable, "'" + registry_host_ + "' redirects more than five times"};
}

bool RegistryClient::MayReceiveCredential(const Url& realm) const {
  const Url own = UrlOf("");
  if (realm.host == own.host) return realm.scheme == own.scheme || realm.scheme == "https";
  return own.scheme == "https" && realm.scheme == "https" &&
         AreUnderOneDomain(HostWithoutPort(own.host), HostWithoutPort(realm.host));
}

Result<std::optional<Credential>> RegistryClient::FindCredential() {
  if (given_) return given_;
  return network_.credentials.Find(registry_host_);
}

Status RegistryClient::Authenticate(const host::HttpResponse& response, Progress& progress) {
  PLUMB_TRY(const auto challenges,
            ParseChallenges(response.Header("WWW-Authenticate").value_or("")));
  const auto find = [&](std::string_view scheme) {
    return std::find_if(challenges.begin(), challenges.end(),
                        [&](const Challenge& challenge) { return challenge.scheme == scheme; });
  };
  std::string authorization;
  if (const auto bearer = find("bearer"); bearer != challenges.end()) {
    PLUMB_TRY(const std::string token, FetchToken(*bearer, progress));
    authorization = "Bearer " + token;
  } else if (find("basic") != challenges.end()) {
    PLUMB_TRY(const auto credential, FindCredential());
    if (!credential)
      return Error{ErrorKind::kDenied, "'" + registry_host_ + "' wants a login",
                   "plumb login " + registry_host_};
    authorization = "Basic " + EncodeBase64(AsBytes(credential->user + ":" + credential->secret));
  } else {
    return ErrorOf(response, "log in");
  }
  const std::lock_guard lock(mutex_);
  authorization_ = std::move(authorization);
  return Done{};
}

// distribution, "Token Authentication Specification".
Result<std::string> RegistryClient::FetchToken(const Challenge& challenge, Progress& progress) {
  PLUMB_TRY(Url realm, Url::Parse(challenge.Parameter("realm")));
  PLUMB_TRY(const auto credential, FindCredential());
  if (credential && !MayReceiveCredential(realm))
    return Error{ErrorKind::kDenied, "'" + registry_host_ + "' asks to send your login to '" +
                                         Printable(realm.host) + "': refused"};
  const std::string given_scope = challenge.Parameter("scope");
  const std::string scope = scope_.empty() ? given_scope : scope_;
  std::string query = "service=" + EncodeQueryValue(challenge.Parameter("service"));
  if (!scope.empty()) query += "&scope=" + EncodeQueryValue(scope);
  host::HttpRequest request;
  ApplyTls(request);
  request.url =
      realm.ToString() + (realm.rest.find('?') == std::string::npos ? "?" : "&") + query;
  if (credential)
    request.headers.emplace_back(
        "Authorization",
        "Basic " + EncodeBase64(AsBytes(credential->user + ":" + credential->secret)));
  MemorySink answer(kTokenSizeMax);
  request.sink = &answer;
  PLUMB_TRY(const host::HttpResponse response, Perform(request, nullptr, progress));
  if (response.status != 200) return ErrorOf(response, "get a token");
  PLUMB_TRY(const Json json, ParseJson(answer.text()));
  for (const char* name : {"token", "access_token"}) {
    const Json* token = json.Find(name);
    const std::string* text = token == nullptr ? nullptr : token->IfString();
    const auto is_printable = [](char c) { return c > ' ' && c < 0x7F; };
    if (text != nullptr && !text->empty() && std::all_of(text->begin(), text->end(), is_printable))
      return *text;
  }
  return Error{ErrorKind::kUnavailable,
               "the token service of '" + registry_host_ + "' gives no token"};
}

Status RegistryClient::Retry(Progress& progress, const std::function<Status()>& work) {
  std::uint64_t pause_ms = kFirstPauseMs;
  for (int tries = 1;; ++tries) {
    Status status = work();
    if (status || status.error().kind != ErrorKind::kUnavailable || tries == kTriesMax)
      return status;
    progress.Warn(status.error().message + "; trying again");
    std::array<std::byte, 1> random = {};
    network_.entropy.Fill(random);
    // From half the pause to all of it, so that many clients do not come back at once.
    const std::uint64_t jitter = pause_ms * std::to_integer<std::uint64_t>(random[0]) / 512;
    std::uint64_t left = std::max(pause_ms - jitter, asked_pause_ms_.exchange(0));
    while (left > 0) {
      if (progress.StopRequested()) return Interrupted();
      const std::uint64_t slice = std::min(left, kSleepSliceMs);
      network_.clock.SleepMs(slice);
      left -= slice;
    }
    pause_ms = std::min(pause_ms * 2, kPauseMaxMs);
  }
}

Error RegistryClient::ErrorOf(const host::HttpResponse& response, std::string_view doing) const {
  Error error = {KindOf(response.status), "cannot " + std::string(doing) + ": '" + registry_host_ +
                                              "' answers " + std::to_string(response.status)};
  const std::string reason = ReasonIn(response.text);
  if (!reason.empty()) error.message += " (" + reason + ")";
  if (error.kind == ErrorKind::kDenied) error.hint = "plumb login " + registry_host_;
  return error;
}

}  // namespace plumb::registry
