// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_NEEDS_H_
#define PLUMB_KIT_NEEDS_H_

#include "base/result.h"
#include "crypto/digest.h"
#include "store/store.h"
#include "store/upkeep.h"

namespace plumb::kit {

// What the ModelKit `id` needs: its config, its layers, and the base that its model's path names by
// digest (one that is named by a tag alone is kept by that tag). kCorrupt if it cannot be read,
// also if it is not there.
Result<store::KitNeeds> NeedsOf(store::Store& store, const Digest& id);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_NEEDS_H_
