// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_HOST_TERMINAL_H_
#define PLUMB_HOST_TERMINAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/streams.h"

namespace plumb::host {

enum class Stream : std::uint8_t { kInput, kOutput, kErrors };

// The three standard streams and the person behind them. Threads: Write from any.
class Terminal {
 public:
  virtual ~Terminal() = default;

  virtual bool IsInteractive(Stream stream) = 0;
  // Columns of the window behind kErrors; 80 if nobody knows.
  virtual unsigned Width() = 0;
  // Writes all of it at once. A reader that went away (EPIPE) is kInterrupted.
  virtual Status Write(Stream stream, std::string_view text) = 0;
  // Everything on standard input, at most `size_max` bytes.
  virtual Result<std::string> ReadInput(std::size_t size_max) = 0;
  // The next bytes of standard input, at most `size_max`; none at its end.
  virtual Result<std::string> ReadSome(std::size_t size_max) = 0;
  // One line that a person types. kInvalid if standard input is no terminal.
  virtual Result<std::string> ReadLine(std::string_view prompt) = 0;
  // One line typed without echo. kInvalid if standard input is no terminal.
  virtual Result<std::string> ReadSecret(std::string_view prompt) = 0;
};

std::unique_ptr<Terminal> MakeTerminal();

// From now on the first SIGINT, SIGTERM or SIGHUP (unless the parent ignores that) only makes
// StopRequested() true, and a second one ends the process at once with exit code 130. SIGPIPE and
// SIGXFSZ are ignored: the call that meets a closed pipe or a limit on file sizes fails instead.
void CatchStopSignals();
bool StopRequested();

// Call before any file is opened: a standard stream that was closed by the parent would else
// lend its number to that file, and what is said there would be written into it. Afterwards
// reading such a stream ends at once, and writing to it fails.
void OccupyStandardStreams();

}  // namespace plumb::host

#endif  // PLUMB_HOST_TERMINAL_H_
