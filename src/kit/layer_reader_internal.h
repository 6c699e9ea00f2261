// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_LAYER_READER_INTERNAL_H_
#define PLUMB_KIT_LAYER_READER_INTERNAL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "archive/tar_reader.h"
#include "base/progress.h"
#include "base/result.h"
#include "base/streams.h"
#include "kit/modelkit.h"
#include "store/store.h"

namespace plumb::kit {

// A layer's archive, uncompressed.
class LayerContent final : public ByteSource {
 public:
  // `store` and `layer` must outlive it.
  static Result<std::unique_ptr<LayerContent>> Open(store::Store& store, const PackedEntry& layer);

  Result<ByteSpan> Read(std::size_t size_max) override;
  // Much of a layer that is not compressed is jumped over, unread.
  Result<bool> Skip(std::uint64_t size) override;

  // How many bytes were given out or passed over.
  std::uint64_t size() const { return size_; }

 private:
  LayerContent(store::Store& store, const PackedEntry& layer) : store_(store), layer_(layer) {}
  Status OpenAt(std::uint64_t offset);

  store::Store& store_;
  const PackedEntry& layer_;
  std::unique_ptr<ByteSource> blob_;
  std::unique_ptr<ByteSource> plain_;
  std::uint64_t size_ = 0;
};

// The files of a layer, one after another: the entries of its archive, or if it is raw, its one
// file.
class LayerFiles {
 public:
  // `store` and `layer` must outlive it. kCorrupt if the layer is not in the store, or of another
  // size than the manifest says.
  static Result<std::unique_ptr<LayerFiles>> Open(store::Store& store, const PackedEntry& layer);

  // As TarReader; of a raw layer that is compressed the size is what its annotation says, else 0.
  Result<std::optional<archive::TarEntry>> Next();
  Result<ByteSpan> Read(std::size_t size_max);

  // Where in the layer's blob the content of the file that Next() gave begins; nothing if the layer
  // is compressed.
  std::optional<std::uint64_t> blob_offset() const { return blob_offset_; }

 private:
  LayerFiles(std::unique_ptr<LayerContent> content, const PackedEntry& layer);

  std::unique_ptr<LayerContent> content_;
  const PackedEntry& layer_;
  std::optional<archive::TarReader> tar_;
  bool gave_file_ = false;
  std::optional<std::uint64_t> blob_offset_;
};

// What `visit` is told of: the header of an entry.
using VisitEntry = std::function<Status(const archive::TarEntry&)>;

// Walks over the headers of a layer, in order, and checks what can be checked without writing
// anything: that the layer is in the store, that the archive is whole and ends where it should,
// and that a compressed layer has the content which the config names. The content of large
// files in a layer that is not compressed is jumped over: the store checks it once it is read.
Status VisitEntries(store::Store& store, const PackedEntry& layer, Progress& progress,
                    const VisitEntry& visit);

// Compression does not make this much of anything that people train: a layer that unpacks to more
// is there to fill a disk. Small ones harm nobody.
bool IsBomb(std::uint64_t compressed_size, std::uint64_t plain_size);

// The failure of reading a layer, with the layer's name.
Error InLayer(Error error, const PackedEntry& layer);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_LAYER_READER_INTERNAL_H_
