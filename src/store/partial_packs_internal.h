// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_PARTIAL_PACKS_INTERNAL_H_
#define PLUMB_STORE_PARTIAL_PACKS_INTERNAL_H_

#include <cstdint>
#include <set>
#include <string_view>

#include "base/result.h"
#include "host/files.h"
#include "store/pack_store.h"

namespace plumb::store {

// Whatever in `text` looks like the name of a pack: 32 lower-case hexadecimal digits, and neither a
// digit nor a letter beside them.
std::set<PackName> PackNamesIn(std::string_view text);

// The packs that are named in files of partial/ which were written after `since_ns`: those of
// transfers that were stopped and may go on. `directory` is the store's.
Result<std::set<PackName>> PartialPacks(host::Directory& directory, std::int64_t since_ns);

// The other files of partial/ go, but those that somebody holds. Best effort: what stays is a hint
// that nobody asks for.
void RemoveOldPartials(host::Directory& directory, std::int64_t since_ns);

}  // namespace plumb::store

#endif  // PLUMB_STORE_PARTIAL_PACKS_INTERNAL_H_
