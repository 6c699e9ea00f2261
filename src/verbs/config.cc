// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/config.h"

#include <utility>

#include "base/text.h"
#include "base/toml.h"
#include "verbs/settings_file_internal.h"

namespace plumb::verbs {
namespace {

Error InFile(Error error, const std::string& path) {
  return std::move(error).While("'" + path + "'");
}

// What the file says, whether or not it may.
struct Document {
  SettingsFile file;
  std::map<SettingPath, Json> settings;
};

Result<Document> ReadDocument(Workspace& workspace) {
  // First what is wrong with it: nobody shall take a mistake for a setting.
  PLUMB_RETURN_IF_ERROR(workspace.Settings());
  PLUMB_TRY(const std::string path, workspace.SettingsPath());
  PLUMB_TRY(SettingsFile file, SettingsFile::Find(workspace.machine().files, path));
  PLUMB_TRY(const std::string text, file.Read());
  const auto parsed = ParseToml(text);
  if (!parsed) return InFile(parsed.error(), path);
  return Document{std::move(file), SettingsIn(*parsed)};
}

Error NotSet(const SettingPath& path) {
  return Error{ErrorKind::kNotFound, "'" + Printable(SettingKey(path)) + "' is not set",
               "plumb config"};
}

// "http://me:…@proxy:8080"
Json WithoutPassword(const Json& value) {
  const std::string* const text = value.IfString();
  if (text == nullptr) return value;
  const std::size_t scheme = text->find("://");
  const std::size_t at = text->rfind('@');
  if (scheme == std::string::npos || at == std::string::npos) return value;
  const std::size_t colon = text->find(':', scheme + 3);
  if (colon >= at) return value;
  return Json::String(text->substr(0, colon + 1) + "…" + text->substr(at));
}

Status Change(Workspace& workspace, const SettingPath& setting, const std::optional<Json>& value) {
  PLUMB_TRY(const std::string path, workspace.SettingsPath());
  PLUMB_TRY(SettingsFile file, SettingsFile::Find(workspace.machine().files, path));
  if (!file.exists() && !value) return NotSet(setting);
  PLUMB_TRY(const auto lock, file.Lock());
  PLUMB_TRY(const std::string text, file.Read());
  const auto edited = EditSettings(text, setting, value);
  if (!edited) {
    if (edited.error().kind == ErrorKind::kNotFound) return NotSet(setting);
    Error error = InFile(edited.error(), path);
    if (error.hint.empty()) error.hint = "mend " + path + " by hand";
    return error;
  }
  if (*edited == text) return Done{};
  return file.Write(*edited);
}

}  // namespace

Result<Settings> LoadSettings(const Machine& machine, const std::string& path,
                              const std::string& person_directory) {
  PLUMB_TRY(const SettingsFile file, SettingsFile::Find(machine.files, path));
  if (!file.exists() && machine.environment.Get("PLUMB_CONFIG"))
    return Error{ErrorKind::kNotFound, "PLUMB_CONFIG names '" + path + "', which is not there",
                 "plumb config KEY VALUE makes it; for no settings: PLUMB_CONFIG=/dev/null"};
  PLUMB_TRY(const std::string text, file.Read());
  auto settings = ParseSettings(text, person_directory);
  if (settings) return settings;
  Error error = InFile(std::move(settings).error(), path);
  if (error.hint.empty()) error.hint = "mend " + path + " by hand";
  return error;
}

Result<ConfigReport> ListSettings(Workspace& workspace) {
  PLUMB_TRY(const Document document, ReadDocument(workspace));
  ConfigReport report{document.file.path(), document.file.exists(), {}};
  for (const auto& [path, value] : document.settings) {
    const bool is_proxy = path.back() == "proxy";
    report.settings.push_back({SettingKey(path), is_proxy ? WithoutPassword(value) : value});
  }
  return report;
}

Result<Setting> ReadSetting(Workspace& workspace, const std::string& key) {
  const SettingPath path = SplitSettingKey(key);
  PLUMB_RETURN_IF_ERROR(CheckSettingKey(path));
  PLUMB_TRY(const Document document, ReadDocument(workspace));
  const auto found = document.settings.find(path);
  if (found == document.settings.end()) return NotSet(path);
  return Setting{key, found->second};
}

Result<Setting> WriteSetting(Workspace& workspace, const std::string& key,
                             const std::string& value) {
  const SettingPath path = SplitSettingKey(key);
  PLUMB_TRY(Json parsed, ParseSettingValue(path, value));
  PLUMB_RETURN_IF_ERROR(Change(workspace, path, parsed));
  return Setting{key, std::move(parsed)};
}

Status UnsetSetting(Workspace& workspace, const std::string& key) {
  const SettingPath path = SplitSettingKey(key);
  Status changed = Change(workspace, path, std::nullopt);
  // A key that is not set may be one that nobody knows.
  if (!changed && changed.error().kind == ErrorKind::kNotFound)
    PLUMB_RETURN_IF_ERROR(CheckSettingKey(path));
  return changed;
}

}  // namespace plumb::verbs
