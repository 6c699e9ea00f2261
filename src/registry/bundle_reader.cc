// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "archive/compression.h"
#include "archive/tar_reader.h"
#include "base/text.h"
#include "host/file_streams.h"
#include "oci/reference.h"
#include "registry/bundle.h"
#include "registry/checked_sink_internal.h"
#include "registry/indexed_remote_internal.h"
#include "registry/layout_internal.h"

namespace plumb::registry {
namespace {

// A manifest has at most 20000 layers; more than five such kits do not fit into a bundle.
constexpr std::size_t kEntryCountMax = 100'000;
// Of manifests and configs of a stream, which are needed again when the layers come.
constexpr std::size_t kKeptSizeMax = std::size_t{64} << 20;
constexpr std::string_view kImageNameAnnotation = "io.containerd.image.name";

using archive::Compression;

Compression CompressionOf(std::string_view start) {
  if (start.starts_with("\x1f\x8b")) return Compression::kGzip;
  if (start.starts_with("\x28\xb5\x2f\xfd")) return Compression::kZstd;
  return Compression::kNone;
}

// Stops reading when the person asks for it: an archive may go on for ever.
class StoppableSource final : public ByteSource {
 public:
  StoppableSource(ByteSource& source, Progress& progress) : source_(source), progress_(progress) {}

  Result<ByteSpan> Read(std::size_t size_max) override {
    if (progress_.StopRequested()) return Interrupted();
    return source_.Read(size_max);
  }
  Result<bool> Skip(std::uint64_t size) override { return source_.Skip(size); }

 private:
  ByteSource& source_;
  Progress& progress_;
};

// Gives back what was read to see what it is.
class PeekedSource final : public ByteSource {
 public:
  explicit PeekedSource(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  Result<std::string_view> Peek(std::size_t size) {
    while (start_.size() < size) {
      PLUMB_TRY(const ByteSpan piece, source_->Read(size - start_.size()));
      if (piece.empty()) break;
      start_ += AsText(piece);
    }
    return std::string_view(start_);
  }

  Result<ByteSpan> Read(std::size_t size_max) override {
    if (given_ == start_.size()) return source_->Read(size_max);
    const auto rest = std::string_view(start_).substr(given_, size_max);
    given_ += rest.size();
    return AsBytes(rest);
  }

 private:
  const std::unique_ptr<ByteSource> source_;
  std::string start_;
  std::size_t given_ = 0;
};

enum class EntryKind : std::uint8_t { kMarker, kIndex, kBlob, kOther };
struct Entry {
  EntryKind kind = EntryKind::kOther;
  Digest digest = {};  // of a blob
  std::uint64_t size = 0;
};

// The entries of the archive, each checked. Nothing that is in it is ever a path of this machine.
class EntryReader {
 public:
  EntryReader(ByteSource& source, std::string label) : tar_(source), label_(std::move(label)) {}

  // Nothing at the end.
  Result<std::optional<Entry>> Next() {
    PLUMB_TRY(const std::optional<archive::TarEntry> found, tar_.Next());
    if (!found) return std::optional<Entry>();
    if (++count_ > kEntryCountMax)
      return Error{ErrorKind::kExhausted, "'" + label_ + "' has more than 100000 entries"};
    // "tar -C layout -cf FILE ." begins with the directory itself.
    const bool is_root = found->type == archive::TarEntryType::kDirectory && found->name == ".";
    if (is_root) return std::optional(Entry());
    PLUMB_TRY(const std::string name, archive::CheckEntryName(found->name));
    PLUMB_TRY(Entry entry, KindOf(name, *found));
    const bool is_new = entry.kind == EntryKind::kOther ||
                        (entry.kind == EntryKind::kBlob ? blobs_.insert(entry.digest).second
                                                        : files_.insert(entry.kind).second);
    // Two readers might take one each.
    if (!is_new) return Invalid("it has '" + Printable(name) + "' twice");
    entry.size = found->size;
    return std::optional(entry);
  }

