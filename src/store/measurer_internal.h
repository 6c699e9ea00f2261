// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_MEASURER_INTERNAL_H_
#define PLUMB_STORE_MEASURER_INTERNAL_H_

#include "base/progress.h"
#include "base/result.h"
#include "store/store_parts_internal.h"
#include "store/upkeep.h"

namespace plumb::store {

// What takes how much in a store. `store` reads what `parts` hold.
Result<MeasureReport> Measure(const StoreParts& parts, Store& store, const MeasureRequest& request,
                              Progress& progress);

}  // namespace plumb::store

#endif  // PLUMB_STORE_MEASURER_INTERNAL_H_
