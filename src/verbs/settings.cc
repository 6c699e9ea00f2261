// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/settings.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "base/toml.h"
#include "oci/reference.h"
#include "store/upkeep.h"
#include "verbs/settings_lines_internal.h"

namespace plumb::verbs {
namespace {

// As many threads or connections as flags take, too.
constexpr std::uint64_t kNumberMax = 256;
constexpr std::size_t kTextSizeMax = 4096;  // PATH_MAX
constexpr std::string_view kRegistry = "registry";

enum class Kind : std::uint8_t { kNumber, kSwitch, kAge, kProxy, kFile };
struct KnownKey {
  std::string_view key;
  Kind kind;
};
constexpr std::array<KnownKey, 4> kKeys = {{{"threads", Kind::kNumber},
                                            {"concurrency", Kind::kNumber},
                                            {"proxy", Kind::kProxy},
                                            {"gc.keep-untagged", Kind::kAge}}};
constexpr std::array<KnownKey, 6> kRegistryKeys = {{{"plain-http", Kind::kSwitch},
                                                    {"tls-verify", Kind::kSwitch},
                                                    {"ca-file", Kind::kFile},
                                                    {"cert", Kind::kFile},
                                                    {"key", Kind::kFile},
                                                    {"proxy", Kind::kProxy}}};

bool IsOfRegistry(const SettingPath& path) { return path.size() == 3 && path[0] == kRegistry; }

Error Unknown(const SettingPath& path) {
  std::vector<std::string> known = KnownSettingKeys();
  std::string prefix;
  if (IsOfRegistry(path)) {
    // The name of the registry must not make all of its keys near.
    known.clear();
    for (const KnownKey& key : kRegistryKeys)
      known.emplace_back(key.key);
    prefix = SettingKey({path[0], path[1], ""});
  }
  const std::string key = SettingKey(path);
  const auto nearest = Nearest(key.substr(prefix.size()), known);
  return Error{ErrorKind::kInvalid, "unknown key '" + Printable(key) + "'",
               nearest ? "did you mean '" + Printable(prefix) + *nearest + "'?" : ""};
}

Status CheckRegistry(const std::string& name) {
  const auto reference = oci::Reference::Parse(name + "/repository");
  if (reference && reference->host == name) return Done{};
  const std::string problem = "'" + Printable(name) + "' is not the name of a registry";
  if (reference && reference->host.empty() && !name.empty()) {
    return Error{ErrorKind::kInvalid, problem + ": it has neither a dot nor a port",
                 "write host.domain or host:port"};
  }
  return Error{ErrorKind::kInvalid, problem + ", as references have it",
               "write host or host:port, in lower case"};
}

Result<Kind> KindOf(const SettingPath& path) {
  if (IsOfRegistry(path)) {
    PLUMB_RETURN_IF_ERROR(CheckRegistry(path[1]));
    const auto* const found = std::ranges::find(kRegistryKeys, path[2], &KnownKey::key);
    if (found != kRegistryKeys.end()) return found->kind;
    return Unknown(path);
  }
  const auto* const found = std::ranges::find(kKeys, SettingKey(path), &KnownKey::key);
  // "gc.keep-untagged" in quotes is one name with a dot, and another key.
  if (found != kKeys.end() && SplitSettingKey(found->key) == path) return found->kind;
  return Unknown(path);
}

bool IsProxy(std::string_view text) {
  constexpr std::array<std::string_view, 4> kSchemes = {"http://", "https://", "socks5://",
                                                        "socks5h://"};
  return std::ranges::any_of(kSchemes, [&](std::string_view scheme) {
    return text.size() > scheme.size() && text.starts_with(scheme);
  });
}

// Files of which one of several directories could be meant would not be the same for each command.
bool IsFile(std::string_view text) { return text.starts_with('/') || text.starts_with("~/"); }

// What a key takes, in words; nothing if `value` is that.
std::optional<std::string> Wanted(Kind kind, const Json& value) {
  const std::string* const text = value.IfString();
  const bool is_text =
      text != nullptr && text->size() <= kTextSizeMax && std::ranges::none_of(*text, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == '\x7F';
      });
  bool is_right = false;
  std::string wanted;
  switch (kind) {
    case Kind::kNumber: {
      const auto number = value.ToUint64();
      is_right = number && *number > 0 && *number <= kNumberMax;
      wanted = "a number from 1 to " + std::to_string(kNumberMax);
      break;
    }
    case Kind::kSwitch:
      is_right = value.IfBool() != nullptr;
      wanted = "true or false";
      break;
    case Kind::kAge:
      is_right = is_text && ParseAge(*text);
      wanted = "a time such as 14d, 12h, 30m or 0";
      if (text == nullptr) wanted += ", as text";
      break;
    case Kind::kProxy:
      is_right = is_text && IsProxy(*text);
      wanted = "the address of a proxy, as http://HOST:PORT";
      break;
    case Kind::kFile:
      is_right = is_text && IsFile(*text);
      wanted = "the name of a file that begins with / or ~/";
      break;
  }
  if (is_right) return std::nullopt;
  return wanted;
}

Status CheckValue(const SettingPath& path, const Json& value) {
  PLUMB_TRY(const Kind kind, KindOf(path));
  const auto wanted = Wanted(kind, value);
  if (!wanted) return Done{};
  std::string message = "'" + SettingKey(path) + "' takes " + *wanted;
  // Of a proxy it might be a password.
  if (kind != Kind::kProxy) {
    const std::string* const text = value.IfString();
    message += ", not " + (text != nullptr ? "'" + Printable(*text) + "'"
                                           : Printable(WriteJson(value, JsonStyle::kCompact)));
  }
  return Error{ErrorKind::kInvalid, std::move(message)};
}

bool IsTable(const SettingPath& path) {
  const bool is_of_registry = path.size() <= 2 && path.front() == kRegistry;
  return is_of_registry || path == SettingPath{"gc"};
}

// Looks at all of a document; `path` is where it fails.
Status CheckAll(const Json& json, SettingPath& path) {
  const Json::Object* const members = json.IfObject();
  if (members == nullptr || (!path.empty() && !IsTable(path))) return CheckValue(path, json);
  if (path.size() == 2) PLUMB_RETURN_IF_ERROR(CheckRegistry(path.back()));
  for (const auto& [name, value] : *members) {
    path.push_back(name);
    PLUMB_RETURN_IF_ERROR(CheckAll(value, path));
    path.pop_back();
  }
  return Done{};
}

void TakeApart(const Json& json, SettingPath& path, std::map<SettingPath, Json>& settings) {
  const Json::Object* const members = json.IfObject();
  if (members == nullptr) {
    settings.emplace(path, json);
    return;
  }
  for (const auto& [name, value] : *members) {
    path.push_back(name);
    TakeApart(value, path, settings);
    path.pop_back();
  }
}

// Values that CheckAll has seen.
class Assigner {
 public:
  explicit Assigner(std::string_view person_directory) : person_directory_(person_directory) {}

