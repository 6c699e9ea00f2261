// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_BLUEPRINT_FILE_H_
#define PLUMB_VERBS_BLUEPRINT_FILE_H_

#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "host/files.h"
#include "kit/build.h"

namespace plumb::verbs {

// Which blueprint a person means.
struct BlueprintChoice {
  // Empty: look for one. "-": `input`. Else a path, looked for in the directory first (as
  // kit does) and then in the working directory.
  std::string file = {};
  std::string input = {};  // what stood on standard input
};

// Finds the blueprint of a directory and reads it: Kitfile, kitfile, .kitfile, then
// Modelfile. Says so (Note) if a Modelfile lies beside a Kitfile that is taken. kNotFound,
// kDenied, kExhausted over 16 MiB.
Result<kit::BlueprintText> FindBlueprint(host::Files& files, const std::string& directory,
                                         const BlueprintChoice& choice, Progress& progress);

// A blueprint by itself, which no directory belongs to.
Result<kit::BlueprintText> ReadBlueprint(host::Files& files, const BlueprintChoice& choice);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_BLUEPRINT_FILE_H_
