// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_STORE_PARTS_INTERNAL_H_
#define PLUMB_STORE_STORE_PARTS_INTERNAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "host/files.h"
#include "host/machine.h"
#include "store/catalog_upkeep.h"
#include "store/leases_internal.h"
#include "store/pack_store.h"
#include "store/reserve_internal.h"
#include "store/store.h"

namespace plumb::store {

// What a store in a directory is made of. Later members use earlier ones.
struct StoreParts {
  std::unique_ptr<host::Directory> directory;
  std::unique_ptr<host::File> format_file;
  std::unique_ptr<host::FileLock> open_lock;  // on it: docs/format.md, "Making the catalog again"
  std::unique_ptr<host::Directory> packs_directory;
  std::unique_ptr<host::Directory> leases_directory;
  std::unique_ptr<host::File> lock_file;
  std::unique_ptr<PackStore> packs;
  std::unique_ptr<KeptCatalog> catalog;
  std::unique_ptr<Leases> leases;
  std::unique_ptr<Reserve> reserve;
};

inline constexpr std::string_view kCatalogFile = "catalog.sqlite";

// Makes what is missing, but no catalog, leases and reserve. The lock is taken within `timeout_ms`:
// shared by who opens the store, exclusive by who makes its catalog again (else kUnavailable).
struct OpenLock {
  host::LockKind kind;
  std::uint64_t timeout_ms;
};
Result<StoreParts> OpenStoreFiles(host::Files& files, host::Entropy& entropy,
                                  const std::string& path, const OpenLock& lock);

// Makes what is missing. Errors as of OpenStore.
Result<StoreParts> OpenStoreParts(host::Files& files, host::Entropy& entropy,
                                  const std::string& path);

// Whether who reads a blob takes a lease: not who keeps gc out already.
enum class ReaderLeases : std::uint8_t { kTake, kNone };

std::unique_ptr<Store> MakeStore(std::shared_ptr<const StoreParts> parts, host::Clock& clock,
                                 ReaderLeases reader_leases,
                                 const Domain& domain = Domain::Device());

}  // namespace plumb::store

#endif  // PLUMB_STORE_STORE_PARTS_INTERNAL_H_
