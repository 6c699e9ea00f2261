// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_ADOPTER_H_
#define PLUMB_STORE_ADOPTER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "host/files.h"
#include "host/links.h"
#include "host/machine.h"

namespace plumb::store {

// Smaller files are not cut by themselves (docs/format.md, "Cuts").
inline constexpr std::uint64_t kAdoptedSizeMin = std::uint64_t{1} << 20;

enum class AdoptHow : std::uint8_t { kReflink, kHardLink };

// Lets a store use the bytes of files of this machine where they lie: a blob that holds such a file
// costs no space when it is written afterwards (docs/format.md, "Adopted files").
//
// Promise: what is read later is compared with its hash as everything is, so that a file that was
// changed since, by whom it belongs to as well, is kCorrupt and never returned.
// While it lives no gc lets go of what it adopted: it must outlive the build that needs that.
// Threads: one at a time.
class Adopter {
 public:
  virtual ~Adopter() = default;

  // How many bytes of the file will not be written any more; 0 if the store had them, or it is so
  // small that nothing is gained. Durable on return. kUnsupported if the file system cannot.
  virtual Result<std::uint64_t> Adopt(const std::string& path, AdoptHow how,
                                      Progress& progress) = 0;
};

// Of the store in `path`. A file is hashed by as many `threads`, each of which takes 4 MiB of
// memory. Errors as of OpenStore. Everything given must outlive it.
Result<std::unique_ptr<Adopter>> OpenAdopter(host::Files& files, host::Links& links,
                                             host::Entropy& entropy, const std::string& path,
                                             unsigned threads);

}  // namespace plumb::store

#endif  // PLUMB_STORE_ADOPTER_H_
