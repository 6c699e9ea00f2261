// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <functional>
#include <mutex>
#include <utility>

#include "base/text.h"
#include "host/file_streams.h"
#include "host/machine.h"
#include "oci/reference.h"
#include "registry/bundle.h"
#include "registry/checked_sink_internal.h"
#include "registry/connect.h"
#include "registry/layout_internal.h"
#include "registry/referrers_internal.h"

namespace plumb::registry {
namespace {

constexpr std::uint64_t kLockTimeoutMs = 30'000;
constexpr std::size_t kInnerIndexCountMax = 1000;  // each may be 4 MiB
constexpr std::uint32_t kByUmask = 0;

// Of one writer alone, should another push the same blob.
std::string PartialPath(const Digest& digest) {
  std::array<std::byte, 8> random = {};
  host::MakeEntropy()->Fill(random);
  return BlobPath(digest) + ".new-" + EncodeHex(random);
}

bool IsSameManifest(const oci::Descriptor& a, const oci::Descriptor& b) {
  return a.digest == b.digest && a.size == b.size && a.media_type == b.media_type;
}

// Lets `tag` (empty: none) name the manifest. What it named before stays, without a tag, as it
// does in a registry.
void SetTag(oci::Index& index, const oci::Descriptor& manifest, std::string_view tag) {
  if (!tag.empty()) {
    for (oci::IndexEntry& entry : index.entries)
      if (entry.tag == tag) entry.tag.clear();
    for (oci::ForeignEntry& entry : index.foreign)
      if (entry.tag == tag) entry.tag.clear();
  }
  const auto entry = std::ranges::find_if(index.entries, [&](const oci::IndexEntry& candidate) {
    return IsSameManifest(candidate.descriptor, manifest) && (tag.empty() || candidate.tag.empty());
  });
  if (entry == index.entries.end()) {
    index.entries.push_back({manifest, std::string(tag)});
  } else if (!tag.empty()) {
    entry->tag = tag;
  }
}

// image-spec image-layout.md, as a directory. Blobs appear under their names whole. Who makes the
// layout or changes its index holds a lock on the marker, so that two pushes at once lose no tag.
class LayoutRemote final : public Repository {
 public:
  LayoutRemote(host::Files& files, std::string path) : files_(files), path_(std::move(path)) {}

  Result<RemoteManifest> FetchManifest(std::string_view tag,
                                       const std::optional<Digest>& digest) override {
    PLUMB_TRY(host::Directory * directory, OpenToRead());
    PLUMB_TRY(const oci::Index index, ReadIndex(*directory));
    // The newest is last, should others have written a tag twice.
    const auto entry = std::find_if(
        index.entries.rbegin(), index.entries.rend(), [&](const oci::IndexEntry& candidate) {
          return digest ? candidate.descriptor.digest == *digest : candidate.tag == tag;
        });
    if (entry == index.entries.rend()) {
      if (digest) {
        PLUMB_TRY(auto inner, FindInner(index, *digest));
        if (inner) return *std::move(inner);
      }
      const auto foreign = std::ranges::find(index.foreign, tag, &oci::ForeignEntry::tag);
      if (!digest && foreign != index.foreign.end()) return oci::IsForeign(tag, *foreign);
      return Error{ErrorKind::kNotFound, "'" + path_ + "' has no manifest '" +
                                             (digest ? digest->ToString() : Printable(tag)) + "'"};
    }
    return ReadManifest(entry->descriptor);
  }

  Status FetchBlob(const oci::Descriptor& blob, std::uint64_t offset, ByteSink& sink,
                   Progress& progress) override {
    if (offset > blob.size) {
      return Error{ErrorKind::kInvalid,
                   "cannot read blob '" + blob.digest.ToString() + "' from behind its end"};
    }
    PLUMB_TRY(host::Directory * directory, OpenToRead());
    PLUMB_TRY(const auto file, directory->Open(BlobPath(blob.digest), host::OpenHow::kRead));
    host::FileSource source(*file, offset);
    CheckedSink checked(blob, offset, Hashing::kNo, sink, progress);
    PLUMB_RETURN_IF_ERROR(CopyAll(source, checked));
    return checked.Finish();
  }

  Result<bool> HasBlob(const oci::Descriptor& blob) override {
    const auto directory = OpenToRead();
    if (!directory && directory.error().kind == ErrorKind::kNotFound) return false;
    if (!directory) return directory.error();
    const auto state = (*directory)->State(BlobPath(blob.digest));
    if (!state && state.error().kind == ErrorKind::kNotFound) return false;
    if (!state) return state.error();
    return state->type == host::FileType::kRegular && state->size == blob.size;
  }

