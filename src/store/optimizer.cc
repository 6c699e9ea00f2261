// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "store/file_pieces_internal.h"
#include "store/optimizer_internal.h"
#include "store/recipe_internal.h"
#include "store/tree_internal.h"

namespace plumb::store {
namespace {

// Blocks that tell whether all are worth it, evenly spread.
constexpr std::uint64_t kSampleBlocks = 4;
// Of the sample, at least one part in so many must go: to write anew costs more than nothing.
constexpr std::uint64_t kGainPartsMax = 200;
constexpr std::size_t kTarMagicAt = 257;
constexpr std::string_view kTarMagic = "ustar";

// The bytes of a blob from any place on; quick if they are asked for in order.
class BlobBytes {
 public:
  BlobBytes(ObjectReader& objects, const Recipe& recipe) : objects_(objects), recipe_(recipe) {}

  Status Read(std::uint64_t offset, MutableByteSpan out) {
    if (source_ == nullptr || offset != at_) source_ = MakeRecipeSource(objects_, recipe_, offset);
    at_ = offset + out.size();
    while (!out.empty()) {
      PLUMB_TRY(const ByteSpan bytes, source_->Read(out.size()));
      if (bytes.empty()) return Error{ErrorKind::kCorrupt, "a blob is shorter than it says"};
      std::ranges::copy(bytes, out.begin());
      out = out.subspan(bytes.size());
    }
    return Done{};
  }

