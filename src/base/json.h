// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BASE_JSON_H_
#define PLUMB_BASE_JSON_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace plumb {

// A JSON value (RFC 8259). Objects keep the order of their members, whose names are unique;
// numbers keep the digits they were written with, so that nothing is rounded on the way
// through. Equality is of values in order: {"a":1,"b":2} is not {"b":2,"a":1}.
class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;
  struct Number {
    std::string digits;
    friend bool operator==(const Number&, const Number&) = default;
  };

  Json() = default;  // null
  static Json Bool(bool value);
  static Json Int(std::int64_t value);
  static Json Uint(std::uint64_t value);
  // `digits` must be a number of the JSON grammar.
  static Json Digits(std::string digits);
  static Json String(std::string_view value);
  static Json MakeArray(Array items = {});
  static Json MakeObject(Object members = {});

  bool IsNull() const { return std::holds_alternative<std::monostate>(value_); }
  const bool* IfBool() const { return std::get_if<bool>(&value_); }
  const Number* IfNumber() const { return std::get_if<Number>(&value_); }
  const std::string* IfString() const { return std::get_if<std::string>(&value_); }
  const Array* IfArray() const { return std::get_if<Array>(&value_); }
  const Object* IfObject() const { return std::get_if<Object>(&value_); }

  // The member of that name, or null if there is none or this is no object.
  const Json* Find(std::string_view name) const;
  // The text of that member; empty if there is none, or if it is no text.
  std::string TextOf(std::string_view name) const;

  // For building: this must be an object (or array). Set replaces a member of that name in
  // place, else appends; Append leaves it to the caller that the name is new. All return
  // *this, so that calls can be chained.
  Json& Set(std::string_view name, Json value);
  Json& Append(std::string name, Json value);
  Json& Add(Json item);

  // The number as an unsigned integer; kInvalid if this is anything else or does not fit.
  Result<std::uint64_t> ToUint64() const;

  friend bool operator==(const Json&, const Json&) = default;

 private:
  std::variant<std::monostate, bool, Number, std::string, Array, Object> value_;
};

// Limits for text from outside: deep nesting would exhaust the stack, size the memory.
struct JsonLimits {
  std::size_t size_max = std::size_t{4} << 20;  // what registries accept for a manifest
  int depth_max = 64;
};

// Strict: UTF-8 without a byte order mark, one value and nothing after it, no duplicate
// member names, no comments, no NaN, no lone surrogates. kInvalid otherwise, with the line
// and column for what breaks the grammar; kExhausted over a limit.
Result<Json> ParseJson(std::string_view text, const JsonLimits& limits = {});

// What a JSON text holds, one thing after the other, for texts that are too large to be kept as
// values. What a call returns ends the scan if it is an error.
class JsonHandler {
 public:
  virtual ~JsonHandler() = default;
  virtual Status OnOpenObject() = 0;
  virtual Status OnOpenArray() = 0;
  virtual Status OnClose() = 0;  // of what was opened last
  // Of the member whose value comes next. That names are unique is for the handler to see.
  virtual Status OnName(std::string_view name) = 0;
  virtual Status OnValue(Json value) = 0;  // null, a bool, a number or a string
};
// As strict as ParseJson, but for duplicate names.
Status ScanJson(std::string_view text, JsonHandler& handler, const JsonLimits& limits = {});

enum class JsonStyle : std::uint8_t {
  kCompact,   // no spaces; only what JSON demands is escaped
  kGo,        // no spaces; the escapes of Go's json.Marshal: also < > & U+2028 U+2029 as \u003c …
  kIndented,  // for people: two spaces, a member a line
};
std::string WriteJson(const Json& value, JsonStyle style);

}  // namespace plumb

#endif  // PLUMB_BASE_JSON_H_
