// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_TARGET_NAMES_INTERNAL_H_
#define PLUMB_KIT_TARGET_NAMES_INTERNAL_H_

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "archive/tar_writer.h"
#include "base/result.h"
#include "host/files.h"
#include "kit/modelkit.h"
#include "kit/unpack.h"

namespace plumb::kit {

// The most that one unpacking makes: files and directories, and bytes of their names.
inline constexpr std::size_t kTargetNameCountMax = std::size_t{1} << 20;
inline constexpr std::size_t kTargetNameBytesMax = std::size_t{64} << 20;

// Where an entry of a layer goes, relative to the target. kDenied for a name that is not safe, and
// for one that is neither at or beneath the path of the layer's entry in the Kitfile nor a
// directory above it.
Result<std::string> PlaceOf(const archive::TarEntry& entry, const PackedEntry& layer);

// Every name that an unpacking is going to make, looked at before the first is made.
//
// kDenied: a name that comes twice, as a file and a directory, or that some file system takes
// for another; a symlink where a directory is needed. kConflict: a file that is there already
// (unless those may be), or something else in the way. kExhausted: too many.
// Threads: any number at once.
class TargetNames {
 public:
  // `target` must outlive this.
  TargetNames(host::Directory& target, Existing existing) : target_(target), existing_(existing) {}

  // With the directories above them. Places are as PlaceOf gives them.
  Status AddFile(const std::string& place);
  Status AddDirectory(const std::string& place);

  bool Holds(const std::string& place) const;

 private:
  enum class Kind : std::uint8_t { kFile, kDirectory };
  struct Name {
    std::string place;
    Kind kind = Kind::kFile;
  };

  // Whether it was new.
  Result<bool> Claim(const std::string& place, Kind kind);

  host::Directory& target_;
  const Existing existing_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Name> names_;  // by NameFold
  std::size_t name_bytes_ = 0;
};

}  // namespace plumb::kit

#endif  // PLUMB_KIT_TARGET_NAMES_INTERNAL_H_
