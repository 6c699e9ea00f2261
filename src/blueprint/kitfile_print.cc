// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "blueprint/kitfile.h"
#include "blueprint/kitfile_internal.h"
#include "blueprint/source_internal.h"
#include "blueprint/yaml_internal.h"

namespace plumb::blueprint {
namespace {

// A key that is longer stands after "? ": libyaml looks only 1024 characters ahead for ':'.
constexpr std::size_t kSimpleKeySizeMax = 1000;

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool IsPrintableText(std::string_view text, std::string_view also) {
  while (!text.empty()) {
    const char first = text.front();
    const std::optional<char32_t> code_point = TakeCodePoint(text);
    if (!code_point) return false;
    if (!IsPrintable(*code_point) && also.find(first) == std::string_view::npos) return false;
  }
  return true;
}

// Words that other readers of YAML take for booleans, though ours does not.
bool IsOldBool(std::string_view text) {
  for (const std::string_view word : {"y", "n", "yes", "no", "on", "off"})
    if (EqualsIgnoreCaseAscii(text, word)) return true;
  return false;
}

bool CanBePlain(std::string_view text) {
  if (text.empty() || !IsPrintableText(text, "")) return false;
  const char first = text.front();
  const bool begins_well = IsAlphanumeric(first) || first == '_' || first == '/' || first == '.' ||
                           (static_cast<unsigned char>(first) & 0x80) != 0;
  if (!begins_well || text.ends_with(' ') || text.ends_with(':')) return false;
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos)
    return false;
  const Result<YamlScalar> resolved = ResolveScalar("", text);
  return resolved && resolved->tag == kTagString && !IsOldBool(text);
}

// Several lines that a block can hold without indicators: the first tells the indentation.
bool CanBeBlock(std::string_view text) {
  const bool begins_well =
      !text.empty() && text.front() != '\n' && text.front() != ' ' && text.front() != '\t';
  return begins_well && text.find('\n') != std::string_view::npos && IsPrintableText(text, "\n\t");
}

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::string_view before = text;
    const std::optional<char32_t> code_point = TakeCodePoint(text);
    const std::string_view taken = before.substr(0, before.size() - text.size());
    if (taken == "\"" || taken == "\\") {
      out.append("\\").append(taken);
    } else if (taken == "\n") {
      out += "\\n";
    } else if (taken == "\t") {
      out += "\\t";
    } else if (code_point && IsPrintable(*code_point)) {
      out += taken;
    } else {
      const char32_t value = code_point.value_or(0xfffd);
      const std::string bytes = {
          static_cast<char>(value >> 24), static_cast<char>(value >> 16 & 255),
          static_cast<char>(value >> 8 & 255), static_cast<char>(value & 255)};
      out += "\\U" + EncodeHex(AsBytes(bytes));
    }
  }
  return out + "\"";
}

class Printer {
 public:
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
      const std::string key = CanBePlain(name) ? name : Quoted(name);
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
    if (IsCollection(value) && !IsEmpty(value)) {
      out_ += "\n";
      Indent(indent);
      PrintCollection(value, indent);
    } else {
      out_ += " ";
      PrintScalar(value, indent);
    }
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
    } else if (CanBePlain(*text)) {
      out_ += *text;
    } else if (CanBeBlock(*text)) {
      return PrintBlock(*text, indent);
    } else {
      out_ += Quoted(*text);
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

  std::string out_;
};

}  // namespace

std::string WriteYaml(const Json& value) {
  Printer printer;
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
  return WriteYaml(tree);
}

}  // namespace plumb::blueprint
