// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_ARCHIVE_TAR_WRITER_H_
#define PLUMB_ARCHIVE_TAR_WRITER_H_

#include <cstdint>
#include <string>

#include "base/result.h"

// Writes the one tar that some files make: the bytes depend on names, modes, sizes and
// content, and on nothing else. Format: POSIX.1-2017 ustar and pax, with the choices of
// docs/format.md, "Layers" (which are those of Go's archive/tar, as kit 1.7 uses it).
namespace plumb::archive {

inline constexpr std::uint64_t kTarBlockSize = 512;

enum class TarEntryType : std::uint8_t { kFile, kDirectory };

struct TarEntry {
  std::string name;  // relative, '/'-separated, no trailing '/'
  TarEntryType type = TarEntryType::kFile;
  std::uint32_t mode = 0;  // permission bits, setuid, setgid, sticky; nothing else
  std::uint64_t size = 0;  // of the content; 0 for a directory

  friend bool operator==(const TarEntry&, const TarEntry&) = default;
};

// All header blocks of one entry: the ustar block, preceded by a pax header and its records
// if the name or the size needs it. A multiple of 512 bytes. kInvalid for an empty name, a
// NUL in it, or one over 4096 bytes.
Result<std::string> TarHeader(const TarEntry& entry);

// How many zero bytes follow content of that size (0 to 511).
std::uint64_t TarPadding(std::uint64_t size);

// What ends the archive: two zero blocks.
std::string TarEnd();

}  // namespace plumb::archive

#endif  // PLUMB_ARCHIVE_TAR_WRITER_H_
