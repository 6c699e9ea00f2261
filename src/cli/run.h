// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CLI_RUN_H_
#define PLUMB_CLI_RUN_H_

#include <string>
#include <vector>

#include "host/terminal.h"
#include "verbs/workspace.h"

namespace plumb::cli {

// The whole program: does what `words`, the arguments without the program's name, ask for, and
// returns the exit code. The answer goes to standard output, all talk to standard error. If
// nobody reads the answer any more it ends quietly, with 0.
int Run(const verbs::Machine& machine, host::Terminal& terminal,
        const std::vector<std::string>& words);

}  // namespace plumb::cli

#endif  // PLUMB_CLI_RUN_H_
