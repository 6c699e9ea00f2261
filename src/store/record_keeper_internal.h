// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_RECORD_KEEPER_INTERNAL_H_
#define PLUMB_STORE_RECORD_KEEPER_INTERNAL_H_

#include "base/result.h"
#include "store/store_parts_internal.h"

namespace plumb::store {

// Writes anew what the catalog says of kits and of moves of refs and no pack that it names says any
// more, because that was damaged or is gone: from packs alone the catalog can be made again. To be
// called under gc.lock, exclusively.
Status KeepRecords(const StoreParts& parts);

}  // namespace plumb::store

#endif  // PLUMB_STORE_RECORD_KEEPER_INTERNAL_H_
