// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_FULL_DISK_H_
#define PLUMB_VERBS_FULL_DISK_H_

#include "base/result.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

// Where a disk was full, and it is that of the store, says how the store may become smaller.
Error WithSpaceHint(const Workspace& workspace, Error error);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_FULL_DISK_H_
