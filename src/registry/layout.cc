// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "base/text.h"
#include "oci/reference.h"
#include "registry/checked_sink_internal.h"
#include "registry/connect.h"

namespace plumb::registry {
namespace {

constexpr std::string_view kIndexFile = "index.json";
constexpr std::string_view kMarkerFile = "oci-layout";
constexpr std::string_view kBlobs = "blobs/sha256";
constexpr std::uint64_t kMarkerSizeMax = 4096;
constexpr std::uint64_t kLockTimeoutMs = 30'000;
constexpr std::size_t kReadSize = std::size_t{1} << 20;
constexpr std::uint32_t kFileMode = 0644;

std::string BlobPath(const Digest& digest) { return std::string(kBlobs) + "/" + digest.ToHex(); }

// A file, from an offset on.
class FileSource final : public ByteSource {
 public:
  FileSource(host::File& file, std::uint64_t offset)
      : file_(file), offset_(offset), buffer_(kReadSize) {}
  Result<ByteSpan> Read(std::size_t size_max) override {
    const auto room = MutableByteSpan(buffer_).first(std::min(size_max, buffer_.size()));
    PLUMB_TRY(const std::size_t size, file_.ReadAt(offset_, room));
    offset_ += size;
    return ByteSpan(room.first(size));
  }

 private:
  host::File& file_;
  std::uint64_t offset_;
  std::vector<std::byte> buffer_;
};

class FileSink final : public ByteSink {
 public:
  explicit FileSink(host::File& file) : file_(file) {}
  Status Write(ByteSpan bytes) override {
    PLUMB_RETURN_IF_ERROR(file_.WriteAt(offset_, bytes));
    offset_ += bytes.size();
    return Done{};
  }

 private:
  host::File& file_;
  std::uint64_t offset_ = 0;
};

// image-spec image-layout.md, as a directory. Blobs appear under their names whole; who changes
// the index holds a lock on the marker, so that two pushes at once lose no tag.
class LayoutRemote final : public Remote {
 public:
  LayoutRemote(host::Files& files, std::string path) : files_(files), path_(std::move(path)) {}

  Result<RemoteManifest> FetchManifest(std::string_view tag,
                                       const std::optional<Digest>& digest) override {
    PLUMB_TRY(auto* directory, Open(host::IfMissing::kFail));
    PLUMB_TRY(const oci::Index index, ReadIndex(*directory));
    const auto entry = std::find_if(
        index.entries.rbegin(), index.entries.rend(), [&](const oci::IndexEntry& candidate) {
          return digest ? candidate.descriptor.digest == *digest : candidate.tag == tag;
        });
    if (entry == index.entries.rend())
      return Error{ErrorKind::kNotFound,
                   "'" + path_ + "' has no manifest '" +
                       (digest ? digest->ToString() : Printable(tag)) + "'"};
    RemoteManifest manifest = {entry->descriptor, {}};
    if (manifest.descriptor.size > oci::kManifestSizeMax)
      return Error{ErrorKind::kExhausted, "a manifest in '" + path_ + "' is longer than 4 MiB"};
    MemorySink sink(oci::kManifestSizeMax);
    SilentProgress silent;
    PLUMB_RETURN_IF_ERROR(FetchBlob(manifest.descriptor, 0, sink, silent));
    manifest.bytes = std::move(sink).TakeText();
    return manifest;
  }

  Status FetchBlob(const oci::Descriptor& blob, std::uint64_t offset, ByteSink& sink,
                   Progress& progress) override {
    PLUMB_TRY(auto* directory, Open(host::IfMissing::kFail));
    auto file = directory->Open(BlobPath(blob.digest), host::OpenHow::kRead);
    if (!file) return std::move(file).error();
    FileSource source(**file, offset);
    CheckedSink checked(blob, offset, sink, progress);
    PLUMB_RETURN_IF_ERROR(CopyAll(source, checked));
    return checked.Finish();
  }

  Result<bool> HasBlob(const oci::Descriptor& blob) override {
    PLUMB_TRY(auto* directory, Open(host::IfMissing::kCreate));
    const auto state = directory->State(BlobPath(blob.digest));
    if (!state && state.error().kind != ErrorKind::kNotFound) return state.error();
    return state && state->type == host::FileType::kRegular && state->size == blob.size;
  }

  Result<bool> MountBlob(const oci::Descriptor& /*blob*/, std::string_view /*repository*/) override {
    return false;  // a layout has no siblings
  }

  Status PushBlob(const oci::Descriptor& blob, const OpenBlob& open, Progress& progress) override {
    PLUMB_TRY(auto* directory, Open(host::IfMissing::kCreate));
    PLUMB_TRY(const auto source, open(0));
    const std::string path = BlobPath(blob.digest);
    const std::string partial = PartialName(blob.digest);
    const auto write = [&]() -> Status {
      PLUMB_TRY(const auto file,
                directory->Open(partial, host::OpenHow::kCreateNew, kFileMode));
      FileSink sink(*file);
      CheckedSink checked(blob, 0, sink, progress);
      PLUMB_RETURN_IF_ERROR(CopyAll(*source, checked));
      PLUMB_RETURN_IF_ERROR(checked.Finish());
      PLUMB_RETURN_IF_ERROR(file->Sync());
      PLUMB_RETURN_IF_ERROR(directory->Rename(partial, path, host::Overwrite::kYes));
      return directory->Sync(kBlobs);
    };
    Status written = write();
    // Best effort: what stays is named as partial.
    if (!written) [[maybe_unused]]
      const Status removed = directory->Remove(partial);
    return written;
  }

