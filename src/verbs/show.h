// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_SHOW_H_
#define PLUMB_VERBS_SHOW_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/object_id.h"
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

// How the store keeps a tensor.
struct TensorKept {
  std::optional<ObjectId>
      object;                // nothing: not by itself, as it is small, or in a compressed layer
  std::uint64_t stored = 0;  // bytes that the object takes
  std::vector<std::string> encodings;
};

struct TensorsReport {
  Digest kit;
  kit::Weights weights;                       // those of bases first
  std::vector<std::vector<TensorKept>> kept;  // of each file, each tensor
};

// Lists the tensors of a kit of this store and of the bases that it is built on. Warns of shards
// that are missing. kUnsupported if there are no weights in it that can be read.
Result<TensorsReport> ShowTensors(Workspace& workspace, const std::string& name,
                                  Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_SHOW_H_
