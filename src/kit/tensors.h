// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_TENSORS_H_
#define PLUMB_KIT_TENSORS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "kit/modelkit.h"
#include "store/store.h"
#include "weights/tensor_file.h"
#include "weights/tensor_index.h"

namespace plumb::kit {

// A file of weights in a kit, and what its header says.
struct WeightsFile {
  std::string path;  // as `unpack` writes it
  weights::TensorFile header;
  // Where its bytes are in the store: in the blob of this layer from `blob_offset` on, so that a
  // tensor is bytes [blob_offset + offset, + size) of it. Nothing if the layer is compressed: then
  // the blob does not hold them as they are.
  Digest layer;
  std::optional<std::uint64_t> blob_offset;
};

// A file that says in which of the files beside it each tensor is.
struct WeightMapFile {
  std::string path;
  weights::WeightMap map;
};

struct Weights {
  std::vector<WeightsFile> files;
  std::vector<WeightMapFile> maps;
  std::vector<std::string> unread;  // paths of those that are called as weights are, and are none
};

// The safetensors and GGUF files among a kit's model and parts, and their indexes, in the order of
// its layers; bases are not looked at. Only headers are read, and what lies before them in a
// compressed layer. Of a file that is not what its name says, or is damaged, there is a warning.
// kCorrupt if a layer is missing, or an archive is damaged before the last header.
Result<Weights> ListWeights(store::Store& store, const ModelKit& modelkit, Progress& progress);

// Warns of shards that do not fit together. To be given those of a kit and of its bases: files of
// one may be shards of another's.
void WarnOfFaults(const Weights& weights, Progress& progress);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_TENSORS_H_
