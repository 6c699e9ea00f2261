// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_SHOW_H_
#define PLUMB_VERBS_SHOW_H_

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "kit/tensors.h"
#include "verbs/blueprint_file.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

// How a Modelfile is read: strictly, losing nothing, or as Ollama reads it.
enum class ModelfileReading : std::uint8_t { kStrict, kCompatible };

struct ShowOptions {
  BlueprintChoice blueprint = {};
  ModelfileReading reading = ModelfileReading::kStrict;  // kCompatible: and it is a Modelfile
};

struct ShowReport {
  std::string text;  // the blueprint in normal form, which parses back to the same
  Json json;  // {"kind":"modelfile","commands":[…],"text":…} or {"kind":"kitfile","kitfile":{…}}
};

// Shows a blueprint.
Result<ShowReport> Show(Workspace& workspace, const ShowOptions& options);

struct TensorsReport {
  Digest kit;
  kit::Weights weights;  // those of bases first
};

// Lists the tensors of a kit of this store and of the bases that it is built on. Warns of shards
// that are missing. kUnsupported if there are no weights in it that can be read.
Result<TensorsReport> ShowTensors(Workspace& workspace, const std::string& name,
                                  Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_SHOW_H_
