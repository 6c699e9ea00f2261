// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BASE_TOML_H_
#define PLUMB_BASE_TOML_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

// TOML 1.0: what people edit by hand, and what is kept in version control. Read as the JSON value
// that it means, so that there is one kind of tree to look things up in; written by hand, since
// every such file has an order and remarks of its own.
namespace plumb {

// Limits for text from outside, as those of JSON.
struct TomlLimits {
  std::size_t size_max = std::size_t{1} << 20;
  // Of tables and arrays within each other, and of the parts of a dotted key ("a.b.c").
  int depth_max = 32;
};

// A document as an object: tables are objects whose members are in byte order of their names;
// strings, whole numbers, booleans and arrays are what they are in JSON. Strict: UTF-8, every name
// once. kInvalid otherwise, with the line and column for what breaks the grammar; also for floats,
// dates and times, which no file of ours has; kExhausted over a limit.
Result<Json> ParseToml(std::string_view text, const TomlLimits& limits = {});

// A basic string in its quotes, on one line, which ParseToml reads back as `text`, if that is
// UTF-8. What steers a terminal is escaped.
std::string TomlString(std::string_view text);

}  // namespace plumb

#endif  // PLUMB_BASE_TOML_H_
