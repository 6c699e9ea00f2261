// SPDX-License-Identifier: MIT OR Apache-2.0
#include "blueprint/kitignore.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "blueprint/kitfile.h"
#include "blueprint/kitignore_internal.h"

namespace plumb::blueprint {
namespace {

constexpr std::size_t kIgnoreSizeMax = std::size_t{1} << 20;
constexpr std::size_t kLineSizeMax = 65535;  // longer ones end kit's reading with an error

constexpr std::size_t kShownSizeMax = 40;

constexpr char32_t kReplacement = 0xfffd;

bool IsSpace(char32_t c) {
  return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

bool IsAsciiAlphanumeric(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Error BadPattern(std::string_view problem) { return {ErrorKind::kInvalid, std::string(problem)}; }

// The character after a '\'. A letter or digit there would be a class of characters to kit,
// and itself to Dockerignore's description.
Result<char32_t> TakeEscaped(std::u32string_view& rest) {
  if (rest.empty()) return BadPattern("nothing follows its '\\'");
  const char32_t c = rest.front();
  rest.remove_prefix(1);
  if (c >= 0x80 || IsAsciiAlphanumeric(c))
    return BadPattern("'\\' before a letter or digit, which has no meaning");
  return c;
}

// A character of a [class].
Result<char32_t> TakeMember(std::u32string_view& rest) {
  if (rest.empty()) return BadPattern("its '[' has no ']'");
  const char32_t c = rest.front();
  rest.remove_prefix(1);
  if (c == '-' || c == ']') return BadPattern("'-' or ']' out of place in its [class]");
  if (c == '*' || c == '?') return BadPattern("a wildcard in its [class]");
  if (c == '[' && rest.starts_with(U':')) return BadPattern("a named class in its [class]");
  if (c == '\\') return TakeEscaped(rest);
  return c;
}

}  // namespace

std::string_view TrimGoSpace(std::string_view text) {
  std::string_view rest = text;
  std::size_t begin = text.size();
  std::size_t end = text.size();
  while (!rest.empty()) {
    const std::size_t at = text.size() - rest.size();
    if (IsSpace(TakeRune(rest))) continue;
    begin = std::min(begin, at);
    end = text.size() - rest.size();
  }
  return text.substr(begin, end - begin);
}

char32_t TakeRune(std::string_view& text) {
  std::string_view rest = text;
  const std::optional<char32_t> rune = TakeCodePoint(rest);
  text = rune ? rest : text.substr(1);
  return rune.value_or(kReplacement);
}

std::u32string ToRunes(std::string_view text) {
  std::u32string runes;
  while (!text.empty())
    runes += TakeRune(text);
  return runes;
}

Error IgnoreLine::ErrorAt(std::string_view problem) const {
  return Error{ErrorKind::kInvalid, ".kitignore:" + std::to_string(number) + ": pattern '" +
                                        Printable(written) + "': " + std::string(problem)};
}

Result<std::vector<IgnoreLine>> ReadIgnoreLines(std::string_view text) {
  if (text.size() > kIgnoreSizeMax)
    return Error{ErrorKind::kExhausted, "the .kitignore is larger than 1 MiB"};
  std::vector<IgnoreLine> lines;
  int number = 0;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (const std::string_view written : Split(text, '\n')) {
    IgnoreLine line{.written = written, .number = ++number};
    if (written.size() > kLineSizeMax) {
      line.written = written.substr(0, kShownSizeMax);
      return line.ErrorAt("it is longer than 64 KiB");
    }
    if (written.starts_with('#')) continue;
    std::string_view trimmed = TrimGoSpace(written);
    if (trimmed.empty()) continue;
    const bool excepts = trimmed.starts_with('!');
    if (excepts) trimmed = TrimGoSpace(trimmed.substr(1));
    if (trimmed.empty()) return line.ErrorAt("nothing follows its '!'");
    std::string cleaned = CleanPath(trimmed);
    if (cleaned.size() > 1 && cleaned.starts_with('/')) cleaned.erase(0, 1);
    // What is left of "!/" is "!", and of "/ x" is " x": so it is read a second time.
    if (excepts) cleaned.insert(0, "!");
    cleaned = CleanPath(TrimGoSpace(cleaned));
    if (cleaned == "!") return line.ErrorAt("nothing follows its '!'");
    line.is_exception = cleaned.starts_with('!');
    line.pattern = cleaned.substr(line.is_exception ? 1 : 0);
    lines.push_back(std::move(line));
  }
  return lines;
}

// `rest` is after the '['.
Result<IgnoreRules::Step> IgnoreRules::ParseClass(std::u32string_view& rest) {
  Step step{.kind = Step::Kind::kClass};
  if (rest.starts_with(U'^')) {
    step.negated = true;
    rest.remove_prefix(1);
  }
  while (step.ranges.empty() || !rest.starts_with(U']')) {
    PLUMB_TRY(const char32_t low, TakeMember(rest));
    char32_t high = low;
    if (rest.starts_with(U'-')) {
      rest.remove_prefix(1);
      PLUMB_TRY(high, TakeMember(rest));
    }
    if (high < low) return BadPattern("a range in its [class] runs backwards");
    step.ranges.emplace_back(low, high);
  }
  rest.remove_prefix(1);
  return step;
}

// What a pattern means was established from patternmatcher, which turns it into a regular
// expression unless it is plain text with at most one "**" at an end.
Result<IgnoreRules::Pattern> IgnoreRules::ParsePattern(std::string_view text) {
  Pattern pattern;
  pattern.text = text;
  const std::u32string runes = ToRunes(text);
  std::u32string_view rest = runes;
  const auto take_if = [&rest](char32_t c) {
    if (!rest.starts_with(c)) return false;
    rest.remove_prefix(1);
    return true;
  };
  while (!rest.empty()) {
    const bool at_beginning = pattern.steps.empty();
    const char32_t c = rest.front();
    rest.remove_prefix(1);
    Step step{.kind = Step::Kind::kChar, .first = c};
    bool plain = true;
    if (c == '*' && take_if('*')) {
      take_if('/');
      plain = (rest.empty() && pattern.kind == Pattern::Kind::kExact) || at_beginning;
      step.kind = rest.empty() ? Step::Kind::kAll : Step::Kind::kDirs;
      if (plain) pattern.kind = at_beginning ? Pattern::Kind::kSuffix : Pattern::Kind::kPrefix;
    } else if (c == '*' || c == '?') {
      step.kind = c == '*' ? Step::Kind::kMany : Step::Kind::kOne;
      plain = false;
    } else if (c == '[') {
      PLUMB_TRY(step, ParseClass(rest));
      plain = false;
    } else if (c == '\\') {
      PLUMB_TRY(step.first, TakeEscaped(rest));
      plain = false;
    } else if (c == '^') {
      step.kind = Step::Kind::kBeginning;
    } else if (c == ']') {
      plain = false;
    }
    if (!plain) pattern.kind = Pattern::Kind::kSteps;
    const bool dirs = step.kind == Step::Kind::kDirs;
    pattern.steps.push_back(std::move(step));
    if (dirs) pattern.steps.push_back(Step{.kind = Step::Kind::kInDirs});
  }
  if (pattern.kind == Pattern::Kind::kPrefix) pattern.text.resize(pattern.text.size() - 2);
  if (pattern.kind == Pattern::Kind::kSuffix) pattern.text.erase(0, 2);
  return pattern;
}

Result<IgnoreRules> IgnoreRules::Parse(std::string_view text) {
  IgnoreRules rules;
  PLUMB_TRY(const std::vector<IgnoreLine> lines, ReadIgnoreLines(text));
  for (const IgnoreLine& line : lines) {
    Result<Pattern> pattern = ParsePattern(line.pattern);
    if (!pattern) return line.ErrorAt(pattern.error().message);
    pattern->exception = line.is_exception;
    rules.patterns_.push_back(*std::move(pattern));
  }
  return rules;
}

// All ways through the steps at once, so that no pattern makes it slow.
bool IgnoreRules::MatchesSteps(const std::vector<Step>& steps, std::string_view path) {
  using Kind = Step::Kind;
  std::vector<bool> active(steps.size() + 1);
  std::vector<bool> next(steps.size() + 1);
  // Being at a step that can be passed without a character is being behind it too.
  const auto enter = [&steps](std::vector<bool>& states, std::size_t i, bool at_beginning) {
    for (;;) {
      states[i] = true;
      if (i == steps.size()) return;
      const Kind kind = steps[i].kind;
      if (kind == Kind::kDirs) states[i + 1] = true;
      const bool passes = kind == Kind::kMany || kind == Kind::kAll || kind == Kind::kDirs ||
                          (kind == Kind::kBeginning && at_beginning);
      if (!passes) return;
      i += kind == Kind::kDirs ? 2 : 1;
    }
  };
  const auto in_class = [](const Step& step, char32_t c) {
    return step.negated !=
           std::any_of(step.ranges.begin(), step.ranges.end(),
                       [c](const auto& range) { return c >= range.first && c <= range.second; });
  };
  enter(active, 0, true);
  while (!path.empty()) {
    const char32_t c = TakeRune(path);
    std::fill(next.begin(), next.end(), false);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (!active[i]) continue;
      const Step& step = steps[i];
      const bool steps_over = (step.kind == Kind::kChar && c == step.first) ||
                              (step.kind == Kind::kClass && in_class(step, c)) ||
                              (step.kind == Kind::kOne && c != '/') ||
                              (step.kind == Kind::kInDirs && c == '/');
      const bool stays = (step.kind == Kind::kMany && c != '/') ||
                         ((step.kind == Kind::kInDirs || step.kind == Kind::kAll) && c != '\n');
      if (steps_over) enter(next, i + 1, false);
      if (stays && step.kind == Kind::kInDirs) next[i] = true;
      if (stays && step.kind != Kind::kInDirs) enter(next, i, false);
    }
    active.swap(next);
  }
  return active[steps.size()];
}

bool IgnoreRules::Ignores(std::string_view path) const {
  bool ignored = false;
  for (const Pattern& pattern : patterns_) {
    if (pattern.exception != ignored) continue;
    const auto matches_wild = [&](std::string_view part) {
      return MatchesSteps(pattern.steps, part);
    };
    if (MatchesAtOrAbove(pattern, path, matches_wild)) ignored = !pattern.exception;
  }
  return ignored;
}

bool IgnoreRules::MayExceptBeneath(std::string_view path) const {
  const std::vector<std::string_view> parts = Split(path, '/');
  const auto reaches = [&parts](const Pattern& pattern) {
    if (!pattern.exception) return false;
    if (pattern.kind != Pattern::Kind::kExact) return true;
    const std::vector<std::string_view> wanted = Split(pattern.text, '/');
    return std::equal(
        parts.begin(),
        parts.begin() + static_cast<std::ptrdiff_t>(std::min(parts.size(), wanted.size())),
        wanted.begin());
  };
  return path == "." ? std::any_of(patterns_.begin(), patterns_.end(),
                                   [](const Pattern& p) { return p.exception; })
                     : std::any_of(patterns_.begin(), patterns_.end(), reaches);
}

}  // namespace plumb::blueprint
