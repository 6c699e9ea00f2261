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

}  // namespace plumb::blueprint

#endif  // PLUMB_BLUEPRINT_KITIGNORE_INTERNAL_H_
