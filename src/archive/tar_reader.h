// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_ARCHIVE_TAR_READER_H_
#define PLUMB_ARCHIVE_TAR_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "archive/tar_writer.h"
#include "base/result.h"
#include "base/streams.h"

namespace plumb::archive {

// Reads a tar made by anybody: ustar, pax (path, size, and whatever else it holds is ignored),
// GNU long names. Gives regular files and directories only.
//
// Trust: the bytes are an enemy's. Links, devices, pipes, sparse files and unknown types
// are kDenied, named; a bad checksum, a size that does not fit, a truncated archive or something
// other than zeros after its end (one block of zeros is enough for one) is kCorrupt; names over
// 4096 bytes and pax headers over 1 MiB are kExhausted. Of several pax records for one thing the
// last holds. Whether a name is safe to write is CheckEntryName's business.
// Threads: one at a time. Memory: a few blocks.
class TarReader {
 public:
  // `source` must outlive this.
  explicit TarReader(ByteSource& source) : source_(source) {}

  // The next entry, its content skipped if it was not read to the end; nothing at the end of
  // the archive, after which the whole source has been read and checked. The mode keeps only
  // the nine permission bits.
  Result<std::optional<TarEntry>> Next();

  // The next bytes of the content of the current entry, as ByteSource::Read.
  Result<ByteSpan> Read(std::size_t size_max);

 private:
  // Everything the headers before an entry say about it.
  struct Extended {
    std::optional<std::string> path;
    std::optional<std::uint64_t> size;
    bool is_sparse = false;
  };

  Result<std::string> ReadExactly(std::uint64_t size);
  Result<std::string> ReadExtended(std::uint64_t size);
  Result<std::optional<TarEntry>> MakeEntry(std::string_view block, std::uint64_t size,
                                            Extended extended);
  Status Skip(std::uint64_t size);
  Status ReadToEnd();

  ByteSource& source_;
  std::uint64_t content_left_ = 0;
  std::uint64_t padding_left_ = 0;
  bool ended_ = false;
};

// Whether a name from an archive or a manifest may become a path beneath a directory, and
// which: a leading "./" and a trailing "/" are removed; what is left must be relative UTF-8
// of 1 to 4096 bytes whose parts have 1 to 255 bytes and are not "." or "..", without NUL.
// kDenied otherwise. Names that collide only by case or Unicode form are the caller's to find:
// see NameFold.
Result<std::string> CheckEntryName(std::string_view name);

// A key that is equal for names which some file system (APFS, NTFS, ext4 with casefold) may
// take for the same: case-folded and canonically decomposed (Unicode 15), for Latin, Greek and
// Cyrillic letters; other text is kept.
std::string NameFold(std::string_view name);

}  // namespace plumb::archive

#endif  // PLUMB_ARCHIVE_TAR_READER_H_
