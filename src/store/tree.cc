// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <numeric>
#include <utility>

#include "store/frame_internal.h"
#include "store/pack_index_internal.h"
#include "store/payload_internal.h"
#include "store/recipe_internal.h"
#include "store/tree_internal.h"

namespace plumb::store {
namespace {

static_assert(kBlockSizeMax == kHashGroupSize);

constexpr std::uint8_t kInPack = 0;
constexpr std::uint8_t kAdopted = 1;
// Of a block in the tree, at least.
constexpr std::size_t kHashSize = sizeof(GroupHash::bytes);

Error Malformed() { return Error{ErrorKind::kCorrupt, "the tree of an object is malformed"}; }

template <std::size_t size>
bool TakeHash(ByteReader& reader, std::array<std::byte, size>& out) {
  const auto bytes = reader.Bytes(size);
  if (bytes) std::ranges::copy(*bytes, out.begin());
  return bytes.has_value();
}

// Where the payloads are: the frames of the blocks end where that of the tree begins.
bool PlaceBlocks(ObjectTree& tree, std::uint64_t tree_at) {
  if (tree_at < kFrameHeaderSize) return false;
  std::uint64_t end = tree_at - kFrameHeaderSize;
  for (std::size_t i = tree.blocks.size(); i-- > 0;) {
    TreeBlock& block = tree.blocks[i];
    const std::uint64_t size = UnpaddedFrameSize(block.stored_size);
    if (size > end) return false;
    end -= size;
    block.offset = end + kFrameHeaderSize;
  }
  return end >= kPackHeaderSize;
}

bool TakeBlocks(ByteReader& reader, ObjectTree& tree) {
  for (std::size_t i = 0; i < tree.blocks.size(); ++i) {
    TreeBlock& block = tree.blocks[i];
    const auto encoding = reader.U8();
    const auto stored_size = reader.Varint();
    if (!encoding || !stored_size || !TakeHash(reader, block.hash.bytes)) return false;
    const std::size_t raw_size = tree.BlockSize(i);
    block.encoding = static_cast<Encoding>(*encoding);
    const bool is_raw = block.encoding == Encoding::kRaw;
    if (block.encoding >= Encoding::kTree || *stored_size == 0 || *stored_size > raw_size ||
        (is_raw && *stored_size != raw_size))
      return false;
    block.stored_size = static_cast<std::uint32_t>(*stored_size);
  }
  return true;
}

bool TakeAdopted(ByteReader& reader, ObjectTree& tree) {
  const auto offset =
      TakeHash(reader, tree.adopted.emplace().bytes) ? reader.Varint() : std::nullopt;
  if (!offset || *offset > UINT64_MAX - tree.size) return false;
  for (std::size_t i = 0; i < tree.blocks.size(); ++i) {
    TreeBlock& block = tree.blocks[i];
    if (!TakeHash(reader, block.hash.bytes)) return false;
    block.stored_size = static_cast<std::uint32_t>(tree.BlockSize(i));
    block.offset = *offset + i * kBlockSizeMax;
  }
  return true;
}

// Damage must not pass for the work of a newer Plumb: kCorrupt if this is no tree as it was
// written.
Status CheckFrame(PackReader& pack, const ObjectId& id, const ObjectPlace& place) {
  if (place.offset < kPackHeaderSize + kFrameHeaderSize) return Malformed();
  std::vector<std::byte> stored;
  const auto content = ReadFrame(
      pack, {FrameType::kTree, id, place.offset - kFrameHeaderSize, place.stored_size}, stored);
  if (content) return Done{};
  // A frame that cannot be of this Plumb either is none: the place is wrong.
  if (content.error().kind == ErrorKind::kUnsupported) return Malformed();
  return content.error();
}

}  // namespace

std::size_t ObjectTree::BlockSize(std::size_t index) const {
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(kBlockSizeMax, size - index * kBlockSizeMax));
}

BlockPlace ObjectTree::PlaceOf(std::size_t index, const PackName& pack) const {
  const TreeBlock& block = blocks[index];
  return {
      block.hash,
      static_cast<std::uint32_t>(index),
      {adopted.value_or(pack), block.offset, block.stored_size, BlockSize(index), block.encoding}};
}

