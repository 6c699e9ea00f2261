// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TLOG_MERKLE_H_
#define PLUMB_TLOG_MERKLE_H_

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"

// The arithmetic of an append-only Merkle tree (RFC 6962, section 2.1). Pure: no storage, no
// clock, no keys.
//
// Leaves are counted from 0. Node (level, index) is the hash over leaves [index << level,
// (index + 1) << level). Only such full nodes are ever stored, so a stored node never changes;
// the ragged right edge is computed anew each time.
//
// Trust: what the verifying functions are given may all come from an enemy, whatever its size.
// Threads: any number at once.
namespace plumb::tlog {

// What a log says of itself: `size` leaves hash to `root`. Not to be trusted until a checkpoint
// that carries it was verified.
struct TreeHead {
  std::uint64_t size = 0;
  Digest root;

  friend bool operator==(const TreeHead&, const TreeHead&) = default;
};

using Proof = std::vector<Digest>;  // from the leaf's side upwards

Digest LeafHash(ByteSpan entry);
Digest NodeHash(const Digest& left, const Digest& right);
// The root of no leaves: the hash of no bytes.
Digest EmptyRoot();

// Where the functions below find stored nodes: in tiles on a disk, or over HTTP.
class NodeReader {
 public:
  virtual ~NodeReader() = default;

  // kNotFound unless (index + 1) << level leaves were appended.
  virtual Result<Digest> ReadNode(unsigned level, std::uint64_t index) = 0;
};

// Each reads at most 64 nodes for each hash that it gives, and fails only as `nodes` does.
Result<Digest> Root(NodeReader& nodes, std::uint64_t size);
// That leaf `index` is in the tree of `size`. Requires index < size.
Result<Proof> ProveInclusion(NodeReader& nodes, std::uint64_t index, std::uint64_t size);
// That the tree of `old_size` is a prefix of the tree of `new_size`: nothing of it was changed or
// dropped. Requires 0 < old_size <= new_size.
Result<Proof> ProveConsistency(NodeReader& nodes, std::uint64_t old_size, std::uint64_t new_size);

// kDenied if the proof does not show it. That a tree goes on from one without leaves is not to be
// shown: everything does, so it is denied too. At most 65 hashes are computed for a leaf, and twice
// as many for a tree.
Status VerifyInclusion(const Proof& proof, const Digest& leaf, std::uint64_t index,
                       const TreeHead& head);
Status VerifyConsistency(const Proof& proof, const TreeHead& older, const TreeHead& newer);

}  // namespace plumb::tlog

#endif  // PLUMB_TLOG_MERKLE_H_
