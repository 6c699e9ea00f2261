// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CRYPTO_HASH_TREE_H_
#define PLUMB_CRYPTO_HASH_TREE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "crypto/object_id.h"

// The tree that BLAKE3 is (BLAKE3 paper, section 2.1), cut into groups of 2^10 chunks: with the
// values of all groups any one of them can be checked without the others, as Bao does it.
namespace plumb {

inline constexpr std::size_t kHashGroupSize = std::size_t{1} << 20;

// The chaining value of a group that is a part of something longer.
struct GroupHash {
  std::array<std::byte, 32> bytes = {};
  friend auto operator<=>(const GroupHash&, const GroupHash&) = default;
};

// Of the group that stands at `index` x kHashGroupSize: 1 to kHashGroupSize bytes, less only of the
// last.
GroupHash HashGroup(ByteSpan group, std::uint64_t index);

// The BLAKE3 of the whole, of which these are all the groups in order: two or more.
ObjectId RootOf(std::span<const GroupHash> groups);

}  // namespace plumb

#endif  // PLUMB_CRYPTO_HASH_TREE_H_
