// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_RESERVE_INTERNAL_H_
#define PLUMB_STORE_RESERVE_INTERNAL_H_

#include "base/result.h"
#include "host/files.h"
#include "host/machine.h"

// Room that is kept for the day when the disk is full: docs/format.md, "Reserve".
namespace plumb::store {

// Threads: any number at once, of any number of processes.
class Reserve {
 public:
  // `directory` is the store's. Both must outlive it.
  Reserve(host::Directory& directory, host::Entropy& entropy)
      : directory_(directory), entropy_(entropy) {}

  // Makes it as long as it should be, or as long as there is room for.
  void Fill();

  // Gives the room back; whether there was any.
  Result<bool> GiveBack();

 private:
  Status Lengthen(host::File& file, std::uint64_t size, std::uint64_t wanted);

  host::Directory& directory_;
  host::Entropy& entropy_;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_RESERVE_INTERNAL_H_
