// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "registry/connect.h"
#include "registry/credential_helper_internal.h"

namespace plumb::registry {
namespace {

constexpr std::uint64_t kFileSizeMax = std::uint64_t{1} << 20;
constexpr std::uint64_t kLockTimeoutMs = 10'000;
constexpr std::uint32_t kFileMode = 0600;
constexpr std::uint32_t kDirectoryMode = 0700;
constexpr const char* kLogins = "auths";
constexpr const char* kHelpers = "credHelpers";  // by registry
constexpr const char* kHelperOfAll = "credsStore";

// Docker Hub answers to several names; in docker's file it is kept under this one.
constexpr std::string_view kDockerHubKey = "https://index.docker.io/v1/";
constexpr std::array<std::string_view, 3> kDockerHubHosts = {"docker.io", "index.docker.io",
                                                             "registry-1.docker.io"};

bool IsDockerHub(std::string_view host) {
  return std::ranges::find(kDockerHubHosts, host) != kDockerHubHosts.end();
}

// Old versions of docker wrote "https://host/v1/" where a host is meant.
std::string HostOf(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!key.starts_with(scheme)) continue;
    key.remove_prefix(scheme.size());
    key = key.substr(0, key.find('/'));
  }
  return ToLowerAscii(key);
}

bool IsSameRegistry(std::string_view key, std::string_view registry) {
  const std::string host = HostOf(key);
  const std::string wanted = HostOf(registry);
  return host == wanted || (IsDockerHub(host) && IsDockerHub(wanted));
}

// The one written as the registry is; else one that means the same. Null if there is none.
const Json* FindEntry(const Json::Object& registries, std::string_view registry) {
  const Json* found = nullptr;
  for (const auto& [key, entry] : registries) {
    if (key == registry) return &entry;
    if (found == nullptr && IsSameRegistry(key, registry)) found = &entry;
  }
  return found;
}

// What logins are kept under, by us and by helpers.
std::string KeyOf(std::string_view registry) {
  std::string host = HostOf(registry);
  return IsDockerHub(host) ? std::string(kDockerHubKey) : host;
}

// Members of a config that Read has checked; none if there are none.
Json::Object Members(const Json& config, const char* name) {
  const Json* members = config.Find(name);
  return members == nullptr || members->IfObject() == nullptr ? Json::Object()
                                                              : *members->IfObject();
}

// The name of the helper that keeps the login of this registry: empty if it says that none does,
// nothing if it does not say.
std::optional<std::string> HelperName(const Json& config, std::string_view registry) {
  const Json::Object helpers = Members(config, kHelpers);
  const Json* name = FindEntry(helpers, registry);
  if (name == nullptr) name = config.Find(kHelperOfAll);
  if (name == nullptr || name->IfString() == nullptr) return std::nullopt;
  return *name->IfString();
}

// Erases all that is for the registry.
std::size_t Drop(Json::Object& members, std::string_view registry) {
  return std::erase_if(
      members, [&](const Json::Member& member) { return IsSameRegistry(member.first, registry); });
}

// docker's config.json: {"auths":{"HOST":{"auth":"base64 of user:secret"}},
// "credHelpers":{"HOST":"HELPER"},"credsStore":"HELPER"}. Whatever else stands there is kept.
// An entry may hold an "identitytoken" instead of a password.
class ConfigCredentials final : public Credentials {
 public:
  ConfigCredentials(host::Files& files, host::Processes& processes, std::string own_path,
                    std::string docker_path)
      : files_(files),
        processes_(processes),
        own_path_(std::move(own_path)),
        docker_path_(std::move(docker_path)) {}

