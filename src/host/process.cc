// SPDX-License-Identifier: MIT OR Apache-2.0
#include "host/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "host/posix_error_internal.h"
#include "host/terminal.h"

namespace plumb::host {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kSliceMs = 20;  // how long a program's end, or Ctrl-C, may go unnoticed

class Descriptor {
 public:
  Descriptor() = default;
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void Take(int number) { number_ = number; }
  void Close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }
  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// The two ends of one of the program's standard streams: sockets, because a write to a socket that
// nobody reads any more need not raise a signal.
struct Channel {
  Descriptor ours;
  Descriptor theirs;

  Status Open() {
    std::array<int, 2> ends = {};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
      return PosixError(errno, "cannot start", "a program");
    ours.Take(ends[0]);
    theirs.Take(ends[1]);
    return Done{};
  }
};

class SpawnSetup {
 public:
  SpawnSetup() {
    PLUMB_CHECK(::posix_spawn_file_actions_init(&actions_) == 0);
    PLUMB_CHECK(::posix_spawnattr_init(&attributes_) == 0);
    // Signals that we ignore would else be ignored by the program too.
    sigset_t defaults;
    ::sigemptyset(&defaults);
    for (const int number : {SIGPIPE, SIGXFSZ})
      ::sigaddset(&defaults, number);
    PLUMB_CHECK(::posix_spawnattr_setsigdefault(&attributes_, &defaults) == 0);
    PLUMB_CHECK(::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF) == 0);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  void Give(const Channel& channel, int stream) {
    PLUMB_CHECK(::posix_spawn_file_actions_adddup2(&actions_, channel.theirs.number(), stream) ==
                0);
  }
  // 0, or an errno.
  int Spawn(const std::vector<std::string>& command, pid_t& process) {
    std::vector<char*> words;
    words.reserve(command.size() + 1);
    for (const std::string& word : command)
      words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    return ::posix_spawnp(&process, words[0], &actions_, &attributes_, words.data(), environ);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// One program while it runs.
class Running {
 public:
  explicit Running(const ProcessRequest& request)
      : request_(request),
        input_left_(request.input),
        deadline_(SteadyClock::now() + std::chrono::milliseconds(request.timeout_ms)) {}
  // Nothing that was started is left behind.
  ~Running() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  Status Start() {
    SpawnSetup setup;
    const std::array<Channel*, 3> channels = {&input_, &output_, &errors_};
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
      Channel& channel = *channels[static_cast<std::size_t>(stream)];
      PLUMB_RETURN_IF_ERROR(channel.Open());
      setup.Give(channel, stream);
    }
    const int problem = setup.Spawn(request_.command, process_);
    for (Channel* channel : channels)
      channel->theirs.Close();
    if (problem == 0) return Done{};
    process_ = 0;
    return PosixError(problem, "cannot run", request_.command[0]);
  }

  Result<ProcessResult> Finish() {
    while (true) {
      if (StopRequested()) return Error{ErrorKind::kInterrupted, "stopped on request"};
      PLUMB_TRY(const bool has_ended, HasEnded());
      PLUMB_RETURN_IF_ERROR(Move(has_ended ? 0 : kSliceMs));
      if (has_ended) break;
      if (SteadyClock::now() >= deadline_)
        return Error{ErrorKind::kUnavailable, Name() + " does not come to an end"};
    }
    if (WIFEXITED(status_)) {
      result_.exit_code = WEXITSTATUS(status_);
      return std::move(result_);
    }
    return Error{ErrorKind::kUnavailable,
                 Name() + " was ended by signal " + std::to_string(WTERMSIG(status_))};
  }

 private:
  std::string Name() const { return "'" + Printable(request_.command[0]) + "'"; }

  Result<bool> HasEnded() {
    const pid_t ended = ::waitpid(process_, &status_, WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR)) return false;
    if (ended < 0) return PosixError(errno, "cannot wait for", request_.command[0]);
    process_ = 0;
    return true;
  }

  // Moves what can be moved until the program falls silent for so long.
  Status Move(int silence_ms) {
    while (true) {
      if (input_left_.empty()) input_.ours.Close();
      std::array<pollfd, 3> waits = {{{input_.ours.number(), POLLOUT, 0},
                                      {output_.ours.number(), POLLIN, 0},
                                      {errors_.ours.number(), POLLIN, 0}}};
      if (!output_.ours.is_open() && !errors_.ours.is_open()) {
        // It has nothing more to say, but has not ended yet.
        ::poll(nullptr, 0, silence_ms);
        return Done{};
      }
      if (::poll(waits.data(), waits.size(), silence_ms) <= 0) return Done{};
      if (waits[0].revents != 0) Give();
      if (waits[1].revents != 0) {
        PLUMB_TRY(const std::string_view text, Receive(output_));
        result_.output += text;
        if (result_.output.size() > request_.output_size_max)
          return Error{
              ErrorKind::kExhausted,
              Name() + " says more than " + std::to_string(request_.output_size_max) + " bytes"};
      }
      if (waits[2].revents != 0) {
        PLUMB_TRY(const std::string_view text, Receive(errors_));
        result_.errors += text.substr(0, request_.output_size_max - result_.errors.size());
      }
      if (StopRequested() || SteadyClock::now() >= deadline_) return Done{};
    }
  }

  void Give() {
    const ssize_t sent = ::send(input_.ours.number(), input_left_.data(), input_left_.size(),
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      input_left_.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EINTR && errno != EAGAIN) {
      input_left_ = {};  // it does not read it: its own affair
    }
  }

  // Empty, and the channel closed, at the end.
  Result<std::string_view> Receive(Channel& channel) {
    const ssize_t got = ::recv(channel.ours.number(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got > 0) return std::string_view(buffer_.data(), static_cast<std::size_t>(got));
    const int problem = got < 0 ? errno : 0;
    if (problem == EINTR || problem == EAGAIN) return std::string_view();
    channel.ours.Close();
    if (problem == 0 || problem == ECONNRESET) return std::string_view();
    return PosixError(problem, "cannot read from", request_.command[0]);
  }

  const ProcessRequest& request_;
  std::string_view input_left_;
  const SteadyClock::time_point deadline_;
  Channel input_;
  Channel output_;
  Channel errors_;
  pid_t process_ = 0;
  int status_ = 0;
  ProcessResult result_;
  std::array<char, 16384> buffer_ = {};
};

class SystemProcesses final : public Processes {
 public:
  Result<ProcessResult> Run(const ProcessRequest& request) override {
    PLUMB_CHECK(!request.command.empty());
    Running running(request);
    PLUMB_RETURN_IF_ERROR(running.Start());
    return running.Finish();
  }
};

}  // namespace

std::unique_ptr<Processes> MakeProcesses() { return std::make_unique<SystemProcesses>(); }

}  // namespace plumb::host
