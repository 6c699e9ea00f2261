// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_SHOW_H_
#define PLUMB_VERBS_SHOW_H_

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "verbs/blueprint_file.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

// How a Modelfile is read: strictly, losing nothing, or as Ollama reads it.
enum class ModelfileReading : std::uint8_t { kStrict, kCompatible };

struct ShowOptions {
  std::string kit = {};                                  // or
  BlueprintChoice blueprint = {};                        // which then is shown
  ModelfileReading reading = ModelfileReading::kStrict;  // kCompatible: and it is a Modelfile
};

struct ShowReport {
  std::string text;  // the blueprint in normal form, which parses back to the same
  Json json;  // {"kind":"modelfile","commands":[…],"text":…} or {"kind":"kitfile","kitfile":{…}}
};

// Shows a blueprint. Of kits nothing can be shown yet: kUnsupported.
Result<ShowReport> Show(Workspace& workspace, const ShowOptions& options);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_SHOW_H_
