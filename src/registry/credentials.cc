// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "registry/connect.h"

namespace plumb::registry {
namespace {

constexpr std::uint64_t kFileSizeMax = std::uint64_t{1} << 20;
constexpr std::uint64_t kLockTimeoutMs = 10'000;
constexpr std::uint32_t kFileMode = 0600;
constexpr std::uint32_t kDirectoryMode = 0700;

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

// docker's config.json: {"auths":{"HOST":{"auth":"base64 of user:secret"}}}. Whatever else stands
// there is kept. Entries whose secret is elsewhere (a helper, an identity token) are as none.
class ConfigCredentials final : public Credentials {
 public:
  ConfigCredentials(host::Files& files, std::string own_path, std::string docker_path)
      : files_(files), own_path_(std::move(own_path)), docker_path_(std::move(docker_path)) {}

  Result<std::optional<Credential>> Find(std::string_view registry) override {
    for (const std::string& path : {own_path_, docker_path_}) {
      if (path.empty()) continue;
      PLUMB_TRY(const Json config, Read(path));
      PLUMB_TRY(auto credential, FindIn(config, registry, path));
      if (credential) return credential;
    }
    return std::optional<Credential>();
  }

  Status Save(std::string_view registry, const Credential& credential) override {
    if (credential.user.empty() || credential.user.find(':') != std::string::npos)
      return Error{ErrorKind::kInvalid, "a user name must not be empty or contain ':'"};
    Json entry = Json::MakeObject();
    entry.Append("auth",
                 Json::String(EncodeBase64(AsBytes(credential.user + ":" + credential.secret))));
    PLUMB_TRY([[maybe_unused]] const bool replaced, Replace(registry, std::move(entry)));
    return Done{};
  }

  Result<bool> Erase(std::string_view registry) override {
    PLUMB_TRY(const Json config, Read(own_path_));
    if (FindEntry(Registries(config), registry) == nullptr) return false;
    return Replace(registry, std::nullopt);
  }

 private:
  // An empty object if there is no such file. It may be a symlink, as people keep such files.
  Result<Json> Read(const std::string& path) {
    const auto canonical = files_.Canonical(path);
    if (!canonical && canonical.error().kind == ErrorKind::kNotFound) return Json::MakeObject();
    if (!canonical) return canonical.error();
    PLUMB_TRY(const std::string text, host::ReadFile(files_, *canonical, kFileSizeMax));
    auto config = ParseJson(text);
    if (!config) return std::move(config).error().While("cannot read '" + path + "'");
    const Json* registries = config->Find("auths");
    if (config->IfObject() == nullptr ||
        (registries != nullptr && !registries->IsNull() && registries->IfObject() == nullptr)) {
      return Error{ErrorKind::kInvalid, "'" + path + "' is no configuration of docker's kind"};
    }
    return config;
  }

  // Of a config that Read has checked.
  static Json::Object Registries(const Json& config) {
    const Json* registries = config.Find("auths");
    if (registries == nullptr || registries->IsNull()) return {};
    return *registries->IfObject();
  }

  static Result<std::optional<Credential>> FindIn(const Json& config, std::string_view registry,
                                                  const std::string& path) {
    const Json::Object registries = Registries(config);
    const Json* entry = FindEntry(registries, registry);
    if (entry == nullptr || entry->Find("identitytoken") != nullptr)
      return std::optional<Credential>();
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

  // Puts `entry` (nothing: none) in the place of all that is for the registry in our own file,
  // while others keep away. False if nothing was there.
  Result<bool> Replace(std::string_view registry, std::optional<Json> entry) {
    const host::PathParts parts = host::SplitPath(own_path_);
    PLUMB_TRY(const auto directory,
              files_.OpenDirectory(parts.directory, host::IfMissing::kCreate, kDirectoryMode));
    PLUMB_TRY(const auto lock_file,
              directory->Open(parts.name + ".lock", host::OpenHow::kCreate, kFileMode));
    PLUMB_TRY(const auto lock, lock_file->Lock(host::LockKind::kExclusive, kLockTimeoutMs));
    PLUMB_TRY(Json config, Read(own_path_));
    Json::Object registries = Registries(config);
    const std::size_t removed = std::erase_if(registries, [&](const Json::Member& member) {
      return IsSameRegistry(member.first, registry);
    });
    if (entry) {
      const std::string host = HostOf(registry);
      registries.emplace_back(IsDockerHub(host) ? kDockerHubKey : host, *std::move(entry));
    }
    config.Set("auths", Json::MakeObject(std::move(registries)));
    const std::string text = WriteJson(config, JsonStyle::kIndented) + "\n";
    if (text.size() > kFileSizeMax)
      return Error{ErrorKind::kExhausted, "'" + own_path_ + "' would be longer than 1 MiB"};
    PLUMB_RETURN_IF_ERROR(host::WriteFileDurably(*directory, parts.name, text, kFileMode));
    return removed != 0;
  }

  host::Files& files_;
  const std::string own_path_;
  const std::string docker_path_;
};

}  // namespace

std::unique_ptr<Credentials> MakeCredentials(host::Files& files, std::string own_path,
                                             std::string docker_path) {
  return std::make_unique<ConfigCredentials>(files, std::move(own_path), std::move(docker_path));
}

}  // namespace plumb::registry
