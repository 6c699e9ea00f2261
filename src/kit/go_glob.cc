// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <optional>

#include "base/text.h"
#include "kit/go_glob_internal.h"

namespace plumb::kit {
namespace {

constexpr char32_t kLast = 0x10FFFF;

std::u32string Decode(std::string_view text) {
  std::u32string decoded;
  while (!text.empty())
    decoded += TakeCodePoint(text).value_or(0xFFFD);
  return decoded;
}

Error BadPattern(std::string_view text) {
  return Error{ErrorKind::kInvalid, "'" + Printable(text) + "' is no pattern"};
}

}  // namespace

bool GoPattern::Element::Takes(char32_t c) const {
  const bool is_in = std::ranges::any_of(
      ranges, [&](const auto& range) { return range.first <= c && c <= range.second; });
  return is_in != is_negated;
}

Result<GoPattern> GoPattern::Parse(std::string_view text) {
  const std::u32string pattern = Decode(text);
  std::size_t at = 0;
  // A character of a class: neither its end nor the sign of a range.
  const auto take_member = [&]() -> std::optional<char32_t> {
    if (at == pattern.size() || pattern[at] == '-' || pattern[at] == ']') return std::nullopt;
    if (pattern[at] == '\\') ++at;
    if (at == pattern.size()) return std::nullopt;
    return pattern[at++];
  };
  GoPattern parsed;
  while (at < pattern.size()) {
    Element element;
    const char32_t c = pattern[at++];
    if (c == '*') {
      element.is_star = true;
    } else if (c == '?') {
      element.ranges.emplace_back(0, kLast);
    } else if (c == '[') {
      if (at < pattern.size() && pattern[at] == '^') {
        element.is_negated = true;
        ++at;
      }
      do {
        const auto first = take_member();
        if (!first) return BadPattern(text);
        auto last = first;
        if (at < pattern.size() && pattern[at] == '-') {
          ++at;
          last = take_member();
        }
        if (!last) return BadPattern(text);
        element.ranges.emplace_back(*first, *last);
      } while (at < pattern.size() && pattern[at] != ']');
      if (at == pattern.size()) return BadPattern(text);
      ++at;
    } else if (c == '\\') {
      if (at == pattern.size()) return BadPattern(text);
      element.ranges.emplace_back(pattern[at], pattern[at]);
      ++at;
    } else {
      element.ranges.emplace_back(c, c);
    }
    parsed.elements_.push_back(std::move(element));
  }
  return parsed;
}

bool GoPattern::Matches(std::string_view name) const {
  const std::u32string text = Decode(name);
  std::size_t element = 0;
  std::size_t at = 0;
  // Where to go on if what follows the last star does not fit: with the star one longer.
  std::optional<std::size_t> star;
  std::size_t star_text = 0;
  while (at < text.size() || element < elements_.size()) {
    if (element < elements_.size() && elements_[element].is_star) {
      star = ++element;
      star_text = at;
    } else if (element < elements_.size() && at < text.size() &&
               elements_[element].Takes(text[at])) {
      ++element;
      ++at;
    } else if (star && star_text < text.size()) {
      element = *star;
      at = ++star_text;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace plumb::kit
