// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BLUEPRINT_KITIGNORE_INTERNAL_H_
#define PLUMB_BLUEPRINT_KITIGNORE_INTERNAL_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace plumb::blueprint {

// One line of a .kitignore that holds a pattern.
struct IgnoreLine {
  std::string_view written;
  int number = 0;
  bool is_exception = false;
  std::string pattern = {};  // cleaned, without the '!'

  Error ErrorAt(std::string_view problem) const;
};

// kExhausted over 1 MiB; kInvalid for a line of over 64 KiB, and for a '!' with nothing behind.
Result<std::vector<IgnoreLine>> ReadIgnoreLines(std::string_view text);

// As Go ranges over a string: each byte that is not UTF-8 is U+FFFD.
char32_t TakeRune(std::string_view& text);
std::u32string ToRunes(std::string_view text);

// Whether a pattern matches a path or a directory around it. What it means is text, or wild: then
// `matches_wild` says it.
template <typename Pattern, typename MatchesWild>
bool MatchesAtOrAbove(const Pattern& pattern, std::string_view path,
                      const MatchesWild& matches_wild) {
  using Kind = typename Pattern::Kind;
  const std::string_view text = pattern.text;
  const auto matches = [&](std::string_view part) {
    if (pattern.kind == Kind::kExact) return part == text;
    if (pattern.kind == Kind::kPrefix) return part.starts_with(text);
    if (pattern.kind != Kind::kSuffix) return matches_wild(part);
    return part.ends_with(text) || (text.starts_with('/') && part == text.substr(1));
  };
  for (std::size_t end = path.find('/', 1); end != std::string_view::npos;
       end = path.find('/', end + 1))
    if (matches(path.substr(0, end))) return true;
  return matches(path);
}

}  // namespace plumb::blueprint

#endif  // PLUMB_BLUEPRINT_KITIGNORE_INTERNAL_H_
