// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "blueprint/kitfile.h"
#include "blueprint/kitfile_internal.h"
#include "blueprint/source_internal.h"
#include "blueprint/yaml_internal.h"

namespace plumb::blueprint {
namespace {

// A key that is longer stands after "? ", as libyaml writes it.
constexpr std::size_t kSimpleKeySizeMax = 128;

bool IsDigits(std::string_view text, std::string_view also) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || also.find(c) != std::string_view::npos;
  });
}

// "1:30", which YAML 1.1 took for a number.
bool IsBase60(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  std::vector<std::string_view> parts = Split(text, ':');
  if (parts.size() < 2 || parts[0].empty() || parts[0][0] == '_' || !IsDigits(parts[0], "_"))
    return false;
  const std::size_t dot = parts.back().find('.');
  if (dot != std::string_view::npos) {
    if (!IsDigits(parts.back().substr(dot + 1), "_")) return false;
    parts.back() = parts.back().substr(0, dot);
  }
  return std::all_of(parts.begin() + 1, parts.end(), [](std::string_view part) {
    return IsDigits(part, "") && (part.size() == 1 || (part.size() == 2 && part[0] <= '5'));
  });
}

// Words that other readers of YAML take for booleans, though ours does not.
bool IsOldBool(std::string_view text) {
  for (const std::string_view word : {"y", "n", "yes", "no", "on", "off"})
    if (EqualsIgnoreCaseAscii(text, word)) return true;
  return false;
}

// In what styles a text can stand.
struct Styles {
  bool block_plain = true;
  bool flow_plain = true;  // within [ ]
  bool single = true;      // 'it''s'
  bool block = true;       // "|" and lines
};

// What characters at its beginning, and within, forbid.
void ForbidIndicators(std::string_view text, Styles& styles) {
  constexpr std::string_view kAnywhereInFlow = ",?[]{}:";
  constexpr std::string_view kAtTheBeginning = "#,[]{}&*!|>'\"%@`";
  if (text.starts_with("---") || text.starts_with("..."))
    styles.block_plain = styles.flow_plain = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool space_follows = i + 1 == text.size() || text[i + 1] == ' ';
    const bool is_first = i == 0;
    if (kAnywhereInFlow.find(c) != std::string_view::npos) styles.flow_plain = false;
    const bool is_indicator = is_first
                                  ? kAtTheBeginning.find(c) != std::string_view::npos ||
                                        ((c == '?' || c == ':' || c == '-') && space_follows)
                                  : (c == ':' && space_follows) || (c == '#' && text[i - 1] == ' ');
    if (is_indicator) styles.block_plain = styles.flow_plain = false;
  }
}

// By the rules of libyaml's emitter, which kit writes Kitfiles with; what cannot be seen is
// escaped, though, even where YAML would allow it.
Styles StylesOf(std::string_view text) {
  Styles styles;
  ForbidIndicators(text, styles);
  const bool has_lines = text.find('\n') != std::string_view::npos;
  const bool has_ends = text.empty() || text.front() == ' ' || text.front() == '\n' ||
                        text.back() == ' ' || text.back() == '\n';
  const bool breaks_after_space = text.find(" \n") != std::string_view::npos;
  bool has_special = false;
  for (std::string_view rest = text; !rest.empty();) {
    const char first = rest.front();
    const std::optional<char32_t> c = TakeCodePoint(rest);
    // libyaml knows nothing beyond the first 65536 characters.
    const bool is_plain_text = c && *c <= 0xffff && IsPrintable(*c);
    has_special = has_special || (!is_plain_text && first != '\n' && first != '\t');
  }
  const bool has_tab = text.find('\t') != std::string_view::npos;
  if (has_lines || has_ends || has_tab || has_special)
    styles.block_plain = styles.flow_plain = false;
  styles.single = !has_lines && !has_tab && !has_special;
  // What begins with white space would need an indicator of indentation.
  styles.block = has_lines && text.front() != ' ' && text.front() != '\n' && text.front() != '\t' &&
                 !text.ends_with(' ') && !breaks_after_space && !has_special;
  return styles;
}

// Whether it is text even without quotes, to readers of YAML 1.1, too.
bool ReadsAsText(std::string_view text) {
  const Result<YamlScalar> resolved = ResolveScalar("", text);
  return resolved && resolved->tag == kTagString && !IsOldBool(text) && !IsBase60(text);
}

// The letter after a '\' that stands for it, or 0.
char ShortEscape(char32_t c) {
  if (c == U'\0') return '0';
  constexpr std::u32string_view kCharacters = U"\a\b\t\n\v\f\r\x1b\"\\\u0085\u00a0\u2028\u2029";
  constexpr std::string_view kLetters = "abtnvfre\"\\N_LP";
  const std::size_t at = kCharacters.find(c);
  return at == std::u32string_view::npos ? '\0' : kLetters[at];
}

std::string Escaped(char32_t c) {
  if (const char letter = ShortEscape(c); letter != '\0') return {'\\', letter};
  const std::size_t digits = c <= 0xff ? 2 : c <= 0xffff ? 4 : 8;
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out = {'\\', digits == 2 ? 'x' : digits == 4 ? 'u' : 'U'};
  for (std::size_t i = digits; i > 0; --i)
    out += kDigits[(c >> (4 * (i - 1))) & 15];
  return out;
}

