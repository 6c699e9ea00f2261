// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BLUEPRINT_NUMBER_INTERNAL_H_
#define PLUMB_BLUEPRINT_NUMBER_INTERNAL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Numbers as Go reads and writes them, because both Modelfiles and Kitfiles are defined by
// programs written in it. Nothing means that Go's function fails, for syntax or for range.
namespace plumb::blueprint {

// strconv.ParseInt and ParseUint with 64 bits. `base` 0 means by prefix (0x, 0o, 0b, 0).
// No '_': the callers that allow it remove it first.
std::optional<std::int64_t> ParseInt(std::string_view text, int base);
std::optional<std::uint64_t> ParseUint(std::string_view text, int base);

// strconv.ParseFloat with 64 bits: decimal and hexadecimal, '_' between digits, inf and nan.
std::optional<double> ParseFloat(std::string_view text);

// strconv.ParseBool.
std::optional<bool> ParseBool(std::string_view text);

// How json.Marshal writes a finite number: shortest that reads back, exponent from 1e21 on
// and below 1e-6.
std::string WriteFloat(double value);

}  // namespace plumb::blueprint

#endif  // PLUMB_BLUEPRINT_NUMBER_INTERNAL_H_
