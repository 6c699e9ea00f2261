// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_ARCHIVE_COMPRESSION_H_
#define PLUMB_ARCHIVE_COMPRESSION_H_

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "base/streams.h"

// gzip (RFC 1952) and zstd (RFC 8878) as streams, by zlib and libzstd. Deterministic: the
// same bytes in, the same bytes out (for one version of the library).
namespace plumb::archive {

enum class Compression : std::uint8_t { kNone, kGzip, kZstd };

// A sink that compresses what it takes into another.
class Compressor : public ByteSink {
 public:
  // Writes what is still held and the trailer. Call once, at the end.
  virtual Status Finish() = 0;
};

// Levels are the library's own: gzip 1–9, zstd 1–19; 0 is its default. `sink` must outlive the
// compressor. Gzip headers carry no time, no name, and OS 255, as Go's do.
std::unique_ptr<Compressor> MakeCompressor(Compression compression, int level, ByteSink& sink);

// The content of `source`, which must outlive it. Concatenated gzip members and zstd frames
// are read as one; garbage after them, a bad checksum or a truncated stream is kCorrupt; a
// zstd window over 128 MiB is kExhausted. How much comes out is the caller's to limit: it
// costs no memory here. kNone hands the bytes through.
std::unique_ptr<ByteSource> MakeDecompressor(Compression compression, ByteSource& source);

}  // namespace plumb::archive

#endif  // PLUMB_ARCHIVE_COMPRESSION_H_