  Result<std::optional<Credential>> Find(std::string_view registry) override {
    std::optional<Error> missing;
    for (const std::string& path : {own_path_, docker_path_}) {
      if (path.empty()) continue;
      PLUMB_TRY(const Json config, Read(path));
      const std::string helper_name = HelperName(config, registry).value_or("");
      if (!helper_name.empty()) {
        auto kept = AskHelper(helper_name, registry, path);
        if (kept && *kept) return kept;
        const bool may_pass = kept || kept.error().kind == ErrorKind::kUnsupported;
        if (!may_pass) return kept;
        if (!kept) missing = std::move(kept).error();
      }
      PLUMB_TRY(auto credential, FindIn(config, registry, path));
      if (credential) return credential;
    }
    if (missing) return *std::move(missing);
    return std::optional<Credential>();
  }

  Status Save(std::string_view registry, const Credential& credential) override {
    if (credential.user.empty() || credential.user.find(':') != std::string::npos)
      return Error{ErrorKind::kInvalid, "a user name must not be empty or contain ':'"};
    PLUMB_TRY(const std::string helper_name, StoreWithHelper(registry, credential));
    Entry entry;
    if (helper_name.empty()) {
      entry.login = Json::MakeObject();
      entry.login->Append(
          "auth", Json::String(EncodeBase64(AsBytes(credential.user + ":" + credential.secret))));
    } else {
      entry.helper = Json::String(helper_name);
    }
    return Replace(registry, std::move(entry)).map([](bool) { return Done{}; });
  }

  Result<bool> Erase(std::string_view registry) override {
    PLUMB_TRY(const Json config, Read(own_path_));
    const std::string helper_name = HelperName(config, registry).value_or("");
    bool was_kept = false;
    if (!helper_name.empty()) {
      PLUMB_TRY(const auto helper, CredentialHelper::Make(processes_, helper_name));
      PLUMB_TRY(was_kept, helper.Erase(KeyOf(registry)));
    }
    const bool is_named = FindEntry(Members(config, kLogins), registry) != nullptr ||
                          FindEntry(Members(config, kHelpers), registry) != nullptr;
    if (!is_named) return was_kept;
    return Replace(registry, {});
  }

 private:
  // What our own file says of one registry.
  struct Entry {
    std::optional<Json> login = std::nullopt;
    std::optional<Json> helper = std::nullopt;
  };

  // An empty object if there is no such file. It may be a symlink, as people keep such files.
  Result<Json> Read(const std::string& path) {
    const auto canonical = files_.Canonical(path);
    if (!canonical && canonical.error().kind == ErrorKind::kNotFound) return Json::MakeObject();
    if (!canonical) return canonical.error();
    PLUMB_TRY(const std::string text, host::ReadFile(files_, *canonical, kFileSizeMax));
    auto config = ParseJson(text);
    if (!config) return std::move(config).error().While("cannot read '" + path + "'");
    for (const char* name : {kLogins, kHelpers}) {
      const Json* members = config->Find(name);
      const bool is_object =
          members == nullptr || members->IsNull() || members->IfObject() != nullptr;
      if (config->IfObject() == nullptr || !is_object)
        return Error{ErrorKind::kInvalid, "'" + path + "' is no configuration of docker's kind"};
    }
    return config;
  }

  Result<std::optional<Credential>> AskHelper(const std::string& helper_name,
                                              std::string_view registry, const std::string& path) {
    const auto helper = CredentialHelper::Make(processes_, helper_name);
    auto kept =
        helper ? helper->Get(KeyOf(registry)) : Result<std::optional<Credential>>(helper.error());
    if (kept) return kept;
    Error error = std::move(kept).error().While("cannot ask the helper that '" + path + "' names");
    // Ours comes first, and needs none.
    if (path != own_path_) error.hint = "plumb login " + Printable(registry);
    // Who had ours name a helper wants to be known.
    if (path == own_path_ && error.kind == ErrorKind::kUnsupported) error.kind = ErrorKind::kDenied;
    return error;
  }

