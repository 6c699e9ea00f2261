// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "cli/fakes_internal.h"

namespace plumb::cli {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

class ProgressTest : public testing::Test {
 protected:
  std::unique_ptr<Progress> Make(ProgressStyle style, Talk talk = Talk::kNormal) {
    return MakeProgress(terminal_, clock_, {style, talk, nullptr});
  }
  // What was written since the last call.
  std::string Written() { return std::exchange(terminal_.errors, {}); }

  FakeTerminal terminal_;
  FakeClock clock_;
};

TEST_F(ProgressTest, BarsShowBytesRateAndTimeLeft) {
  const auto progress = Make(ProgressStyle::kBars);
  const auto task = progress->Begin("model layer w.bin", 100 * kMiB);
  clock_.PassMs(10'000);
  task->Advance(25 * kMiB);
  const std::string drawn = Written();
  EXPECT_NE(drawn.find("model layer w.bin               [#####...............]  25%  "
                       "25.0 MiB of 100.0 MiB  2.5 MiB/s  0:30 left"),
            std::string::npos)
      << drawn;
}

TEST_F(ProgressTest, BarsOfUnknownLengthShowWhatIsKnown) {
  const auto progress = Make(ProgressStyle::kBars);
  const auto task = progress->Begin("x", 0);
  clock_.PassMs(2'000);
  task->Advance(4 * kMiB);
  const std::string drawn = Written();
  EXPECT_NE(drawn.find("4.0 MiB  2.0 MiB/s"), std::string::npos) << drawn;
  EXPECT_EQ(drawn.find('%'), std::string::npos);
}

TEST_F(ProgressTest, BarsStayWithinWhatIsExpected) {
  const auto progress = Make(ProgressStyle::kBars);
  const auto task = progress->Begin("x", 1);
  clock_.PassMs(2'000);
  task->Advance(4 * kMiB);
  EXPECT_NE(Written().find("100%  1 B of 1 B"), std::string::npos);
}

TEST_F(ProgressTest, BarsAreDrawnAtMostTenTimesASecond) {
  const auto progress = Make(ProgressStyle::kBars);
  const auto task = progress->Begin("x", 1'000);
  clock_.PassMs(1'000);
  int draws = 0;
  for (int i = 0; i < 1'000; ++i) {
    clock_.PassMs(1);
    task->Advance(1);
    if (!Written().empty()) ++draws;
  }
  EXPECT_GE(draws, 9);
  EXPECT_LE(draws, 11);
}

TEST_F(ProgressTest, BarsAreGoneAtTheEnd) {
  const auto progress = Make(ProgressStyle::kBars);
  auto first = progress->Begin("first", 10);
  auto second = progress->Begin("second", 10);
  clock_.PassMs(1'000);
  first->Advance(5);
  const std::string drawn = Written();
  EXPECT_EQ(std::ranges::count(drawn, '\n'), 2);
  first.reset();
  clock_.PassMs(1'000);
  second->Advance(5);
  EXPECT_NE(Written().find("\x1b[2A\r"), std::string::npos);  // over both lines
  second.reset();
  EXPECT_EQ(Written(), "\x1b[1A\r\x1b[J");
}

TEST_F(ProgressTest, ShortWorkIsNotShown) {
  const auto bars = Make(ProgressStyle::kBars);
  auto task = bars->Begin("x", 10);
  clock_.PassMs(150);
  task->Advance(10);
  task.reset();
  EXPECT_EQ(Written(), "");

  const auto plain = Make(ProgressStyle::kPlain);
  task = plain->Begin("x", 10);
  clock_.PassMs(900);
  task->Advance(10);
  task.reset();
  EXPECT_EQ(Written(), "");
}

TEST_F(ProgressTest, ManyBarsDoNotFillTheScreen) {
  const auto progress = Make(ProgressStyle::kBars);
  std::vector<std::unique_ptr<ProgressTask>> tasks;
  tasks.reserve(20);
  for (int i = 0; i < 20; ++i)
    tasks.push_back(progress->Begin("x", 10));
  clock_.PassMs(1'000);
  tasks.front()->Advance(1);
  const std::string drawn = Written();
  EXPECT_EQ(std::ranges::count(drawn, '\n'), 9);
  EXPECT_NE(drawn.find("and 12 more"), std::string::npos);
}

TEST_F(ProgressTest, TalkAppearsAboveTheBars) {
  const auto progress = Make(ProgressStyle::kBars);
  const auto task = progress->Begin("x", 10);
  clock_.PassMs(1'000);
  task->Advance(1);
  Written();
  progress->Warn("odd");
  EXPECT_EQ(Written(), "\x1b[1A\r\x1b[Jwarning: odd\n");
  task->Advance(1);  // drawn again at once
  EXPECT_NE(Written().find("20%"), std::string::npos);
}

TEST_F(ProgressTest, PlainLinesTellOfBeginAndEnd) {
  const auto progress = Make(ProgressStyle::kPlain);
  auto task = progress->Begin("w.bin", 2 * kMiB);
  clock_.PassMs(1'000);
  task->Advance(kMiB);
  EXPECT_EQ(Written(), "w.bin (2.0 MiB)...\n");
  clock_.PassMs(64'000);
  task->Advance(kMiB);
  EXPECT_EQ(Written(), "");
  task.reset();
  EXPECT_EQ(Written(), "w.bin: 2.0 MiB in 1:05\n");
}

TEST_F(ProgressTest, WorkThatBreaksOffSaysHowFarItCame) {
  const auto progress = Make(ProgressStyle::kPlain);
  auto task = progress->Begin("w.bin", 2 * kMiB);
  clock_.PassMs(1'000);
  task->Advance(kMiB);
  Written();
  task.reset();
  EXPECT_EQ(Written(), "w.bin: 1.0 MiB of 2.0 MiB in 0:01\n");
}

TEST_F(ProgressTest, VerboseTellsOfShortWorkToo) {
  const auto progress = Make(ProgressStyle::kPlain, Talk::kVerbose);
  progress->Begin("x", 10)->Advance(10);
  EXPECT_EQ(Written(), "x (10 B)...\nx: 10 B in 0:00\n");
}

TEST_F(ProgressTest, NoneShowsNothingButWarnings) {
  const auto progress = Make(ProgressStyle::kNone, Talk::kQuiet);
  auto task = progress->Begin("x", 10);
  clock_.PassMs(5'000);
  task->Advance(1);
  task.reset();
  progress->Note("by the way");
  EXPECT_EQ(Written(), "");
  progress->Warn("odd");
  EXPECT_EQ(Written(), "warning: odd\n");
}

TEST_F(ProgressTest, JsonWarningsAreObjects) {
  const auto progress = Make(ProgressStyle::kNone, Talk::kJson);
  progress->Note("by the way");
  progress->Warn("\"odd\"");
  EXPECT_EQ(Written(), R"({"kind":"warning","message":"\"odd\"","hint":""})"
                       "\n");
}

TEST_F(ProgressTest, NamesCannotSteerTheTerminal) {
  const auto progress = Make(ProgressStyle::kPlain, Talk::kVerbose);
  progress->Warn("a\x1b[2Jb");
  progress->Note("c\x1b[2Jd");
  progress->Begin("e\x1b\nf", 0);
  EXPECT_EQ(Written(),
            "warning: a\\x1b[2Jb\nnote: c\\x1b[2Jd\ne\\x1b\\x0af...\ne\\x1b\\x0af: 0 B in 0:00\n");
}

TEST_F(ProgressTest, MayBeUsedFromManyThreads) {
  const auto progress = Make(ProgressStyle::kBars);
  const auto shared = progress->Begin("shared", 4'000);
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 100; ++round) {
        const auto own = progress->Begin("own", 10);
        own->Advance(10);
        shared->Advance(10);
        progress->Note("x");
      }
    });
  }
  threads.clear();
  clock_.PassMs(1'000);
  shared->Advance(0);
  EXPECT_NE(Written().find("100%"), std::string::npos);
}

TEST_F(ProgressTest, AsksWhetherToStop) {
  bool stop = false;
  const auto progress =
      MakeProgress(terminal_, clock_, {ProgressStyle::kNone, Talk::kQuiet, [&] { return stop; }});
  EXPECT_FALSE(progress->StopRequested());
  stop = true;
  EXPECT_TRUE(progress->StopRequested());
}

TEST(FormatDuration, HasHoursOnlyIfNeeded) {
  EXPECT_EQ(FormatDuration(0), "0:00");
  EXPECT_EQ(FormatDuration(61), "1:01");
  EXPECT_EQ(FormatDuration(3'723), "1:02:03");
}

TEST(FormatRate, OfNoTimeIsNothing) {
  EXPECT_EQ(FormatRate(10, 0), "0 B/s");
  EXPECT_EQ(FormatRate(kMiB, 500'000'000), "2.0 MiB/s");
}

}  // namespace
}  // namespace plumb::cli
