// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_SETTINGS_H_
#define PLUMB_VERBS_SETTINGS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

// What a person says once for all commands. Pure: text in, values out; config.h has the file.
namespace plumb::verbs {

// Of one registry. Empty: not set.
struct RegistrySettings {
  std::optional<bool> plain_http = std::nullopt;
  std::optional<bool> tls_verify = std::nullopt;
  std::string authorities_file = {};
  std::string client_certificate = {};
  std::string client_key = {};
  std::string proxy = {};

  friend bool operator==(const RegistrySettings&, const RegistrySettings&) = default;
};

// A flag counts more than the environment, that more than these, and these more than what is
// built in. What is set for a registry counts for exactly that "host[:port]" and no other.
//
// Format: docs/format.md, "Settings". Trust: the person's own; a mistake is refused, never skipped.
struct Settings {
  unsigned threads = 0;      // 0: not set
  unsigned concurrency = 0;  // 0: not set
  std::string proxy = {};
  std::optional<std::int64_t> keep_untagged_ns = std::nullopt;
  std::map<std::string, RegistrySettings> registries = {};

  // One without anything set if there is none of that name.
  const RegistrySettings& Of(const std::string& registry_host) const;

  friend bool operator==(const Settings&, const Settings&) = default;
};

// A person has a few dozen registries at most; and each command reads all of it.
inline constexpr std::size_t kSettingsSizeMax = std::size_t{64} << 10;

// `person_directory` is what "~" stands for in the names of files; empty: nobody knows. kInvalid
// for what is no TOML, an unknown key, or a value that a key does not take, with its line and the
// nearest key as a hint; kExhausted over a limit.
Result<Settings> ParseSettings(std::string_view text, std::string_view person_directory);

// Where a setting stands: {"gc", "keep-untagged"}, {"registry", "localhost:5000", "plain-http"}.
// It is written with dots between: of a registry, what stands between the first and the last one
// is its name, whatever dots that has.
using SettingPath = std::vector<std::string>;
SettingPath SplitSettingKey(std::string_view key);
std::string SettingKey(const SettingPath& path);

// kInvalid for a key that is unknown, with the nearest one that is known as a hint.
Status CheckSettingKey(const SettingPath& path);
// The value that `text` means for this key. kInvalid for one that it does not take.
Result<Json> ParseSettingValue(const SettingPath& path, std::string_view text);

// All that is set, in order of paths; tables are taken apart.
std::map<SettingPath, Json> SettingsIn(const Json& document);

// All keys; of a registry with HOST in the place of its name.
std::vector<std::string> KnownSettingKeys();

// "14d", "12h", "30m" or "0", in nanoseconds; kInvalid for anything else.
Result<std::int64_t> ParseAge(std::string_view text);

// Text of a file of settings in which one is another; without `value` it is gone. All else, remarks
// and order among it, stays as it is. kNotFound if there is none to take away; kInvalid for a text
// that is no TOML, and if it cannot be done without a change to something else: for what is
// returned was parsed again, and means what was asked for.
Result<std::string> EditSettings(std::string_view text, const SettingPath& path,
                                 const std::optional<Json>& value);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_SETTINGS_H_
