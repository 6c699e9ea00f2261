// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "archive/compression.h"
#include "base/text.h"
#include "kit/layer_reader_internal.h"

namespace plumb::kit {
namespace {

// Opening a blob anew costs more than reading this much.
constexpr std::uint64_t kJumpMin = std::uint64_t{16} << 20;

// What deflate makes of zeros is 1032 times smaller; weights hardly shrink by half.
constexpr std::uint64_t kRatioMax = 1100;
constexpr std::uint64_t kHarmlessSize = std::uint64_t{16} << 30;

archive::Compression CompressionOf(oci::LayerEncoding encoding) {
  switch (encoding) {
    case oci::LayerEncoding::kTarGzip:
    case oci::LayerEncoding::kRawGzip:
      return archive::Compression::kGzip;
    case oci::LayerEncoding::kTarZstd:
    case oci::LayerEncoding::kRawZstd:
      return archive::Compression::kZstd;
    case oci::LayerEncoding::kTar:
    case oci::LayerEncoding::kRaw:
      break;
  }
  return archive::Compression::kNone;
}

Error Corrupt(const std::string& what) { return Error{ErrorKind::kCorrupt, what}; }

// A ModelKit comes whole: a layer that is missing is damage.
Status CheckPresence(store::Store& store, const PackedEntry& layer) {
  PLUMB_TRY(const auto blob, store.FindBlob(layer.layer.digest));
  if (!blob) return InLayer(Corrupt("it is missing from the store"), layer);
  if (blob->size != layer.layer.size)
    return InLayer(Corrupt("its size is not what the manifest says"), layer);
  return Done{};
}

Error WrongContent(const PackedEntry& layer) {
  return InLayer(Corrupt("its content is not what the config names"), layer);
}

Status VisitPlain(store::Store& store, const PackedEntry& layer, Progress& progress,
                  const VisitEntry& visit) {
  if (layer.diff_id && *layer.diff_id != layer.layer.digest) return WrongContent(layer);
  PLUMB_TRY(const auto content, LayerContent::Open(store, layer));
  archive::TarReader tar(*content);
  for (;;) {
    if (progress.StopRequested()) return Interrupted();
    PLUMB_TRY(const auto entry,
              tar.Next().map_error([&](Error error) { return InLayer(std::move(error), layer); }));
    if (!entry) return Done{};
    PLUMB_RETURN_IF_ERROR(visit(*entry));
  }
}

// Reads from another source, and hashes what comes.
class HashingSource final : public ByteSource {
 public:
  explicit HashingSource(ByteSource& source) : source_(source) {}
  Result<ByteSpan> Read(std::size_t size_max) override {
    PLUMB_TRY(const ByteSpan bytes, source_.Read(size_max));
    hasher_.Add(bytes);
    return bytes;
  }
  Digest Finish() { return hasher_.Finish(); }

