// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CLI_ARGS_H_
#define PLUMB_CLI_ARGS_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"

namespace plumb::cli {

// What may be written with every verb, before it or behind it.
struct GlobalOptions {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool help = false;
  unsigned threads = 0;  // 0: nobody said
  std::string progress = "auto";
};
std::vector<Flag> GlobalFlags(GlobalOptions& options);

// Reads `words`, the arguments without the program's name, into `options` and into the command
// they name, which is returned; null if they name none. kInvalid for all that is not understood,
// with the nearest word that is; then `options` may be filled in part. With --help nothing is
// missed that a verb would need.
Result<Command*> ReadArguments(const std::vector<std::string>& words, const Commands& commands,
                               GlobalOptions& options);

}  // namespace plumb::cli

#endif  // PLUMB_CLI_ARGS_H_
