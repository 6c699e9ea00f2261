// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "registry/http_headers_internal.h"

namespace plumb::registry {
namespace {

constexpr std::size_t kHeaderSizeMax = 8192;
constexpr std::size_t kChallengeCountMax = 16;
constexpr std::size_t kParameterCountMax = 32;

bool IsTokenCharacter(char c) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_letter || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

Error Malformed() {
  return Error{ErrorKind::kInvalid, "the registry asks for a login in a way that is malformed"};
}

Error TooLong() {
  return Error{ErrorKind::kExhausted, "the registry asks for a login in too many ways"};
}

// Takes a header apart from the front.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view rest) : rest_(rest) {}

  bool AtEnd() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  void SkipAny(std::string_view characters) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
  }
  void SkipBlanks() { SkipAny(" \t"); }
  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view TakeToken() {
    const auto* end = std::find_if_not(rest_.begin(), rest_.end(), IsTokenCharacter);
    const std::string_view token = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(token.size());
    return token;
  }
  // Up to `end`, which is taken too; nothing if there is no `end`.
  std::optional<std::string_view> TakeUntil(char end) {
    const std::size_t size = rest_.find(end);
    if (size == std::string_view::npos) return std::nullopt;
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size + 1);
    return taken;
  }
  // A token, or a quoted string (RFC 9110, section 5.6.4).
  std::optional<std::string> TakeValue() {
    if (!Take('"')) {
      const std::string_view token = TakeToken();
      return token.empty() ? std::nullopt : std::optional<std::string>(token);
    }
    std::string value;
    while (!rest_.empty()) {
      if (Take('"')) return value;
      Take('\\');
      if (rest_.empty()) break;
      value.push_back(rest_.front());
      rest_.remove_prefix(1);
    }
    return std::nullopt;
  }
  // The one unnamed value that a challenge may have instead of parameters ("Negotiate oYH…==").
  void SkipToken68() {
    HeaderReader ahead = *this;
    if (ahead.TakeToken().empty() && !ahead.rest_.starts_with('/')) return;
    while (!ahead.TakeToken().empty() || ahead.Take('/')) {
    }
    ahead.SkipAny("=");
    ahead.SkipBlanks();
    if (ahead.AtEnd() || ahead.rest_.starts_with(',')) *this = ahead;
  }

 private:
  std::string_view rest_;
};

// "Sun, 06 Nov 1994 08:49:37 GMT" in seconds since 1970. The name of the day is not compared.
std::optional<std::int64_t> ParseDate(std::string_view text) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  static constexpr std::string_view kForm = "aaa, 00 aaa 0000 00:00:00 GMT";
  if (text.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_letter = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z');
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == 'a' ? !is_letter : kForm[i] == '0' ? !is_digit : text[i] != kForm[i])
      return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t size) {
    return static_cast<int>(*ParseUint64(text.substr(at, size)));
  };
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  const std::chrono::year_month_day day(std::chrono::year(number(12, 4)),
                                        std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
                                        std::chrono::day(static_cast<unsigned>(number(5, 2))));
  if (!day.ok() || number(17, 2) > 23 || number(20, 2) > 59 || number(23, 2) > 60)
    return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  return ((days * 24 + number(17, 2)) * 60 + number(20, 2)) * 60 + number(23, 2);
}

}  // namespace

std::string AllOf(const host::HttpResponse& response, std::string_view name) {
  std::string all;
  for (const auto& [candidate, value] : response.headers) {
    if (!EqualsIgnoreCaseAscii(candidate, name)) continue;
    if (!all.empty()) all += ", ";
    all += value;
  }
  return all;
}

std::string Challenge::Parameter(std::string_view name) const {
  for (const auto& [candidate, value] : parameters)
    if (candidate == name) return value;
  return {};
}