 private:
  ByteSource& source_;
  Sha256Hasher hasher_;
};

Status VisitCompressed(store::Store& store, const PackedEntry& layer, Progress& progress,
                       const VisitEntry& visit) {
  PLUMB_TRY(const auto content, LayerContent::Open(store, layer));
  HashingSource hashing(*content);
  archive::TarReader tar(hashing);
  for (;;) {
    if (progress.StopRequested()) return Interrupted();
    PLUMB_TRY(const auto entry,
              tar.Next().map_error([&](Error error) { return InLayer(std::move(error), layer); }));
    if (!entry) break;
    PLUMB_RETURN_IF_ERROR(visit(*entry));
    // Content that Next() would skip, but with an ear for Ctrl-C.
    for (ByteSpan bytes;;) {
      if (progress.StopRequested()) return Interrupted();
      PLUMB_TRY(bytes, tar.Read(kJumpMin));
      if (bytes.empty()) break;
    }
  }
  if (layer.diff_id && hashing.Finish() != *layer.diff_id) return WrongContent(layer);
  return Done{};
}

archive::TarEntry FileOf(const PackedEntry& layer, std::uint64_t size) {
  return {layer.file.path, archive::TarEntryType::kFile, layer.file.mode, size};
}

// The layer is one file. If it is not compressed its size and digest are known.
Status VisitRaw(store::Store& store, const PackedEntry& layer, Progress& progress,
                const VisitEntry& visit) {
  std::uint64_t size = layer.layer.size;
  if (layer.media_type.encoding == oci::LayerEncoding::kRaw) {
    if (layer.diff_id && *layer.diff_id != layer.layer.digest) return WrongContent(layer);
  } else {
    PLUMB_TRY(const auto content, LayerContent::Open(store, layer));
    HashingSource hashing(*content);
    for (ByteSpan bytes;;) {
      if (progress.StopRequested()) return Interrupted();
      PLUMB_TRY(bytes, hashing.Read(kJumpMin).map_error(
                           [&](Error error) { return InLayer(std::move(error), layer); }));
      if (bytes.empty()) break;
    }
    size = content->size();
    if (layer.diff_id && hashing.Finish() != *layer.diff_id) return WrongContent(layer);
  }
  if (layer.file.size && *layer.file.size != size)
    return InLayer(Corrupt("its file is not as long as the manifest says"), layer);
  return visit(FileOf(layer, size));
}

}  // namespace

Result<std::unique_ptr<LayerContent>> LayerContent::Open(store::Store& store,
                                                         const PackedEntry& layer) {
  auto content = std::unique_ptr<LayerContent>(new LayerContent(store, layer));
  PLUMB_RETURN_IF_ERROR(content->OpenAt(0));
  return content;
}

Status LayerContent::OpenAt(std::uint64_t offset) {
  PLUMB_TRY(auto blob, store_.OpenBlob(layer_.layer.digest, offset));
  plain_ = archive::MakeDecompressor(CompressionOf(layer_.media_type.encoding), *blob);
  blob_ = std::move(blob);
  return Done{};
}

Result<bool> LayerContent::Skip(std::uint64_t size) {
  const bool is_plain = CompressionOf(layer_.media_type.encoding) == archive::Compression::kNone;
  if (!is_plain || size < kJumpMin) return ByteSource::Skip(size);
  const std::uint64_t left = layer_.layer.size - std::min(size_, layer_.layer.size);
  if (size > left) return false;
  size_ += size;
  PLUMB_RETURN_IF_ERROR(OpenAt(size_));
  return true;
}

Result<ByteSpan> LayerContent::Read(std::size_t size_max) {
  PLUMB_TRY(const ByteSpan bytes, plain_->Read(size_max));
  size_ += bytes.size();
  if (IsBomb(layer_.layer.size, size_))
    return Error{ErrorKind::kExhausted, "it unpacks to over 1100 times its size"};
  return bytes;
}

Status VisitEntries(store::Store& store, const PackedEntry& layer, Progress& progress,
                    const VisitEntry& visit) {
  PLUMB_RETURN_IF_ERROR(CheckPresence(store, layer));
  if (IsRaw(layer.media_type.encoding)) return VisitRaw(store, layer, progress, visit);
  if (layer.media_type.encoding == oci::LayerEncoding::kTar)
    return VisitPlain(store, layer, progress, visit);
  return VisitCompressed(store, layer, progress, visit);
}

LayerFiles::LayerFiles(std::unique_ptr<LayerContent> content, const PackedEntry& layer)
    : content_(std::move(content)), layer_(layer) {
  if (!IsRaw(layer.media_type.encoding)) tar_.emplace(*content_);
}

Result<std::unique_ptr<LayerFiles>> LayerFiles::Open(store::Store& store,
                                                     const PackedEntry& layer) {
  PLUMB_RETURN_IF_ERROR(CheckPresence(store, layer));
  PLUMB_TRY(auto content, LayerContent::Open(store, layer));
  return std::unique_ptr<LayerFiles>(new LayerFiles(std::move(content), layer));
}

Result<std::optional<archive::TarEntry>> LayerFiles::Next() {
  const bool is_plain = CompressionOf(layer_.media_type.encoding) == archive::Compression::kNone;
  std::optional<archive::TarEntry> file;
  if (tar_) {
    PLUMB_TRY(file, tar_->Next().map_error(
                        [&](Error error) { return InLayer(std::move(error), layer_); }));
  } else if (!std::exchange(gave_file_, true)) {
    file = FileOf(layer_, is_plain ? layer_.layer.size : layer_.file.size.value_or(0));
  }
  if (is_plain) blob_offset_ = content_->size();
  return file;
}

Result<ByteSpan> LayerFiles::Read(std::size_t size_max) {
  return tar_ ? tar_->Read(size_max) : content_->Read(size_max);
}

bool IsBomb(std::uint64_t compressed_size, std::uint64_t plain_size) {
  return plain_size > kHarmlessSize && plain_size / kRatioMax > compressed_size;
}

Error InLayer(Error error, const PackedEntry& layer) {
  return std::move(error).While("cannot unpack " +
                                std::string(oci::LayerTypeName(layer.media_type.type)) + " '" +
                                Printable(layer.path) + "'");
}

}  // namespace plumb::kit