  // The content of the entry that came last, which is small.
  Result<std::string> ReadText(std::uint64_t size, std::uint64_t size_max) {
    if (size > size_max)
      return Error{ErrorKind::kExhausted, "a file of '" + label_ + "' is longer than " +
                                              std::to_string(size_max) + " bytes"};
    std::string text;
    while (text.size() < size) {
      PLUMB_TRY(const ByteSpan piece, tar_.Read(static_cast<std::size_t>(size - text.size())));
      text += AsText(piece);
    }
    return text;
  }

  Status ReadMarker(const Entry& entry) {
    PLUMB_TRY(const std::string text, ReadText(entry.size, kMarkerSizeMax));
    Status checked = oci::CheckLayoutMarker(text);
    if (!checked) return std::move(checked).error().While("cannot use '" + label_ + "'");
    return Done{};
  }

  Result<oci::Index> ReadIndex(const Entry& entry) {
    PLUMB_TRY(const std::string text, ReadText(entry.size, oci::kManifestSizeMax));
    auto index = oci::Index::Parse(text);
    if (!index) return std::move(index).error().While("cannot read the index of '" + label_ + "'");
    std::map<std::string_view, Digest> names;
    for (const oci::IndexEntry& named : index->entries) {
      if (named.tag.empty()) continue;
      const auto known = names.emplace(named.tag, named.descriptor.digest).first;
      if (known->second != named.descriptor.digest)
        return Invalid("its index calls two things '" + Printable(named.tag) + "'");
    }
    return index;
  }

  Result<ByteSpan> Read(std::size_t size_max) { return tar_.Read(size_max); }
  bool HasSeen(const Digest& digest) const { return blobs_.contains(digest); }

  Error Invalid(std::string_view why) const {
    return Error{ErrorKind::kInvalid, "'" + label_ + "' is no bundle: " + std::string(why)};
  }

 private:
  Result<Entry> KindOf(const std::string& name, const archive::TarEntry& found) const {
    Entry entry;
    if (found.type == archive::TarEntryType::kDirectory) return entry;
    if (name == kMarkerFile) entry.kind = EntryKind::kMarker;
    if (name == kIndexFile) entry.kind = EntryKind::kIndex;
    const std::string folder = std::string(kBlobs) + "/";
    if (!name.starts_with(folder)) return entry;
    entry.kind = EntryKind::kBlob;
    const auto digest = Digest::Parse("sha256:" + name.substr(folder.size()));
    if (!digest) return Invalid("'" + Printable(name) + "' has no name of a blob");
    entry.digest = *digest;
    return entry;
  }

  archive::TarReader tar_;
  const std::string label_;
  std::size_t count_ = 0;
  std::set<EntryKind> files_;
  std::set<Digest> blobs_;
};

// The content of the current entry.
class EntrySource final : public ByteSource {
 public:
  explicit EntrySource(EntryReader& reader) : reader_(reader) {}
  Result<ByteSpan> Read(std::size_t size_max) override { return reader_.Read(size_max); }

 private:
  EntryReader& reader_;
};

struct Place {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};
using Places = std::map<Digest, Place>;

// A tar that lies still: where each blob is was found out when it was opened. Threads: any number.
class FileBundle final : public IndexedRemote {
 public:
  FileBundle(std::string label, oci::Index index, std::unique_ptr<host::File> file, Places places)
      : IndexedRemote(std::move(label), std::move(index)),
        file_(std::move(file)),
        places_(std::move(places)) {}

  Result<bool> HasBlob(const oci::Descriptor& blob) override {
    const auto found = places_.find(blob.digest);
    return found != places_.end() && found->second.size == blob.size;
  }

 protected:
  Status Fetch(const oci::Descriptor& blob, std::uint64_t offset, ByteSink& sink,
               Progress& progress) override {
    const auto found = places_.find(blob.digest);
    if (found == places_.end()) return NotThere(blob);
    const Place& place = found->second;
    host::FileSource source(*file_, place.offset + std::min(offset, place.size),
                            place.offset + place.size);
    CheckedSink checked(blob, offset, Hashing::kNo, sink, progress);
    PLUMB_RETURN_IF_ERROR(CopyAll(source, checked));
    return checked.Finish();
  }

