// SPDX-License-Identifier: MIT OR Apache-2.0
// Only here is toml++ named. Built without exceptions, it returns its errors; it is given nothing
// on which it could recurse too deep.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 40
#define TOML_UNRELEASED_FEATURES 0
#include "base/toml.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace plumb {
namespace {

std::string Where(const toml::source_position& position) {
  return "line " + std::to_string(position.line) + ", column " + std::to_string(position.column);
}

// How long the string or remark is that `text` begins with; 0 if it begins with neither.
std::size_t SizeOfQuoted(std::string_view text) {
  if (text.starts_with('#')) return std::min(text.find('\n'), text.size());
  if (!text.starts_with('"') && !text.starts_with('\'')) return 0;
  const char quote = text.front();
  const std::string close(text.starts_with(std::string(3, quote)) ? 3 : 1, quote);
  for (std::size_t i = close.size(); i < text.size(); ++i) {
    if (text.substr(i).starts_with(close)) return i + close.size();
    if (text[i] == '\n' && close.size() == 1) return i;  // it is not closed
    if (text[i] == '\\' && quote == '"') ++i;
  }
  return text.size();
}

// Each part of a dotted key is a table, and tables are freed by recursion: "a.a.a…" of a megabyte
// would overflow the stack. So no stretch of a line may have so many dots outside of strings.
bool HasLongKey(std::string_view text, int depth_max) {
  int dots = 0;
  while (!text.empty()) {
    if (const std::size_t size = SizeOfQuoted(text); size > 0) {
      text.remove_prefix(size);
      continue;
    }
    const char c = text.front();
    if (c == '.' && ++dots >= depth_max) return true;
    if (c == '\n' || c == '=' || c == ',' || c == '{') dots = 0;
    text.remove_prefix(1);
  }
  return false;
}

class Converter {
 public:
  explicit Converter(int depth_max) : depth_max_(depth_max) {}

  Result<Json> Convert(const toml::node& node, int depth) {
    if (depth > depth_max_)
      return Error{ErrorKind::kExhausted, Where(node.source().begin) + ": nested deeper than " +
                                              std::to_string(depth_max_) + " levels"};
    if (const auto* table = node.as_table()) return ConvertTable(*table, depth);
    if (const auto* array = node.as_array()) return ConvertArray(*array, depth);
    if (const auto* string = node.as_string()) return Json::String(string->get());
    if (const auto* integer = node.as_integer()) return Json::Int(integer->get());
    if (const auto* boolean = node.as_boolean()) return Json::Bool(boolean->get());
    return Error{ErrorKind::kInvalid,
                 Where(node.source().begin) + ": neither fractions nor dates have a meaning here"};
  }

 private:
  Result<Json> ConvertTable(const toml::table& table, int depth) {
    Json object = Json::MakeObject();
    for (const auto& [key, value] : table) {
      PLUMB_TRY(Json converted, Convert(value, depth + 1));
      object.Append(std::string(key.str()), std::move(converted));
    }
    return object;
  }

  Result<Json> ConvertArray(const toml::array& array, int depth) {
    Json items = Json::MakeArray();
    for (const toml::node& item : array) {
      PLUMB_TRY(Json converted, Convert(item, depth + 1));
      items.Add(std::move(converted));
    }
    return items;
  }

  const int depth_max_;
};

}  // namespace

Result<Json> ParseToml(std::string_view text, const TomlLimits& limits) {
  if (text.size() > limits.size_max)
    return Error{ErrorKind::kExhausted, std::to_string(text.size()) + " bytes of TOML, over " +
                                            std::to_string(limits.size_max)};
  if (HasLongKey(text, limits.depth_max))
    return Error{ErrorKind::kExhausted,
                 "a key of over " + std::to_string(limits.depth_max) + " parts"};
  // toml++ passes over a byte order mark, and checks what it reads, but not what it skips.
  if (!IsUtf8(text) || text.starts_with("\xEF\xBB\xBF"))
    return Error{ErrorKind::kInvalid, "not UTF-8 without a byte order mark"};
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return Error{ErrorKind::kInvalid,
                 Where(error.source().begin) + ": " + Printable(error.description())};
  }
  return Converter(limits.depth_max).Convert(parsed.table(), 0);
}

std::string TomlString(std::string_view text) {
  static constexpr std::array<char, 16> kDigits = {'0', '1', '2', '3', '4', '5', '6', '7',
                                                   '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
  constexpr char kDelete = 0x7F;
  std::string out = "\"";
  const auto escape = [&](unsigned value) {
    out += "\\u00";
    out += kDigits[value >> 4 & 15U];
    out += kDigits[value & 15U];
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || c == kDelete) {
      escape(byte);
    } else if (byte == 0xC2 && i + 1 < text.size() &&
               static_cast<unsigned char>(text[i + 1]) < 0xA0) {  // U+0080 to U+009F: C1 controls
      escape(static_cast<unsigned char>(text[++i]));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace plumb
