// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_GO_GLOB_INTERNAL_H_
#define PLUMB_KIT_GO_GLOB_INTERNAL_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace plumb::kit {

// One name's pattern, as Go's path.Match has it: "*" any text, "?" one character, "[a-z]" and
// "[^a-z]" one of a class or none of it, "\" before a character that stands for itself.
class GoPattern {
 public:
  // kInvalid for a class or a backslash without its end.
  static Result<GoPattern> Parse(std::string_view text);

  bool Matches(std::string_view name) const;

 private:
  struct Element {
    bool is_star = false;
    bool is_negated = false;
    std::vector<std::pair<char32_t, char32_t>> ranges = {};  // first and last
    bool Takes(char32_t c) const;
  };

  std::vector<Element> elements_;
};

}  // namespace plumb::kit

#endif  // PLUMB_KIT_GO_GLOB_INTERNAL_H_
