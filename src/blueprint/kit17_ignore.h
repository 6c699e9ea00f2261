// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BLUEPRINT_KIT17_IGNORE_H_
#define PLUMB_BLUEPRINT_KIT17_IGNORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace plumb::blueprint {

class GoRegexp;

// A .kitignore as kit 1.7.0 reads it: each pattern becomes a regular expression of Go, in which
// '|', '{' and '}' keep their meaning there, and which is looked at when it is first needed.
class Kit17IgnoreRules {
 public:
  // kInvalid for what kit refuses to read, kExhausted for what would take much memory.
  static Result<Kit17IgnoreRules> Parse(std::string_view text);

  // `path` is cleaned. kInvalid if kit comes to a pattern that is no regular expression.
  Result<bool> Ignores(std::string_view path) const;

  bool has_exceptions() const { return has_exceptions_; }

 private:
  struct Pattern {
    enum class Kind : std::uint8_t { kExact, kPrefix, kSuffix, kRegexp };
    bool is_exception = false;
    Kind kind = Kind::kExact;
    std::string written = {};
    std::string text = {};                        // of the plain kinds
    std::shared_ptr<const GoRegexp> regexp = {};  // null if Go refuses it
  };

  // `size_left`: how many instructions regular expressions may still have.
  static Result<Pattern> Translate(std::string_view cleaned, std::size_t& size_left);

  std::vector<Pattern> patterns_;
  bool has_exceptions_ = false;
};

}  // namespace plumb::blueprint

#endif  // PLUMB_BLUEPRINT_KIT17_IGNORE_H_