  // Gives the name of the helper that keeps it now; empty if none does: there is none, or docker
  // names one that is not on this machine. Ours is the first to say, and "" means none.
  Result<std::string> StoreWithHelper(std::string_view registry, const Credential& credential) {
    for (const std::string& path : {own_path_, docker_path_}) {
      if (path.empty()) continue;
      PLUMB_TRY(const Json config, Read(path));
      const std::optional<std::string> name = HelperName(config, registry);
      if (!name) continue;
      if (name->empty()) return std::string();
      PLUMB_TRY(const auto helper, CredentialHelper::Make(processes_, *name));
      Status stored = helper.Store(KeyOf(registry), credential);
      if (stored) return *name;
      const bool is_missing = stored.error().kind == ErrorKind::kUnsupported;
      if (is_missing && path != own_path_) return std::string();
      Error error = std::move(stored).error().While("cannot keep the login");
      error.hint = "to keep it in a file: \"credsStore\": \"\" in " + own_path_;
      return error;
    }
    return std::string();
  }

  static Result<std::optional<Credential>> FindIn(const Json& config, std::string_view registry,
                                                  const std::string& path) {
    const Json::Object registries = Members(config, kLogins);
    const Json* entry = FindEntry(registries, registry);
    if (entry == nullptr) return std::optional<Credential>();
    const Json* token = entry->Find("identitytoken");
    if (token != nullptr && token->IfString() != nullptr && !token->IfString()->empty())
      return std::optional<Credential>({{}, {}, *token->IfString()});
    const Json* auth = entry->Find("auth");
    const std::string* encoded = auth == nullptr ? nullptr : auth->IfString();
    if (encoded == nullptr || encoded->empty()) return std::optional<Credential>();
    const auto decoded = DecodeBase64(*encoded);
    const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos) {
      return Error{
          ErrorKind::kInvalid,
          "the credential for '" + Printable(registry) + "' in '" + path + "' is malformed",
          "plumb login " + Printable(registry)};
    }
    return std::optional<Credential>({decoded->substr(0, colon), decoded->substr(colon + 1)});
  }

  // Puts `entry` in the place of all that is for the registry in our own file, while others keep
  // away. False if nothing was there.
  Result<bool> Replace(std::string_view registry, Entry entry) {
    const host::PathParts parts = host::SplitPath(own_path_);
    PLUMB_TRY(const auto directory,
              files_.OpenDirectory(parts.directory, host::IfMissing::kCreate, kDirectoryMode));
    PLUMB_TRY(const auto lock_file,
              directory->Open(parts.name + ".lock", host::OpenHow::kCreate, kFileMode));
    PLUMB_TRY(const auto lock, lock_file->Lock(host::LockKind::kExclusive, kLockTimeoutMs));
    PLUMB_TRY(Json config, Read(own_path_));
    std::size_t removed = 0;
    const auto replace = [&](const char* name, std::optional<Json>& value) {
      Json::Object members = Members(config, name);
      removed += Drop(members, registry);
      if (value) members.emplace_back(KeyOf(registry), *std::move(value));
      if (config.Find(name) != nullptr || !members.empty())
        config.Set(name, Json::MakeObject(std::move(members)));
    };
    replace(kLogins, entry.login);
    replace(kHelpers, entry.helper);
    const std::string text = WriteJson(config, JsonStyle::kIndented) + "\n";
    if (text.size() > kFileSizeMax)
      return Error{ErrorKind::kExhausted, "'" + own_path_ + "' would be longer than 1 MiB"};
    PLUMB_RETURN_IF_ERROR(host::WriteFileDurably(*directory, parts.name, text, kFileMode));
    return removed != 0;
  }

  host::Files& files_;
  host::Processes& processes_;
  const std::string own_path_;
  const std::string docker_path_;
};

}  // namespace

std::unique_ptr<Credentials> MakeCredentials(host::Files& files, host::Processes& processes,
                                             std::string own_path, std::string docker_path) {
  return std::make_unique<ConfigCredentials>(files, processes, std::move(own_path),
                                             std::move(docker_path));
}

}  // namespace plumb::registry
