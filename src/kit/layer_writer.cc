// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "kit/layer_writer_internal.h"

namespace plumb::kit {
namespace {

// Large enough that a system call costs nothing beside what it reads.
constexpr std::size_t kReadSize = std::size_t{1} << 20;

// A layer that is all there, and the digests of the files that were asked for, in their order.
struct FinishedOutput {
  WrittenLayer layer;
  std::vector<Digest> files;
};

// Where the archive goes. Gives out room, so that a file's bytes are read to where they are
// needed.
class ArchiveOutput {
 public:
  virtual ~ArchiveOutput() = default;
  virtual Result<MutableByteSpan> Space() = 0;
  virtual Status Filled(std::size_t size) = 0;
  virtual Status Write(ByteSpan bytes) = 0;
  // As those of a BlobWriter, but of the archive.
  virtual void BeginFile() = 0;
  virtual void EndFile() = 0;
  virtual Result<FinishedOutput> Finish() = 0;
};

// The archive is the layer, and its digest the diffId: one hash.
class PlainOutput final : public ArchiveOutput {
 public:
  explicit PlainOutput(std::unique_ptr<store::BlobWriter> blob) : blob_(std::move(blob)) {}

  Result<MutableByteSpan> Space() override { return blob_->Space(); }
  Status Filled(std::size_t size) override { return blob_->Filled(size); }
  Status Write(ByteSpan bytes) override { return blob_->Write(bytes); }
  void BeginFile() override { blob_->BeginFile(); }
  void EndFile() override { blob_->EndFile(); }
  Result<FinishedOutput> Finish() override {
    PLUMB_TRY(store::WrittenBlob blob, blob_->Finish());
    const store::BlobInfo& info = blob;
    return FinishedOutput{{info, blob.digest}, std::move(blob.files)};
  }

 private:
  std::unique_ptr<store::BlobWriter> blob_;
};

class CompressedOutput final : public ArchiveOutput {
 public:
  CompressedOutput(std::unique_ptr<store::BlobWriter> blob, const BuildOptions& options)
      : blob_(std::move(blob)),
        compressor_(
            archive::MakeCompressor(options.compression, options.compression_level, *blob_)),
        buffer_(kReadSize) {}

  Result<MutableByteSpan> Space() override { return MutableByteSpan(buffer_); }
  Status Filled(std::size_t size) override { return Write(ByteSpan(buffer_).first(size)); }
  Status Write(ByteSpan bytes) override {
    if (file_hasher_) {
      Sha256Hasher::AddTogether(hasher_, bytes, *file_hasher_, bytes);
    } else {
      hasher_.Add(bytes);
    }
    return compressor_->Write(bytes);
  }
  void BeginFile() override { file_hasher_.emplace(); }
  void EndFile() override {
    files_.push_back(file_hasher_->Finish());
    file_hasher_.reset();
  }
  Result<FinishedOutput> Finish() override {
    PLUMB_RETURN_IF_ERROR(compressor_->Finish());
    PLUMB_TRY(const store::WrittenBlob blob, blob_->Finish());
    const store::BlobInfo& info = blob;
    return FinishedOutput{{info, hasher_.Finish()}, std::move(files_)};
  }

 private:
  std::unique_ptr<store::BlobWriter> blob_;
  std::unique_ptr<archive::Compressor> compressor_;
  Sha256Hasher hasher_;
  std::optional<Sha256Hasher> file_hasher_;
  std::vector<Digest> files_;
  std::vector<std::byte> buffer_;
};

Result<std::unique_ptr<ArchiveOutput>> OpenOutput(LayerFormat format, const BuildOptions& options,
                                                  std::uint64_t size, store::Session& session) {
  const bool is_raw = format == LayerFormat::kRaw;
  const bool is_plain = is_raw || options.compression == archive::Compression::kNone;
  const bool is_archive = is_plain && !is_raw;
  store::BlobPlan plan = is_archive ? store::Shape::kTar : store::Shape::kOpaque;
  if (is_raw) plan.expected_size = size;
  PLUMB_TRY(auto blob, session.CreateBlob(plan));
  std::unique_ptr<ArchiveOutput> output;
  if (is_plain) {
    output = std::make_unique<PlainOutput>(std::move(blob));
  } else {
    output = std::make_unique<CompressedOutput>(std::move(blob), options);
  }
  return output;
}

Error Changed(const PlannedEntry& entry) {
  return Error{ErrorKind::kConflict,
               "'" + Printable(entry.tar.name) + "' changed while it was read",
               "plumb build, once nothing writes there"};
}

// Whether both are of the same content, as far as a state tells. The ctime may differ: a new
// hard link or other rights change it too.
bool IsSameContent(const host::FileState& a, const host::FileState& b) {
  return a.size == b.size && a.modified_ns == b.modified_ns && a.inode == b.inode &&
         a.device == b.device;
}

Error OtherBytes(const PlannedEntry& entry, const Digest& expected) {
  return Error{ErrorKind::kCorrupt, "'" + Printable(entry.tar.name) + "' is not the blob '" +
                                        expected.ToString() +
                                        "' that it is kept as: it was changed or is damaged"};
}

class LayerStream {
 public:
  LayerStream(ArchiveOutput& output, LayerFormat format, const BuildOptions& options,
              Progress& progress, ProgressTask& task)
      : output_(output),
        options_(options),
        lists_files_(format == LayerFormat::kTar && options.list_files == ListFiles::kYes),
        progress_(progress),
        task_(task) {}

