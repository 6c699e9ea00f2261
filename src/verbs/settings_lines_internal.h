// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_SETTINGS_LINES_INTERNAL_H_
#define PLUMB_VERBS_SETTINGS_LINES_INTERNAL_H_

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "verbs/settings.h"

namespace plumb::verbs {

// "[table]" or "key = value" with the lines it stands on, as offsets into the text.
struct SettingStatement {
  int line = 0;  // its first, from 1
  std::size_t begin = 0;
  std::size_t end = 0;  // behind its line end
  bool is_table = false;
  SettingPath table = {};  // beneath which it stands; of a table itself
  SettingPath path = {};   // all of it
  // Of a key: where its value stands.
  std::size_t value_begin = 0;
  std::size_t value_end = 0;
};

// All of a text that ParseToml takes. kInvalid for what is too long to be a setting.
Result<std::vector<SettingStatement>> ReadStatements(std::string_view text);

// The line of the statement that says most of `path`, if one says any.
std::optional<int> LineOfSetting(std::string_view text, const SettingPath& path);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_SETTINGS_LINES_INTERNAL_H_
