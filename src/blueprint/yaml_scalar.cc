// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "blueprint/number_internal.h"
#include "blueprint/yaml_internal.h"

namespace plumb::blueprint {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

template <std::size_t kSize>
bool IsOneOf(std::string_view text, const std::array<std::string_view, kSize>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// Reads the fields of a time from the front of a text, as Go's time.Parse does.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool TakeBlanks() {
    if (!rest_.starts_with(' ')) return false;
    rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
    return true;
  }
  // At least `size_min` and at most `size_max` digits.
  std::optional<unsigned> TakeNumber(std::size_t size_min, std::size_t size_max) {
    const std::size_t size = CountDigits(size_max);
    if (size < size_min) return std::nullopt;
    unsigned value = 0;
    for (const char c : rest_.substr(0, size))
      value = value * 10 + static_cast<unsigned>(c - '0');
    rest_.remove_prefix(size);
    return value;
  }
  // "" or ".5": what Go keeps and prints of a fraction, to the nanosecond.
  std::string TakeFraction() {
    if (rest_.size() < 2 || (rest_[0] != '.' && rest_[0] != ',') || !IsDigit(rest_[1])) return "";
    rest_.remove_prefix(1);
    std::string digits(rest_.substr(0, CountDigits(9)));
    rest_.remove_prefix(CountDigits(rest_.size()));
    digits.erase(digits.find_last_not_of('0') + 1);
    return digits.empty() ? "" : "." + digits;
  }
  bool AtEnd() const { return rest_.empty(); }

 private:
  std::size_t CountDigits(std::size_t size_max) const {
    std::size_t size = 0;
    while (size < std::min(size_max, rest_.size()) && IsDigit(rest_[size]))
      ++size;
    return size;
  }

  std::string_view rest_;
};