  Result<bool> MountBlob(const oci::Descriptor& /*blob*/,
                         std::string_view /*repository*/) override {
    return false;  // a layout has no siblings
  }

  Status PushBlob(const oci::Descriptor& blob, const OpenBlob& open, Progress& progress) override {
    PLUMB_TRY(host::Directory * directory, OpenToWrite());
    PLUMB_TRY(const auto source, open(0));
    const std::string partial = PartialPath(blob.digest);
    const auto write = [&]() -> Status {
      PLUMB_TRY(const auto file, directory->Open(partial, host::OpenHow::kCreateNew, kByUmask));
      file->WillSync();
      host::FileSink sink(*file);
      CheckedSink checked(blob, 0, Hashing::kYes, sink, progress);
      PLUMB_RETURN_IF_ERROR(CopyAll(*source, checked));
      PLUMB_RETURN_IF_ERROR(checked.Finish());
      PLUMB_RETURN_IF_ERROR(file->Sync());
      return directory->Rename(partial, BlobPath(blob.digest), host::Overwrite::kYes);
    };
    if (Status written = write(); !written) {
      static_cast<void>(directory->Remove(partial));
      return written;
    }
    return directory->Sync(kBlobs);
  }

  Status PushManifest(const oci::Descriptor& descriptor, std::string_view bytes,
                      std::string_view tag) override {
    if (bytes.size() > oci::kManifestSizeMax) return ManifestTooLong();
    if (descriptor.size != bytes.size() || descriptor.digest != Sha256(AsBytes(bytes))) {
      return Error{ErrorKind::kCorrupt,
                   "manifest '" + descriptor.digest.ToString() + "' has other bytes"};
    }
    PLUMB_TRY(host::Directory * directory, OpenToWrite());
    PLUMB_RETURN_IF_ERROR(
        host::WriteFileDurably(*directory, BlobPath(descriptor.digest), bytes, kByUmask));
    return ChangeIndex(*directory, [&](oci::Index& index) -> Status {
      SetTag(index, descriptor, tag);
      return Done{};
    });
  }

  // No specification says how a layout lists them. regctl keeps the tag, oras looks at the
  // manifests that the index names: whichever wrote it, they are found.
  Result<std::vector<Referrer>> ListReferrers(const Digest& subject,
                                              std::string_view artifact_type) override {
    PLUMB_TRY(host::Directory * directory, OpenToRead());
    PLUMB_TRY(const oci::Index index, ReadIndex(*directory));
    PLUMB_TRY(oci::Index list, ReadReferrersTag(index, subject));
    for (const oci::IndexEntry& entry : index.entries) {
      const oci::Descriptor& descriptor = entry.descriptor;
      const bool is_candidate = oci::IsManifestMediaType(descriptor.media_type) &&
                                descriptor.size <= oci::kManifestSizeMax;
      if (!is_candidate || HasReferrer(list, descriptor.digest)) continue;
      PLUMB_TRY(const RemoteManifest manifest, ReadManifest(descriptor));
      const auto listed = ParseReferrer(descriptor, manifest.bytes);
      // What cannot be read as one is none; damage was found before.
      if (listed && listed->subject == subject) AddReferrer(list, listed->referrer);
    }
    return ReferrersIn(list, artifact_type);
  }

  Status PushReferrer(const oci::Descriptor& descriptor, std::string_view bytes) override {
    PLUMB_TRY(const ListedManifest listed, ParseReferrer(descriptor, bytes));
    PLUMB_RETURN_IF_ERROR(PushManifest(descriptor, bytes, ""));
    PLUMB_TRY(host::Directory * directory, OpenToWrite());
    return ChangeIndex(*directory, [&](oci::Index& index) -> Status {
      PLUMB_TRY(oci::Index list, ReadReferrersTag(index, listed.subject));
      if (HasReferrer(list, descriptor.digest)) return Done{};
      AddReferrer(list, listed.referrer);
      const std::string text = oci::WriteIndex(list);
      const Digest digest = Sha256(AsBytes(text));
      PLUMB_RETURN_IF_ERROR(host::WriteFileDurably(*directory, BlobPath(digest), text, kByUmask));
      const std::string tag = ReferrersTag(listed.subject);
      // The list that was is of no more use, and need not stay named as other manifests do.
      std::erase_if(index.entries, [&](const auto& entry) { return entry.tag == tag; });
      SetTag(index, {std::string(oci::kIndexMediaType), digest, text.size()}, tag);
      return Done{};
    });
  }

  Result<oci::Index> ReadWholeIndex() {
    PLUMB_TRY(host::Directory * directory, OpenToRead());
    return ReadIndex(*directory);
  }

