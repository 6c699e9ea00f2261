// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_DOMAIN_MARKER_INTERNAL_H_
#define PLUMB_STORE_DOMAIN_MARKER_INTERNAL_H_

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "store/inventory_internal.h"

namespace plumb::store {

// Which kits stay though no tag names them: those that came, or were left, since then.
struct KeepRule {
  std::int64_t added_since_ns = 0;
  std::int64_t left_since_ns = 0;
};

// What a gc finds out of named domains, each by itself (docs/format.md, "Domains").
struct DomainMarks {
  std::vector<HeldKit> known;         // sorted
  std::vector<HoldingKey> kept_kits;  // sorted
  std::vector<HoldingKey> unneeded;   // that are not marked yet
  std::vector<HoldingKey> needed;     // that are
};
Result<DomainMarks> MarkDomains(const Inventory& inventory, NeedsCache& needs,
                                const KeepRule& rule);

}  // namespace plumb::store

#endif  // PLUMB_STORE_DOMAIN_MARKER_INTERNAL_H_
