// SPDX-License-Identifier: MIT OR Apache-2.0
// Only here is nlohmann/json named. It reads the grammar (and the UTF-8) strictly, but takes
// duplicate names and any depth, so it is used as a stream of events and watched.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace plumb {
namespace {

std::string Where(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::ranges::count(before, '\n');
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return "line " + std::to_string(line) + ", column " +
         std::to_string(before.size() - line_begin + 1);
}

std::optional<std::string> DuplicateName(const Json::Object& members) {
  std::vector<std::string_view> names;
  names.reserve(members.size());
  for (const Json::Member& member : members)
    names.push_back(member.first);
  std::ranges::sort(names);
  const auto twin = std::ranges::adjacent_find(names);
  if (twin == names.end()) return std::nullopt;
  return std::string(*twin);
}

// Receives the events of nlohmann, whose shape this class has, and hands them on.
class Events {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  Events(std::string_view text, JsonHandler& handler, int depth_max)
      : text_(text), handler_(handler), depth_max_(depth_max) {}

  // NOLINTBEGIN(readability-identifier-naming): the names are nlohmann's.
  bool null() { return Put(Json()); }
  bool boolean(bool value) { return Put(Json::Bool(value)); }
  // Comes for negative numbers only, of which -0 is one.
  bool number_integer(number_integer_t value) {
    return Put(value == 0 ? Json::Digits("-0") : Json::Int(value));
  }
  bool number_unsigned(number_unsigned_t value) { return Put(Json::Uint(value)); }
  bool number_float(number_float_t /*value*/, const string_t& digits) {
    return Put(Json::Digits(digits));
  }
  bool string(string_t& value) { return Put(Json::String(value)); }
  bool binary(binary_t& /*value*/) { return false; }
  bool start_object(std::size_t /*size*/) { return Enter() && Take(handler_.OnOpenObject()); }
  bool key(string_t& name) { return Take(handler_.OnName(name)); }
  bool end_object() { return Leave(); }
  bool start_array(std::size_t /*size*/) { return Enter() && Take(handler_.OnOpenArray()); }
  bool end_array() { return Leave(); }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) {
    const std::size_t offset = position == 0 ? 0 : position - 1;
    error_ = {ErrorKind::kInvalid, "malformed JSON at " + Where(text_, offset)};
    return false;
  }
  // NOLINTEND(readability-identifier-naming)

  Error TakeError() && { return std::move(error_); }

 private:
  bool Take(Status status) {
    if (status) return true;
    error_ = std::move(status).error();
    return false;
  }
  bool Put(Json value) { return Take(handler_.OnValue(std::move(value))); }
  bool Enter() {
    if (depth_++ < depth_max_) return true;
    error_ = {ErrorKind::kExhausted,
              "JSON is nested more than " + std::to_string(depth_max_) + " levels deep"};
    return false;
  }
  bool Leave() {
    --depth_;
    return Take(handler_.OnClose());
  }

  std::string_view text_;
  JsonHandler& handler_;
  const int depth_max_;
  int depth_ = 0;
  Error error_{ErrorKind::kInvalid, "malformed JSON"};
};

// Makes a value of them.
class Builder final : public JsonHandler {
 public:
  Status OnOpenObject() override { return Open(Json::MakeObject()); }
  Status OnOpenArray() override { return Open(Json::MakeArray()); }
  Status OnName(std::string_view name) override {
    open_.back().name = name;
    return Done{};
  }
  Status OnClose() override {
    Json value = std::move(open_.back().value);
    open_.pop_back();
    if (value.IfObject() != nullptr) {
      if (const auto name = DuplicateName(*value.IfObject()))
        return Error{ErrorKind::kInvalid, "duplicate member '" + Printable(*name) + "' in JSON"};
    }
    return OnValue(std::move(value));
  }
  Status OnValue(Json value) override {
    if (open_.empty()) {
      value_ = std::move(value);
    } else if (open_.back().value.IfArray() != nullptr) {
      open_.back().value.Add(std::move(value));
    } else {
      open_.back().value.Append(std::move(open_.back().name), std::move(value));
    }
    return Done{};
  }

  Json TakeValue() && { return std::move(value_); }

 private:
  struct Level {
    Json value;
    std::string name = {};  // of the member that comes next
  };

  Status Open(Json empty) {
    open_.push_back({std::move(empty)});
    return Done{};
  }

  std::vector<Level> open_;
  Json value_;
};

}  // namespace

Status ScanJson(std::string_view text, JsonHandler& handler, const JsonLimits& limits) {
  if (text.size() > limits.size_max) {
    return Error{ErrorKind::kExhausted, "JSON of " + std::to_string(text.size()) +
                                            " bytes is over the limit of " +
                                            std::to_string(limits.size_max)};
  }
  if (text.starts_with("\xef\xbb\xbf")) {
    return Error{ErrorKind::kInvalid, "JSON begins with a byte order mark"};
  }
  // nlohmann takes a NUL for the end, and what lies behind it for nothing.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return Error{ErrorKind::kInvalid, "malformed JSON at " + Where(text, nul)};
  }
  Events events(text, handler, limits.depth_max);
  if (!nlohmann::json::sax_parse(text, &events)) return std::move(events).TakeError();
  return Done{};
}

Result<Json> ParseJson(std::string_view text, const JsonLimits& limits) {
  Builder builder;
  PLUMB_RETURN_IF_ERROR(ScanJson(text, builder, limits));
  return std::move(builder).TakeValue();
}

}  // namespace plumb
