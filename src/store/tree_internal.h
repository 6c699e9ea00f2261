// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_TREE_INTERNAL_H_
#define PLUMB_STORE_TREE_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash_tree.h"
#include "store/catalog.h"
#include "store/pack_store.h"

// What an object of more than kBlockSizeMax is made of: docs/format.md, "Trees".
namespace plumb::store {

struct TreeBlock {
  GroupHash hash;
  Encoding encoding = Encoding::kRaw;
  std::uint32_t stored_size = 0;
  std::uint64_t offset = 0;  // of its payload, in its pack
};

// A block that was written, for who wants to find it before its object has a tree. The place is
// that of its payload.
struct BlockPlace {
  GroupHash hash;
  std::uint32_t index = 0;
  ObjectPlace place;
  bool is_new = false;  // it was written now
};

struct ObjectTree {
  std::uint64_t size = 0;  // of the object
  std::vector<TreeBlock> blocks;
  std::optional<PackName> adopted = {};  // the file that they lie in, raw

  std::size_t BlockSize(std::size_t index) const;  // raw
  std::uint64_t StoredSize() const;                // of all frames of blocks, or bytes of the file
  // As ObjectPlace has it: never 0.
  std::uint64_t Start() const;
  // `pack` is that of the tree.
  BlockPlace PlaceOf(std::size_t index, const PackName& pack) const;
  // What the catalog says of the object whose tree lies at `place`.
  ObjectPlace PlaceFor(ObjectPlace place) const;
  ObjectId Root() const;

  std::string ToBytes() const;
  // Of the object `id`, whose tree lies at `place`. kCorrupt for anything but what the format
  // allows, and if these are not the blocks of that object; kUnsupported for a newer one.
  static Result<ObjectTree> Parse(ByteSpan bytes, const ObjectId& id, const ObjectPlace& place);
};

inline std::uint64_t BlockCount(std::uint64_t size) {
  return (size + kHashGroupSize - 1) / kHashGroupSize;
}

// The tree that lies there, checked.
Result<ObjectTree> ReadTree(PackReader& pack, const ObjectId& id, const ObjectPlace& place);

// A block, read, decoded and checked. kCorrupt otherwise, and then the pack or what became of the
// adopted file is named. `out` is resized to it.
Status ReadBlock(PackReader& pack, const BlockPlace& block, std::vector<std::byte>& out);

}  // namespace plumb::store

#endif  // PLUMB_STORE_TREE_INTERNAL_H_
