// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <limits>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/parallel.h"
#include "store/adopter.h"
#include "store/file_pieces_internal.h"
#include "store/files_record_internal.h"
#include "store/frame_internal.h"
#include "store/recipe_internal.h"
#include "store/salvage_internal.h"
#include "store/tree_internal.h"

namespace plumb::store {
namespace {

constexpr std::uint64_t kWholeBlobSizeMax = std::uint64_t{64} << 10;
// Ten commits a minute for a month are a tenth of this: the memory for more is refused.
constexpr std::size_t kEventsMax = std::size_t{4} << 20;

std::string_view NameOfType(FrameType type) {
  switch (type) {
    case FrameType::kObject:
    case FrameType::kAlignedObject:
    case FrameType::kTree:
      return "an object";
    case FrameType::kFiles:
      return "a list of files";
    case FrameType::kRecipe:
    case FrameType::kBlob:
      return "a blob";
    case FrameType::kKit:
    case FrameType::kHeld:
      return "what became of a kit";
    case FrameType::kRefMove:
      return "where a tag moved";
    default:
      return "something";
  }
}

bool IsDamage(const Error& error) { return error.kind == ErrorKind::kCorrupt; }

template <typename Event>
void MoveEvents(std::vector<FoundEvent<Event>>& source, std::vector<Event>& target,
                std::unordered_set<ObjectId, HashOfHash>& known) {
  for (FoundEvent<Event>& found : source)
    if (known.insert(found.id).second) target.push_back(std::move(found.event));
}

}  // namespace

Result<PackFindings> PackSalvager::Read(const PackName& name) {
  found_ = {};
  found_.pack = name;
  auto opened = packs_.Open(name);
  if (!opened) return std::move(opened).error();
  pack_ = *std::move(opened);
  if (pack_->kind() == PackKind::kAdopted) {
    PLUMB_RETURN_IF_ERROR(TakeAdopted());
    return std::move(found_);
  }
  auto index = ReadPackIndex(*pack_, name);
  const bool has_beginning = index.has_value();
  if (!index && IsDamage(index.error())) index = ReadFramesOf(*pack_, name);
  if (!index && !IsDamage(index.error())) return std::move(index).error();
  const bool has_frames = index && !index->frames.empty();
  if (!has_beginning)
    found_.damages.push_back(
        {(has_frames ? "the beginning of pack '" : "pack '") + name.ToString() + "'",
         "its bytes are others",
         {},
         {}});
  if (!has_frames && !has_beginning) ++found_.records_lost;
  if (!index) return std::move(found_);
  found_.is_read = has_beginning || has_frames;
  source_ = index->is_torn ? Source::kTornPack : Source::kWholePack;
  if (index->unread > 0) {
    ++found_.records_lost;
    found_.damages.push_back(
        {std::to_string(index->unread) + " bytes of pack '" + name.ToString() + "'",
         "this plumb cannot read them",
         {},
         {}});
  }
  for (const PackFrame& frame : index->frames) {
    if (progress_.StopRequested()) return Interrupted();
    Status taken = TakeFrame(frame);
    if (!taken && !IsDamage(taken.error())) return std::move(taken).error();
    if (!taken) Blame(frame, taken.error().message);
    task_.Advance(frame.SizeInPack());
  }
  return std::move(found_);
}

// Which frame gives what to the catalog: a new type is a line here.
Status PackSalvager::TakeFrame(const PackFrame& frame) {
  switch (frame.type) {
    case FrameType::kObject:
    case FrameType::kAlignedObject:
      return TakeObject(frame);
    case FrameType::kRecipe:
    case FrameType::kBlob:
      return TakeBlob(frame);
    case FrameType::kKit:
    case FrameType::kRefMove:
    case FrameType::kHeld:
      return TakeEvent(frame);
    case FrameType::kTree:
      return TakeTree(frame);
    case FrameType::kFiles:
      return TakeFiles(frame);
    case FrameType::kBlock:  // is read with its tree
    case FrameType::kFooter:
      break;
  }
  return Done{};  // of a newer Plumb, which says that it may be passed over
}

Status PackSalvager::TakeObject(const PackFrame& frame) {
  PLUMB_TRY(const FrameContent content, ReadFrameHeader(*pack_, frame));
  const ObjectPlace place = {found_.pack, frame.PayloadAt(), frame.stored_size, content.raw_size,
                             content.encoding};
  Status read = ReadObject(*pack_, place, frame.id, buffer_);
  if (!read && IsDamage(read.error())) return Error{ErrorKind::kCorrupt, "its bytes are others"};
  if (!read) return read;
  found_.bytes_read += frame.stored_size;
  found_.objects.push_back({frame.id, {place, source_}});
  return Done{};
}

Status PackSalvager::TakeTree(const PackFrame& frame) {
  PLUMB_TRY(const FrameContent content, ReadFrame(*pack_, frame, buffer_));
  ObjectPlace place = {found_.pack, frame.PayloadAt(), frame.stored_size};
  PLUMB_TRY(const ObjectTree tree, ObjectTree::Parse(content.stored, frame.id, place));
  std::unique_ptr<PackReader> file;
  if (tree.adopted) {
    auto opened = packs_.Open(*tree.adopted);
    if (!opened && opened.error().kind == ErrorKind::kNotFound)
      return Error{ErrorKind::kCorrupt, "the file that it lies in is missing"};
    PLUMB_TRY(file, std::move(opened));
    if (file->kind() != PackKind::kAdopted)
      return Error{ErrorKind::kCorrupt, "it is said to lie in a file that is none"};
  }
  PackReader& blocks = file != nullptr ? *file : *pack_;
  for (std::size_t i = 0; i < tree.blocks.size(); ++i) {
    if (progress_.StopRequested()) return Interrupted();
    Status read = ReadBlock(blocks, tree.PlaceOf(i, found_.pack), buffer_);
    if (!read && IsDamage(read.error())) return Error{ErrorKind::kCorrupt, "its bytes are others"};
    if (!read) return read;
    found_.bytes_read += tree.blocks[i].stored_size;
  }
  found_.objects.push_back({frame.id, {tree.PlaceFor(place), source_}});
  return Done{};
}

// It is known again by the next build, if it is damaged.
Status PackSalvager::TakeFiles(const PackFrame& frame) {
  PLUMB_TRY(const ByteSpan record, ReadRecord(frame, kRecipeSizeMax));
  if (const auto key = KeyOfFilesRecord(record))
    found_.files.push_back({*key, frame.id, std::string(AsText(record))});
  return Done{};
}

Result<ByteSpan> PackSalvager::ReadRecord(const PackFrame& frame, std::uint64_t size_max) {
  if (frame.stored_size > size_max)
    return Error{ErrorKind::kCorrupt, "it is longer than any of its kind"};
  PLUMB_TRY(const FrameContent content, ReadFrame(*pack_, frame, buffer_));
  found_.bytes_read += frame.stored_size;
  if (content.encoding != Encoding::kRaw || Blake3(content.stored) != frame.id)
    return Error{ErrorKind::kCorrupt, "its bytes are others"};
  return content.stored;
}

Status PackSalvager::TakeBlob(const PackFrame& frame) {
  if (frame.type == FrameType::kBlob) {
    PLUMB_TRY(const ByteSpan bytes, ReadRecord(frame, kWholeBlobSizeMax));
    found_.blobs.push_back({Sha256(bytes), {found_.pack, frame, source_}});
    return Done{};
  }
  PLUMB_TRY(const ByteSpan bytes, ReadRecord(frame, kRecipeSizeMax));
  PLUMB_TRY(const Recipe recipe, Recipe::Parse(AsText(bytes)));
  // What is longer cannot be in a catalog, nor anywhere else.
  if (recipe.size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return Error{ErrorKind::kCorrupt, "its recipe is of something too large"};
  found_.blobs.push_back({recipe.digest, {found_.pack, frame, source_}});
  return Done{};
}

Status PackSalvager::TakeEvent(const PackFrame& frame) {
  PLUMB_TRY(const ByteSpan record, ReadRecord(frame, kRecordSizeMax));
  if (frame.type == FrameType::kKit) {
    if (const auto event = ParseKitRecord(record)) {
      found_.kits.push_back({frame.id, *event});
      return Done{};
    }
  } else if (frame.type == FrameType::kHeld) {
    if (auto event = ParseHeldRecord(record)) {
      found_.held.push_back({frame.id, *std::move(event)});
      return Done{};
    }
  } else if (auto event = ParseMoveRecord(record)) {
    found_.moves.push_back({frame.id, *std::move(event)});
    return Done{};
  }
  return Error{ErrorKind::kCorrupt, "it is not what it should be"};
}

// docs/format.md, "Adopted files". What it holds is what it holds now: who needs what it held
// before finds that missing.
Status PackSalvager::TakeAdopted() {
  found_.is_read = true;
  source_ = Source::kAdoptedFile;
  PLUMB_TRY(const std::uint64_t size, pack_->Size());
  if (size < kAdoptedSizeMin) return Done{};
  const auto read = [&](std::uint64_t offset, MutableByteSpan bytes) {
    return pack_->ReadAt(offset, bytes);
  };
  PLUMB_TRY(const std::vector<FilePiece> pieces, CutFile(read, size));
  for (const FilePiece& piece : pieces)
    // Tensors of several blocks are told of by trees.
    if (!piece.IsLiteral() && !piece.role.IsBlock())
      PLUMB_RETURN_IF_ERROR(TakePiece(piece.offset, piece.size));
  // As they were cut before 2026-12. Those that no blob needs are not taken over.
  for (std::uint64_t at = 0; at < size; at += kFramedObjectSizeMax) {
    const std::uint64_t piece = std::min<std::uint64_t>(kFramedObjectSizeMax, size - at);
    if (piece <= kLiteralSizeMax) break;
    PLUMB_RETURN_IF_ERROR(TakePiece(at, static_cast<std::size_t>(piece)));
  }
  return Done{};
}

Status PackSalvager::TakePiece(std::uint64_t offset, std::size_t size) {
  if (progress_.StopRequested()) return Interrupted();
  buffer_.resize(size);
  PLUMB_RETURN_IF_ERROR(pack_->ReadAt(offset, buffer_));
  found_.bytes_read += size;
  const ObjectPlace place = {found_.pack, offset, size, size, Encoding::kRaw};
  found_.objects.push_back({Blake3(buffer_), {place, source_}});
  task_.Advance(size);
  return Done{};
}

void PackSalvager::Blame(const PackFrame& frame, const std::string& why) {
  if (frame.type == FrameType::kKit || frame.type == FrameType::kRefMove ||
      frame.type == FrameType::kHeld)
    ++found_.records_lost;
  found_.damages.push_back({std::string(NameOfType(frame.type)) + " in pack '" +
                                found_.pack.ToString() + "' at byte " +
                                std::to_string(frame.header_at),
                            why,
                            {},
                            {}});
}

Status SalvageMerger::Add(PackFindings findings) {
  if (findings.is_read) salvage_.packs.push_back(findings.pack);
  if (!findings.is_read || !findings.damages.empty())
    salvage_.unread_packs.push_back(findings.pack);
  salvage_.bytes_read += findings.bytes_read;
  salvage_.records_lost += findings.records_lost;
  std::ranges::move(findings.damages, std::back_inserter(salvage_.damages));
  for (auto& [id, object] : findings.objects) {
    const auto [known, is_new] = salvage_.objects.emplace(id, object);
    if (!is_new && object.source < known->second.source) known->second = object;
  }
  for (auto& [digest, blob] : findings.blobs) {
    std::vector<FoundBlob>& known = salvage_.blobs[digest];
    const bool is_known = std::ranges::any_of(known, [&](const FoundBlob& other) {
      return other.frame.id == blob.frame.id && other.source <= blob.source;
    });
    if (!is_known) known.push_back(blob);
  }
  MoveEvents(findings.kits, salvage_.kits, events_);
  MoveEvents(findings.moves, salvage_.moves, events_);
  MoveEvents(findings.held, salvage_.held, events_);
  std::ranges::move(findings.files, std::back_inserter(salvage_.files));
  if (events_.size() <= kEventsMax) return Done{};
  return Error{ErrorKind::kExhausted, "packs tell of more kits and tags than any store has"};
}

Salvage SalvageMerger::Finish() && {
  for (auto& [digest, blobs] : salvage_.blobs)
    std::ranges::sort(blobs, {}, [](const FoundBlob& found) {
      return std::tuple(found.source, found.pack, found.frame.header_at);
    });
  return std::move(salvage_);
}

Result<Salvage> SalvagePacks(PackStore& packs, host::Directory& directory, unsigned threads,
                             Progress& progress) {
  PLUMB_TRY(const std::vector<PackName> names, packs.List());
  const auto task = progress.Begin("packs", 0);
  std::vector<PackFindings> findings(names.size());
  Status read = RunParallel(threads, names.size(), [&](std::size_t i) -> Status {
    PLUMB_TRY(findings[i], PackSalvager(packs, progress, *task).Read(names[i]));
    if (!findings[i].is_read) return Done{};
    // Its writer may have been stopped before it was durable; soon the catalog names it.
    Status synced = packs.MakeDurable(names[i]);
    if (synced || synced.error().kind != ErrorKind::kNotFound) return synced;
    PLUMB_TRY(const auto adopted, directory.Open(AdoptedFileName(names[i]), host::OpenHow::kRead));
    return adopted->Sync();
  });
  if (!read) return std::move(read).error();
  PLUMB_RETURN_IF_ERROR(directory.Sync(""));
  SalvageMerger merger;
  for (PackFindings& found : findings)
    PLUMB_RETURN_IF_ERROR(merger.Add(std::move(found)));
  return std::move(merger).Finish();
}

}  // namespace plumb::store
