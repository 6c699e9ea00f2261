// SPDX-License-Identifier: MIT OR Apache-2.0
#include <utility>

#include "base/text.h"
#include "store/frame_internal.h"
#include "store/partial_internal.h"
#include "store/recipe_internal.h"

namespace plumb::store {
namespace {

constexpr std::uint32_t kDirectoryMode = 0700;
constexpr std::uint32_t kFileMode = 0600;
constexpr std::size_t kPiecesBetweenSyncs = 16;  // 64 MiB

std::string HeadOf(const Digest& blob) { return "plumb-partial 1 " + blob.ToString() + "\n"; }

std::string CheckOf(ByteSpan bytes) {
  return EncodeHex(ByteSpan(Blake3(bytes).bytes).first(kCheckSize));
}

std::optional<PartialRun> ParseObject(const std::vector<std::string_view>& words) {
  if (words.size() != 7) return std::nullopt;
  ObjectRecord object;
  const auto offset = ParseUint64(words[3]);
  const auto stored = ParseUint64(words[4]);
  const auto raw = ParseUint64(words[5]);
  if (!DecodeHex(words[1], object.id.bytes) || !DecodeHex(words[2], object.place.pack.bytes) ||
      !offset || !stored || !raw || (words[6] != "0" && words[6] != "1"))
    return std::nullopt;
  if (*raw == 0 || *raw > kPieceSizeMax || *stored > *raw) return std::nullopt;
  object.place.offset = *offset;
  object.place.stored_size = *stored;
  object.place.raw_size = *raw;
  object.place.encoding = words[6] == "0" ? Encoding::kRaw : Encoding::kZstd;
  return PartialRun{object};
}

std::optional<PartialRun> ParseBytes(const std::vector<std::string_view>& words) {
  if (words.size() != 3 || words[2].empty() || words[2].size() > 2 * kPieceSizeMax)
    return std::nullopt;
  PartialRun run = {std::nullopt, std::string(words[2].size() / 2, '\0')};
  if (!DecodeHex(words[2], std::as_writable_bytes(std::span(run.bytes)))) return std::nullopt;
  if (CheckOf(AsBytes(run.bytes)) != words[1]) return std::nullopt;
  return run;
}

}  // namespace

std::optional<PartialRun> ParsePartialLine(std::string_view line) {
  const std::vector<std::string_view> words = Split(line, ' ');
  if (words[0] == "object") return ParseObject(words);
  if (words[0] == "bytes") return ParseBytes(words);
  return std::nullopt;
}

std::string WritePartialLine(const ObjectRecord& object) {
  const ObjectPlace& place = object.place;
  return "object " + object.id.ToHex() + " " + place.pack.ToString() + " " +
         std::to_string(place.offset) + " " + std::to_string(place.stored_size) + " " +
         std::to_string(place.raw_size) + (place.encoding == Encoding::kRaw ? " 0\n" : " 1\n");
}

std::string WritePartialLine(ByteSpan bytes) {
  return "bytes " + CheckOf(bytes) + " " + EncodeHex(bytes) + "\n";
}

PartialBlob::PartialBlob(const Parts& parts, const Digest& blob)
    : store_(parts.directory),
      packs_(parts.packs),
      clock_(parts.clock),
      blob_(blob),
      path_(std::string(kPartialDirectory) + "/" + blob.ToHex()) {
  auto opened = store_.Open(path_, host::OpenHow::kReadWrite);
  if (!opened) {
    is_given_up_ = opened.error().kind != ErrorKind::kNotFound;
    return;
  }
  // Who holds it is receiving this very blob: what he writes is his.
  auto locked = (*opened)->Lock(host::LockKind::kExclusive, 0);
  if (!locked) {
    is_given_up_ = true;
    return;
  }
  file_ = *std::move(opened);
  lock_ = *std::move(locked);
  ReadKept();
}

PartialBlob::~PartialBlob() {
  const std::lock_guard lock(mutex_);
  if (unsynced_pieces_ > 0 || tail_end_ > end_) MakeDurable();
}

void PartialBlob::ReadKept() {
  const auto state = file_->State();
  if (!state || state->size > kPartialRecordSizeMax) return;
  std::string text(static_cast<std::size_t>(state->size), '\0');
  const auto size = file_->ReadAt(0, std::as_writable_bytes(std::span(text)));
  if (!size) return;
  file_size_ = text.size();
  // A gc may be taking away what it names.
  if (state->modified_ns < clock_.NowNs() - kPartialKeptNs) return;
  text.resize(*size);
  const std::string head = HeadOf(blob_);
  if (!text.starts_with(head)) return;
  // As it stands: so that the record is young as long as this command is at work.
  if (!file_->WriteAt(0, AsBytes(head))) return;
  end_ = tail_end_ = head.size();
  std::string_view rest = std::string_view(text).substr(head.size());
  for (std::size_t at = head.size();;) {
    const std::size_t length = rest.find('\n');
    if (length == std::string_view::npos) return;
    auto run = ParsePartialLine(rest.substr(0, length));
    if (!run) return;
    at += length + 1;
    rest.remove_prefix(length + 1);
    kept_.push_back({*std::move(run), at});
  }
}

std::optional<PartialBlob::Kept> PartialBlob::TakeKept(std::uint64_t size_max) {
  if (taken_ == kept_.size()) return std::nullopt;
  const PartialRun& run = kept_[taken_].run;
  const std::uint64_t size = run.object ? run.object->place.raw_size : run.bytes.size();
  bool is_good = size <= size_max;
  if (is_good && run.object) {
    const auto pack = packs_.Open(run.object->place.pack);
    is_good = pack && HasFrame(**pack, *run.object) &&
              ReadObject(**pack, run.object->place, run.object->id, object_bytes_);
  }
  if (!is_good) {
    // What comes in its place is noted anew, even if it has the same name.
    const std::lock_guard lock(mutex_);
    kept_.resize(taken_);
    return std::nullopt;
  }
  ++taken_;
  return Kept{run.object, run.object ? ByteSpan(object_bytes_) : AsBytes(run.bytes)};
}

// A power cut may keep a payload and lose the header in front of it: what is taken over so could be
// read, but neither checked nor written anew.
bool PartialBlob::HasFrame(PackReader& pack, const ObjectRecord& object) {
  const ObjectPlace& place = object.place;
  if (!indexes_.contains(place.pack)) {
    auto index = ReadPackIndex(pack, place.pack);
    indexes_.emplace(place.pack, index ? *std::move(index) : PackIndex());
  }
  const PackFrame* const frame = indexes_.at(place.pack).FrameAt(place.offset);
  if (frame == nullptr || frame->type != FrameType::kObject || frame->id != object.id ||
      frame->stored_size != place.stored_size)
    return false;
  const auto header = ReadFrameHeader(pack, *frame);
  return header && header->raw_size == place.raw_size && header->encoding == place.encoding;
}

// Whether the next kept line says the same. It then stays, even where the object is elsewhere by
// now: to write it anew would cut off those behind it.
bool PartialBlob::IsKept(const std::optional<ObjectRecord>& object, ByteSpan bytes) {
  if (noted_kept_ == kept_.size()) return false;
  const Line& line = kept_[noted_kept_];
  const bool is_same = object ? line.run.object && line.run.object->id == object->id
                              : !line.run.object && line.run.bytes == AsText(bytes);
  if (!is_same) {
    noted_kept_ = kept_.size();
    return false;
  }
  ++noted_kept_;
  end_ = tail_end_ = line.end;
  return true;
}

void PartialBlob::NoteObject(const ObjectRecord& object) {
  const std::lock_guard lock(mutex_);
  if (is_given_up_ || IsKept(object, {})) return;
  NotePiece(WritePartialLine(object));
  unsynced_.insert(object.place.pack);
  named_.insert(object.place.pack);
  if (++unsynced_pieces_ == kPiecesBetweenSyncs) MakeDurable();
}

void PartialBlob::NoteLiteral(ByteSpan bytes) {
  const std::lock_guard lock(mutex_);
  if (is_given_up_ || IsKept(std::nullopt, bytes)) return;
  NotePiece(WritePartialLine(bytes));
}

void PartialBlob::NoteTail(ByteSpan bytes) {
  const std::lock_guard lock(mutex_);
  if (is_given_up_ || bytes.empty() || !MakeFile()) return;
  noted_kept_ = kept_.size();
  const std::size_t pieces_end = std::exchange(end_, tail_end_);
  WriteLine(WritePartialLine(bytes));
  tail_end_ = std::exchange(end_, pieces_end);
}

void PartialBlob::NotePiece(const std::string& line) {
  if (!MakeFile()) return;
  WriteLine(line);
  tail_end_ = end_;
}

bool PartialBlob::MakeFile() {
  if (file_ == nullptr) {
    // That it is there already is as good.
    [[maybe_unused]] const Status made = store_.MakeDirectory(kPartialDirectory, kDirectoryMode);
    auto opened = store_.Open(path_, host::OpenHow::kCreateNew, kFileMode);
    if (opened) {
      auto locked = (*opened)->Lock(host::LockKind::kExclusive, 0);
      if (locked) {
        file_ = *std::move(opened);
        lock_ = *std::move(locked);
      }
    }
    is_given_up_ = file_ == nullptr;
  }
  if (is_given_up_) return false;
  if (end_ == 0) {
    WriteLine(HeadOf(blob_));
    tail_end_ = end_;
  }
  return !is_given_up_;
}

void PartialBlob::WriteLine(std::string_view line) {
  const std::size_t end = end_ + line.size();
  is_given_up_ = end > kPartialRecordSizeMax || !file_->WriteAt(end_, AsBytes(line)) ||
                 (file_size_ > end && !file_->Truncate(end));
  end_ = file_size_ = end;
}

void PartialBlob::MakeDurable() {
  for (const PackName& pack : std::exchange(unsynced_, {}))
    if (!packs_.MakeDurable(pack)) is_given_up_ = true;
  unsynced_pieces_ = 0;
  if (file_ == nullptr || is_forgotten_) return;
  if (!file_->Sync()) is_given_up_ = true;
  if (is_name_durable_) return;
  is_name_durable_ = store_.Sync(kPartialDirectory) && store_.Sync("");
}

void PartialBlob::Forget() {
  const std::lock_guard lock(mutex_);
  // Only who holds the lock may: another's record is not ours to remove.
  if (file_ != nullptr) [[maybe_unused]]
    const Status removed = store_.Remove(path_);
  is_given_up_ = is_forgotten_ = true;
  unsynced_.clear();
  named_.clear();
  unsynced_pieces_ = 0;
  tail_end_ = end_;
}

std::set<PackName> PartialBlob::NamedPacks() const {
  const std::lock_guard lock(mutex_);
  return named_;
}

bool PartialBlob::is_forgotten() const {
  const std::lock_guard lock(mutex_);
  return is_forgotten_;
}

}  // namespace plumb::store
