// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_LAYER_WRITER_INTERNAL_H_
#define PLUMB_KIT_LAYER_WRITER_INTERNAL_H_

#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "kit/plan_internal.h"
#include "store/store.h"

namespace plumb::kit {

struct WrittenLayer {
  store::BlobInfo blob;
  Digest diff_id;
  // Whether the files' states were the same before and after, to the last bit: then the
  // layer may be remembered by them.
  bool states_were_equal = true;
  // Those in its archive, if that was read now and they were to be listed.
  bool is_listed = false;
  std::vector<store::FileOfLayer> files = {};
};

// Streams one layer into the store. kConflict if a file is not what the plan saw, or changes
// while it is read; kCorrupt if it is not what the options expect. Threads: any number at once, for
// different layers.
Result<WrittenLayer> WriteLayer(const PlannedLayer& layer, const BuildOptions& options,
                                store::Session& session, Progress& progress);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_LAYER_WRITER_INTERNAL_H_