  Status Assign(const SettingPath& path, const Json& value) {
    const std::string text = value.IfString() == nullptr ? std::string() : *value.IfString();
    if (IsOfRegistry(path)) return AssignTo(settings_.registries[path[1]], path[2], value);
    const std::string key = SettingKey(path);
    if (key == "proxy") settings_.proxy = text;
    if (key == "gc.keep-untagged") {
      PLUMB_TRY(settings_.keep_untagged_ns, ParseAge(text));
    }
    if (key == "threads" || key == "concurrency") {
      PLUMB_TRY(const std::uint64_t number, value.ToUint64());
      (key == "threads" ? settings_.threads : settings_.concurrency) =
          static_cast<unsigned>(number);
    }
    return Done{};
  }

  Settings Take() { return std::move(settings_); }

 private:
  Status AssignTo(RegistrySettings& registry, std::string_view name, const Json& value) const {
    if (const bool* const on = value.IfBool()) {
      (name == "plain-http" ? registry.plain_http : registry.tls_verify) = *on;
      return Done{};
    }
    if (name == "proxy") {
      registry.proxy = *value.IfString();
      return Done{};
    }
    std::string& file = name == "ca-file" ? registry.authorities_file
                        : name == "cert"  ? registry.client_certificate
                                          : registry.client_key;
    file = *value.IfString();
    if (!file.starts_with('~')) return Done{};
    if (person_directory_.empty())
      return Error{ErrorKind::kInvalid, "nobody knows what '~' is in '" + Printable(file) + "'"};
    file.replace(0, 1, person_directory_);
    return Done{};
  }

