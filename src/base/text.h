// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BASE_TEXT_H_
#define PLUMB_BASE_TEXT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// Small work on text that several rooms need. All of it is independent of the locale.
namespace plumb {

// "a,b,," at ',' gives "a", "b", "", "". Empty text gives one empty part.
std::vector<std::string_view> Split(std::string_view text, char separator);
std::string Join(std::span<const std::string> parts, std::string_view separator);
// Without ASCII white space at both ends.
std::string_view Trim(std::string_view text);
std::string ToLowerAscii(std::string_view text);
bool EqualsIgnoreCaseAscii(std::string_view a, std::string_view b);

// A decimal number of digits only, or nothing if it is anything else or does not fit.
std::optional<std::uint64_t> ParseUint64(std::string_view text);

// Lower-case hexadecimal. DecodeHex accepts lower case only, and fills all of `out`.
std::string EncodeHex(ByteSpan bytes);
bool DecodeHex(std::string_view text, MutableByteSpan out);

// RFC 4648 section 4, with padding.
std::string EncodeBase64(ByteSpan bytes);
Result<std::string> DecodeBase64(std::string_view text);

// One code point of UTF-8 from the front of `text`, which is shortened by it. Bytes that
// are not well-formed UTF-8 (Unicode 15 section 3.9, table 3-7) give nothing and shorten
// `text` by the maximal ill-formed part, as U+FFFD replacement does.
std::optional<char32_t> TakeCodePoint(std::string_view& text);
void AppendUtf8(std::string& out, char32_t code_point);
bool IsUtf8(std::string_view text);

// Text as it may be shown on a terminal: control characters and bad UTF-8 are escaped, so
// that a hostile name cannot move the cursor or hide what follows.
std::string Printable(std::string_view text);

// The candidate nearest to `word`, if one is near enough to be what was meant.
std::optional<std::string> Nearest(std::string_view word, std::span<const std::string> candidates);

// "1.0 KiB": one decimal, rounded down, B to PiB, as kit prints sizes ("12 B" under 1 KiB).
std::string FormatSize(std::uint64_t bytes);

}  // namespace plumb

#endif  // PLUMB_BASE_TEXT_H_
