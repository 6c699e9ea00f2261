// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CLI_PROGRESS_H_
#define PLUMB_CLI_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "base/progress.h"
#include "host/machine.h"
#include "host/terminal.h"

namespace plumb::cli {

enum class ProgressStyle : std::uint8_t {
  kNone,
  kPlain,  // a line where work lasts over a second, and one at its end
  kBars,   // for a terminal: a line for each piece of work, drawn again and again
};

enum class Talk : std::uint8_t {
  kQuiet,    // warnings
  kNormal,   // and notes
  kVerbose,  // and a line for each piece of work, however short
  kJson,     // warnings, each as {"kind":"warning","message","hint"}
};

struct ProgressOptions {
  ProgressStyle style = ProgressStyle::kNone;
  Talk talk = Talk::kNormal;
  std::function<bool()> stop_requested;
};

// Shows progress, warnings and notes on standard error. Bars are drawn at most ten times a
// second and are gone once their work has ended; what is written while they stand appears
// above them. Both must outlive the result, and the result what it begins.
std::unique_ptr<Progress> MakeProgress(host::Terminal& terminal, host::Clock& clock,
                                       ProgressOptions options);

// "1.0 GiB/s", "0:09", "1:02:03": for tests.
std::string FormatRate(std::uint64_t bytes, std::int64_t elapsed_ns);
std::string FormatDuration(std::uint64_t seconds);

}  // namespace plumb::cli

#endif  // PLUMB_CLI_PROGRESS_H_