 private:
  const std::unique_ptr<host::File> file_;
  const Places places_;
};

// What a stream consists of, in the order in which it must be taken apart again.
struct StreamParts {
  std::unique_ptr<host::File> file = {};
  std::unique_ptr<ByteSource> raw = {};
  std::unique_ptr<ByteSource> plain = {};
  std::unique_ptr<ByteSource> stoppable = {};
  std::unique_ptr<EntryReader> entries = {};
};

// A tar that passes by. Layers are given when they come; manifests and configs are kept.
class StreamBundle final : public IndexedRemote {
 public:
  StreamBundle(std::string label, oci::Index index, StreamParts parts)
      : IndexedRemote(std::move(label), std::move(index)), parts_(std::move(parts)) {}

  Result<bool> HasBlob(const oci::Descriptor& /*blob*/) override {
    return Error{ErrorKind::kUnsupported, "nobody knows what is to come in '" + label() + "'"};
  }

 protected:
  Status Fetch(const oci::Descriptor& blob, std::uint64_t offset, ByteSink& sink,
               Progress& progress) override {
    const std::lock_guard lock(mutex_);
    CheckedSink checked(blob, offset, Hashing::kNo, sink, progress);
    const bool is_kept = blob.media_type.ends_with("+json") && blob.size <= oci::kManifestSizeMax;
    if (is_kept) {
      PLUMB_RETURN_IF_ERROR(KeepBlob(blob));
      const std::string& text = kept_.at(blob.digest);
      const auto from = std::min<std::size_t>(static_cast<std::size_t>(offset), text.size());
      PLUMB_RETURN_IF_ERROR(checked.Write(AsBytes(std::string_view(text).substr(from))));
      return checked.Finish();
    }
    PLUMB_TRY([[maybe_unused]] const Entry entry, Find(blob));
    EntrySource source(*parts_.entries);
    PLUMB_TRY(const bool is_there, source.Skip(offset));
    if (!is_there) return NotThere(blob);
    PLUMB_RETURN_IF_ERROR(CopyAll(source, checked));
    return checked.Finish();
  }

 private:
  // Goes on until the blob comes. What may be the manifest or config of a later kit is kept.
  Result<Entry> Find(const oci::Descriptor& blob) {
    if (parts_.entries->HasSeen(blob.digest)) return HasPassed();
    while (!has_ended_) {
      PLUMB_TRY(const std::optional<Entry> entry, parts_.entries->Next());
      has_ended_ = !entry.has_value();
      if (!entry || entry->kind != EntryKind::kBlob) continue;
      if (entry->digest == blob.digest) return *entry;
      if (entry->size > oci::kManifestSizeMax) continue;
      PLUMB_TRY(std::string text, parts_.entries->ReadText(entry->size, oci::kManifestSizeMax));
      if (text.starts_with('{')) PLUMB_RETURN_IF_ERROR(Keep(entry->digest, std::move(text)));
    }
    return NotThere(blob);
  }

  Status KeepBlob(const oci::Descriptor& blob) {
    if (kept_.contains(blob.digest)) return Done{};
    PLUMB_TRY(const Entry entry, Find(blob));
    PLUMB_TRY(std::string text, parts_.entries->ReadText(entry.size, oci::kManifestSizeMax));
    return Keep(blob.digest, std::move(text));
  }

  Status Keep(const Digest& digest, std::string text) {
    kept_size_ += text.size();
    if (kept_size_ > kKeptSizeMax) {
      return Error{ErrorKind::kExhausted,
                   "the manifests and configs of '" + label() + "' are longer than 64 MiB",
                   "save it as a file that is not compressed, then: plumb import FILE"};
    }
    kept_.emplace(digest, std::move(text));
    return Done{};
  }

  Error HasPassed() const {
    return Error{ErrorKind::kUnsupported, "'" + label() + "' has its parts in another order",
                 "save it as a file that is not compressed, then: plumb import FILE"};
  }

