// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_CONFIG_H_
#define PLUMB_VERBS_CONFIG_H_

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "verbs/settings.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct Setting {
  std::string key;
  Json value;
};

struct ConfigReport {
  std::string file;
  bool exists = false;
  std::vector<Setting> settings;
};

// The settings and where they are. The password of a proxy is left out: such lists are shown to
// others. Fails as Workspace::Settings does.
Result<ConfigReport> ListSettings(Workspace& workspace);

// kInvalid for an unknown key, kNotFound for one that is not set.
Result<Setting> ReadSetting(Workspace& workspace, const std::string& key);

// Writes or takes away one, and leaves all else in the file as it is (EditSettings). Atomic and
// durable; others who do the same wait. kInvalid for an unknown key, a value that it does not take
// or a file that is no TOML: then nothing is changed. What else is wrong in the file does not keep
// it from being mended, and an unknown key can be taken away.
Result<Setting> WriteSetting(Workspace& workspace, const std::string& key,
                             const std::string& value);
Status UnsetSetting(Workspace& workspace, const std::string& key);

// Reads and parses the file of that name; for the Workspace, which does so once.
Result<Settings> LoadSettings(const Machine& machine, const std::string& path,
                              const std::string& person_directory);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_CONFIG_H_
