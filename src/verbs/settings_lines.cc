// SPDX-License-Identifier: MIT OR Apache-2.0
// The lines of a file of settings. There is no second grammar of TOML here: what a piece of a line
// means is asked of ParseToml, which takes a statement only once it is whole.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "base/toml.h"
#include "verbs/settings_lines_internal.h"

namespace plumb::verbs {
namespace {

// A setting is a key and the name of a file at most. Each of its lines may be the last one, and
// each
// '#' begin a remark: so many are tried.
constexpr std::size_t kStatementSizeMax = std::size_t{8} << 10;
constexpr int kTriesMax = 64;

std::size_t LineEnd(std::string_view text, std::size_t begin) {
  const std::size_t feed = text.find('\n', begin);
  return feed == std::string_view::npos ? text.size() : feed + 1;
}

// "a.b" of {"a":{"b":…}}.
SettingPath ChainOf(const Json& document) {
  SettingPath path;
  for (const Json* json = &document; json->IfObject() != nullptr && !json->IfObject()->empty();) {
    path.push_back(json->IfObject()->front().first);
    json = &json->IfObject()->front().second;
  }
  return path;
}

Error TooLong(int line) {
  return Error{ErrorKind::kInvalid, "line " + std::to_string(line) + ": too long for a setting"};
}

// Where `sign` first stands so that what is before it, with `rest`, is whole: outside of strings.
// The end if it stands nowhere; nothing if nobody knows.
std::optional<std::size_t> FindOutside(std::string_view statement, char sign,
                                       std::string_view rest) {
  std::size_t at = statement.find(sign);
  for (int tries = 0; at != std::string_view::npos; at = statement.find(sign, at + 1)) {
    if (++tries > kTriesMax) return std::nullopt;
    if (ParseToml(std::string(statement.substr(0, at)).append(rest))) return at;
  }
  return statement.size();
}

// Fills in what a statement says. False if it says nothing: a remark, or an empty line.
Result<bool> Understand(std::string_view text, SettingStatement& statement,
                        const SettingPath& table) {
  const std::string_view all = text.substr(statement.begin, statement.end - statement.begin);
  const std::string_view trimmed = Trim(all);
  if (trimmed.empty() || trimmed.starts_with('#')) return false;
  statement.is_table = trimmed.starts_with('[');
  if (statement.is_table) {
    PLUMB_TRY(const Json parsed, ParseToml(all));
    statement.table = ChainOf(parsed);
    statement.path = statement.table;
    return true;
  }
  const auto equals = FindOutside(all, '=', "= 0");
  const auto remark = FindOutside(all, '#', "");
  if (!equals || !remark || *remark <= *equals) return TooLong(statement.line);
  PLUMB_TRY(const Json key, ParseToml(std::string(all.substr(0, *equals)) + "= 0"));
  statement.table = table;
  statement.path = table;
  for (std::string& part : ChainOf(key))
    statement.path.push_back(std::move(part));
  const std::string_view value = Trim(all.substr(*equals + 1, *remark - *equals - 1));
  statement.value_begin = static_cast<std::size_t>(value.data() - text.data());
  statement.value_end = statement.value_begin + value.size();
  return true;
}

bool IsPrefix(const SettingPath& prefix, const SettingPath& path) {
  return prefix.size() <= path.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
}

SettingPath ParentOf(SettingPath path) {
  path.pop_back();
  return path;
}

std::string KeyText(SettingPath::const_iterator begin, SettingPath::const_iterator end) {
  std::string text;
  for (; begin != end; ++begin) {
    const bool is_bare =
        !begin->empty() && begin->find_first_not_of(
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                               "0123456789-_") == std::string::npos;
    text += (text.empty() ? "" : ".") + (is_bare ? *begin : TomlString(*begin));
  }
  return text;
}

// As they are written here: settings are no lists and no tables.
std::string ValueText(const Json& value) {
  if (const std::string* string = value.IfString()) return TomlString(*string);
  return WriteJson(value, JsonStyle::kCompact);
}

std::string WithNew(std::string text, const std::vector<SettingStatement>& statements,
                    const SettingPath& path, const Json& value) {
  const std::string line_end = text.find("\r\n") == std::string::npos ? "\n" : "\r\n";
  const SettingPath parent = ParentOf(path);
  const SettingStatement* before = nullptr;  // the last of its kin, else the head of its table
  bool has_tables = false;
  for (const SettingStatement& statement : statements) {
    has_tables = has_tables || statement.is_table;
    const bool is_kin = !statement.is_table && ParentOf(statement.path) == parent;
    const bool is_head = statement.is_table && statement.path == parent;
    if (is_kin || (is_head && before == nullptr)) before = &statement;
  }
  std::size_t at = text.size();
  std::string added;
  std::size_t said = 0;  // how many parts of the path the table says
  if (before != nullptr) {
    at = before->end;
    said = before->table.size();
  } else if (!parent.empty()) {
    if (!text.empty()) added = line_end;
    added += "[" + KeyText(parent.begin(), parent.end()) + "]" + line_end;
    said = parent.size();
  } else if (has_tables) {
    at = 0;  // what stands behind a table belongs to it
  }
  added += KeyText(path.begin() + static_cast<std::ptrdiff_t>(said), path.end()) + " = " +
           ValueText(value) + line_end;
  if (at == 0 && !text.empty()) added += line_end;
  if (at > 0 && text[at - 1] != '\n') added.insert(0, line_end);
  return text.insert(at, added);
}

}  // namespace

Result<std::vector<SettingStatement>> ReadStatements(std::string_view text) {
  std::vector<SettingStatement> statements;
  SettingPath table;
  int line = 1;
  for (std::size_t begin = 0; begin < text.size();) {
    SettingStatement statement;
    statement.line = line;
    statement.begin = begin;
    statement.end = LineEnd(text, begin);
    const auto all = [&] { return text.substr(statement.begin, statement.end - statement.begin); };
    // A string or a list may go on in the next line.
    for (int tries = 0; !ParseToml(all()); statement.end = LineEnd(text, statement.end)) {
      const bool is_too_long = all().size() > kStatementSizeMax || statement.end == text.size();
      if (is_too_long || ++tries > kTriesMax) return TooLong(line);
    }
    const bool is_remark = Trim(all()).starts_with('#');
    if (!is_remark && all().size() > kStatementSizeMax) return TooLong(line);
    line += static_cast<int>(std::ranges::count(all(), '\n'));
    begin = statement.end;
    PLUMB_TRY(const bool says_something, Understand(text, statement, table));
    if (!says_something) continue;
    if (statement.is_table) table = statement.table;
    statements.push_back(std::move(statement));
  }
  return statements;
}

std::optional<int> LineOfSetting(std::string_view text, const SettingPath& path) {
  const auto statements = ReadStatements(text);
  if (!statements) return std::nullopt;
  const SettingStatement* nearest = nullptr;
  for (const SettingStatement& statement : *statements) {
    const bool is_nearer = nearest == nullptr || statement.path.size() > nearest->path.size();
    if (IsPrefix(statement.path, path) && is_nearer) nearest = &statement;
  }
  if (nearest == nullptr) return std::nullopt;
  return nearest->line;
}

Result<std::string> EditSettings(std::string_view text, const SettingPath& path,
                                 const std::optional<Json>& value) {
  PLUMB_CHECK(!path.empty());
  PLUMB_TRY(const Json before, ParseToml(text, {kSettingsSizeMax}));
  std::map<SettingPath, Json> wanted = SettingsIn(before);
  if (value) {
    wanted.insert_or_assign(path, *value);
  } else if (wanted.erase(path) == 0) {
    return Error{ErrorKind::kNotFound, "'" + Printable(SettingKey(path)) + "' is not set"};
  }
  PLUMB_TRY(const auto statements, ReadStatements(text));
  const auto own = std::ranges::find_if(statements, [&](const SettingStatement& statement) {
    return !statement.is_table && statement.path == path;
  });
  std::string edited(text);
  if (own == statements.end()) {
    if (value) edited = WithNew(std::move(edited), statements, path, *value);
  } else if (value) {
    edited.replace(own->value_begin, own->value_end - own->value_begin, ValueText(*value));
  } else {
    edited.erase(own->begin, own->end - own->begin);
  }
  if (edited.size() > kSettingsSizeMax)
    return Error{ErrorKind::kExhausted, "over " + FormatSize(kSettingsSizeMax) + " of settings"};
  const auto after = ParseToml(edited);
  if (after && SettingsIn(*after) == wanted) return edited;
  const int line = LineOfSetting(text, path).value_or(1);
  return Error{
      ErrorKind::kInvalid,
      "line " + std::to_string(line) + ": cannot be changed without a change to what stands there"};
}

}  // namespace plumb::verbs
