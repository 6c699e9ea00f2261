// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/text.h"
#include "blueprint/source_internal.h"

namespace plumb::blueprint {
namespace {

constexpr char32_t kReplacement = 0xfffd;

enum class ByteOrder : std::uint8_t { kBigEndian, kLittleEndian };
// How many U+FFFD a bad sequence of UTF-8 becomes: one for each maximal part (Unicode 15,
// section 3.9), or one for each byte, as Go reads text that says it is UTF-8.
enum class BadBytes : std::uint8_t { kReplaceParts, kReplaceEach };

void Replace(DecodedText& out) {
  if (!out.first_replaced) out.first_replaced = out.utf8.size();
  AppendUtf8(out.utf8, kReplacement);
}

DecodedText DecodeUtf8(std::string_view bytes, BadBytes bad_bytes) {
  DecodedText out;
  out.utf8.reserve(bytes.size());
  while (!bytes.empty()) {
    std::string_view rest = bytes;
    if (const auto code_point = TakeCodePoint(rest)) {
      AppendUtf8(out.utf8, *code_point);
    } else {
      Replace(out);
      if (bad_bytes == BadBytes::kReplaceEach) rest = bytes.substr(1);
    }
    bytes = rest;
  }
  return out;
}

char32_t Utf16Unit(std::string_view bytes, std::size_t at, ByteOrder order) {
  const char32_t first = static_cast<unsigned char>(bytes[at]);
  const char32_t second = static_cast<unsigned char>(bytes[at + 1]);
  return order == ByteOrder::kBigEndian ? first << 8 | second : second << 8 | first;
}

bool IsHighSurrogate(char32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool IsLowSurrogate(char32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

// A surrogate without its pair, or a byte left over, is bad. Any surrogate takes a low one
// that follows it along, even if the two are no pair: so does Go.
DecodedText DecodeUtf16(std::string_view bytes, ByteOrder order) {
  DecodedText out;
  std::size_t i = 0;
  while (i + 1 < bytes.size()) {
    const char32_t unit = Utf16Unit(bytes, i, order);
    i += 2;
    if (!IsHighSurrogate(unit) && !IsLowSurrogate(unit)) {
      AppendUtf8(out.utf8, unit);
      continue;
    }
    const bool followed = i + 1 < bytes.size() && IsLowSurrogate(Utf16Unit(bytes, i, order));
    if (followed && IsHighSurrogate(unit)) {
      AppendUtf8(out.utf8,
                 0x10000 + ((unit - 0xd800) << 10 | (Utf16Unit(bytes, i, order) - 0xdc00)));
    } else {
      Replace(out);
    }
    if (followed) i += 2;
  }
  if (i < bytes.size()) Replace(out);
  return out;
}

}  // namespace

DecodedText DecodeText(std::string_view bytes) {
  if (bytes.starts_with("\xff\xfe")) return DecodeUtf16(bytes.substr(2), ByteOrder::kLittleEndian);
  if (bytes.starts_with("\xfe\xff")) return DecodeUtf16(bytes.substr(2), ByteOrder::kBigEndian);
  if (bytes.starts_with("\xef\xbb\xbf")) return DecodeUtf8(bytes.substr(3), BadBytes::kReplaceEach);
  return DecodeUtf8(bytes, BadBytes::kReplaceParts);
}

}  // namespace plumb::blueprint
