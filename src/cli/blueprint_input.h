// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CLI_BLUEPRINT_INPUT_H_
#define PLUMB_CLI_BLUEPRINT_INPUT_H_

#include <string>

#include "base/result.h"
#include "host/terminal.h"
#include "verbs/blueprint_file.h"

namespace plumb::cli {

// What a person wrote for a blueprint; for "-" standard input is read.
inline Result<verbs::BlueprintChoice> ChooseBlueprint(const std::string& file,
                                                      host::Terminal& terminal) {
  constexpr std::size_t kSizeMax = std::size_t{16} << 20;
  verbs::BlueprintChoice choice;
  choice.file = file;
  if (file == "-") {
    PLUMB_TRY(choice.input, terminal.ReadInput(kSizeMax));
  }
  return choice;
}

}  // namespace plumb::cli

#endif  // PLUMB_CLI_BLUEPRINT_INPUT_H_
