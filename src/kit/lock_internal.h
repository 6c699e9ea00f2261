// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_LOCK_INTERNAL_H_
#define PLUMB_KIT_LOCK_INTERNAL_H_

#include <vector>

#include "blueprint/lock_file.h"
#include "kit/build.h"
#include "kit/layer_writer_internal.h"
#include "kit/plan_internal.h"

namespace plumb::kit {

// What a build is made of; `written` has one for each layer of the plan.
Result<blueprint::LockFile> MakeLock(const BuildPlan& plan, const BlueprintText& blueprint,
                                     const std::vector<WrittenLayer>& written);

// kConflict, with what differs, if it is not what the lock says.
Status CheckLock(const blueprint::LockFile& lock, const blueprint::LockFile& built);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_LOCK_INTERNAL_H_
