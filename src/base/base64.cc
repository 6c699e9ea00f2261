// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/text.h"

namespace plumb {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string EncodeBase64(ByteSpan bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group =
          group << 8 | (i + k < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k <= bytes.size() ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

Result<std::string> DecodeBase64(std::string_view text) {
  const Error malformed{ErrorKind::kInvalid, "malformed base64"};
  if (text.size() % 4 != 0) return malformed;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t group = 0;
    std::size_t padding = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const char c = text[i + k];
      const std::size_t value = kAlphabet.find(c);
      const bool is_padding = c == '=' && i + 4 == text.size() && k >= 2;
      if (is_padding) ++padding;
      if (!is_padding && (value == std::string_view::npos || padding > 0)) return malformed;
      group = group << 6 | (is_padding ? 0 : static_cast<std::uint32_t>(value));
    }
    // The bits that padding leaves over must be zero, so that each text has one spelling.
    if ((padding == 1 && (group & 0xff) != 0) || (padding == 2 && (group & 0xffff) != 0))
      return malformed;
    for (std::size_t k = 0; k < 3 - padding; ++k)
      bytes += static_cast<char>(group >> (16 - 8 * k) & 0xff);
  }
  return bytes;
}

}  // namespace plumb
