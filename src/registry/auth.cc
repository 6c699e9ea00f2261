// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "registry/auth_internal.h"
#include "registry/http_error_internal.h"

namespace plumb::registry {
namespace {

constexpr std::size_t kAnswerSizeMax = std::size_t{64} << 10;
constexpr std::uint64_t kLifetimeS = 60;  // of a token whose service does not say
constexpr std::uint64_t kLifetimeMaxS = 3600;
constexpr std::uint64_t kMarginS = 10;  // for clocks that differ and requests that take time
constexpr std::int64_t kNsPerS = 1'000'000'000;

std::string BasicOf(const Credential& credential) {
  return "Basic " + EncodeBase64(AsBytes(credential.user + ":" + credential.secret));
}

const Challenge* FindChallenge(const std::vector<Challenge>& challenges, std::string_view scheme) {
  const auto found =
      std::find_if(challenges.begin(), challenges.end(),
                   [&](const Challenge& challenge) { return challenge.scheme == scheme; });
  return found == challenges.end() ? nullptr : &*found;
}

// Whether `other` is beneath the domain that `host` is directly beneath: "auth.example.org" for
// "registry.example.org". Domains beneath which anybody can have one ("co.uk") are none.
bool IsUnderDomainOf(const std::string& host, const std::string& other) {
  const std::size_t dot = host.find('.');
  if (dot == std::string::npos || host.starts_with('[')) return false;
  const std::string domain = host.substr(dot + 1);
  const std::size_t last_dot = domain.rfind('.');
  if (last_dot == std::string::npos) return false;
  const std::size_t last_size = domain.size() - last_dot - 1;
  const bool is_address = std::all_of(domain.begin() + static_cast<std::ptrdiff_t>(last_dot) + 1,
                                      domain.end(), [](char c) { return c >= '0' && c <= '9'; });
  const bool may_be_public = last_size == 2 && last_dot <= 3 && domain.find('.') == last_dot;
  if (is_address || may_be_public) return false;
  return other == domain || other.ends_with("." + domain);
}

// Where a token is asked for, and with which form; with none it is a GET.
struct TokenQuestion {
  Url url;
  std::string form = {};
};

// "Token Authentication Specification" of distribution, and for identity tokens its "Oauth2 Token
// Authentication". Never the scope that a registry names: it could ask for a token to another
// repository.
TokenQuestion AskFor(const Url& realm, const std::string& service, const std::string& scope,
                     const std::optional<Credential>& credential) {
  if (credential && !credential->identity_token.empty()) {
    // A query is written as a form is.
    const Url form = Url{"http", "form", "/"}
                         .WithQuery("grant_type", "refresh_token")
                         .WithQuery("client_id", "plumb")
                         .WithQuery("service", service)
                         .WithQuery("scope", scope)
                         .WithQuery("refresh_token", credential->identity_token);
    return {realm, form.rest.substr(2)};
  }
  TokenQuestion question = {realm};
  if (!service.empty()) question.url = question.url.WithQuery("service", service);
  for (const std::string_view part : Split(scope, ' '))
    if (!part.empty()) question.url = question.url.WithQuery("scope", part);
  return question;
}

// What may stand in a header (RFC 6750, section 2.1).
bool IsToken(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace

Authenticator::Authenticator(const Network& network, std::string registry_host, Url registry,
                             ConnectOptions options, Retrier& retrier)
    : network_(network),
      registry_host_(std::move(registry_host)),
      registry_(std::move(registry)),
      options_(std::move(options)),
      retrier_(retrier) {}

Result<std::optional<Credential>> Authenticator::FindCredential() {
  if (given_) return given_;
  // Once: a helper may ask a person each time.
  if (!stored_) {
    auto found = network_.credentials.Find(registry_host_);
    if (!found && found.error().kind != ErrorKind::kUnsupported) return found;
    if (!found && network_.progress != nullptr)
      network_.progress->Warn(found.error().message + "; going on without a login");
    stored_ = found ? *std::move(found) : std::optional<Credential>();
  }
  return *stored_;
}

Result<std::string> Authenticator::AuthorizationFor(const std::string& scope,
                                                    const Progress& progress) {
  const std::lock_guard lock(mutex_);
  if (!token_service_) return basic_;
  if (auto known = KnownToken(scope)) return *std::move(known);
  return FetchToken(*token_service_, scope, progress);
}

std::optional<std::string> Authenticator::KnownToken(const std::string& scope) const {
  const auto known = tokens_.find(scope);
  if (known == tokens_.end() || network_.clock.MonotonicNs() >= known->second.fresh_until_ns)
    return std::nullopt;
  return known->second.authorization;
}

Result<std::string> Authenticator::Answer(const host::HttpResponse& response,
                                          const std::string& scope, const std::string& refused,
                                          const Progress& progress) {
  PLUMB_TRY(const auto challenges, ParseChallenges(AllOf(response, "WWW-Authenticate")));
  const std::lock_guard lock(mutex_);
  if (const Challenge* bearer = FindChallenge(challenges, "bearer")) {
    token_service_ = *bearer;
    // Another thread may have asked for one meanwhile.
    if (auto known = KnownToken(scope); known && *known != refused) return *std::move(known);
    return FetchToken(*bearer, scope, progress);
  }
  if (FindChallenge(challenges, "basic") == nullptr) return ErrorOf(response, registry_host_);
  PLUMB_TRY(const auto credential, FindCredential());
  if (!credential || !credential->identity_token.empty())
    return Error{ErrorKind::kDenied, "'" + registry_host_ + "' wants a login",
                 "plumb login " + registry_host_};
  // Asking again with what was refused would only bring the account nearer to being locked.
  if (BasicOf(*credential) == refused) return ErrorOf(response, registry_host_);
  basic_ = BasicOf(*credential);
  return basic_;
}

Status Authenticator::CheckRealm(const Url& realm, bool has_credential) const {
  const std::string host = registry_.HostWithoutPort();
  const bool is_own_host = realm.HostWithoutPort() == host;
  const bool is_safe = realm.scheme == "https" || (registry_.scheme == "http" && is_own_host);
  if (!is_safe)
    return Error{ErrorKind::kDenied, "'" + registry_host_ + "' names '" + realm.scheme + "://" +
                                         realm.host + "' for its tokens: refused"};
  const bool may_have_login = is_own_host || (registry_.scheme == "https" &&
                                              IsUnderDomainOf(host, realm.HostWithoutPort()));
  if (has_credential && !may_have_login)
    return Error{
        ErrorKind::kDenied,
        "'" + registry_host_ + "' asks to send your login to '" + realm.host + "': refused",
        "plumb logout " + registry_host_};
  return Done{};
}

host::HttpRequest Authenticator::RequestTo(const Url& url) const {
  host::HttpRequest request;
  request.url = url.ToString();
  request.tls_verify = options_.tls_verify;
  request.certificate_authorities = options_.certificates.authorities;
  request.proxy = options_.proxy;
  request.default_proxy = options_.default_proxy;
  if (url.SharesOrigin(registry_)) {
    request.client_certificate = options_.certificates.client_certificate;
    request.client_key = options_.certificates.client_key;
  }
  return request;
}

Result<std::string> Authenticator::FetchToken(const Challenge& challenge, const std::string& scope,
                                              const Progress& progress) {
  auto realm = Url::Parse(challenge.Parameter("realm"));
  if (!realm) return std::move(realm).error().While("token service of '" + registry_host_ + "'");
  PLUMB_TRY(const auto credential, FindCredential());
  PLUMB_RETURN_IF_ERROR(CheckRealm(*realm, credential.has_value()));

  const auto question = AskFor(*realm, challenge.Parameter("service"), scope, credential);
  host::HttpRequest request = RequestTo(question.url);
  MemorySource form(AsBytes(question.form));
  if (!question.form.empty()) {
    request.method = "POST";
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request.body = &form;
    request.body_size = question.form.size();
  } else if (credential) {
    request.headers.emplace_back("Authorization", BasicOf(*credential));
  }
  MemorySink answer(kAnswerSizeMax);
  request.sink = &answer;
  PLUMB_TRY(const host::HttpResponse response,
            network_.http.Send(request, [&] { return progress.StopRequested(); }));
  retrier_.Heed(response);
  if (response.status != 200) {
    Error error = ErrorOf(response, realm->host);
    if (!error.hint.empty()) error.hint = "plumb login " + registry_host_;
    return std::move(error).While("no token for '" + registry_host_ + "'");
  }
  PLUMB_TRY(Token token, ParseToken(answer.text()));
  std::string authorization = token.authorization;
  tokens_.insert_or_assign(scope, std::move(token));
  return authorization;
}

Result<Authenticator::Token> Authenticator::ParseToken(const std::string& text) const {
  const auto json = ParseJson(text);
  const Json nothing;
  const Json& answer = json ? *json : nothing;
  const Json* lifetime = answer.Find("expires_in");
  const auto said_s =
      lifetime == nullptr ? Result<std::uint64_t>(kLifetimeS) : lifetime->ToUint64();
  const std::uint64_t lifetime_s = std::min(said_s ? *said_s : kLifetimeS, kLifetimeMaxS);
  const std::uint64_t fresh_s = lifetime_s - std::min(lifetime_s, kMarginS);
  for (const char* name : {"token", "access_token"}) {
    const Json* member = answer.Find(name);
    const std::string* token = member == nullptr ? nullptr : member->IfString();
    if (token == nullptr || !IsToken(*token)) continue;
    return Token{"Bearer " + *token,
                 network_.clock.MonotonicNs() + static_cast<std::int64_t>(fresh_s) * kNsPerS};
  }
  // Nothing that would pass by itself.
  return Error{ErrorKind::kUnsupported,
               "the token service of '" + registry_host_ + "' gives no token"};
}

}  // namespace plumb::registry