  Result<std::vector<std::string>> ListTags() override {
    PLUMB_TRY(const oci::Index index, ReadWholeIndex());
    std::vector<std::string> tags;
    // Others also write whole references there, by which nothing can be asked for here.
    for (const oci::IndexEntry& entry : index.entries)
      if (oci::CheckTag(entry.tag) && !IsReferrersTag(entry.tag)) tags.push_back(entry.tag);
    // Of what cannot be read here: that it is there.
    for (const oci::ForeignEntry& entry : index.foreign)
      if (oci::CheckTag(entry.tag)) tags.push_back(entry.tag);
    std::ranges::sort(tags);
    tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
    return tags;
  }

 private:
  Result<RemoteManifest> ReadManifest(const oci::Descriptor& descriptor) {
    RemoteManifest manifest = {descriptor, {}};
    if (descriptor.size > oci::kManifestSizeMax) return ManifestTooLong();
    SilentProgress silent;
    PLUMB_TRY(manifest.bytes, FetchWholeBlob(*this, descriptor, silent));
    return manifest;
  }

  // A manifest that is named only by an index that the layout's own index names. One of them that
  // is not there (image-layout.md allows it), or cannot be read, is no reason not to look into the
  // others; but what it hides is not "not there".
  Result<std::optional<RemoteManifest>> FindInner(const oci::Index& index, const Digest& digest) {
    std::size_t count = 0;
    std::optional<Error> failure;
    for (const oci::IndexEntry& entry : index.entries) {
      if (!oci::IsIndexMediaType(entry.descriptor.media_type)) continue;
      if (++count > kInnerIndexCountMax)
        return Error{ErrorKind::kExhausted, "'" + path_ + "' has more than 1000 indexes"};
      const auto outer = ReadManifest(entry.descriptor);
      if (!outer && outer.error().kind == ErrorKind::kNotFound) continue;
      const auto inner = outer ? oci::Index::Parse(outer->bytes) : outer.error();
      if (!inner) {
        if (!failure) failure = inner.error();
        continue;
      }
      for (const oci::IndexEntry& candidate : inner->entries) {
        if (candidate.descriptor.digest != digest) continue;
        PLUMB_TRY(RemoteManifest found, ReadManifest(candidate.descriptor));
        return std::optional(std::move(found));
      }
    }
    if (failure)
      return std::move(*failure).While("an index in '" + path_ + "' cannot be looked into");
    return std::optional<RemoteManifest>();
  }

  // Empty if there is none.
  Result<oci::Index> ReadReferrersTag(const oci::Index& index, const Digest& subject) {
    const std::string tag = ReferrersTag(subject);
    const auto entry = std::ranges::find(index.entries, tag, &oci::IndexEntry::tag);
    if (entry == index.entries.end()) return oci::Index();
    PLUMB_TRY(const RemoteManifest list, ReadManifest(entry->descriptor));
    return oci::Index::Parse(list.bytes);
  }

  // While others keep away.
  Status ChangeIndex(host::Directory& directory,
                     const std::function<Status(oci::Index& index)>& change) {
    PLUMB_TRY(const auto marker, directory.Open(kMarkerFile, host::OpenHow::kReadWrite));
    PLUMB_TRY(const auto lock, marker->Lock(host::LockKind::kExclusive, kLockTimeoutMs));
    PLUMB_TRY(oci::Index index, ReadIndex(directory));
    PLUMB_RETURN_IF_ERROR(change(index));
    return WriteIndex(directory, index);
  }

  Result<host::Directory*> OpenToRead() {
    const std::lock_guard lock(mutex_);
    if (is_readable_) return directory_.get();
    PLUMB_RETURN_IF_ERROR(OpenDirectory(host::IfMissing::kFail));
    PLUMB_TRY(is_readable_, CheckMarker());
    if (!is_readable_) return Error{ErrorKind::kNotFound, "'" + path_ + "' is no oci layout"};
    return directory_.get();
  }

  Result<host::Directory*> OpenToWrite() {
    const std::lock_guard lock(mutex_);
    if (is_writable_) return directory_.get();
    PLUMB_RETURN_IF_ERROR(OpenDirectory(host::IfMissing::kCreate));
    PLUMB_TRY(const bool is_layout, CheckMarker());
    if (!is_layout) PLUMB_RETURN_IF_ERROR(Make());
    PLUMB_RETURN_IF_ERROR(MakeBlobs());
    is_writable_ = true;
    return directory_.get();
  }

  Status OpenDirectory(host::IfMissing if_missing) {
    if (directory_) return Done{};
    PLUMB_TRY(directory_, files_.OpenDirectory(path_, if_missing));
    return Done{};
  }