std::string DoubleQuoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::string_view before = text;
    const char32_t c = TakeCodePoint(text).value_or(0xfffd);
    const bool is_itself = c <= 0xffff && IsPrintable(c) && c != '"' && c != '\\';
    const std::string_view taken = before.substr(0, before.size() - text.size());
    out += is_itself ? std::string(taken) : Escaped(c);
  }
  return out + "\"";
}

std::string SingleQuoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text)
    out.append(c == '\'' ? 2 : 1, c);
  return out + "'";
}

enum class Within : std::uint8_t { kLines, kBrackets };

// On one line.
std::string Inline(std::string_view text, Within within) {
  const Styles styles = StylesOf(text);
  const bool can_be_plain = within == Within::kLines ? styles.block_plain : styles.flow_plain;
  if (!ReadsAsText(text)) return DoubleQuoted(text);
  if (can_be_plain) return std::string(text);
  return styles.single && !text.empty() ? SingleQuoted(text) : DoubleQuoted(text);
}

class Printer {
 public:
  // `in_brackets`: a list of texts of what is printed that stands on one line, or null.
  explicit Printer(const Json* in_brackets) : in_brackets_(in_brackets) {}

  // A document of its own.
  void PrintWhole(const Json& value) {
    if (IsCollection(value) && !IsEmpty(value)) return PrintCollection(value, 0);
    PrintScalar(value, kIndent);
  }

  std::string TakeText() && { return std::move(out_); }

 private:
  static constexpr std::size_t kIndent = 2;

  // The members of an object, a line each, at `indent`; the first where the text stands.
  void PrintMembers(const Json::Object& members, std::size_t indent) {
    for (const auto& [name, member] : members) {
      if (&member != &members.front().second) Indent(indent);
      // Without quotes that key would merge.
      const std::string key = name == "<<" ? DoubleQuoted(name) : Inline(name, Within::kLines);
      if (key.size() > kSimpleKeySizeMax) {
        out_ += "? " + key + "\n";
        Indent(indent);
      } else {
        out_ += key;
      }
      out_ += ":";
      PrintBelow(member, indent + kIndent);
    }
  }

  void Indent(std::size_t indent) { out_.append(indent, ' '); }

  static bool IsEmpty(const Json& value) {
    return (value.IfArray() != nullptr && value.IfArray()->empty()) ||
           (value.IfObject() != nullptr && value.IfObject()->empty());
  }
  static bool IsCollection(const Json& value) {
    return value.IfArray() != nullptr || value.IfObject() != nullptr;
  }

  // A value after its key: on the same line, or if it is a collection on those below.
  void PrintBelow(const Json& value, std::size_t indent) {
    if (&value == in_brackets_) {
      PrintInBrackets(value);
    } else if (IsCollection(value) && !IsEmpty(value)) {
      out_ += "\n";
      Indent(indent);
      PrintCollection(value, indent);
    } else {
      out_ += " ";
      PrintScalar(value, indent);
    }
  }

  void PrintInBrackets(const Json& list) {
    std::vector<std::string> items;
    for (const Json& item : *list.IfArray())
      items.push_back(Inline(*item.IfString(), Within::kBrackets));
    out_ += " [" + Join(items, ", ") + "]\n";
  }

  void PrintCollection(const Json& value, std::size_t indent) {
    if (const Json::Object* members = value.IfObject()) return PrintMembers(*members, indent);
    for (const Json& item : *value.IfArray()) {
      if (&item != value.IfArray()->data()) Indent(indent);
      out_ += "- ";
      if (IsCollection(item) && !IsEmpty(item)) {
        PrintCollection(item, indent + kIndent);
      } else {
        PrintScalar(item, indent + kIndent);
      }
    }
  }

  // Or an empty collection, which looks like one.
  void PrintScalar(const Json& value, std::size_t indent) {
    const std::string* text = value.IfString();
    if (text == nullptr) {
      const Json::Number* number = value.IfNumber();
      // -0 alone would be the integer 0.
      out_ += number != nullptr && number->digits == "-0" ? "-0.0"
                                                          : WriteJson(value, JsonStyle::kCompact);
    } else if (StylesOf(*text).block) {
      return PrintBlock(*text, indent);
    } else {
      out_ += Inline(*text, Within::kLines);
    }
    out_ += "\n";
  }

  // "|" keeps one line end at the end, "|-" none, "|+" all.
  void PrintBlock(std::string_view text, std::size_t indent) {
    const bool ended = text.ends_with('\n');
    out_ += !ended ? "|-\n" : text.ends_with("\n\n") ? "|+\n" : "|\n";
    if (ended) text.remove_suffix(1);
    for (const std::string_view line : Split(text, '\n')) {
      if (!line.empty()) Indent(indent);
      out_.append(line).append("\n");
    }
  }

  const Json* const in_brackets_;
  std::string out_;
};

}  // namespace

std::string WriteYaml(const Json& value) {
  Printer printer(nullptr);
  printer.PrintWhole(value);
  return std::move(printer).TakeText();
}

std::string PrintKitfile(const Kitfile& kitfile) {
  Json tree = WriteKitfile(kitfile, WithDigests::kNo);
  if (kitfile.package == Package()) {
    Json::Object members = *tree.IfObject();
    std::erase_if(members, [](const Json::Member& m) { return m.first == "package"; });
    tree = Json::MakeObject(std::move(members));
  }
  const Json* const package = tree.Find("package");
  Printer printer(package == nullptr ? nullptr : package->Find("authors"));
  printer.PrintWhole(tree);
  return std::move(printer).TakeText();
}

}  // namespace plumb::blueprint
