// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/result.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) return Error{ErrorKind::kInvalid, "odd", "give an even one"};
  return number / 2;
}

Result<int> Quarter(int number) {
  PLUMB_TRY(const int half, Half(number));
  PLUMB_RETURN_IF_ERROR(Half(half));
  return half / 2;
}

TEST(Result, TryReturnsTheFirstFailure) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(7).error().message, "odd");
  EXPECT_EQ(Quarter(6).error().hint, "give an even one");
}

TEST(Result, WhileAddsContextOutermostFirst) {
  Error error = Error{ErrorKind::kNotFound, "no blob 'x'"}.While("cannot pull 'm:1'");
  EXPECT_EQ(error.message, "cannot pull 'm:1': no blob 'x'");
  EXPECT_EQ(error.kind, ErrorKind::kNotFound);
}

TEST(ResultDeathTest, ReadingTheValueOfAFailureStopsTheProgram) {
  EXPECT_DEATH(static_cast<void>(*Half(1)), "does not hold");
}

}  // namespace
}  // namespace plumb