unsigned DaysIn(unsigned year, unsigned month) {
  constexpr std::array<unsigned, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

std::string TwoDigits(unsigned value) {
  return {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
}

// "2001-02-03" of "2001-2-3".
std::optional<std::string> TakeDate(TimeReader& reader) {
  const auto year = reader.TakeNumber(4, 4);
  if (!year || !reader.Take('-')) return std::nullopt;
  const auto month = reader.TakeNumber(1, 2);
  if (!month || *month < 1 || *month > 12 || !reader.Take('-')) return std::nullopt;
  const auto day = reader.TakeNumber(1, 2);
  if (!day || *day < 1 || *day > DaysIn(*year, *month)) return std::nullopt;
  return TwoDigits(*year / 100) + TwoDigits(*year % 100) + "-" + TwoDigits(*month) + "-" +
         TwoDigits(*day);
}

std::optional<std::string> TakeClock(TimeReader& reader) {
  const auto hour = reader.TakeNumber(1, 2);
  if (!hour || *hour > 23 || !reader.Take(':')) return std::nullopt;
  const auto minute = reader.TakeNumber(1, 2);
  if (!minute || *minute > 59 || !reader.Take(':')) return std::nullopt;
  const auto second = reader.TakeNumber(1, 2);
  if (!second || *second > 59) return std::nullopt;
  return TwoDigits(*hour) + ":" + TwoDigits(*minute) + ":" + TwoDigits(*second) +
         reader.TakeFraction();
}

struct Zone {
  std::string text;
  bool in_json;  // RFC 3339 has no offsets of a day and more; Go reads them all the same
};

std::optional<Zone> TakeZone(TimeReader& reader) {
  if (reader.Take('Z')) return Zone{"Z", true};
  const bool negative = reader.Take('-');
  if (!negative && !reader.Take('+')) return std::nullopt;
  const auto hour = reader.TakeNumber(2, 2);
  if (!hour || *hour > 24 || !reader.Take(':')) return std::nullopt;
  const auto minute = reader.TakeNumber(2, 2);
  if (!minute || *minute > 60) return std::nullopt;
  const unsigned minutes = *hour * 60 + *minute;
  if (minutes == 0) return Zone{"Z", true};
  return Zone{(negative ? "-" : "+") + TwoDigits(minutes / 60) + ":" + TwoDigits(minutes % 60),
              minutes < 24 * 60};
}

// The forms of a timestamp that yaml.v3 knows, as RFC 3339 text.
std::optional<YamlScalar> ParseTimestamp(std::string_view text) {
  TimeReader reader(text);
  const auto date = TakeDate(reader);
  if (!date) return std::nullopt;
  if (reader.AtEnd()) return YamlScalar{kTagTimestamp, Json::String(*date + "T00:00:00Z")};
  const bool blank = reader.TakeBlanks();
  if (!blank && !reader.Take('T') && !reader.Take('t')) return std::nullopt;
  const auto clock = TakeClock(reader);
  if (!clock) return std::nullopt;
  Zone zone{"Z", true};
  if (!blank) {
    const auto taken = TakeZone(reader);
    if (!taken) return std::nullopt;
    zone = *taken;
  }
  if (!reader.AtEnd()) return std::nullopt;
  if (!zone.in_json) return YamlScalar{kTagTimestamp, std::nullopt};
  std::string written = *date;
  written.append("T").append(*clock).append(zone.text);
  return YamlScalar{kTagTimestamp, Json::String(written)};
}

std::optional<YamlScalar> LookUpWord(std::string_view text) {
  constexpr std::array<std::string_view, 5> kNulls = {"", "~", "null", "Null", "NULL"};
  constexpr std::array<std::string_view, 3> kTrue = {"true", "True", "TRUE"};
  constexpr std::array<std::string_view, 3> kFalse = {"false", "False", "FALSE"};
  constexpr std::array<std::string_view, 12> kNotFinite = {".nan",  ".NaN",  ".NAN",  ".inf",
                                                           ".Inf",  ".INF",  "+.inf", "+.Inf",
                                                           "+.INF", "-.inf", "-.Inf", "-.INF"};
  if (IsOneOf(text, kNulls)) return YamlScalar{kTagNull, Json()};
  if (IsOneOf(text, kTrue)) return YamlScalar{kTagBool, Json::Bool(true)};
  if (IsOneOf(text, kFalse)) return YamlScalar{kTagBool, Json::Bool(false)};
  if (IsOneOf(text, kNotFinite)) return YamlScalar{kTagFloat, std::nullopt};
  return std::nullopt;
}

std::optional<YamlScalar> MakeFloat(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return YamlScalar{kTagFloat, Json::Digits(WriteFloat(*value))};
}

std::optional<YamlScalar> ParseInteger(std::string_view text, int base) {
  if (const auto value = ParseInt(text, base)) return YamlScalar{kTagInt, Json::Int(*value)};
  if (const auto value = ParseUint(text, base)) return YamlScalar{kTagInt, Json::Uint(*value)};
  return std::nullopt;
}

// 0b and 0o before a number with a sign of its own, which yaml.v3 takes too.
std::optional<YamlScalar> ParseSignedAfterPrefix(const std::string& text) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = std::string_view(text).substr(negative ? 1 : 0);
  const int base = digits.starts_with("0b") ? 2 : digits.starts_with("0o") ? 8 : 0;
  if (base == 0) return std::nullopt;
  return ParseInteger((negative ? "-" : "") + std::string(digits.substr(2)), base);
}

std::optional<YamlScalar> ParseNumber(std::string_view text) {
  std::string plain(text);
  std::erase(plain, '_');
  if (auto integer = ParseInteger(plain, 0)) return integer;
  if (plain.find_first_not_of("0123456789+-.eE") == std::string::npos)
    if (auto real = MakeFloat(ParseFloat(plain))) return real;
  return ParseSignedAfterPrefix(plain);
}

enum class Timestamps : std::uint8_t { kNo, kYes };

YamlScalar ResolvePlain(std::string_view text, Timestamps timestamps) {
  YamlScalar string{kTagString, Json::String(text)};
  const char first = text.empty() ? '~' : text.front();
  const bool number = IsDigit(first) || first == '+' || first == '-';
  if (!number && std::string_view("yYnNtTfFoO~.").find(first) == std::string_view::npos)
    return string;
  if (auto word = LookUpWord(text)) return *word;
  if (first == '.') return MakeFloat(ParseFloat(text)).value_or(string);
  if (!number) return string;
  if (timestamps == Timestamps::kYes)
    if (auto timestamp = ParseTimestamp(text)) return *timestamp;
  return ParseNumber(text).value_or(string);
}

Result<YamlScalar> ResolveBinary(std::string_view text) {
  std::string base64(text);
  std::erase_if(base64, [](char c) { return c == '\n' || c == '\r'; });
  // Go ignores what the last digit says beyond the last byte; as digits, padding does too.
  const std::size_t digit_count = base64.find_last_not_of('=') + 1;
  const std::size_t padding = std::min<std::size_t>(base64.size() - digit_count, 2);
  std::fill_n(base64.rbegin(), padding, 'A');
  Result<std::string> bytes = DecodeBase64(base64);
  if (!bytes) return Error{ErrorKind::kInvalid, "a !!binary value that is not base64"};
  bytes->resize(bytes->size() - padding);
  return YamlScalar{kTagBinary, Json::String(*bytes)};
}

bool IsResolvable(std::string_view tag) {
  return tag == kTagBool || tag == kTagInt || tag == kTagFloat || tag == kTagNull ||
         tag == kTagTimestamp;
}

}  // namespace

Result<YamlScalar> ResolveScalar(std::string_view tag, std::string_view text) {
  if (tag.empty()) return ResolvePlain(text, Timestamps::kYes);
  if (tag == kTagBinary) return ResolveBinary(text);
  if (!IsResolvable(tag)) return YamlScalar{kTagString, Json::String(text)};
  YamlScalar scalar = ResolvePlain(text, tag == kTagTimestamp ? Timestamps::kYes : Timestamps::kNo);
  if (scalar.tag == tag) return scalar;
  const Json::Number* number = scalar.value ? scalar.value->IfNumber() : nullptr;
  if (tag == kTagFloat && scalar.tag == kTagInt && number != nullptr) {
    if (const auto integer = ParseInt(number->digits, 10))
      return YamlScalar{kTagFloat, Json::Digits(WriteFloat(static_cast<double>(*integer)))};
  }
  return Error{ErrorKind::kInvalid,
               "'" + Printable(text) + "' cannot be read as " + std::string(tag)};
}

}  // namespace plumb::blueprint