  std::mutex mutex_;
  StreamParts parts_;
  bool has_ended_ = false;
  std::map<Digest, std::string> kept_;
  std::size_t kept_size_ = 0;
};

Result<Layout> ScanFile(std::unique_ptr<host::File> file, std::string label, Progress& progress) {
  host::FileSource source(*file, 0);
  StoppableSource stoppable(source, progress);
  EntryReader entries(stoppable, label);
  std::optional<oci::Index> index;
  bool has_marker = false;
  Places places;
  for (;;) {
    PLUMB_TRY(const std::optional<Entry> entry, entries.Next());
    if (!entry) break;
    if (entry->kind == EntryKind::kMarker) {
      PLUMB_RETURN_IF_ERROR(entries.ReadMarker(*entry));
      has_marker = true;
    } else if (entry->kind == EntryKind::kIndex) {
      PLUMB_TRY(index, entries.ReadIndex(*entry));
    } else if (entry->kind == EntryKind::kBlob) {
      places.emplace(entry->digest, Place{source.offset(), entry->size});
    }
  }
  if (!has_marker || !index) {
    return entries.Invalid("it has no '" + std::string(has_marker ? kIndexFile : kMarkerFile) +
                           "'");
  }
  auto remote =
      std::make_unique<FileBundle>(std::move(label), *index, std::move(file), std::move(places));
  return Layout{std::move(remote), *std::move(index), BlobOrder::kAny};
}

Result<Layout> OpenStream(StreamParts parts, std::string label, Progress& progress) {
  auto peeked = std::make_unique<PeekedSource>(std::move(parts.raw));
  PLUMB_TRY(const std::string_view start, peeked->Peek(4));
  const Compression compression = CompressionOf(start);
  parts.raw = std::move(peeked);
  parts.plain = archive::MakeDecompressor(compression, *parts.raw);
  parts.stoppable = std::make_unique<StoppableSource>(*parts.plain, progress);
  parts.entries = std::make_unique<EntryReader>(*parts.stoppable, label);
  bool has_marker = false;
  for (;;) {
    PLUMB_TRY(const std::optional<Entry> entry, parts.entries->Next());
    if (!entry) return parts.entries->Invalid("it has no layout in it");
    if (entry->kind == EntryKind::kMarker) {
      PLUMB_RETURN_IF_ERROR(parts.entries->ReadMarker(*entry));
      has_marker = true;
    } else if (entry->kind == EntryKind::kBlob ||
               (entry->kind == EntryKind::kIndex && !has_marker)) {
      return Error{ErrorKind::kUnsupported, "'" + label + "' has its parts in another order",
                   "save it as a file that is not compressed, then: plumb import FILE"};
    } else if (entry->kind == EntryKind::kIndex) {
      PLUMB_TRY(oci::Index index, parts.entries->ReadIndex(*entry));
      auto remote = std::make_unique<StreamBundle>(std::move(label), index, std::move(parts));
      return Layout{std::move(remote), std::move(index), BlobOrder::kAsTheyCome};
    }
  }
}

}  // namespace

Result<Layout> OpenBundle(std::unique_ptr<host::File> file, std::string label, Progress& progress) {
  std::array<std::byte, 4> start = {};
  PLUMB_TRY(const std::size_t size, file->ReadAt(0, start));
  if (CompressionOf(AsText(ByteSpan(start).first(size))) == Compression::kNone)
    return ScanFile(std::move(file), std::move(label), progress);
  StreamParts parts;
  parts.file = std::move(file);
  parts.raw = std::make_unique<host::FileSource>(*parts.file, 0);
  return OpenStream(std::move(parts), std::move(label), progress);
}

Result<Layout> OpenBundle(std::unique_ptr<ByteSource> source, std::string label,
                          Progress& progress) {
  StreamParts parts;
  parts.raw = std::move(source);
  return OpenStream(std::move(parts), std::move(label), progress);
}

Result<LayoutEntryName> NameOf(const oci::IndexEntry& entry) {
  std::string name = entry.tag;
  const auto is_whole = [](std::string_view text) {
    return text.find_first_of(":/") != std::string_view::npos;
  };
  if (!is_whole(name)) {
    for (const auto& [key, value] : entry.descriptor.annotations)
      if (key == kImageNameAnnotation && is_whole(value)) name = value;
  }
  if (!is_whole(name)) {
    if (!name.empty()) PLUMB_RETURN_IF_ERROR(oci::CheckTag(name));
    return LayoutEntryName{{}, name};
  }
  PLUMB_TRY(const oci::Reference reference, oci::Reference::Parse(name));
  return LayoutEntryName{reference.Name(), reference.tag};
}

}  // namespace plumb::registry
