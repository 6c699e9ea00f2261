// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "blueprint/number_internal.h"

namespace plumb::blueprint {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHexDigit(char c) { return IsDigit(c) || (Lower(c) >= 'a' && Lower(c) <= 'f'); }

bool TakeSign(std::string_view& text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  return negative;
}

int TakeBasePrefix(std::string_view& text) {
  if (!text.starts_with('0')) return 10;
  int base = 8;
  std::size_t size = 1;
  if (text.size() >= 3) {
    const char letter = Lower(text[1]);
    if (letter == 'x') base = 16;
    if (letter == 'b') base = 2;
    if (letter == 'x' || letter == 'b' || letter == 'o') size = 2;
  }
  if (text.size() > size) text.remove_prefix(size);
  return base;
}

// '_' stands between digits, or between a base prefix and a digit.
bool UnderscoresAreRight(std::string_view text) {
  enum class Seen : std::uint8_t { kBeginning, kDigit, kUnderscore, kOther };
  TakeSign(text);
  const bool hex = text.size() >= 2 && text[0] == '0' && Lower(text[1]) == 'x';
  Seen seen = Seen::kBeginning;
  if (hex) {
    text.remove_prefix(2);
    seen = Seen::kDigit;
  }
  for (const char c : text) {
    if (c == '_') {
      if (seen != Seen::kDigit) return false;
      seen = Seen::kUnderscore;
    } else if (IsDigit(c) || (hex && IsHexDigit(c))) {
      seen = Seen::kDigit;
    } else {
      if (seen == Seen::kUnderscore) return false;
      seen = Seen::kOther;
    }
  }
  return seen != Seen::kUnderscore;
}

// [digits] '.' [digits] and an exponent, which a hexadecimal number must have.
bool IsFloatSyntax(std::string_view digits, bool hex) {
  const auto is_digit = hex ? IsHexDigit : IsDigit;
  std::size_t i = 0;
  std::size_t digit_count = 0;
  bool dot = false;
  for (; i < digits.size(); ++i) {
    if (is_digit(digits[i])) {
      ++digit_count;
    } else if (digits[i] == '.' && !dot) {
      dot = true;
    } else {
      break;
    }
  }
  if (digit_count == 0) return false;
  if (i == digits.size()) return !hex;
  if (Lower(digits[i]) != (hex ? 'p' : 'e')) return false;
  std::string_view exponent = digits.substr(i + 1);
  TakeSign(exponent);
  return !exponent.empty() && std::all_of(exponent.begin(), exponent.end(), IsDigit);
}

// Whether a number that a double cannot hold is too large, not too small.
bool IsLarge(std::string_view digits, bool hex) {
  const std::size_t end = std::min(digits.find_first_of(hex ? "pP" : "eE"), digits.size());
  const std::string_view mantissa = digits.substr(0, end);
  const std::size_t dot = std::min(mantissa.find('.'), end);
  const std::size_t first = std::min(mantissa.find_first_not_of("0."), end);
  // Digits before the dot from the first that counts, less the zeros after the dot before it.
  double scale = static_cast<double>(dot) - static_cast<double>(first);
  if (hex) scale *= 4;
  std::string_view exponent = digits.substr(std::min(end + 1, digits.size()));
  const bool negative = TakeSign(exponent);
  const std::size_t nonzero = std::min(exponent.find_first_not_of('0'), exponent.size());
  exponent.remove_prefix(nonzero);
  double value = exponent.size() > 18 ? 1e18 : 0;
  if (value == 0)
    for (const char c : exponent)
      value = value * 10 + (c - '0');
  return scale + (negative ? -value : value) > 0;
}

}  // namespace

std::optional<std::uint64_t> ParseUint(std::string_view text, int base) {
  if (base == 0) base = TakeBasePrefix(text);
  std::uint64_t value = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stopped, status] = std::from_chars(begin, end, value, base);
  if (text.empty() || status != std::errc() || stopped != end) return std::nullopt;
  return value;
}

std::optional<std::int64_t> ParseInt(std::string_view text, int base) {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const bool negative = TakeSign(text);
  const std::optional<std::uint64_t> value = ParseUint(text, base);
  if (!value || *value > kMax + (negative ? 1 : 0)) return std::nullopt;
  return static_cast<std::int64_t>(negative ? 0 - *value : *value);
}

std::optional<double> ParseFloat(std::string_view text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::string plain = ToLowerAscii(text);
  if (plain == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (plain.find('_') != std::string::npos) {
    if (!UnderscoresAreRight(plain)) return std::nullopt;
    std::erase(plain, '_');
  }
  std::string_view digits = plain;
  const bool negative = TakeSign(digits);
  if (digits == "inf" || digits == "infinity") return negative ? -kInfinity : kInfinity;
  const bool hex = digits.starts_with("0x") && digits.size() > 2;
  if (hex) digits.remove_prefix(2);
  if (!IsFloatSyntax(digits, hex)) return std::nullopt;
  double value = 0;
  const auto format = hex ? std::chars_format::hex : std::chars_format::general;
  const auto status = std::from_chars(digits.data(), digits.data() + digits.size(), value, format);
  if (status.ec == std::errc::result_out_of_range || std::isinf(value)) {
    if (IsLarge(digits, hex)) return std::nullopt;
    value = 0;
  }
  return negative ? -value : value;
}

std::optional<bool> ParseBool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"})
    if (text == yes) return true;
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"})
    if (text == no) return false;
  return std::nullopt;
}

std::string WriteFloat(double value) {
  PLUMB_CHECK(std::isfinite(value));
  // "-d.ddde+XX", the shortest digits that read back.
  char buffer[32];
  const auto written =
      std::to_chars(std::begin(buffer), std::end(buffer), value, std::chars_format::scientific);
  PLUMB_CHECK(written.ec == std::errc());
  const std::string_view text(buffer, static_cast<std::size_t>(written.ptr - buffer));
  const std::size_t e = text.find('e');
  std::string digits(text.substr(0, e));
  const std::optional<std::int64_t> exponent = ParseInt(text.substr(e + 1), 10);
  PLUMB_CHECK(exponent.has_value());
  if (*exponent >= 21 || *exponent < -6)
    return digits + (*exponent < 0 ? "e-" : "e+") + std::to_string(std::abs(*exponent));
  const std::string sign = std::signbit(value) ? "-" : "";
  std::erase_if(digits, [](char c) { return !IsDigit(c); });
  if (*exponent < 0)
    return sign + "0." + std::string(static_cast<std::size_t>(-*exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(*exponent) + 1;
  if (digits.size() <= whole) return sign + digits + std::string(whole - digits.size(), '0');
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

}  // namespace plumb::blueprint
