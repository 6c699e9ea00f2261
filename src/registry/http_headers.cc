// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "registry/http_headers_internal.h"

namespace plumb::registry {
namespace {

constexpr std::size_t kHeaderSizeMax = 8192;
constexpr std::size_t kUrlSizeMax = 8192;

bool IsTokenCharacter(char c) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_letter || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

Error Malformed() {
  return Error{ErrorKind::kInvalid, "the registry asks for a login in a way that is malformed"};
}

// Takes apart one header, from the front.
class ChallengeParser {
 public:
  explicit ChallengeParser(std::string_view rest) : rest_(rest) {}

  Result<std::vector<Challenge>> Run() {
    std::vector<Challenge> challenges;
    while (true) {
      SkipSeparators();
      if (rest_.empty()) return challenges;
      const std::string word(TakeToken());
      if (word.empty()) return Malformed();
      SkipBlanks();
      if (!rest_.starts_with('=')) {
        challenges.push_back({ToLowerAscii(word), {}});
        SkipToken68();
        continue;
      }
      if (challenges.empty()) return Malformed();
      rest_.remove_prefix(1);
      SkipBlanks();
      PLUMB_TRY(std::string value, TakeValue());
      challenges.back().parameters.emplace_back(ToLowerAscii(word), std::move(value));
    }
  }

 private:
  void SkipBlanks() {
    while (rest_.starts_with(' ') || rest_.starts_with('\t')) rest_.remove_prefix(1);
  }
  void SkipSeparators() {
    while (rest_.starts_with(' ') || rest_.starts_with('\t') || rest_.starts_with(','))
      rest_.remove_prefix(1);
  }
  // The one unnamed value that a challenge may have instead of parameters ("Negotiate oYH…==").
  void SkipToken68() {
    std::string_view ahead = rest_;
    while (!ahead.empty() && (IsTokenCharacter(ahead.front()) || ahead.front() == '/'))
      ahead.remove_prefix(1);
    const std::string_view value = rest_.substr(0, rest_.size() - ahead.size());
    while (ahead.starts_with('=')) ahead.remove_prefix(1);
    const bool ends = ahead.empty() || ahead.front() == ',';
    if (ends && !value.empty()) rest_ = ahead;
  }
  std::string_view TakeToken() {
    const auto* end = std::find_if_not(rest_.begin(), rest_.end(), IsTokenCharacter);
    const std::string_view token = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(token.size());
    return token;
  }
  Result<std::string> TakeValue() {
    if (!rest_.starts_with('"')) {
      const std::string_view token = TakeToken();
      if (token.empty()) return Malformed();
      return std::string(token);
    }
    rest_.remove_prefix(1);
    std::string value;
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\') rest_.remove_prefix(1);
      if (rest_.empty()) return Malformed();
      value.push_back(rest_.front());
      rest_.remove_prefix(1);
    }
    if (rest_.empty()) return Malformed();
    rest_.remove_prefix(1);
    return value;
  }

  std::string_view rest_;
};

bool IsUrlCharacter(char c) { return c > ' ' && c < 0x7F && c != '"' && c != '<' && c != '>' && c != '\\'; }

Error BadUrl(std::string_view text) {
  return Error{ErrorKind::kInvalid,
               "'" + Printable(text.substr(0, 256)) + "' is no http address"};
}

}  // namespace

std::string Challenge::Parameter(std::string_view name) const {
  for (const auto& [candidate, value] : parameters)
    if (candidate == name) return value;
  return {};
}

Result<std::vector<Challenge>> ParseChallenges(std::string_view header) {
  if (header.size() > kHeaderSizeMax)
    return Error{ErrorKind::kExhausted, "the registry asks for a login in over 8 KiB"};
  return ChallengeParser(header).Run();
}

std::optional<std::uint64_t> ParseContentRangeStart(std::string_view header) {
  constexpr std::string_view kUnit = "bytes ";
  if (!header.starts_with(kUnit)) return std::nullopt;
  header.remove_prefix(kUnit.size());
  return ParseUint64(header.substr(0, header.find('-')));
}

Result<Url> Url::Parse(std::string_view text) {
  if (text.size() > kUrlSizeMax || !std::all_of(text.begin(), text.end(), IsUrlCharacter))
    return BadUrl(text);
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return BadUrl(text);
  url.scheme = ToLowerAscii(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") return BadUrl(text);
  std::string_view rest = text.substr(colon + 3);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  url.host = ToLowerAscii(rest.substr(0, end));
  rest.remove_prefix(end);
  if (url.host.empty() || url.host.find('@') != std::string::npos) return BadUrl(text);
  if (rest.find('#') != std::string_view::npos) return BadUrl(text);
  url.rest = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
  return url;
}

Result<Url> Url::Resolve(std::string_view location) const {
  if (location.find("://") != std::string_view::npos) return Parse(location);
  if (location.starts_with("//")) return Parse(scheme + ":" + std::string(location));
  if (location.starts_with('/')) return Parse(scheme + "://" + host + std::string(location));
  return BadUrl(location);
}

std::string EncodeQueryValue(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (is_plain) {
      encoded.push_back(c);
    } else {
      encoded += "%";
      for (const char digit : EncodeHex(AsBytes(std::string_view(&c, 1))))
        encoded.push_back(digit >= 'a' ? static_cast<char>(digit - 32) : digit);
    }
  }
  return encoded;
}

}  // namespace plumb::registry
