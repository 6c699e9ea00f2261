// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/hash_tree.h"

#include <blake3.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "base/check.h"

// What BLAKE3's C sources share among themselves (blake3_impl.h): no header of theirs that C++ can
// read declares it.
extern "C" {
void blake3_compress_in_place(std::uint32_t cv[8], const std::uint8_t block[BLAKE3_BLOCK_LEN],
                              std::uint8_t block_len, std::uint64_t counter, std::uint8_t flags);
void blake3_hash_many(const std::uint8_t* const* inputs, std::size_t num_inputs, std::size_t blocks,
                      const std::uint32_t key[8], std::uint64_t counter, bool increment_counter,
                      std::uint8_t flags, std::uint8_t flags_start, std::uint8_t flags_end,
                      std::uint8_t* out);
}

namespace plumb {
namespace {

constexpr std::size_t kChunkSize = BLAKE3_CHUNK_LEN;
constexpr std::size_t kBlockSize = BLAKE3_BLOCK_LEN;
constexpr std::size_t kHashSize = BLAKE3_OUT_LEN;
constexpr std::size_t kChunksMax = kHashGroupSize / kChunkSize;

// Flags of a compression (BLAKE3 paper, table 3).
constexpr std::uint8_t kChunkStart = 1U << 0U;
constexpr std::uint8_t kChunkEnd = 1U << 1U;
constexpr std::uint8_t kParent = 1U << 2U;
constexpr std::uint8_t kRoot = 1U << 3U;

using Words = std::array<std::uint32_t, 8>;
constexpr Words kInitial = {0x6A09E667U, 0xBB67AE85U, 0x3C6EF372U, 0xA54FF53AU,
                            0x510E527FU, 0x9B05688CU, 0x1F83D9ABU, 0x5BE0CD19U};

const std::uint8_t* BytesOf(ByteSpan bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

void Store(const Words& words, std::uint8_t* out) {
  for (const std::uint32_t word : words)
    for (unsigned shift = 0; shift < 32; shift += 8)
      *out++ = static_cast<std::uint8_t>(word >> shift);
}

// The values of whole chunks, one behind the other.
void HashChunks(const std::uint8_t* bytes, std::size_t count, std::uint64_t first,
                std::uint8_t* out) {
  std::array<const std::uint8_t*, kChunksMax> inputs;
  for (std::size_t i = 0; i < count; ++i)
    inputs[i] = bytes + i * kChunkSize;
  blake3_hash_many(inputs.data(), count, kChunkSize / kBlockSize, kInitial.data(), first, true, 0,
                   kChunkStart, kChunkEnd, out);
}

// Of the chunk that is not whole, which is never the only one of its kind to be empty.
void HashLastChunk(ByteSpan chunk, std::uint64_t counter, std::uint8_t* out) {
  Words words = kInitial;
  std::uint8_t flags = kChunkStart;
  while (true) {
    const std::size_t size = std::min(chunk.size(), kBlockSize);
    std::array<std::uint8_t, kBlockSize> block = {};
    std::memcpy(block.data(), chunk.data(), size);
    chunk = chunk.subspan(size);
    if (chunk.empty()) flags |= kChunkEnd;
    blake3_compress_in_place(words.data(), block.data(), static_cast<std::uint8_t>(size), counter,
                             flags);
    if (chunk.empty()) return Store(words, out);
    flags = 0;
  }
}

// Pairs of neighbours become their parents, until `count_min` or fewer are left; how many. The last
// of an odd number rises as it is, which makes left subtrees the largest powers of two.
std::size_t Merge(std::uint8_t* values, std::size_t count, std::size_t count_min) {
  std::vector<const std::uint8_t*> inputs(count / 2);
  std::vector<std::uint8_t> parents(count / 2 * kHashSize);
  while (count > count_min) {
    const std::size_t pairs = count / 2;
    for (std::size_t i = 0; i < pairs; ++i)
      inputs[i] = values + i * kBlockSize;
    blake3_hash_many(inputs.data(), pairs, 1, kInitial.data(), 0, false, kParent, 0, 0,
                     parents.data());
    if (count % 2 != 0)
      std::memmove(values + pairs * kHashSize, values + 2 * pairs * kHashSize, kHashSize);
    std::memcpy(values, parents.data(), pairs * kHashSize);
    count = pairs + count % 2;
  }
  return count;
}

}  // namespace

GroupHash HashGroup(ByteSpan group, std::uint64_t index) {
  PLUMB_CHECK(!group.empty() && group.size() <= kHashGroupSize);
  const std::uint64_t first = index * kChunksMax;
  const std::size_t whole = group.size() / kChunkSize;
  std::array<std::uint8_t, kChunksMax * kHashSize> values;
  HashChunks(BytesOf(group), whole, first, values.data());
  std::size_t count = whole;
  if (group.size() % kChunkSize != 0)
    HashLastChunk(group.subspan(whole * kChunkSize), first + whole,
                  values.data() + kHashSize * count++);
  Merge(values.data(), count, 1);
  GroupHash hash;
  std::memcpy(hash.bytes.data(), values.data(), kHashSize);
  return hash;
}

ObjectId RootOf(std::span<const GroupHash> groups) {
  PLUMB_CHECK(groups.size() >= 2);
  std::vector<std::uint8_t> values(groups.size() * kHashSize);
  for (std::size_t i = 0; i < groups.size(); ++i)
    std::memcpy(values.data() + i * kHashSize, groups[i].bytes.data(), kHashSize);
  const std::size_t left = Merge(values.data(), groups.size(), 2);
  PLUMB_CHECK(left == 2);
  Words words = kInitial;
  blake3_compress_in_place(words.data(), values.data(), kBlockSize, 0, kParent | kRoot);
  ObjectId root;
  Store(words, reinterpret_cast<std::uint8_t*>(root.bytes.data()));
  return root;
}

}  // namespace plumb