  // False if there is none, or an empty one: then somebody has begun to make the layout.
  Result<bool> CheckMarker() {
    const auto marker = host::ReadFile(*directory_, kMarkerFile, kMarkerSizeMax);
    if (!marker && marker.error().kind == ErrorKind::kNotFound) return false;
    if (!marker) return marker.error();
    if (marker->empty()) return false;
    Status checked = oci::CheckLayoutMarker(*marker);
    if (!checked) return std::move(checked).error().While("cannot use '" + path_ + "'");
    return true;
  }

  // The marker's text comes last: with it a directory is a layout.
  Status Make() {
    PLUMB_TRY(const auto entries, directory_->List(""));
    const auto marker_entry = std::ranges::find(entries, kMarkerFile, &host::DirectoryEntry::name);
    if (!entries.empty() && marker_entry == entries.end()) {
      return Error{ErrorKind::kConflict, "'" + path_ + "' is neither empty nor an oci layout"};
    }
    PLUMB_TRY(const auto marker, directory_->Open(kMarkerFile, host::OpenHow::kCreate, kByUmask));
    PLUMB_TRY(const auto lock, marker->Lock(host::LockKind::kExclusive, kLockTimeoutMs));
    PLUMB_TRY(const bool is_made_by_another, CheckMarker());
    if (is_made_by_another) return Done{};
    // Nothing may survive a power cut without the marker, nor any of it without the directory.
    PLUMB_RETURN_IF_ERROR(host::SyncParents(files_, path_));
    PLUMB_RETURN_IF_ERROR(directory_->Sync(""));
    PLUMB_RETURN_IF_ERROR(MakeBlobs());
    PLUMB_RETURN_IF_ERROR(WriteIndex(*directory_, {}));
    return host::WriteFileDurably(*directory_, kMarkerFile, oci::WriteLayoutMarker(), kByUmask);
  }

  Status MakeBlobs() {
    PLUMB_RETURN_IF_ERROR(host::MakeDirectories(*directory_, kBlobs));
    return directory_->Sync(kAlgorithms);
  }

  Result<oci::Index> ReadIndex(host::Directory& directory) {
    const auto text = host::ReadFile(directory, kIndexFile, oci::kManifestSizeMax);
    if (!text && text.error().kind == ErrorKind::kNotFound)
      return Error{ErrorKind::kInvalid, "'" + path_ + "' is an oci layout without an index"};
    if (!text) return text.error();
    auto index = oci::Index::Parse(*text);
    if (!index) return std::move(index).error().While("cannot read the index of '" + path_ + "'");
    return index;
  }

  Status WriteIndex(host::Directory& directory, const oci::Index& index) {
    const std::string text = oci::WriteIndex(index);
    // What is written must be possible to read, or all its tags are lost.
    Status readable = oci::Index::Parse(text).map([](const oci::Index&) { return Done{}; });
    if (!readable) return std::move(readable).error().While("the index of '" + path_ + "' is full");
    return host::WriteFileDurably(directory, kIndexFile, text, kByUmask);
  }

  Error ManifestTooLong() const {
    return Error{ErrorKind::kExhausted, "a manifest of '" + path_ + "' is longer than 4 MiB"};
  }

  host::Files& files_;
  const std::string path_;
  std::mutex mutex_;  // guards what follows; an open directory stays as it is
  std::unique_ptr<host::Directory> directory_;
  bool is_readable_ = false;
  bool is_writable_ = false;
};

}  // namespace

std::unique_ptr<Repository> OpenLayout(host::Files& files, const std::string& path) {
  return std::make_unique<LayoutRemote>(files, path);
}

Result<Layout> OpenLayoutToRead(host::Files& files, const std::string& path) {
  auto remote = std::make_unique<LayoutRemote>(files, path);
  PLUMB_TRY(oci::Index index, remote->ReadWholeIndex());
  return Layout{std::move(remote), std::move(index), BlobOrder::kAny};
}

std::optional<LayoutName> ParseLayoutName(std::string_view text) {
  constexpr std::string_view kScheme = "oci:";
  if (!text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  LayoutName name = {std::string(text), {}};
  const std::size_t at = text.rfind('@');
  const std::size_t colon = text.rfind(':');
  const auto digest = Digest::Parse(text.substr(at == std::string_view::npos ? 0 : at + 1));
  if (at != std::string_view::npos && digest) {
    name = {std::string(text.substr(0, at)), {}, *digest};
  } else if (colon != std::string_view::npos && oci::CheckTag(text.substr(colon + 1)))
    name = {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
  if (name.directory.empty()) return std::nullopt;
  return name;
}

}  // namespace plumb::registry
