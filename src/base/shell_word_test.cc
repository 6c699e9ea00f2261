// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/shell_word.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

TEST(ShellWord, IsOneWordOfAShell) {
  EXPECT_EQ(ShellWord("team/demo:v1@sha256:aa"), "team/demo:v1@sha256:aa");
  EXPECT_EQ(ShellWord(""), "''");
  EXPECT_EQ(ShellWord("my models"), "'my models'");
  EXPECT_EQ(ShellWord("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellWord("$(rm)"), "'$(rm)'");
}

}  // namespace
}  // namespace plumb
