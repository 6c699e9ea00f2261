// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CLI_MAN_H_
#define PLUMB_CLI_MAN_H_

#include <string>

#include "cli/command.h"

namespace plumb::cli {

// The help as pages of the manual, in the language of man(7). They are the same on every day and
// machine. plumb(1), which tells of all verbs, and plumb-VERB(1).
std::string ManOverview();
std::string ManPage(Command& command);

}  // namespace plumb::cli

#endif  // PLUMB_CLI_MAN_H_
