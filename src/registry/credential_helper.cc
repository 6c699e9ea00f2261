// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "registry/credential_helper_internal.h"

namespace plumb::registry {
namespace {

constexpr std::size_t kNameSizeMax = 64;
constexpr std::size_t kReasonSizeMax = 256;
// Somebody may have to unlock a keyring first.
constexpr std::uint64_t kTimeoutMs = 120'000;
// As docker-credential-helpers, credentials/error.go, has it; helpers print it on standard output.
constexpr std::string_view kNotFound = "credentials not found in native keychain";
// In the place of a user's name: the secret is a token to get tokens with, not a password.
constexpr std::string_view kIdentityToken = "<token>";

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

Result<CredentialHelper> CredentialHelper::Make(host::Processes& processes,
                                                const std::string& name) {
  if (name.empty() || name.size() > kNameSizeMax || !std::ranges::all_of(name, IsNameCharacter))
    return Error{ErrorKind::kInvalid,
                 "'" + Printable(name.substr(0, kNameSizeMax)) + "' is no credential helper"};
  return CredentialHelper(processes, "docker-credential-" + name);
}

Result<std::optional<std::string>> CredentialHelper::Ask(const char* action,
                                                         const std::string& input) const {
  host::ProcessRequest request;
  request.command = {program_, action};
  request.input = input;
  request.timeout_ms = kTimeoutMs;
  auto result = processes_->Run(request);
  if (!result) {
    Error error = std::move(result).error();
    const bool is_missing = error.kind == ErrorKind::kNotFound || error.kind == ErrorKind::kDenied;
    // Not "no such login": that nobody could be asked is no answer.
    if (is_missing) error.kind = ErrorKind::kUnsupported;
    // Nor is it asked again by whoever tries again: each time a person may have to answer.
    if (error.kind == ErrorKind::kUnavailable) error.kind = ErrorKind::kDenied;
    return error;
  }
  if (result->exit_code == 0) return std::optional(std::move(result->output));
  const std::string_view said = Trim(result->output);
  if (said == kNotFound) return std::optional<std::string>();
  const std::string_view reason = said.empty() ? Trim(result->errors) : said;
  // Never what a helper prints that succeeds: in that the secret stands.
  return Error{ErrorKind::kDenied, "'" + program_ + " " + action +
                                       "' fails: " + Printable(reason.substr(0, kReasonSizeMax))};
}

Result<std::optional<Credential>> CredentialHelper::Get(const std::string& server) const {
  PLUMB_TRY(const auto answer, Ask("get", server));
  if (!answer) return std::optional<Credential>();
  const auto json = ParseJson(*answer);
  if (!json || json->IfObject() == nullptr)
    return Error{ErrorKind::kDenied, "'" + program_ + " get' prints no login"};
  Credential credential = {json->TextOf("Username"), json->TextOf("Secret")};
  if (credential.user == kIdentityToken && !credential.secret.empty())
    return std::optional<Credential>({{}, {}, credential.secret});
  // As helpers answer that know the server and have nothing for it.
  if (credential.user.empty() && credential.secret.empty()) return std::optional<Credential>();
  return std::optional(std::move(credential));
}

Status CredentialHelper::Store(const std::string& server, const Credential& credential) const {
  Json json = Json::MakeObject();
  json.Append("ServerURL", Json::String(server));
  json.Append("Username", Json::String(credential.user));
  json.Append("Secret", Json::String(credential.secret));
  PLUMB_TRY(const auto answer, Ask("store", WriteJson(json, JsonStyle::kCompact)));
  if (answer) return Done{};
  return Error{ErrorKind::kDenied, "'" + program_ + " store' keeps nothing"};
}

Result<bool> CredentialHelper::Erase(const std::string& server) const {
  PLUMB_TRY(const auto answer, Ask("erase", server));
  return answer.has_value();
}

}  // namespace plumb::registry
