// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <tuple>

#include "kit/go_glob_internal.h"

namespace plumb::kit {
namespace {

// By the rules of Go's path.Match.
TEST(GoPatternTest, Matches) {
  const std::tuple<const char*, const char*, bool> cases[] = {
      {"", "", true},
      {"abc", "abc", true},
      {"*", "", true},
      {"*", ".hidden", true},
      {"*c", "abc", true},
      {"a*", "b", false},
      {"a*b*c", "axbxc", true},
      {"a*b?c*x", "abxbbxdbxebxczzy", false},
      {"a?c",
       "a\xc3\xa9"
       "c",
       true},
      {"ab[c]", "abc", true},
      {"ab[b-d]", "abc", true},
      {"ab[^c]", "abc", false},
      {"ab[^e-g]", "abc", true},
      {"[a-ce]x", "ex", true},
      {"a\\*b", "a*b", true},
      {"a\\*b", "ab", false},
      {"[\\]a]", "]", true},
      {"[x\\-]", "-", true},
      {"**", "abc", true},
      {"[!a]", "!", true},
      {"[-]", "-", false},
  };
  for (const auto& [pattern, name, expected] : cases) {
    const auto parsed = GoPattern::Parse(pattern);
    if (!parsed) {
      EXPECT_FALSE(expected) << pattern;
      continue;
    }
    EXPECT_EQ(parsed->Matches(name), expected) << pattern << " " << name;
  }
}

TEST(GoPatternTest, RefusesWhatIsNone) {
  for (const char* bad : {"[", "[a", "[]a]", "[-]", "[x-]", "[a-b-c]", "a\\", "[\\", "[^"})
    EXPECT_FALSE(GoPattern::Parse(bad)) << bad;
}

}  // namespace
}  // namespace plumb::kit
