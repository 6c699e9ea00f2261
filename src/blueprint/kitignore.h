// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BLUEPRINT_KITIGNORE_H_
#define PLUMB_BLUEPRINT_KITIGNORE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace plumb::blueprint {

// Without the white space of Unicode at both ends, as Go's strings.TrimSpace.
std::string_view TrimGoSpace(std::string_view text);

// The rules of a .kitignore: Dockerignore semantics (moby/patternmatcher, which kit uses):
// '#' comments, '!' exceptions, '**', the last match wins, a match on a parent covers what is
// beneath it. '|', '{' and '}' are themselves, which patternmatcher hands on unescaped.
class IgnoreRules {
 public:
  // kInvalid for a pattern that cannot be read, with its line; kExhausted over 1 MiB.
  static Result<IgnoreRules> Parse(std::string_view text);

  // `path` is relative to the context, cleaned, '/'-separated.
  bool Ignores(std::string_view path) const;

  // Whether some exception ('!') could match beneath `path`, so that an ignored directory
  // must be walked all the same.
  bool MayExceptBeneath(std::string_view path) const;

 private:
  // One step of a pattern with wildcards, over code points.
  struct Step {
    enum class Kind : std::uint8_t {
      kChar,      // exactly `first`
      kClass,     // [a-z], [^a-z]: `ranges`
      kOne,       // ?: any but '/'
      kMany,      // *: any number but no '/'
      kDirs,      // ** before more: nothing, or anything that ends with '/'; then kInDirs
      kInDirs,    // within that anything
      kAll,       // ** at the end
      kBeginning  // ^: nothing, at the beginning only
    };
    Kind kind;
    char32_t first = 0;
    bool negated = false;
    std::vector<std::pair<char32_t, char32_t>> ranges = {};
  };
  struct Pattern {
    // Wildcards of the plain kinds compare text, as patternmatcher does.
    enum class Kind : std::uint8_t { kExact, kPrefix, kSuffix, kSteps };
    bool exception = false;
    Kind kind = Kind::kExact;
    std::string text;
    std::vector<Step> steps;
  };

  static Result<Pattern> ParsePattern(std::string_view text);
  static Result<Step> ParseClass(std::u32string_view& rest);
  static bool MatchesSteps(const std::vector<Step>& steps, std::string_view path);

  std::vector<Pattern> patterns_;
};

}  // namespace plumb::blueprint

#endif  // PLUMB_BLUEPRINT_KITIGNORE_H_
