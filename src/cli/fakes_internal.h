// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CLI_FAKES_INTERNAL_H_
#define PLUMB_CLI_FAKES_INTERNAL_H_

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "host/http.h"
#include "host/machine.h"
#include "host/process.h"
#include "host/terminal.h"

// A terminal and a machine without a person, for the tests of this room.
namespace plumb::cli {

class FakeTerminal final : public host::Terminal {
 public:
  bool IsInteractive(host::Stream /*stream*/) override { return interactive; }
  unsigned Width() override { return 80; }
  Status Write(host::Stream stream, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    if (reader_gone && stream == host::Stream::kOutput) {
      return Error{ErrorKind::kInterrupted, "the reader went away"};
    }
    (stream == host::Stream::kOutput ? output : errors) += text;
    return Done{};
  }
  Result<std::string> ReadInput(std::size_t /*size_max*/) override { return input; }
  Result<std::string> ReadSome(std::size_t size_max) override {
    std::string piece = input.substr(0, size_max);
    input.erase(0, piece.size());
    return piece;
  }
  Result<std::string> ReadSecret(std::string_view prompt) override {
    errors += prompt;
    return input;
  }

  Result<std::string> ReadLine(std::string_view prompt) override {
    errors += prompt;
    return input;
  }

  bool interactive = false;
  bool reader_gone = false;
  std::string input;
  std::string output;
  std::string errors;

 private:
  std::mutex mutex_;
};

class FakeClock final : public host::Clock {
 public:
  std::int64_t NowNs() override { return now_ns; }
  std::int64_t MonotonicNs() override { return now_ns; }
  void SleepMs(std::uint64_t duration_ms) override {
    PassMs(static_cast<std::int64_t>(duration_ms));
  }
  void PassMs(std::int64_t duration_ms) { now_ns += duration_ms * 1'000'000; }

  std::int64_t now_ns = 1'000'000'000;
};

class FakeEnvironment final : public host::Environment {
 public:
  std::optional<std::string> Get(const std::string& name) override {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  }
  Result<std::string> HomeDirectory() override { return std::string("/nowhere"); }
  std::string WorkingDirectory() override { return "/"; }
  unsigned ProcessorCount() override { return 2; }

  std::map<std::string, std::string> variables;
};

// Says of every request that it must not have been made.
class NoHttp final : public host::Http {
 public:
  Result<host::HttpResponse> Send(const host::HttpRequest& /*request*/,
                                  const std::function<bool()>& /*stop*/) override {
    return Error{ErrorKind::kDenied, "a test reached for the network"};
  }
};

// Says of every program that it must not have been run.
class NoProcesses final : public host::Processes {
 public:
  Result<host::ProcessResult> Run(const host::ProcessRequest& /*request*/) override {
    return Error{ErrorKind::kDenied, "a test ran a program"};
  }
};

}  // namespace plumb::cli

#endif  // PLUMB_CLI_FAKES_INTERNAL_H_
