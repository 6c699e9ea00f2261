// SPDX-License-Identifier: MIT OR Apache-2.0
#include <span>
#include <utility>

#include "base/text.h"
#include "store/frame_internal.h"
#include "store/partial_internal.h"
#include "store/recipe_internal.h"

namespace plumb::store {
namespace {

constexpr std::uint32_t kDirectoryMode = 0700;
constexpr std::uint32_t kFileMode = 0600;
constexpr std::size_t kPiecesBetweenSyncs = 64;  // 64 MiB

std::string HeadOf(const Digest& blob) { return "plumb-partial 1 " + blob.ToString() + "\n"; }

// docs/format.md, "Domains".
std::string NameOf(const Domain& domain, const Digest& blob) {
  if (domain.IsDevice()) return blob.ToHex();
  return Sha256(AsBytes(domain.name() + "\n" + blob.ToString())).ToHex();
}

std::string CheckOf(ByteSpan bytes) {
  return EncodeHex(ByteSpan(Blake3(bytes).bytes).first(kCheckSize));
}

// PACK OFFSET STORED RAW ENCODING
std::optional<ObjectPlace> ParsePlace(std::span<const std::string_view> words) {
  ObjectPlace place;
  const auto offset = ParseUint64(words[1]);
  const auto stored = ParseUint64(words[2]);
  const auto raw = ParseUint64(words[3]);
  const auto encoding = ParseUint64(words[4]);
  if (!DecodeHex(words[0], place.pack.bytes) || !offset || !stored || !raw || !encoding ||
      *encoding > kEncodingMax || *raw == 0 || *stored == 0 || *stored > *raw)
    return std::nullopt;
  place.offset = *offset;
  place.stored_size = *stored;
  place.raw_size = *raw;
  place.encoding = static_cast<Encoding>(*encoding);
  if (place.encoding == Encoding::kRaw && place.stored_size != place.raw_size) return std::nullopt;
  return place;
}

std::string PlaceText(const ObjectPlace& place) {
  return place.pack.ToString() + " " + std::to_string(place.offset) + " " +
         std::to_string(place.stored_size) + " " + std::to_string(place.raw_size) + " " +
         std::to_string(static_cast<unsigned>(place.encoding)) + "\n";
}

std::optional<PartialRun> ParseObject(std::span<const std::string_view> words) {
  if (words.size() != 7) return std::nullopt;
  ObjectRecord object;
  const auto place = ParsePlace(words.subspan(2));
  if (!DecodeHex(words[1], object.id.bytes) || !place) return std::nullopt;
  const bool has_tree = place->encoding == Encoding::kTree;
  if (place->raw_size > (has_tree ? kObjectSizeMax : kFramedObjectSizeMax)) return std::nullopt;
  object.place = *place;
  return PartialRun{object};
}

std::optional<PartialRun> ParseBlock(std::span<const std::string_view> words) {
  if (words.size() != 8) return std::nullopt;
  BlockPlace block;
  const auto index = ParseUint64(words[2]);
  const auto place = ParsePlace(words.subspan(3));
  if (!DecodeHex(words[1], block.hash.bytes) || !index || !place ||
      *index >= BlockCount(kObjectSizeMax) || place->raw_size > kBlockSizeMax ||
      place->encoding == Encoding::kTree)
    return std::nullopt;
  block.index = static_cast<std::uint32_t>(*index);
  block.place = *place;
  return PartialRun{{}, block};
}

std::optional<PartialRun> ParseBytes(std::span<const std::string_view> words) {
  if (words.size() != 3 || words[2].empty() || words[2].size() > 2 * kFramedObjectSizeMax)
    return std::nullopt;
  PartialRun run = {{}, {}, std::string(words[2].size() / 2, '\0')};
  if (!DecodeHex(words[2], std::as_writable_bytes(std::span(run.bytes)))) return std::nullopt;
  if (CheckOf(AsBytes(run.bytes)) != words[1]) return std::nullopt;
  return run;
}

}  // namespace

std::optional<PartialRun> ParsePartialLine(std::string_view line) {
  const std::vector<std::string_view> words = Split(line, ' ');
  if (words[0] == "object") return ParseObject(words);
  if (words[0] == "block") return ParseBlock(words);
  if (words[0] == "bytes") return ParseBytes(words);
  return std::nullopt;
}

std::string WritePartialLine(const ObjectRecord& object) {
  return "object " + object.id.ToHex() + " " + PlaceText(object.place);
}

std::string WritePartialLine(const BlockPlace& block) {
  return "block " + EncodeHex(block.hash.bytes) + " " + std::to_string(block.index) + " " +
         PlaceText(block.place);
}

std::string WritePartialLine(ByteSpan bytes) {
  return "bytes " + CheckOf(bytes) + " " + EncodeHex(bytes) + "\n";
}

PartialBlob::PartialBlob(const Parts& parts, const Digest& blob)
    : store_(parts.directory),
      packs_(parts.packs),
      clock_(parts.clock),
      blob_(blob),
      path_(std::string(kPartialDirectory) + "/" + NameOf(parts.domain, blob)) {
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
    if (!AddKept(*std::move(run), at)) return;
  }
}

// False if it cannot stand behind those before it.
bool PartialBlob::AddKept(PartialRun run, std::size_t end) {
  const BlockPlace* const last =
      !kept_.empty() && kept_.back().run.block ? &*kept_.back().run.block : nullptr;
  if (run.block && run.block->index != (last == nullptr ? 0 : last->index + 1)) return false;
  if (run.object && run.object->place.encoding == Encoding::kTree)
    while (!kept_.empty() && kept_.back().run.block)
      kept_.pop_back();
  kept_.push_back({std::move(run), end});
  return true;
}

