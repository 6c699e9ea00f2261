// SPDX-License-Identifier: MIT OR Apache-2.0
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

// docker's config.json: {"auths":{"HOST":{"auth":"base64 of user:secret"}}}.
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
    return Change([&](Json& auths) {
      Json entry = Json::MakeObject();
      entry.Append("auth",
                   Json::String(EncodeBase64(AsBytes(credential.user + ":" + credential.secret))));
      auths.Set(registry, std::move(entry));
    });
  }

  Result<bool> Erase(std::string_view registry) override {
    PLUMB_TRY(const Json config, Read(own_path_));
    const Json* auths = config.Find("auths");
    if (auths == nullptr || auths->Find(registry) == nullptr) return false;
    PLUMB_RETURN_IF_ERROR(Change([&](Json& kept) {
      Json::Object others;
      for (const auto& [name, entry] : *kept.IfObject())
        if (name != registry) others.emplace_back(name, entry);
      kept = Json::MakeObject(std::move(others));
    }));
    return true;
  }

 private:
  // An empty object if there is no such file.
  Result<Json> Read(const std::string& path) {
    auto text = host::ReadFile(files_, path, kFileSizeMax);
    if (!text && text.error().kind == ErrorKind::kNotFound) return Json::MakeObject();
    if (!text) return std::move(text).error();
    auto config = ParseJson(*text);
    if (!config) return std::move(config).error().While("cannot read '" + path + "'");
    if (config->IfObject() == nullptr)
      return Error{ErrorKind::kInvalid, "'" + path + "' is no configuration of docker's kind"};
    return config;
  }

  static Result<std::optional<Credential>> FindIn(const Json& config, std::string_view registry,
                                                  const std::string& path) {
    const Json* auths = config.Find("auths");
    const Json* entry = auths == nullptr ? nullptr : auths->Find(registry);
    const Json* auth = entry == nullptr ? nullptr : entry->Find("auth");
    if (auth == nullptr || auth->IfString() == nullptr) return std::optional<Credential>();
    const auto decoded = DecodeBase64(*auth->IfString());
    const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos)
      return Error{ErrorKind::kInvalid, "the credential for '" + Printable(registry) + "' in '" +
                                            path + "' is malformed",
                   "plumb login " + Printable(registry)};
    return std::optional<Credential>({decoded->substr(0, colon), decoded->substr(colon + 1)});
  }

  // Reads, changes and replaces our own file while others keep away.
  template <typename Edit>
  Status Change(const Edit& edit) {
    const host::PathParts parts = host::SplitPath(own_path_);
    PLUMB_TRY(const auto directory,
              files_.OpenDirectory(parts.directory, host::IfMissing::kCreate, kDirectoryMode));
    PLUMB_TRY(const auto lock_file,
              directory->Open(parts.name + ".lock", host::OpenHow::kCreate, kFileMode));
    PLUMB_TRY(const auto lock, lock_file->Lock(host::LockKind::kExclusive, kLockTimeoutMs));
    PLUMB_TRY(Json config, Read(own_path_));
    const Json* present = config.Find("auths");
    Json auths = present != nullptr && present->IfObject() != nullptr ? *present
                                                                      : Json::MakeObject();
    edit(auths);
    config.Set("auths", std::move(auths));
    return host::WriteFileDurably(*directory, parts.name,
                                  WriteJson(config, JsonStyle::kIndented) + "\n", kFileMode);
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
