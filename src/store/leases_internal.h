// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_LEASES_INTERNAL_H_
#define PLUMB_STORE_LEASES_INTERNAL_H_

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "host/files.h"
#include "host/machine.h"
#include "store/catalog_upkeep.h"

// Who is at work in the store: docs/format.md, "Leases".
namespace plumb::store {

// Says that somebody relies on what is in the store now. Ends with the process, however that
// ends, or when it is destroyed.
class Lease {
 public:
  Lease(host::Directory& directory, std::string name, std::unique_ptr<host::FileLock> lock)
      : directory_(directory), name_(std::move(name)), lock_(std::move(lock)) {}
  ~Lease() {
    // What cannot be removed now is removed by the next gc: it will find it unlocked.
    [[maybe_unused]] const Status removed = directory_.Remove(name_);
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

 private:
  host::Directory& directory_;
  const std::string name_;
  const std::unique_ptr<host::FileLock> lock_;
};

// The epoch of the oldest lease in `directory` that is held; nothing if none is. Removes those that
// are left of processes that ended.
Result<std::optional<Epoch>> OldestLease(host::Directory& directory);

// The leases of one store. Threads: any number at once, of any number of processes.
class Leases {
 public:
  // `directory` is that of the leases. Everything must outlive this and the leases.
  Leases(host::Directory& directory, host::Entropy& entropy, CatalogUpkeep& catalog)
      : directory_(directory), entropy_(entropy), catalog_(catalog) {}

  // On return everybody who looks for leases sees it. Nothing may be looked up before.
  Result<std::unique_ptr<Lease>> Take();

  Result<std::optional<Epoch>> Oldest() { return OldestLease(directory_); }

 private:
  Result<std::unique_ptr<Lease>> TryTake();

  host::Directory& directory_;
  host::Entropy& entropy_;
  CatalogUpkeep& catalog_;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_LEASES_INTERNAL_H_