Result<std::vector<Challenge>> ParseChallenges(std::string_view header) {
  if (header.size() > kHeaderSizeMax) return TooLong();
  std::vector<Challenge> challenges;
  HeaderReader reader(header);
  for (reader.SkipAny(" \t,"); !reader.AtEnd(); reader.SkipAny(" \t,")) {
    const std::string word = ToLowerAscii(reader.TakeToken());
    if (word.empty()) return Malformed();
    reader.SkipBlanks();
    if (!reader.Take('=')) {
      if (challenges.size() == kChallengeCountMax) return TooLong();
      challenges.push_back({word, {}});
      reader.SkipToken68();
      continue;
    }
    reader.SkipBlanks();
    auto value = reader.TakeValue();
    if (!value || challenges.empty()) return Malformed();
    auto& parameters = challenges.back().parameters;
    if (parameters.size() == kParameterCountMax) return TooLong();
    const bool is_named_twice = std::any_of(parameters.begin(), parameters.end(),
                                            [&](const auto& other) { return other.first == word; });
    if (is_named_twice) return Malformed();
    parameters.emplace_back(word, *std::move(value));
  }
  return challenges;
}

std::optional<ContentRange> ParseContentRange(std::string_view header) {
  HeaderReader reader(header);
  if (!EqualsIgnoreCaseAscii(reader.TakeToken(), "bytes") || !reader.Take(' ')) return std::nullopt;
  const auto start = reader.TakeUntil('-');
  const auto last = reader.TakeUntil('/');
  const auto first_byte = start ? ParseUint64(*start) : std::nullopt;
  const auto last_byte = last ? ParseUint64(*last) : std::nullopt;
  if (!first_byte || !last_byte || *last_byte < *first_byte) return std::nullopt;
  if (reader.rest() == "*") return ContentRange{*first_byte, std::nullopt};
  const auto whole_size = ParseUint64(reader.rest());
  if (!whole_size || *last_byte >= *whole_size) return std::nullopt;
  return ContentRange{*first_byte, whole_size};
}

std::optional<std::uint64_t> ParseRetryAfter(std::string_view header, std::int64_t now_s) {
  const std::string_view text = Trim(header);
  if (const auto seconds = ParseUint64(text)) return seconds;
  const auto date_s = ParseDate(text);
  if (!date_s) return std::nullopt;
  return *date_s > now_s ? static_cast<std::uint64_t>(*date_s - now_s) : 0;
}

std::optional<std::uint64_t> ParseUploadRange(std::string_view header) {
  std::string_view text = Trim(header);
  if (text.starts_with("bytes=")) text.remove_prefix(6);
  if (!text.starts_with("0-")) return std::nullopt;
  const auto last = ParseUint64(text.substr(2));
  return last ? CheckedAdd(*last, 1) : std::nullopt;
}

std::optional<std::string> ParseNextLink(std::string_view header) {
  if (header.size() > kHeaderSizeMax) return std::nullopt;
  HeaderReader reader(header);
  for (reader.SkipAny(" \t,"); reader.Take('<'); reader.SkipAny(" \t,")) {
    const auto address = reader.TakeUntil('>');
    if (!address) return std::nullopt;
    bool is_next = false;
    for (reader.SkipBlanks(); reader.Take(';'); reader.SkipBlanks()) {
      reader.SkipBlanks();
      const std::string_view name = reader.TakeToken();
      reader.SkipBlanks();
      const bool has_value = reader.Take('=');
      if (has_value) reader.SkipBlanks();
      const auto value = has_value ? reader.TakeValue() : std::string();
      if (!value) return std::nullopt;
      if (!EqualsIgnoreCaseAscii(name, "rel")) continue;
      for (const std::string_view relation : Split(*value, ' '))
        is_next = is_next || EqualsIgnoreCaseAscii(relation, "next");
    }
    if (is_next) return std::string(*address);
  }
  return std::nullopt;
}

Status CheckContentDigest(std::optional<std::string_view> header, const Digest& actual) {
  if (!header || !header->starts_with("sha256:") || *header == actual.ToString()) return Done{};
  return Error{ErrorKind::kCorrupt, "the registry calls '" + actual.ToString() + "' '" +
                                        Printable(header->substr(0, 128)) + "'"};
}

}  // namespace plumb::registry