 private:
  ObjectReader& objects_;
  const Recipe& recipe_;
  std::unique_ptr<ByteSource> source_;
  std::uint64_t at_ = 0;
};

Result<Shape> ShapeOf(BlobBytes& bytes, std::uint64_t size) {
  std::array<std::byte, kTarMagicAt + kTarMagic.size()> start = {};
  if (size < start.size()) return Shape::kOpaque;
  PLUMB_RETURN_IF_ERROR(bytes.Read(0, start));
  const bool is_tar = AsText(start).substr(kTarMagicAt) == kTarMagic;
  return is_tar ? Shape::kTar : Shape::kOpaque;
}

std::string_view NameOf(Encoding encoding) {
  switch (encoding) {
    case Encoding::kRaw:
      return "raw";
    case Encoding::kZstd:
      return "zstd";
    case Encoding::kPlanes:
      return "planes";
    case Encoding::kEntropy:
      return "entropy";
    case Encoding::kTree:
      break;
  }
  return "?";
}

}  // namespace

Result<OptimizeReport> Optimizer::Run() {
  DamagedBlobs damaged;
  PLUMB_TRY(inventory_, TakeInventory(catalog_, &damaged));
  {
    const auto task = progress_.Begin("looking for tensors", 0);
    for (const auto& [digest, blob] : inventory_.blobs) {
      if (progress_.StopRequested()) return Interrupted();
      if (blob.form != BlobForm::kRecipe || blob.standing != Standing::kGood) continue;
      const Status found = FindRoles(digest);
      // What is damaged is for fsck to say.
      if (!found && found.error().kind != ErrorKind::kCorrupt) return found.error();
    }
  }
  std::vector<std::pair<ObjectPlace, ObjectId>> order;
  std::uint64_t total = 0;
  for (const auto& [id, role] : roles_) {
    if (!IsWorthATry(id)) continue;
    order.emplace_back(inventory_.objects.at(id), id);
    total += role.tensor_size;
  }
  std::ranges::sort(order, {}, [](const auto& one) {
    return std::tuple(one.first.pack, one.first.offset, one.second);
  });
  const auto task = progress_.Begin("tensors", total);
  for (const auto& [place, id] : order) {
    if (progress_.StopRequested()) return Interrupted();
    ++report_.looked_at;
    auto object = objects_.Find(id);
    const PieceRole& role = roles_.at(id);
    auto shrinks = object ? WouldShrink(*object, role) : Result<bool>(object.error());
    Status written = shrinks ? Done{} : Status(shrinks.error());
    if (shrinks && *shrinks) written = WriteAnew(*object, role);
    if (!written && written.error().kind != ErrorKind::kCorrupt) return written.error();
    if (!written) progress_.Warn(written.error().message + ": plumb fsck --full");
    task->Advance(role.tensor_size);
    if (merger_ != nullptr && merger_->size() >= kPackSizeMax) PLUMB_RETURN_IF_ERROR(Commit());
  }
  PLUMB_RETURN_IF_ERROR(Commit());
  return report_;
}

Status Optimizer::FindRoles(const Digest& blob) {
  PLUMB_TRY(const auto record, catalog_.FindBlob(Domain::Device(), blob));
  if (!record) return Done{};
  PLUMB_TRY(const Recipe recipe, Recipe::Parse(record->bytes));
  BlobBytes bytes(objects_, recipe);
  PLUMB_TRY(const Shape shape, ShapeOf(bytes, recipe.size));
  const auto read = [&](std::uint64_t offset, MutableByteSpan out) {
    return bytes.Read(offset, out);
  };
  PLUMB_TRY(const std::vector<FilePiece> pieces, CutFile(read, recipe.size, shape));
  // Both are in order.
  std::size_t next = 0;
  std::uint64_t at = 0;
  for (const FilePiece& piece : pieces) {
    if (piece.role.tensor_size == 0 || piece.role.offset != 0) continue;
    while (next < recipe.segments.size() && at < piece.offset)
      at += recipe.segments[next++].size;
    if (next == recipe.segments.size()) break;
    const Segment& segment = recipe.segments[next];
    const bool is_whole = segment.kind == SegmentKind::kObject && at == piece.offset &&
                          segment.offset == 0 && segment.size == piece.role.tensor_size;
    if (is_whole) roles_.emplace(segment.object, piece.role);
  }
  return Done{};
}

bool Optimizer::IsWorthATry(const ObjectId& id) const {
  const auto found = inventory_.objects.find(id);
  if (found == inventory_.objects.end()) return false;
  const ObjectPlace& place = found->second;
  // What lies in an adopted file takes nothing here.
  return place.standing == Standing::kGood && !place.adopted &&
         place.encoding != Encoding::kEntropy && place.raw_size == roles_.at(id).tensor_size;
}

Result<bool> Optimizer::WouldShrink(ObjectReader::Object& object, const PieceRole& role) {
  const auto pack = parts_.packs->Open(object.place.pack);
  if (!pack && pack.error().kind != ErrorKind::kNotFound) return pack.error();
  // That it is gone is for fsck to say.
  if (!pack || (*pack)->kind() == PackKind::kAdopted) return false;
  const std::uint64_t count = object.block_count();
  const std::uint64_t step = std::max<std::uint64_t>(1, count / kSampleBlocks);
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  std::vector<std::byte> raw;
  for (std::uint64_t i = 0; i < count; i += step) {
    PLUMB_RETURN_IF_ERROR(objects_.ReadBlock(object, i, raw));
    PLUMB_TRY(const Payload payload, EncodePayload(raw, role.At(i * kBlockSizeMax), request_.tier));
    after += payload.stored.size();
    before += object.tree != nullptr ? object.tree->blocks[static_cast<std::size_t>(i)].stored_size
                                     : object.place.stored_size;
  }
  return after < before && before - after >= before / kGainPartsMax;
}

Status Optimizer::WriteAnew(ObjectReader::Object& object, const PieceRole& role) {
  if (merger_ == nullptr) merger_ = std::make_unique<PackMerger>(*parts_.packs);
  const ObjectPlace source = object.place;
  PLUMB_TRY(const ObjectPlace target, Write(object, role));
  // The sample may have been lucky; what was written is litter then.
  if (target.TotalSize() >= source.TotalSize()) return Done{};
  merger_->Move({object.id, source, target});
  ++pending_.objects;
  pending_.bytes_before += source.TotalSize();
  pending_.bytes_after += target.TotalSize();
  return Done{};
}

Result<ObjectPlace> Optimizer::Write(ObjectReader::Object& object, const PieceRole& role) {
  std::vector<std::byte> raw;
  if (object.tree == nullptr) {
    PLUMB_RETURN_IF_ERROR(objects_.ReadBlock(object, 0, raw));
    PLUMB_TRY(const Payload payload, EncodePayload(raw, role, request_.tier));
    return merger_->Append(
        {FrameType::kObject, object.id, raw.size(), payload.encoding, payload.stored});
  }
  ObjectTree tree;
  tree.size = object.tree->size;
  for (const TreeBlock& old : object.tree->blocks) {
    if (progress_.StopRequested()) return Interrupted();
    const std::size_t index = tree.blocks.size();
    PLUMB_RETURN_IF_ERROR(objects_.ReadBlock(object, index, raw));
    PLUMB_TRY(const Payload payload,
              EncodePayload(raw, role.At(index * kBlockSizeMax), request_.tier));
    FrameContent frame = {
        FrameType::kBlock, {old.hash.bytes}, raw.size(), payload.encoding, payload.stored};
    frame.block = static_cast<std::uint32_t>(index);
    PLUMB_TRY(const ObjectPlace place, merger_->Append(frame));
    tree.blocks.push_back(
        {old.hash, place.encoding, static_cast<std::uint32_t>(place.stored_size), place.offset});
  }
  const std::string bytes = tree.ToBytes();
  PLUMB_TRY(const ObjectPlace place, merger_->Append({FrameType::kTree, object.id, bytes.size(),
                                                      Encoding::kRaw, AsBytes(bytes)}));
  return tree.PlaceFor(place);
}

Status Optimizer::Commit() {
  if (merger_ == nullptr) return Done{};
  const auto merger = std::exchange(merger_, nullptr);
  PLUMB_TRY(const UpkeepChange change, merger->Finish());
  for (const MovedObject& moved : change.moved)
    PLUMB_RETURN_IF_ERROR(ReadBack(moved));
  PLUMB_TRY([[maybe_unused]] const auto none, catalog_.Apply(change));
  report_.objects += pending_.objects;
  report_.bytes_before += pending_.bytes_before;
  report_.bytes_after += pending_.bytes_after;
  pending_ = {};
  return Done{};
}

Status Optimizer::ReadBack(const MovedObject& moved) {
  PLUMB_TRY(const auto pack, parts_.packs->Open(moved.target.pack));
  std::vector<std::byte> raw;
  if (moved.target.encoding != Encoding::kTree)
    return ReadObject(*pack, moved.target, moved.id, raw);
  PLUMB_TRY(const ObjectTree tree, ReadTree(*pack, moved.id, moved.target));
  for (std::size_t i = 0; i < tree.blocks.size(); ++i)
    PLUMB_RETURN_IF_ERROR(ReadBlock(*pack, tree.PlaceOf(i, moved.target.pack), raw));
  return Done{};
}

Result<std::vector<BlobPart>> DescribeBlob(const StoreParts& parts, const Digest& blob) {
  PLUMB_TRY(const auto record, parts.catalog->FindBlob(Domain::Device(), blob));
  if (!record)
    return Error{ErrorKind::kNotFound, "blob '" + blob.ToString() + "' is not in the store"};
  std::vector<BlobPart> described;
  if (record->form == BlobForm::kWhole) {
    described.emplace_back().size = record->size;
    return described;
  }
  PLUMB_TRY(const Recipe recipe, Recipe::Parse(record->bytes));
  ObjectReader objects(*parts.catalog, *parts.packs);
  std::uint64_t at = 0;
  for (const Segment& segment : recipe.segments) {
    BlobPart& part = described.emplace_back();
    part.offset = at;
    part.size = segment.size;
    at += segment.size;
    if (segment.kind != SegmentKind::kObject) continue;
    PLUMB_TRY(const ObjectReader::Object object, objects.Find(segment.object));
    part.object = segment.object;
    part.object_offset = segment.offset;
    part.object_size = object.size();
    part.stored = object.place.TotalSize();
    std::set<Encoding> encodings;
    if (object.tree == nullptr) encodings.insert(object.place.encoding);
    if (object.tree != nullptr)
      for (const TreeBlock& block : object.tree->blocks)
        encodings.insert(block.encoding);
    for (const Encoding encoding : encodings)
      part.encodings.emplace_back(NameOf(encoding));
  }
  return described;
}

}  // namespace plumb::store
