// SPDX-License-Identifier: MIT OR Apache-2.0
#include "blueprint/kit17_ignore.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "blueprint/go_regexp_internal.h"
#include "blueprint/kitignore_internal.h"

namespace plumb::blueprint {
namespace {

// Of all patterns together, some 8 MiB: a repetition like "{1000}" is written out.
constexpr std::size_t kInstructionsMax = 1'000'000;
constexpr std::string_view kMark = "\xef\xbb\xbf";

// Go's filepath.Match(pattern, "."), which kit calls to see whether a pattern is well-formed. It
// goes from star to star, and stops at the first piece that does not match: what is wrong in
// later ones is not seen.
class SyntaxCheck {
 public:
  explicit SyntaxCheck(std::string_view pattern) : rest_(pattern) {}

  bool Passes() {
    std::string_view name = ".";
    while (!rest_.empty()) {
      const bool star = rest_.starts_with('*');
      const std::string_view piece = TakePiece();
      if (star && piece.empty()) return true;
      std::optional<std::string_view> left = Match(piece, name);
      if (!is_well_formed_) return false;
      const auto ends = [&] { return left && (left->empty() || !rest_.empty()); };
      if (!ends() && star && !name.empty()) left = Match(piece, name.substr(1));
      if (!left || !ends()) return true;
      name = *left;
    }
    return true;
  }

 private:
  // Up to the next star that is in no [class].
  std::string_view TakePiece() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of('*'), rest_.size()));
    bool in_class = false;
    std::size_t i = 0;
    for (; i < rest_.size() && (rest_[i] != '*' || in_class); ++i) {
      if (rest_[i] == '\\' && i + 1 < rest_.size()) {
        ++i;
      } else if (rest_[i] == '[' || rest_[i] == ']') {
        in_class = rest_[i] == '[';
      }
    }
    const std::string_view piece = rest_.substr(0, i);
    rest_.remove_prefix(i);
    return piece;
  }

  // What is left of the name; nothing if it does not begin as the piece says. Of the names that
  // come here, "." and the empty one, no byte is a separator.
  std::optional<std::string_view> Match(std::string_view piece, std::string_view name) {
    bool failed = false;
    while (!piece.empty() && is_well_formed_) {
      failed = failed || name.empty();
      const char c = piece.front();
      piece.remove_prefix(1);
      if (c == '[') {
        const bool in_class = TakeClass(piece);
        failed = failed || !in_class;
      } else if (c == '\\') {
        is_well_formed_ = is_well_formed_ && !piece.empty();
        if (piece.empty()) break;
        failed = failed || piece.front() != name.front();
        piece.remove_prefix(1);
      } else if (c != '?') {
        failed = failed || c != name.front();
      }
      if (!failed) name.remove_prefix(1);
    }
    return failed || !is_well_formed_ ? std::nullopt : std::optional(name);
  }

  // Whether "." is in it.
  bool TakeClass(std::string_view& piece) {
    const bool negated = piece.starts_with('^');
    if (negated) piece.remove_prefix(1);
    bool is_in = false;
    for (bool first = true; is_well_formed_; first = false) {
      if (!first && piece.starts_with(']')) {
        piece.remove_prefix(1);
        break;
      }
      const char32_t low = TakeMember(piece);
      char32_t high = low;
      if (is_well_formed_ && piece.front() == '-') {
        piece.remove_prefix(1);
        high = TakeMember(piece);
      }
      is_in = is_in || (low <= U'.' && U'.' <= high);
    }
    return is_in != negated;
  }

  char32_t TakeMember(std::string_view& piece) {
    if (piece.empty() || piece.front() == '-' || piece.front() == ']') return Fail();
    if (piece.front() == '\\') piece.remove_prefix(1);
    if (piece.empty()) return Fail();
    std::string_view after = piece;
    const std::optional<char32_t> member = TakeCodePoint(after);
    piece = member ? after : piece.substr(1);
    return member && !piece.empty() ? *member : Fail();
  }

  char32_t Fail() {
    is_well_formed_ = false;
    return 0;
  }

  std::string_view rest_;
  bool is_well_formed_ = true;
};

}  // namespace

