// SPDX-License-Identifier: MIT OR Apache-2.0
// Trees of any bytes: one that is taken is written again as it was, its blocks add up to the
// object, and they lie one behind the other in front of it. The root is made right first, or none
// would be taken.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/check.h"
#include "store/frame_internal.h"
#include "store/recipe_internal.h"
#include "store/tree_internal.h"

namespace {

using plumb::ByteReader;
using plumb::ByteSpan;
using namespace plumb::store;

std::optional<plumb::ObjectId> RootIn(ByteSpan bytes) {
  ByteReader reader(bytes);
  const auto kind = reader.U8();
  if (!kind || !reader.Varint() || !reader.Varint()) return std::nullopt;
  if (*kind == 1 && (!reader.Bytes(16) || !reader.Varint())) return std::nullopt;
  std::vector<plumb::GroupHash> hashes;
  while (!reader.AtEnd()) {
    if (*kind != 1 && (!reader.U8() || !reader.Varint())) return std::nullopt;
    const auto hash = reader.Bytes(32);
    if (!hash) return std::nullopt;
    std::ranges::copy(*hash, hashes.emplace_back().bytes.begin());
  }
  if (hashes.size() < 2) return std::nullopt;
  return plumb::RootOf(hashes);
}

void CheckTree(const ObjectTree& tree, std::uint64_t tree_at) {
  std::uint64_t size = 0;
  std::uint64_t end = tree.adopted ? tree.blocks[0].offset : kPackHeaderSize;
  for (std::size_t i = 0; i < tree.blocks.size(); ++i) {
    const TreeBlock& block = tree.blocks[i];
    const std::size_t raw_size = tree.BlockSize(i);
    PLUMB_CHECK(raw_size >= 1 && raw_size <= kBlockSizeMax);
    PLUMB_CHECK(block.stored_size >= 1 && block.stored_size <= raw_size);
    PLUMB_CHECK(block.encoding < Encoding::kTree);
    PLUMB_CHECK(tree.adopted ? block.offset == end : block.offset >= end + kFrameHeaderSize);
    end = block.offset + block.stored_size;
    size += raw_size;
  }
  PLUMB_CHECK(size == tree.size && size > kBlockSizeMax && size <= kObjectSizeMax);
  if (!tree.adopted) PLUMB_CHECK((end + 7) / 8 * 8 + kFrameHeaderSize == tree_at);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteSpan bytes = std::as_bytes(std::span(data, size));
  const plumb::ObjectId id = RootIn(bytes).value_or(plumb::ObjectId());
  for (const std::uint64_t tree_at : {std::uint64_t{0}, std::uint64_t{3} << 20, UINT64_MAX - 7}) {
    ObjectPlace place;
    place.offset = tree_at;
    const auto tree = ObjectTree::Parse(bytes, id, place);
    if (!tree) continue;
    CheckTree(*tree, tree_at);
    PLUMB_CHECK(plumb::AsText(bytes) == tree->ToBytes());
    PLUMB_CHECK(tree->StoredSize() >= tree->blocks.size());
  }
  return 0;
}
