// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/json.h"

#include <algorithm>

#include "base/text.h"

namespace plumb {
namespace {

void AppendEscape(std::string& out, char32_t code_point) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4)
    out += kHexDigits[code_point >> shift & 15];
}

// Writes one value, and remembers how deep it is for the style that indents.
class Writer {
 public:
  explicit Writer(JsonStyle style) : style_(style) {}

  void Write(const Json& value) {
    if (value.IsNull()) {
      out_ += "null";
    } else if (const bool* flag = value.IfBool()) {
      out_ += *flag ? "true" : "false";
    } else if (const Json::Number* number = value.IfNumber()) {
      out_ += number->digits;
    } else if (const std::string* text = value.IfString()) {
      WriteString(*text);
    } else if (const Json::Array* items = value.IfArray()) {
      WriteArray(*items);
    } else {
      WriteObject(*value.IfObject());
    }
  }
  std::string TakeText() && { return std::move(out_); }

 private:
  void WriteArray(const Json::Array& items) {
    out_ += '[';
    ++depth_;
    for (const Json& item : items) {
      BeginItem(&item == items.data());
      Write(item);
    }
    End(items.empty(), ']');
  }

  void WriteObject(const Json::Object& members) {
    out_ += '{';
    ++depth_;
    for (const Json::Member& member : members) {
      BeginItem(&member == members.data());
      WriteString(member.first);
      out_ += style_ == JsonStyle::kIndented ? ": " : ":";
      Write(member.second);
    }
    End(members.empty(), '}');
  }

  void BeginItem(bool is_first) {
    if (!is_first) out_ += ',';
    BreakLine();
  }
  void End(bool was_empty, char bracket) {
    --depth_;
    if (!was_empty) BreakLine();
    out_ += bracket;
  }
  void BreakLine() {
    if (style_ != JsonStyle::kIndented) return;
    out_ += '\n';
    out_.append(2 * depth_, ' ');
  }

  void WriteString(std::string_view text) {
    out_ += '"';
    while (!text.empty()) {
      const std::string_view before = text;
      const auto code_point = TakeCodePoint(text);
      if (!code_point) {
        out_ += style_ == JsonStyle::kGo ? "\\ufffd" : "\xef\xbf\xbd";
        if (style_ == JsonStyle::kGo) text = before.substr(1);  // one for each byte
      } else if (!WriteEscaped(*code_point)) {
        out_ += before.substr(0, before.size() - text.size());
      }
    }
    out_ += '"';
  }

  // False if the character stands for itself.
  bool WriteEscaped(char32_t c) {
    switch (c) {
      case '"':
        out_ += "\\\"";
        return true;
      case '\\':
        out_ += "\\\\";
        return true;
      case '\n':
        out_ += "\\n";
        return true;
      case '\r':
        out_ += "\\r";
        return true;
      case '\t':
        out_ += "\\t";
        return true;
      default:
        break;
    }
    const bool html = c == '<' || c == '>' || c == '&' || c == 0x2028 || c == 0x2029;
    if (c >= 0x20 && (!html || style_ != JsonStyle::kGo)) return false;
    // Go before 1.22 wrote \u0008 and \u000c, later ones \b and \f: kit 1.7 is of the later.
    if (c == '\b') {
      out_ += "\\b";
    } else if (c == '\f') {
      out_ += "\\f";
    } else {
      AppendEscape(out_, c);
    }
    return true;
  }

  JsonStyle style_;
  std::size_t depth_ = 0;
  std::string out_;
};

}  // namespace

Json Json::Bool(bool value) {
  Json json;
  json.value_ = value;
  return json;
}
Json Json::Int(std::int64_t value) { return Digits(std::to_string(value)); }
Json Json::Uint(std::uint64_t value) { return Digits(std::to_string(value)); }
Json Json::Digits(std::string digits) {
  Json json;
  json.value_ = Number{std::move(digits)};
  return json;
}
Json Json::String(std::string_view value) {
  Json json;
  json.value_ = std::string(value);
  return json;
}
Json Json::MakeArray(Array items) {
  Json json;
  json.value_ = std::move(items);
  return json;
}
Json Json::MakeObject(Object members) {
  Json json;
  json.value_ = std::move(members);
  return json;
}

const Json* Json::Find(std::string_view name) const {
  const Object* members = IfObject();
  if (members == nullptr) return nullptr;
  const auto found = std::ranges::find(*members, name, &Member::first);
  return found == members->end() ? nullptr : &found->second;
}

std::string Json::TextOf(std::string_view name) const {
  const Json* member = Find(name);
  const std::string* text = member == nullptr ? nullptr : member->IfString();
  return text == nullptr ? std::string() : *text;
}

Json& Json::Set(std::string_view name, Json value) {
  Object* members = std::get_if<Object>(&value_);
  PLUMB_CHECK(members != nullptr);
  const auto found = std::ranges::find(*members, name, &Member::first);
  if (found != members->end()) {
    found->second = std::move(value);
  } else {
    members->emplace_back(std::string(name), std::move(value));
  }
  return *this;
}

Json& Json::Append(std::string name, Json value) {
  Object* members = std::get_if<Object>(&value_);
  PLUMB_CHECK(members != nullptr);
  members->emplace_back(std::move(name), std::move(value));
  return *this;
}

Json& Json::Add(Json item) {
  Array* items = std::get_if<Array>(&value_);
  PLUMB_CHECK(items != nullptr);
  items->push_back(std::move(item));
  return *this;
}

Result<std::uint64_t> Json::ToUint64() const {
  const Number* number = IfNumber();
  if (number == nullptr) return Error{ErrorKind::kInvalid, "a number was expected"};
  const auto value = ParseUint64(number->digits);
  if (!value) {
    return Error{ErrorKind::kInvalid, "'" + number->digits + "' is not a whole number of 64 bits"};
  }
  return *value;
}

std::string WriteJson(const Json& value, JsonStyle style) {
  Writer writer(style);
  writer.Write(value);
  return std::move(writer).TakeText();
}

}  // namespace plumb
