// SPDX-License-Identifier: MIT OR Apache-2.0
#include "host/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace plumb::host {
namespace {

using testing::HasSubstr;

class ProcessTest : public testing::Test {
 protected:
  Result<ProcessResult> Shell(const std::string& script, const std::string& input = "") {
    ProcessRequest request;
    request.command = {"sh", "-c", script};
    request.input = input;
    request.timeout_ms = timeout_ms_;
    return processes_->Run(request);
  }

  std::unique_ptr<Processes> processes_ = MakeProcesses();
  std::uint64_t timeout_ms_ = 60'000;
};

TEST_F(ProcessTest, InputGoesInAndBothOutputsComeOut) {
  const auto result = Shell("tr a-z A-Z; echo wrong >&2; exit 3", "some words");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->output, "SOME WORDS");
  EXPECT_EQ(result->errors, "wrong\n");
  EXPECT_EQ(result->exit_code, 3);
}

TEST_F(ProcessTest, ArgumentsAreNoShellsLine) {
  const auto result = processes_->Run({{"printf", "%s|", "a b", "$HOME", ";exit 1", ""}});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, "a b|$HOME|;exit 1||");
}

TEST_F(ProcessTest, MuchInputAndOutputDoNotWaitForEachOther) {
  ProcessRequest request;
  request.command = {"cat"};
  request.input = std::string(std::size_t{3} << 20, 'x');
  request.output_size_max = std::size_t{3} << 20;
  const auto result = processes_->Run(request);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->output, request.input);
}

TEST_F(ProcessTest, AProgramNeedNotReadItsInput) {
  const auto result = Shell("exec 0<&-; echo done", std::string(std::size_t{3} << 20, 'x'));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->output, "done\n");
}

TEST_F(ProcessTest, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(processes_->Run({{"no-program-of-this-name"}}).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(processes_->Run({{"/no/program"}}).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(processes_->Run({{"/etc/passwd"}}).error().kind, ErrorKind::kDenied);
}

TEST_F(ProcessTest, OutputWithoutEndIsCut) {
  const auto result = Shell("yes");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kExhausted);
  const auto errors = Shell("head -c 1000000 /dev/zero >&2");
  ASSERT_TRUE(errors);
  EXPECT_EQ(errors->errors.size(), std::size_t{64} << 10);
}

TEST_F(ProcessTest, WhoDoesNotEndIsEnded) {
  timeout_ms_ = 50;
  for (const char* script :
       {"sleep 600", "exec sleep 600 >&- 2>&-", "while :; do echo; sleep 0.01; done"}) {
    const auto result = Shell(script);
    ASSERT_FALSE(result) << script;
    EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable) << script;
  }
}

// As gpg-agent and the like, which a helper may start.
TEST_F(ProcessTest, WhomItLeftBehindIsNotWaitedFor) {
  const auto result = Shell("sleep 600 & echo $!");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(
      processes_->Run({{"kill", std::string(result->output, 0, result->output.find('\n'))}}));
}

TEST_F(ProcessTest, ASignalIsNoExitCode) {
  const auto result = Shell("kill -9 $$");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(result.error().message, HasSubstr("signal 9"));
}

}  // namespace
}  // namespace plumb::host
