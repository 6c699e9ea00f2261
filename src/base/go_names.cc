// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/go_names.h"

#include <string>

#include "base/text.h"

namespace plumb {
namespace {

// With the two characters beyond ASCII whose other case is an ASCII letter replaced by it.
std::string FoldToAscii(std::string_view name) {
  constexpr char32_t kLongS = 0x17F;
  constexpr char32_t kKelvinSign = 0x212A;
  std::string folded;
  while (!name.empty()) {
    const std::string_view before = name;
    const auto c = TakeCodePoint(name);
    if (c == kLongS) {
      folded += 's';
    } else if (c == kKelvinSign) {
      folded += 'k';
    } else {
      folded += before.substr(0, before.size() - name.size());
    }
  }
  return folded;
}

}  // namespace

bool GoMistakesFor(std::string_view name, std::string_view known) {
  return name != known && EqualsIgnoreCaseAscii(FoldToAscii(name), known);
}

}  // namespace plumb