ObjectPlace ObjectTree::PlaceFor(ObjectPlace place) const {
  place.encoding = Encoding::kTree;
  place.raw_size = size;
  place.blocks_size = StoredSize();
  place.start = Start();
  place.adopted = adopted;
  return place;
}

std::uint64_t ObjectTree::StoredSize() const {
  if (adopted) return size;
  return std::accumulate(blocks.begin(), blocks.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const TreeBlock& block) {
                           return sum + UnpaddedFrameSize(block.stored_size);
                         });
}

std::uint64_t ObjectTree::Start() const {
  const std::uint64_t start = ByteReader(blocks.front().hash.bytes).U64().value_or(0);
  // As a signed number it must not be negative in the catalog; 0 is that of an object without.
  return std::max<std::uint64_t>(1, start >> 1U);
}

ObjectId ObjectTree::Root() const {
  std::vector<GroupHash> hashes(blocks.size());
  std::ranges::transform(blocks, hashes.begin(), &TreeBlock::hash);
  return RootOf(hashes);
}

std::string ObjectTree::ToBytes() const {
  std::string bytes;
  bytes.push_back(static_cast<char>(adopted ? kAdopted : kInPack));
  AppendVarint(bytes, 0);  // parameters
  AppendVarint(bytes, size);
  if (adopted) {
    bytes += AsText(adopted->bytes);
    AppendVarint(bytes, blocks.front().offset);
  }
  for (const TreeBlock& block : blocks) {
    if (!adopted) {
      bytes.push_back(static_cast<char>(block.encoding));
      AppendVarint(bytes, block.stored_size);
    }
    bytes += AsText(block.hash.bytes);
  }
  return bytes;
}

Result<ObjectTree> ObjectTree::Parse(ByteSpan bytes, const ObjectId& id, const ObjectPlace& place) {
  ByteReader reader(bytes);
  const auto kind = reader.U8();
  const auto parameters_size = reader.Varint();
  const auto size = reader.Varint();
  if (!kind || !parameters_size || !size) return Malformed();
  if (*kind > kAdopted || *parameters_size != 0)
    return Error{ErrorKind::kUnsupported, "the tree of an object was written by a newer plumb"};
  if (*size <= kBlockSizeMax || *size > kObjectSizeMax ||
      BlockCount(*size) > reader.rest().size() / kHashSize)
    return Malformed();
  ObjectTree tree;
  tree.size = *size;
  tree.blocks.resize(static_cast<std::size_t>(BlockCount(*size)));
  const bool is_read = *kind == kAdopted
                           ? TakeAdopted(reader, tree)
                           : TakeBlocks(reader, tree) && PlaceBlocks(tree, place.offset);
  if (!is_read || !reader.AtEnd() || tree.Root() != id) return Malformed();
  return tree;
}

Result<ObjectTree> ReadTree(PackReader& pack, const ObjectId& id, const ObjectPlace& place) {
  // The catalog is not believed: what it says decides what is allocated.
  if (place.encoding != Encoding::kTree || place.stored_size > kRecipeSizeMax) return Malformed();
  std::vector<std::byte> bytes(static_cast<std::size_t>(place.stored_size));
  PLUMB_RETURN_IF_ERROR(pack.ReadAt(place.offset, bytes));
  auto tree = ObjectTree::Parse(bytes, id, place);
  if (!tree && tree.error().kind == ErrorKind::kUnsupported) {
    PLUMB_RETURN_IF_ERROR(CheckFrame(pack, id, place));
  }
  if (tree && tree->size != place.raw_size) return Malformed();
  return tree;
}

Status ReadBlock(PackReader& pack, const BlockPlace& block, std::vector<std::byte>& out) {
  const ObjectPlace& place = block.place;
  PLUMB_CHECK(place.raw_size > 0 && place.raw_size <= kBlockSizeMax &&
              place.stored_size <= place.raw_size);
  Status read = ReadPayload(pack, place, out);
  if (!read) return read;
  return HashGroup(out, block.index) == block.hash ? Done{} : Status(DamagedAt(pack, place));
}

}  // namespace plumb::store
