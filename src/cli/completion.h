// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CLI_COMPLETION_H_
#define PLUMB_CLI_COMPLETION_H_

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/command.h"

namespace plumb::cli {

// The script that teaches a shell ("bash", "zsh" or "fish") the verbs, their flags and what may
// stand behind them. References are asked of `plumb list` when they are wanted. kInvalid for
// another shell.
Result<std::string> CompletionScript(std::string_view shell, const Commands& commands);

}  // namespace plumb::cli

#endif  // PLUMB_CLI_COMPLETION_H_
