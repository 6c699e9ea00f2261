// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tlog/merkle.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/check.h"

namespace plumb::tlog {
namespace {

constexpr std::byte kLeafPrefix{0x00};
constexpr std::byte kNodePrefix{0x01};

Error Unproven(const char* why) { return Error{ErrorKind::kDenied, why}; }

// How many leaves the left child of a tree of n covers. Requires n > 1.
std::uint64_t LeftSize(std::uint64_t n) {
  PLUMB_CHECK(n > 1);
  return std::bit_floor(n - 1);
}

// Leaves [begin, begin + count) that a node covers, also one of the right edge.
struct Range {
  std::uint64_t begin = 0;
  std::uint64_t count = 0;

  std::uint64_t end() const { return begin + count; }
  Range Left() const { return {begin, LeftSize(count)}; }
  Range Right() const { return {begin + LeftSize(count), count - LeftSize(count)}; }
};

Result<Digest> HashOf(NodeReader& nodes, const Range& range) {
  if (std::has_single_bit(range.count)) {
    const int level = std::countr_zero(range.count);
    PLUMB_CHECK(range.begin % range.count == 0);
    return nodes.ReadNode(static_cast<unsigned>(level), range.begin >> level);
  }
  PLUMB_TRY(const Digest left, HashOf(nodes, range.Left()));
  PLUMB_TRY(const Digest right, HashOf(nodes, range.Right()));
  return NodeHash(left, right);
}

// A node on the way from the bottom to the root of a tree whose rightmost node there is `last`.
struct Climber {
  std::uint64_t node;
  std::uint64_t last;

  bool IsAtRoot() const { return last == 0; }
  // Whether the next sibling is to the left. Nodes of the right edge that have none were passed.
  bool IsRightChild() const { return (node & 1U) != 0 || node == last; }
  void Climb() {
    node >>= 1U;
    last >>= 1U;
  }
  // Beyond what the sibling to the left of this one covers.
  void ClimbFromRight() {
    while ((node & 1U) == 0 && node != 0)
      Climb();
    Climb();
  }
};

}  // namespace

Digest LeafHash(ByteSpan entry) {
  return Sha256Hasher().Add({&kLeafPrefix, 1}).Add(entry).Finish();
}

Digest NodeHash(const Digest& left, const Digest& right) {
  std::array<std::byte, 65> bytes = {kNodePrefix};
  std::ranges::copy(left.bytes, bytes.begin() + 1);
  std::ranges::copy(right.bytes, bytes.begin() + 33);
  return Sha256(bytes);
}

Digest EmptyRoot() { return Sha256({}); }

Result<Digest> Root(NodeReader& nodes, std::uint64_t size) {
  if (size == 0) return EmptyRoot();
  return HashOf(nodes, {0, size});
}

Result<Proof> ProveInclusion(NodeReader& nodes, std::uint64_t index, std::uint64_t size) {
  PLUMB_CHECK(index < size);
  Proof proof;
  for (Range range = {0, size}; range.count > 1;) {
    const bool is_right = index >= range.Right().begin;
    PLUMB_TRY(const Digest sibling, HashOf(nodes, is_right ? range.Left() : range.Right()));
    proof.push_back(sibling);
    range = is_right ? range.Right() : range.Left();
  }
  std::ranges::reverse(proof);
  return proof;
}

Result<Proof> ProveConsistency(NodeReader& nodes, std::uint64_t old_size, std::uint64_t new_size) {
  PLUMB_CHECK(0 < old_size && old_size <= new_size);
  Proof proof;
  Range range = {0, new_size};
  // Down the right edge of the old tree, to its last node that is whole.
  while (range.end() != old_size) {
    const bool is_right = old_size > range.Right().begin;
    PLUMB_TRY(const Digest sibling, HashOf(nodes, is_right ? range.Left() : range.Right()));
    proof.push_back(sibling);
    range = is_right ? range.Right() : range.Left();
  }
  // Who verifies knows the old root: that node need be named only if it is another.
  if (range.begin != 0) {
    PLUMB_TRY(const Digest edge, HashOf(nodes, range));
    proof.push_back(edge);
  }
  std::ranges::reverse(proof);
  return proof;
}

Status VerifyInclusion(const Proof& proof, const Digest& leaf, std::uint64_t index,
                       const TreeHead& head) {
  if (index >= head.size) return Unproven("the leaf's index is outside of the tree");
  Climber at = {index, head.size - 1};
  Digest hash = leaf;
  for (const Digest& sibling : proof) {
    if (at.IsAtRoot()) return Unproven("the inclusion proof is too long");
    if (at.IsRightChild()) {
      hash = NodeHash(sibling, hash);
      at.ClimbFromRight();
    } else {
      hash = NodeHash(hash, sibling);
      at.Climb();
    }
  }
  if (!at.IsAtRoot()) return Unproven("the inclusion proof is too short");
  if (hash != head.root) return Unproven("the inclusion proof does not lead to the root");
  return Done{};
}

Status VerifyConsistency(const Proof& proof, const TreeHead& older, const TreeHead& newer) {
  if (older.size == 0) return Unproven("nothing shows that a log began without entries");
  if (older.size > newer.size) return Unproven("the log has shrunk");
  if (older.size == newer.size) {
    if (!proof.empty()) return Unproven("the consistency proof is too long");
    if (older.root != newer.root) return Unproven("the log has forked");
    return Done{};
  }
  Climber at = {older.size - 1, newer.size - 1};
  // To the last node of the old tree that is whole.
  while ((at.node & 1U) != 0)
    at.Climb();
  auto next = proof.begin();
  Digest old_hash = older.root;
  if (at.node != 0) {
    if (next == proof.end()) return Unproven("the consistency proof is too short");
    old_hash = *next++;
  }
  Digest new_hash = old_hash;
  for (; next != proof.end(); ++next) {
    if (at.IsAtRoot()) return Unproven("the consistency proof is too long");
    if (at.IsRightChild()) {
      old_hash = NodeHash(*next, old_hash);
      new_hash = NodeHash(*next, new_hash);
      at.ClimbFromRight();
    } else {
      new_hash = NodeHash(new_hash, *next);
      at.Climb();
    }
  }
  if (!at.IsAtRoot()) return Unproven("the consistency proof is too short");
  if (old_hash != older.root)
    return Unproven("the consistency proof does not lead to the older root");
  if (new_hash != newer.root)
    return Unproven("the consistency proof does not lead to the newer root");
  return Done{};
}

}  // namespace plumb::tlog