  Status Add(const PlannedEntry& entry) {
    PLUMB_TRY(const std::string header, archive::TarHeader(entry.tar));
    PLUMB_RETURN_IF_ERROR(output_.Write(AsBytes(header)));
    if (entry.tar.type == archive::TarEntryType::kDirectory) return Done{};
    PLUMB_RETURN_IF_ERROR(AddFile(entry));
    const std::string padding(archive::TarPadding(entry.tar.size), '\0');
    return output_.Write(AsBytes(padding));
  }

  // Without the header and padding of an archive.
  Status AddFile(const PlannedEntry& entry) {
    if (!lists_files_ && ExpectedOf(entry) == nullptr) return Copy(entry);
    output_.BeginFile();
    Status copied = Copy(entry);
    output_.EndFile();
    hashed_.push_back(&entry);
    return copied;
  }

  // What the output says of the files, once it is finished.
  Status Compare(const std::vector<Digest>& digests) const {
    for (std::size_t i = 0; i < hashed_.size(); ++i) {
      const Digest* const expected = ExpectedOf(*hashed_[i]);
      if (expected != nullptr && digests[i] != *expected) return OtherBytes(*hashed_[i], *expected);
    }
    return Done{};
  }

  std::vector<store::FileOfLayer> List(const std::vector<Digest>& digests) const {
    std::vector<store::FileOfLayer> files;
    for (std::size_t i = 0; lists_files_ && i < hashed_.size(); ++i)
      files.push_back({hashed_[i]->tar.name, digests[i]});
    return files;
  }

  bool lists_files() const { return lists_files_; }
  bool states_were_equal() const { return states_were_equal_; }

 private:
  // What a file must be that is read; or null.
  const Digest* ExpectedOf(const PlannedEntry& entry) const {
    const auto expected = options_.file_digests.find(entry.tar.name);
    const bool is_read = entry.content.directory != nullptr;
    return is_read && expected != options_.file_digests.end() ? &expected->second : nullptr;
  }

  Status Copy(const PlannedEntry& entry) {
    if (entry.content.directory == nullptr) return output_.Write(AsBytes(entry.content.bytes));
    return CopyContent(entry);
  }

  Status CopyContent(const PlannedEntry& entry) {
    const Content& content = entry.content;
    auto opened = content.directory->Open(content.path, host::OpenHow::kRead);
    if (!opened && opened.error().kind == ErrorKind::kNotFound) return Changed(entry);
    PLUMB_TRY(const auto file, std::move(opened));
    PLUMB_TRY(const host::FileState before, file->State());
    if (!IsSameContent(before, content.state)) return Changed(entry);
    for (std::uint64_t offset = 0; offset < entry.tar.size;) {
      if (progress_.StopRequested()) return Interrupted();
      PLUMB_TRY(MutableByteSpan space, output_.Space());
      const std::uint64_t wanted =
          std::min<std::uint64_t>({space.size(), kReadSize, entry.tar.size - offset});
      PLUMB_TRY(const std::size_t size,
                file->ReadAt(offset, space.first(static_cast<std::size_t>(wanted))));
      if (size == 0) return Changed(entry);
      PLUMB_RETURN_IF_ERROR(output_.Filled(size));
      offset += size;
      task_.Advance(size);
    }
    PLUMB_TRY(const host::FileState after, file->State());
    if (!IsSameContent(before, after)) return Changed(entry);
    states_were_equal_ = states_were_equal_ && content.state == before && before == after;
    return Done{};
  }

  ArchiveOutput& output_;
  const BuildOptions& options_;
  const bool lists_files_;  // of a raw layer it is its file
  Progress& progress_;
  ProgressTask& task_;
  bool states_were_equal_ = true;
  std::vector<const PlannedEntry*> hashed_;
};

}  // namespace

Result<WrittenLayer> WriteLayer(const PlannedLayer& layer, const BuildOptions& options,
                                store::Session& session, Progress& progress) {
  std::uint64_t size = 0;
  for (const PlannedEntry& entry : layer.entries())
    size += entry.tar.size;
  const std::string name = std::string(oci::LayerTypeName(layer.type)) + " layer " +
                           (layer.format == LayerFormat::kRaw ? layer.file().tar.name : layer.path);
  const std::unique_ptr<ProgressTask> task = progress.Begin(name, size);

  PLUMB_TRY(const auto output, OpenOutput(layer.format, options, size, session));
  LayerStream stream(*output, layer.format, options, progress, *task);
  if (layer.format == LayerFormat::kRaw) {
    PLUMB_RETURN_IF_ERROR(stream.AddFile(layer.file()));
  } else {
    for (const PlannedEntry& entry : layer.entries())
      PLUMB_RETURN_IF_ERROR(stream.Add(entry));
    PLUMB_RETURN_IF_ERROR(output->Write(AsBytes(archive::TarEnd())));
  }
  PLUMB_TRY(FinishedOutput finished, output->Finish());
  PLUMB_RETURN_IF_ERROR(stream.Compare(finished.files));
  WrittenLayer written = std::move(finished.layer);
  written.states_were_equal = stream.states_were_equal();
  written.is_listed = stream.lists_files();
  written.files = stream.List(finished.files);
  return written;
}

}  // namespace plumb::kit