  Status PushManifest(const oci::Descriptor& descriptor, std::string_view bytes,
                      std::string_view tag) override {
    PLUMB_TRY(auto* directory, Open(host::IfMissing::kCreate));
    PLUMB_RETURN_IF_ERROR(
        host::WriteFileDurably(*directory, BlobPath(descriptor.digest), bytes, kFileMode));
    PLUMB_TRY(const auto marker, directory->Open(kMarkerFile, host::OpenHow::kReadWrite));
    PLUMB_TRY(const auto lock, marker->Lock(host::LockKind::kExclusive, kLockTimeoutMs));
    PLUMB_TRY(oci::Index index, ReadIndex(*directory));
    const auto is_replaced = [&](const oci::IndexEntry& entry) {
      if (!tag.empty()) return entry.tag == tag;
      return entry.tag.empty() && entry.descriptor.digest == descriptor.digest;
    };
    std::erase_if(index.entries, is_replaced);
    index.entries.push_back({descriptor, std::string(tag), {}});
    return host::WriteFileDurably(*directory, kIndexFile, oci::WriteIndex(index), kFileMode);
  }

  Result<std::vector<std::string>> ListTags() override {
    PLUMB_TRY(auto* directory, Open(host::IfMissing::kFail));
    PLUMB_TRY(const oci::Index index, ReadIndex(*directory));
    std::vector<std::string> tags;
    for (const oci::IndexEntry& entry : index.entries)
      if (!entry.tag.empty()) tags.push_back(entry.tag);
    std::sort(tags.begin(), tags.end());
    tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
    return tags;
  }

 private:
  // Opens the layout once; to write, makes what is missing of it.
  Result<host::Directory*> Open(host::IfMissing if_missing) {
    const std::lock_guard lock(mutex_);
    if (!directory_) {
      PLUMB_TRY(directory_, files_.OpenDirectory(path_, if_missing));
    }
    if (is_ready_) return directory_.get();
    auto marker = host::ReadFile(*directory_, kMarkerFile, kMarkerSizeMax);
    if (!marker && marker.error().kind == ErrorKind::kNotFound) {
      if (if_missing == host::IfMissing::kFail)
        return Error{ErrorKind::kNotFound, "'" + path_ + "' is no oci layout"};
      PLUMB_RETURN_IF_ERROR(Make());
    } else if (!marker) {
      return std::move(marker).error();
    } else {
      PLUMB_RETURN_IF_ERROR(oci::CheckLayoutMarker(*marker));
      if (if_missing == host::IfMissing::kCreate)
        PLUMB_RETURN_IF_ERROR(host::MakeDirectories(*directory_, kBlobs));
    }
    is_ready_ = true;
    return directory_.get();
  }

  // The marker last: with it a directory is a layout.
  Status Make() {
    PLUMB_TRY(const auto entries, directory_->List(""));
    if (!entries.empty())
      return Error{ErrorKind::kConflict, "'" + path_ + "' is neither empty nor an oci layout"};
    PLUMB_RETURN_IF_ERROR(host::MakeDirectories(*directory_, kBlobs));
    PLUMB_RETURN_IF_ERROR(
        host::WriteFileDurably(*directory_, kIndexFile, oci::WriteIndex({}), kFileMode));
    return host::WriteFileDurably(*directory_, kMarkerFile, oci::WriteLayoutMarker(), kFileMode);
  }

  Result<oci::Index> ReadIndex(host::Directory& directory) {
    auto text = host::ReadFile(directory, kIndexFile, oci::kManifestSizeMax);
    if (!text) return std::move(text).error();
    auto index = oci::Index::Parse(*text);
    if (!index) return std::move(index).error().While("cannot read the index of '" + path_ + "'");
    return index;
  }

  // Of this writer alone, should another push the same blob.
  std::string PartialName(const Digest& digest) {
    return BlobPath(digest) + ".partial" + std::to_string(++partials_) + "-" +
           std::to_string(reinterpret_cast<std::uintptr_t>(this));
  }

  host::Files& files_;
  const std::string path_;
  std::mutex mutex_;
  std::unique_ptr<host::Directory> directory_;
  bool is_ready_ = false;
  std::atomic<unsigned> partials_ = 0;
};

}  // namespace

std::unique_ptr<Remote> OpenLayout(host::Files& files, const std::string& path) {
  return std::make_unique<LayoutRemote>(files, path);
}

std::optional<LayoutName> ParseLayoutName(std::string_view text) {
  constexpr std::string_view kScheme = "oci:";
  if (!text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  const std::size_t colon = text.rfind(':');
  LayoutName name = {std::string(text), {}};
  if (colon != std::string_view::npos && oci::CheckTag(text.substr(colon + 1)))
    name = {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
  if (name.directory.empty()) return std::nullopt;
  return name;
}

}  // namespace plumb::registry
