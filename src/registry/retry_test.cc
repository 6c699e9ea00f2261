// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "registry/retry_internal.h"
#include "tests/fake_registry.h"

namespace plumb::registry {
namespace {

using testing::ElementsAre;

class RetryTest : public testing::Test {
 protected:
  // Fails this often before it succeeds.
  Status RunFailing(int failures) {
    return retrier_.Run(progress_, [&, failures]() -> Status {
      tries_at_ms_.push_back(clock_.slept_ms);
      if (static_cast<int>(tries_at_ms_.size()) > failures) return Done{};
      return Error{ErrorKind::kUnavailable, "busy", "be patient"};
    });
  }

  void AskPause(const std::string& header) { retrier_.Heed({429, {{"retry-after", header}}, {}}); }

  FakeClock clock_;
  FakeEntropy entropy_;
  WarnedProgress progress_;
  Retrier retrier_{clock_, entropy_};
  std::vector<std::uint64_t> tries_at_ms_;
};

TEST_F(RetryTest, WhatWorksIsDoneOnce) {
  EXPECT_TRUE(RunFailing(0));
  EXPECT_THAT(tries_at_ms_, ElementsAre(0));
  EXPECT_TRUE(progress_.warnings.empty());
}

TEST_F(RetryTest, EachPauseIsTwiceTheOneBefore) {
  EXPECT_TRUE(RunFailing(4));
  EXPECT_THAT(tries_at_ms_, ElementsAre(0, 500, 1500, 3500, 7500));
  EXPECT_THAT(progress_.warnings, ElementsAre("busy; trying again"));
}

TEST_F(RetryTest, ChanceShortensAPauseToHalfAtMost) {
  entropy_.next = 128;
  EXPECT_TRUE(RunFailing(1));
  EXPECT_THAT(tries_at_ms_, ElementsAre(0, 375));
  entropy_.next = 255;
  tries_at_ms_.clear();
  EXPECT_TRUE(RunFailing(2));
  EXPECT_EQ(tries_at_ms_[1] - tries_at_ms_[0], 251U);
  EXPECT_EQ(tries_at_ms_[2] - tries_at_ms_[1], 502U);
}

TEST_F(RetryTest, AfterFiveTriesItGivesUp) {
  const Status status = RunFailing(5);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(status.error().message, "busy");
  EXPECT_EQ(tries_at_ms_.size(), 5U);
  // Nobody waits for a try that does not come.
  EXPECT_EQ(clock_.slept_ms, 7500U);
}

TEST_F(RetryTest, OnlyWhatMayPassIsTriedAgain) {
  for (const ErrorKind kind : {ErrorKind::kNotFound, ErrorKind::kCorrupt, ErrorKind::kInvalid,
                               ErrorKind::kConflict, ErrorKind::kDenied, ErrorKind::kExhausted,
                               ErrorKind::kUnsupported, ErrorKind::kInterrupted}) {
    int tries = 0;
    const Status status = retrier_.Run(progress_, [&]() -> Status {
      ++tries;
      return Error{kind, "no"};
    });
    EXPECT_EQ(status.error().kind, kind);
    EXPECT_EQ(tries, 1);
  }
  EXPECT_EQ(clock_.slept_ms, 0U);
}

TEST_F(RetryTest, ATryThatGotOnDoesNotCount) {
  int tries = 0;
  const Status status = retrier_.Run(
      progress_,
      [&]() -> Status {
        ++tries;
        return Error{ErrorKind::kUnavailable, "busy"};
      },
      [&] { return tries <= 100; });
  EXPECT_FALSE(status);
  // A hundred that got on, of which the last counts as the first in a row that did not.
  EXPECT_EQ(tries, 104);
  EXPECT_EQ(clock_.slept_ms, 100U * 500 + 1000 + 2000 + 4000);
}

TEST_F(RetryTest, APauseThatIsAskedForIsKept) {
  const Status status = retrier_.Run(progress_, [&]() -> Status {
    tries_at_ms_.push_back(clock_.slept_ms);
    if (tries_at_ms_.size() == 3) return Done{};
    if (tries_at_ms_.size() == 1) AskPause("7");
    return Error{ErrorKind::kUnavailable, "busy"};
  });
  EXPECT_TRUE(status);
  EXPECT_THAT(tries_at_ms_, ElementsAre(0, 7000, 8000));
}

TEST_F(RetryTest, NobodyWaitsLongerThanFiveMinutes) {
  for (const char* seconds :
       {"300", "301", "18446744073709551615", "Wed, 21 Oct 2099 07:28:00 GMT"}) {
    clock_.slept_ms = 0;
    tries_at_ms_.clear();
    AskPause(seconds);
    EXPECT_TRUE(RunFailing(1));
    EXPECT_THAT(tries_at_ms_, ElementsAre(0, 300'000)) << seconds;
  }
}

TEST_F(RetryTest, WhatIsNoPauseIsNone) {
  for (const char* header : {"", "0", "-1", "Wed, 21 Oct 1969 07:28:00 GMT", "Wed, 21 Oct 2099"})
    AskPause(header);
  EXPECT_TRUE(RunFailing(1));
  EXPECT_THAT(tries_at_ms_, ElementsAre(0, 500));
}

TEST_F(RetryTest, APauseMayBeAskedForByADate) {
  clock_.Pass(784'111'770'000);  // from 1970 on, and one second
  AskPause("Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_TRUE(RunFailing(1));
  EXPECT_THAT(tries_at_ms_, ElementsAre(0, 6000));
}

TEST_F(RetryTest, WhoWasToldTheSameTimeDoesNotComeAtOnce) {
  entropy_.next = 255;
  AskPause("7");
  EXPECT_TRUE(RunFailing(1));
  EXPECT_THAT(tries_at_ms_, ElementsAre(0, 7000 + 249));
}

TEST_F(RetryTest, OnlyAFailureAsksForAPause) {
  retrier_.Heed({202, {{"Retry-After", "60"}}, {}});
  EXPECT_TRUE(RunFailing(1));
  EXPECT_THAT(tries_at_ms_, ElementsAre(0, 500));
}

TEST_F(RetryTest, ALongerPauseIsNotForgottenForAShorterOne) {
  AskPause("30");
  AskPause("1");
  EXPECT_TRUE(RunFailing(1));
  EXPECT_THAT(tries_at_ms_, ElementsAre(0, 30'000));
}

TEST_F(RetryTest, CtrlCEndsAPauseInAMoment) {
  AskPause("60");
  clock_.on_sleep = [&] { progress_.is_stopped = clock_.slept_ms >= 1000; };
  EXPECT_EQ(RunFailing(1).error().kind, ErrorKind::kInterrupted);
  EXPECT_EQ(clock_.slept_ms, 1000U);
  EXPECT_LE(clock_.longest_sleep_ms, 50U);
  EXPECT_EQ(tries_at_ms_.size(), 1U);
}

}  // namespace
}  // namespace plumb::registry