  const std::string person_directory_;
  Settings settings_;
};

Error AtLine(Error error, std::string_view text, const SettingPath& path) {
  const auto line = LineOfSetting(text, path);
  return line ? std::move(error).While("line " + std::to_string(*line)) : error;
}

}  // namespace

const RegistrySettings& Settings::Of(const std::string& registry_host) const {
  static const RegistrySettings nothing;
  const auto found = registries.find(registry_host);
  return found == registries.end() ? nothing : found->second;
}

Result<Settings> ParseSettings(std::string_view text, std::string_view person_directory) {
  PLUMB_TRY(const Json document, ParseToml(text, {kSettingsSizeMax}));
  SettingPath path;
  if (auto status = CheckAll(document, path); !status)
    return AtLine(std::move(status).error(), text, path);
  Assigner assigner(person_directory);
  for (const auto& [each, value] : SettingsIn(document)) {
    if (auto status = assigner.Assign(each, value); !status)
      return AtLine(std::move(status).error(), text, each);
  }
  return assigner.Take();
}

SettingPath SplitSettingKey(std::string_view key) {
  SettingPath path;
  for (const std::string_view part : Split(key, '.'))
    path.emplace_back(part);
  if (path.front() != kRegistry || path.size() < 3) return path;
  const std::size_t first = key.find('.');
  const std::size_t last = key.rfind('.');
  return {path.front(), std::string(key.substr(first + 1, last - first - 1)), path.back()};
}

std::string SettingKey(const SettingPath& path) { return Join(path, "."); }

Status CheckSettingKey(const SettingPath& path) {
  return KindOf(path).map([](Kind) { return Done{}; });
}

Result<Json> ParseSettingValue(const SettingPath& path, std::string_view text) {
  PLUMB_TRY(const Kind kind, KindOf(path));
  Json value = Json::String(text);
  const auto number = ParseUint64(text);
  if (kind == Kind::kNumber && number) value = Json::Uint(*number);
  if (kind == Kind::kSwitch && (text == "true" || text == "false"))
    value = Json::Bool(text == "true");
  PLUMB_RETURN_IF_ERROR(CheckValue(path, value));
  return value;
}

std::map<SettingPath, Json> SettingsIn(const Json& document) {
  std::map<SettingPath, Json> settings;
  SettingPath path;
  TakeApart(document, path, settings);
  return settings;
}

std::vector<std::string> KnownSettingKeys() {
  std::vector<std::string> keys;
  keys.reserve(std::size(kKeys) + std::size(kRegistryKeys));
  for (const KnownKey& key : kKeys)
    keys.emplace_back(key.key);
  for (const KnownKey& key : kRegistryKeys)
    keys.push_back("registry.HOST." + std::string(key.key));
  return keys;
}

Result<std::int64_t> ParseAge(std::string_view text) {
  // A hundred years: a thousand would not fit.
  constexpr std::uint64_t kDaysMax = 36'500;
  constexpr std::int64_t kMinuteNs = std::int64_t{60} * 1'000'000'000;
  std::string_view number = text;
  std::int64_t unit = 0;  // of a bare 0 there is no need of one
  if (text.ends_with('d')) unit = store::kDayNs;
  if (text.ends_with('h')) unit = 60 * kMinuteNs;
  if (text.ends_with('m')) unit = kMinuteNs;
  if (unit != 0) number.remove_suffix(1);
  const auto count = ParseUint64(number);
  const std::uint64_t count_max =
      unit == 0 ? 0 : kDaysMax * static_cast<std::uint64_t>(store::kDayNs / unit);
  if (!count || *count > count_max)
    return Error{ErrorKind::kInvalid,
                 "'" + Printable(text) + "' is no time such as 14d, 12h, 30m or 0"};
  return static_cast<std::int64_t>(*count) * unit;
}

}  // namespace plumb::verbs
