// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BASE_PARALLEL_H_
#define PLUMB_BASE_PARALLEL_H_

#include <cstddef>
#include <functional>

#include "base/result.h"

namespace plumb {

// Calls work(0) … work(count - 1), at most `threads` at a time (0 counts as 1), in rising
// order of start. After a failure no further call is started; those under way finish, and
// the failure of the lowest index is returned, so that the answer does not depend on timing
// more than it must. `work` is called from several threads.
Status RunParallel(unsigned threads, std::size_t count,
                   const std::function<Status(std::size_t)>& work);

}  // namespace plumb

#endif  // PLUMB_BASE_PARALLEL_H_
