// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_PACK_STORE_H_
#define PLUMB_STORE_PACK_STORE_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "host/files.h"
#include "host/machine.h"

// Where packs lie. Nothing here knows what is in them (docs/format.md, "Packs"), and nothing
// asks for what a bucket cannot do: no rename, no change after the end, no append.
namespace plumb::store {

struct PackName {
  std::array<std::byte, 16> bytes = {};

  friend auto operator<=>(const PackName&, const PackName&) = default;
  std::string ToString() const;
};

// A pack that is being written. One that is dropped without Finish() leaves nothing.
// Threads: one at a time.
class PackWriter {
 public:
  virtual ~PackWriter() = default;

  virtual const PackName& name() const = 0;
  // Appends the parts, one behind the other.
  virtual Status Append(std::span<const ByteSpan> parts) = 0;
  // On return content and name are durable. Call once; after a failure the pack is gone.
  virtual Status Finish() = 0;
};

enum class PackKind : std::uint8_t {
  kFrames,
  kAdopted,  // a file of somebody else's, without frames: docs/format.md, "Adopted files"
};

// Threads: any number at once.
class PackReader {
 public:
  virtual ~PackReader() = default;

  virtual PackKind kind() const = 0;
  virtual Result<std::uint64_t> Size() = 0;
  // Whether its bytes stay on the disk when it is removed, because somebody else has them by
  // another name. (A reflink counts as not shared: nobody tells.)
  virtual Result<bool> IsShared() = 0;
  // Fills all of `buffer`; kCorrupt if the pack ends before.
  virtual Status ReadAt(std::uint64_t offset, MutableByteSpan buffer) = 0;
};

// Promises, checked by tests/conformance/pack_store_suite.h on every implementation:
//   - A finished pack is there, whole, until Remove, whatever crashes.
//   - An unfinished one is never opened or listed by anybody who asks after a restart, or it
//     is without its end: who reads packs must not trust that they are whole.
// Threads: any number at once, of any number of processes.
class PackStore {
 public:
  virtual ~PackStore() = default;

  // Under a new random name.
  virtual Result<std::unique_ptr<PackWriter>> Create() = 0;
  // Also of a pack that nobody finished: what was appended to it until now is durable on return.
  virtual Status MakeDurable(const PackName& name) = 0;
  // kNotFound if there is none of that name.
  virtual Result<std::unique_ptr<PackReader>> Open(const PackName& name) = 0;
  // Of every kind; sorted. May be slow.
  virtual Result<std::vector<PackName>> List() = 0;
  // Done also if it is not there.
  virtual Status Remove(const PackName& name) = 0;
};

// Under which name an adopted file lies among the packs. It is opened, listed and removed as they
// are, and made by an Adopter.
std::string AdoptedFileName(const PackName& name);

// Packs as files NAME.pack in `directory`. Both arguments must outlive it.
std::unique_ptr<PackStore> MakeFilePackStore(host::Directory& directory, host::Entropy& entropy);

}  // namespace plumb::store

#endif  // PLUMB_STORE_PACK_STORE_H_
