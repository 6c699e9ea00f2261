// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_MEASURER_INTERNAL_H_
#define PLUMB_STORE_MEASURER_INTERNAL_H_

#include <cstdint>

#include "base/progress.h"
#include "base/result.h"
#include "store/store_parts_internal.h"
#include "store/upkeep.h"

namespace plumb::store {

struct Measured {
  const StoreParts& parts;
  Store& store;  // reads what `parts` hold
  std::int64_t now_ns = 0;
};

// What takes how much in a store.
Result<MeasureReport> Measure(const Measured& measured, const MeasureRequest& request,
                              Progress& progress);

}  // namespace plumb::store

#endif  // PLUMB_STORE_MEASURER_INTERNAL_H_