std::optional<PartialBlob::Kept> PartialBlob::TakeKept(std::uint64_t size_max) {
  if (taken_ == kept_.size()) return std::nullopt;
  PartialRun& run = kept_[taken_].run;
  const bool is_first = blocks_taken_ == 0;
  const auto bytes = ReadRun(run);
  const std::uint64_t size =
      run.object && is_first ? run.object->place.raw_size : bytes.value_or(ByteSpan()).size();
  if (!bytes || size > size_max) {
    // What comes in its place is noted anew, even if it has the same name.
    const std::lock_guard lock(mutex_);
    kept_.resize(taken_);
    return std::nullopt;
  }
  Kept kept = {is_first ? run.object : std::nullopt, *bytes};
  if (tree_ && ++blocks_taken_ < tree_->blocks.size()) return kept;
  tree_.reset();
  blocks_taken_ = 0;
  ++taken_;
  return kept;
}

// Nothing if it is damaged.
std::optional<ByteSpan> PartialBlob::ReadRun(PartialRun& run) {
  if (!run.object && !run.block) return AsBytes(run.bytes);
  if (run.object && run.object->place.encoding == Encoding::kTree) return ReadBlockOf(*run.object);
  const ObjectPlace& place = run.object ? run.object->place : run.block->place;
  const auto pack = packs_.Open(place.pack);
  if (!pack) return std::nullopt;
  FrameContent wanted = {FrameType::kObject, {}, place.raw_size, place.encoding};
  if (run.object) {
    wanted.id = run.object->id;
  } else {
    wanted.type = FrameType::kBlock;
    wanted.id.bytes = run.block->hash.bytes;
    wanted.block = run.block->index;
  }
  if (!HasFrame(**pack, wanted, place)) return std::nullopt;
  const Status read = run.object ? ReadObject(**pack, place, run.object->id, object_bytes_)
                                 : ReadBlock(**pack, *run.block, object_bytes_);
  if (!read) return std::nullopt;
  return object_bytes_;
}

// Of the object that is being taken, the next block.
std::optional<ByteSpan> PartialBlob::ReadBlockOf(ObjectRecord& object) {
  if (!tree_) {
    const auto pack = packs_.Open(object.place.pack);
    const FrameContent wanted = {FrameType::kTree, object.id, object.place.stored_size};
    if (!pack || !HasFrame(**pack, wanted, object.place)) return std::nullopt;
    auto tree = ReadTree(**pack, object.id, object.place);
    if (!tree) return std::nullopt;
    tree_ = *std::move(tree);
    object.place = tree_->PlaceFor(object.place);
  }
  const BlockPlace block = tree_->PlaceOf(blocks_taken_, object.place.pack);
  const auto pack = packs_.Open(block.place.pack);
  if (!pack || !ReadBlock(**pack, block, object_bytes_)) return std::nullopt;
  return object_bytes_;
}

// A power cut may keep a payload and lose the header in front of it: what is taken over so could be
// read, but neither checked nor written anew.
bool PartialBlob::HasFrame(PackReader& pack, const FrameContent& wanted, const ObjectPlace& place) {
  if (pack.kind() == PackKind::kAdopted) return true;
  if (!indexes_.contains(place.pack)) {
    auto index = ReadPackIndex(pack, place.pack);
    indexes_.emplace(place.pack, index ? *std::move(index) : PackIndex());
  }
  const PackFrame* const frame = indexes_.at(place.pack).FrameAt(place.offset);
  const bool is_such =
      frame != nullptr &&
      (frame->type == wanted.type || (IsWholeObject(frame->type) && IsWholeObject(wanted.type)));
  if (!is_such || frame->id != wanted.id || frame->stored_size != place.stored_size) return false;
  const auto header = ReadFrameHeader(pack, *frame);
  return header && header->raw_size == wanted.raw_size && header->encoding == wanted.encoding &&
         header->block == wanted.block;
}

// It then stays, even where the object is elsewhere by now: to write it anew would cut off those
// behind it.
bool PartialBlob::IsKept(const PartialRun& run) {
  if (noted_kept_ == kept_.size()) return false;
  const Line& line = kept_[noted_kept_];
  const bool is_of_tree = line.run.object && line.run.object->place.encoding == Encoding::kTree;
  // Its object is noted behind it.
  if (run.block && is_of_tree) return true;
  const bool is_same = run.object ? line.run.object && line.run.object->id == run.object->id
                       : run.block
                           ? line.run.block && line.run.block->hash == run.block->hash
                           : !line.run.object && !line.run.block && line.run.bytes == run.bytes;
  if (!is_same) {
    noted_kept_ = kept_.size();
    return false;
  }
  ++noted_kept_;
  end_ = tail_end_ = line.end;
  return true;
}

void PartialBlob::Note(const PartialRun& run) {
  const std::lock_guard lock(mutex_);
  if (is_given_up_ || IsKept(run)) return;
  NotePiece(run.object  ? WritePartialLine(*run.object)
            : run.block ? WritePartialLine(*run.block)
                        : WritePartialLine(AsBytes(run.bytes)));
  if (run.object || run.block) NotePack(run);
}

void PartialBlob::NotePack(const PartialRun& run) {
  const PackName& pack = run.object ? run.object->place.pack : run.block->place.pack;
  named_.insert(pack);
  // A block that was here before is durable.
  if (run.object || run.block->is_new) unsynced_.insert(pack);
  if (++unsynced_pieces_ == kPiecesBetweenSyncs) MakeDurable();
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
