// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_STORE_PARTS_INTERNAL_H_
#define PLUMB_STORE_STORE_PARTS_INTERNAL_H_

#include <cstdint>
#include <memory>
#include <string>

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
  std::unique_ptr<host::Directory> packs_directory;
  std::unique_ptr<host::Directory> leases_directory;
  std::unique_ptr<host::File> lock_file;
  std::unique_ptr<PackStore> packs;
  std::unique_ptr<KeptCatalog> catalog;
  std::unique_ptr<Leases> leases;
  std::unique_ptr<Reserve> reserve;
};

// Makes what is missing. Errors as of OpenStore.
Result<StoreParts> OpenStoreParts(host::Files& files, host::Entropy& entropy,
                                  const std::string& path);

// Whether who reads a blob takes a lease: not who keeps gc out already.
enum class ReaderLeases : std::uint8_t { kTake, kNone };

std::unique_ptr<Store> MakeStore(std::shared_ptr<const StoreParts> parts, host::Clock& clock,
                                 ReaderLeases reader_leases);

}  // namespace plumb::store

#endif  // PLUMB_STORE_STORE_PARTS_INTERNAL_H_
