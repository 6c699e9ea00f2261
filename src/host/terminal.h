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
  // Writes all of it at once. A reader that went away (EPIPE) is kUnavailable.
  virtual Status Write(Stream stream, std::string_view text) = 0;
  // Everything on standard input, at most `size_max` bytes.
  virtual Result<std::string> ReadInput(std::size_t size_max) = 0;
  // One line typed without echo. kInvalid if standard input is no terminal.
  virtual Result<std::string> ReadSecret(std::string_view prompt) = 0;
};

std::unique_ptr<Terminal> MakeTerminal();

// From now on the first SIGINT, SIGTERM or SIGHUP only makes StopRequested() true, and a
// second one ends the process at once with exit code 130. SIGPIPE is ignored.
void CatchStopSignals();
bool StopRequested();

}  // namespace plumb::host

#endif  // PLUMB_HOST_TERMINAL_H_