// Plain text with at most one "**", at an end, stays plain.
Result<Kit17IgnoreRules::Pattern> Kit17IgnoreRules::Translate(std::string_view cleaned,
                                                              std::size_t& size_left) {
  using Kind = Pattern::Kind;
  Pattern pattern{.written = std::string(cleaned), .text = std::string(cleaned)};
  if (cleaned.starts_with(kMark)) cleaned.remove_prefix(kMark.size());
  const std::u32string runes = ToRunes(cleaned);
  std::u32string_view rest = runes;
  std::u32string expression = U"^";
  const auto take_if = [&rest](char32_t c) {
    if (!rest.starts_with(c)) return false;
    rest.remove_prefix(1);
    return true;
  };
  while (!rest.empty()) {
    const bool at_beginning = rest.size() == runes.size();
    const char32_t c = rest.front();
    rest.remove_prefix(1);
    if (c == '*' && take_if('*')) {
      take_if('/');
      const bool ends = rest.empty();
      if (ends && pattern.kind == Kind::kExact) {
        pattern.kind = Kind::kPrefix;
      } else {
        expression += ends ? U".*" : U"(.*/)?";
        pattern.kind = Kind::kRegexp;
      }
      if (at_beginning) pattern.kind = Kind::kSuffix;
      continue;
    }
    const bool is_wild = c == '*' || c == '?' || c == '[' || c == ']';
    const bool is_escaped = c == '\\' && !rest.empty();
    if (is_wild || is_escaped) pattern.kind = Kind::kRegexp;
    if (c == '*' || c == '?') expression += c == '*' ? U"[^/]*" : U"[^/]";
    if (std::u32string_view(U".+()$").find(c) != std::u32string_view::npos) expression += U'\\';
    if (c != '*' && c != '?') expression += c;
    if (is_escaped) {
      expression += rest.front();
      rest.remove_prefix(1);
    }
  }
  if (pattern.kind == Kind::kPrefix) pattern.text.resize(pattern.text.size() - 2);
  if (pattern.kind == Kind::kSuffix) pattern.text.erase(0, 2);
  if (pattern.kind != Kind::kRegexp) return pattern;
  PLUMB_TRY(auto compiled, GoRegexp::Compile(expression + U"$", size_left));
  if (!compiled) return pattern;
  size_left -= compiled->size();
  pattern.regexp = std::make_shared<const GoRegexp>(*std::move(compiled));
  return pattern;
}

Result<Kit17IgnoreRules> Kit17IgnoreRules::Parse(std::string_view text) {
  PLUMB_TRY(const std::vector<IgnoreLine> lines, ReadIgnoreLines(text));
  Kit17IgnoreRules rules;
  std::size_t size_left = kInstructionsMax;
  for (const IgnoreLine& line : lines) {
    if (!SyntaxCheck(line.pattern).Passes()) return line.ErrorAt("it is not well-formed");
    Result<Pattern> pattern = Translate(line.pattern, size_left);
    if (!pattern)
      return Error{ErrorKind::kExhausted,
                   ".kitignore:" + std::to_string(line.number) + ": its patterns become too large"};
    pattern->is_exception = line.is_exception;
    rules.has_exceptions_ = rules.has_exceptions_ || line.is_exception;
    rules.patterns_.push_back(*std::move(pattern));
  }
  return rules;
}

Result<bool> Kit17IgnoreRules::Ignores(std::string_view path) const {
  bool ignored = false;
  for (const Pattern& pattern : patterns_) {
    if (pattern.is_exception != ignored) continue;
    if (pattern.kind == Pattern::Kind::kRegexp && !pattern.regexp)
      return Error{
          ErrorKind::kInvalid,
          "pattern '" + Printable(pattern.written) +
              "' of the .kitignore is none that kit 1.7 can use, or has '\\p', which it can "
              "and --kit-compat cannot"};
    const auto matches_wild = [&](std::string_view part) {
      return pattern.regexp->Matches(ToRunes(part));
    };
    if (MatchesAtOrAbove(pattern, path, matches_wild)) ignored = !pattern.is_exception;
  }
  return ignored;
}

}  // namespace plumb::blueprint
