// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BLUEPRINT_LOCK_FILE_H_
#define PLUMB_BLUEPRINT_LOCK_FILE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"

// What a build was made of (docs/format.md, "Lock file").
namespace plumb::blueprint {

// As a blueprint's: 20000 inputs with paths of hundreds of bytes.
inline constexpr std::size_t kLockFileSizeMax = std::size_t{16} << 20;
inline constexpr std::size_t kLockedBasesMax = 10;      // as deep as FROM may go
inline constexpr std::size_t kLockedInputsMax = 20000;  // as many layers as a manifest may have

// One thing that decides what comes out: how large it was, and what it was.
struct LockedContent {
  std::uint64_t size = 0;
  Digest digest;
  friend bool operator==(const LockedContent&, const LockedContent&) = default;
};

struct LockedItem {
  std::string name;  // of a base its reference, of an input its cleaned path
  LockedContent content;
  friend bool operator==(const LockedItem&, const LockedItem&) = default;
};

struct LockFile {
  LockedContent blueprint;
  std::vector<LockedItem> bases;   // nearest first
  std::vector<LockedItem> inputs;  // in the order of layers

  friend bool operator==(const LockFile&, const LockFile&) = default;

  // What each reference means, by the text of the reference.
  std::map<std::string, Digest> Pins() const;
};

// kInvalid, with "file: problem", for what is no lock file: also unknown keys, names that stand
// there twice, a base whose reference has another digest, a path that leads out of the context.
// kUnsupported: of another version. kExhausted: over a limit.
Result<LockFile> ParseLockFile(std::string_view bytes, std::string_view file);

// The same bytes for the same lock. ParseLockFile reads them back to an equal one.
std::string PrintLockFile(const LockFile& lock);

// What of a build is not as the lock says, a line for each; empty if nothing is.
std::vector<std::string> DifferencesFrom(const LockFile& lock, const LockFile& built);

}  // namespace plumb::blueprint

#endif  // PLUMB_BLUEPRINT_LOCK_FILE_H_
