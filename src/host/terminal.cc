// SPDX-License-Identifier: MIT OR Apache-2.0
#include "host/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <mutex>

#include "host/posix_error_internal.h"

namespace plumb::host {
namespace {

constexpr std::size_t kPieceSize = std::size_t{256} << 10;
constexpr unsigned kWidthUnknown = 80;
constexpr int kExitInterrupted = 130;

volatile std::sig_atomic_t stop_requested = 0;

void OnStopSignal(int /*number*/) {
  if (stop_requested != 0) ::_exit(kExitInterrupted);
  stop_requested = 1;
}

int DescriptorOf(Stream stream) {
  switch (stream) {
    case Stream::kInput:
      return STDIN_FILENO;
    case Stream::kOutput:
      return STDOUT_FILENO;
    case Stream::kErrors:
      break;
  }
  return STDERR_FILENO;
}

std::string_view NameOf(Stream stream) {
  return stream == Stream::kErrors ? "standard error" : "standard output";
}

// Typed letters stay invisible while this lives.
class EchoOff {
 public:
  EchoOff() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  ~EchoOff() {
    if (changed_) static_cast<void>(::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_));
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

 private:
  termios before_ = {};
  bool changed_ = false;
};

class SystemTerminal final : public Terminal {
 public:
  bool IsInteractive(Stream stream) override { return ::isatty(DescriptorOf(stream)) == 1; }

  unsigned Width() override {
    winsize size = {};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kWidthUnknown;
    return size.ws_col;
  }

  Status Write(Stream stream, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    while (!text.empty()) {
      const ssize_t put = ::write(DescriptorOf(stream), text.data(), text.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0 && errno == EPIPE) return Error{ErrorKind::kInterrupted, "the reader went away"};
      if (put < 0 && errno == EBADF) {
        return Error{ErrorKind::kInvalid, std::string(NameOf(stream)) + " is closed"};
      }
      if (put < 0) return PosixError(errno, "cannot write", NameOf(stream));
      text.remove_prefix(static_cast<std::size_t>(put));
    }
    return Done{};
  }

  Result<std::string> ReadInput(std::size_t size_max) override {
    std::string input;
    for (;;) {
      PLUMB_TRY(const std::string piece, ReadSome(kPieceSize));
      if (piece.empty()) return input;
      input += piece;
      if (input.size() > size_max) {
        return Error{ErrorKind::kExhausted,
                     "standard input is longer than " + std::to_string(size_max) + " bytes"};
      }
    }
  }

  Result<std::string> ReadSome(std::size_t size_max) override {
    std::string piece(std::min(size_max, kPieceSize), '\0');
    for (;;) {
      const ssize_t got = ::read(STDIN_FILENO, piece.data(), piece.size());
      if (got < 0 && errno == EINTR) {
        if (StopRequested()) return Error{ErrorKind::kInterrupted, "stopped on request"};
        continue;
      }
      if (got < 0) return PosixError(errno, "cannot read", "standard input");
      piece.resize(static_cast<std::size_t>(got));
      return piece;
    }
  }

  Result<std::string> ReadLine(std::string_view prompt) override {
    PLUMB_RETURN_IF_ERROR(CheckPerson());
    PLUMB_RETURN_IF_ERROR(Write(Stream::kErrors, prompt));
    return ReadAnswer();
  }

  Result<std::string> ReadSecret(std::string_view prompt) override {
    PLUMB_RETURN_IF_ERROR(CheckPerson());
    Result<std::string> line = [&]() -> Result<std::string> {
      // Before the prompt: nothing that is typed after it is shown, or dropped.
      const EchoOff echo_off;
      PLUMB_RETURN_IF_ERROR(Write(Stream::kErrors, prompt));
      return ReadAnswer();
    }();
    PLUMB_RETURN_IF_ERROR(Write(Stream::kErrors, "\n"));
    return line;
  }

 private:
  Status CheckPerson() {
    if (IsInteractive(Stream::kInput)) return Done{};
    return Error{ErrorKind::kInvalid, "standard input is not a terminal"};
  }

  static Result<std::string> ReadAnswer() {
    std::string line;
    for (char letter = 0;;) {
      const ssize_t got = ::read(STDIN_FILENO, &letter, 1);
      if (got < 0 && errno == EINTR && !StopRequested()) continue;
      if (got < 0) return Error{ErrorKind::kInterrupted, "stopped on request"};
      if (got == 0 || letter == '\n') return line;
      line += letter;
    }
  }

  std::mutex mutex_;
};

}  // namespace

std::unique_ptr<Terminal> MakeTerminal() { return std::make_unique<SystemTerminal>(); }

void CatchStopSignals() {
  struct sigaction action = {};
  action.sa_handler = OnStopSignal;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before = {};
    PLUMB_CHECK(::sigaction(number, &action, &before) == 0);
    // Under nohup a closed terminal is no reason to stop.
    const bool was_ignored = number == SIGHUP && before.sa_handler == SIG_IGN;
    if (was_ignored) PLUMB_CHECK(::sigaction(number, &before, nullptr) == 0);
  }
  action.sa_handler = SIG_IGN;
  for (const int number : {SIGPIPE, SIGXFSZ})
    PLUMB_CHECK(::sigaction(number, &action, nullptr) == 0);
}

bool StopRequested() { return stop_requested != 0; }

void OccupyStandardStreams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    // The lowest free number is taken, which is this stream's. For reading only, so that a
    // write to it fails as one to a closed stream does.
    if (::open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) return;
  }
}

}  // namespace plumb::host
