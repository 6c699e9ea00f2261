// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_SQLITE_DOMAINS_INTERNAL_H_
#define PLUMB_STORE_SQLITE_DOMAINS_INTERNAL_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/result.h"
#include "store/catalog_upkeep.h"
#include "store/sqlite_internal.h"

// What named domains see (docs/format.md, "Domains"). A catalog has no tables for that before
// anything was added in one. Within a transaction of the caller where it writes.
namespace plumb::store {

// The number of the device's domain, which has rows only beside those of others.
inline constexpr std::uint64_t kDeviceNumber = 0;

Result<std::uint64_t> SchemaVersionOf(SqliteConnection& connection);
Result<bool> HasDomains(SqliteConnection& connection);
Status MakeDomains(SqliteConnection& connection);

// Nothing if nothing is there that was added in it.
Result<std::optional<std::uint64_t>> FindDomain(SqliteConnection& connection, const Domain& domain);
Result<std::uint64_t> AddDomain(SqliteConnection& connection, const Domain& domain);

// Whether the domain sees it, and may rely on that; nothing if it does not. The device sees all.
Result<std::optional<Standing>> StandingIn(SqliteConnection& connection, const Domain& domain,
                                           HoldingKind kind, ByteSpan name);

Result<std::optional<Digest>> FindRefIn(SqliteConnection& connection, const Domain& domain,
                                        const RefName& name);

// Under what a named domain's memory of a layer is filed.
LayerKey KeyIn(const Domain& domain, const LayerKey& key);
// The BLAKE3 of all that is remembered of a layer: unlike blobs, nothing else tells whether it is
// so.
ObjectId HashOfMemory(const LayerKey& key, const LayerRecord& record);

Status VisitHoldings(SqliteConnection& connection,
                     const std::function<Status(const Holding&)>& visit);
Status MarkHoldings(SqliteConnection& connection, const MarkRequest& request, Epoch epoch);
// kConflict if there is a kit in a domain that a gc did not see, or that should go and has a ref.
Status CheckHeldKits(SqliteConnection& connection, const MarkRequest& request);
Status CheckHeldKits(SqliteConnection& connection, const UpkeepChange& change);
// What is unneeded since then goes, and what is of rows that went.
Status CollectHoldings(SqliteConnection& connection, Epoch up_to);
// Statements whose rows are problems.
std::vector<std::string_view> ProblemsOfDomains();

}  // namespace plumb::store

#endif  // PLUMB_STORE_SQLITE_DOMAINS_INTERNAL_H_
