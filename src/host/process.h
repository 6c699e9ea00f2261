// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_HOST_PROCESS_H_
#define PLUMB_HOST_PROCESS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

// Other programs of this machine.
namespace plumb::host {

struct ProcessRequest {
  // The program, looked for along $PATH unless there is a '/' in its name, and its arguments; never
  // a shell's line.
  std::vector<std::string> command;
  std::string input = {};  // all of its standard input
  std::size_t output_size_max = std::size_t{64} << 10;
  std::uint64_t timeout_ms = 60'000;
};

struct ProcessResult {
  int exit_code = 0;
  std::string output;
  std::string errors;  // at most `output_size_max` bytes; what is more is dropped
};

// Runs programs that answer a question.
// Trust: what comes back is another program's, and as long as the request allows.
// Threads: any number at once.
class Processes {
 public:
  virtual ~Processes() = default;

  // Waits for the program's end, and for no other that it may have left behind. Any exit code is a
  // success here. No such program: kNotFound; one that must not be run: kDenied. Output over the
  // limit: kExhausted. Not ended in time, or ended by a signal: kUnavailable. A stop signal to us
  // (terminal.h): kInterrupted. Where it fails, the program is killed.
  virtual Result<ProcessResult> Run(const ProcessRequest& request) = 0;
};

std::unique_ptr<Processes> MakeProcesses();

}  // namespace plumb::host

#endif  // PLUMB_HOST_PROCESS_H_
