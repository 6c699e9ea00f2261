// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace plumb {
namespace {

TEST(Parallel, DoesEverythingOnce) {
  for (const unsigned threads : {0U, 1U, 3U, 64U}) {
    std::vector<std::atomic<int>> done(100);
    EXPECT_TRUE(RunParallel(threads, done.size(), [&](std::size_t i) -> Status {
      ++done[i];
      return Done{};
    }));
    for (const auto& count : done)
      EXPECT_EQ(count, 1);
  }
  EXPECT_TRUE(RunParallel(4, 0, [](std::size_t) -> Status { return Done{}; }));
}

TEST(Parallel, AFailureStopsTheRestAndTheLowestIsTold) {
  std::atomic<int> started = 0;
  const Status status = RunParallel(1, 100, [&](std::size_t i) -> Status {
    ++started;
    if (i >= 5) return Error{ErrorKind::kCorrupt, std::to_string(i)};
    return Done{};
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "5");
  EXPECT_EQ(started, 6);
}

TEST(Parallel, UsesSeveralThreads) {
  std::atomic<int> waiting = 0;
  EXPECT_TRUE(RunParallel(2, 2, [&](std::size_t) -> Status {
    ++waiting;
    while (waiting < 2) {
    }  // returns only if both run at once
    return Done{};
  }));
}

}  // namespace
}  // namespace plumb
