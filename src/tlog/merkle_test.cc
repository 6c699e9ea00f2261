// SPDX-License-Identifier: MIT OR Apache-2.0
// The tree's arithmetic, three ways: beside roots that were published, beside the RFC's own
// recursive definition for every size up to kSizeMax, and with proofs that were tampered with.
#include "tlog/merkle.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "tests/test_log.h"

namespace plumb::tlog {
namespace {

constexpr std::uint64_t kSizeMax = 70;

class MemoryTree : public NodeReader {
 public:
  void Append(std::string_view entry) {
    Digest hash = LeafHash(AsBytes(entry));
    std::uint64_t index = leaves_.size();
    leaves_.push_back(hash);
    nodes_[{0U, index}] = hash;
    for (unsigned level = 0; (index & 1U) != 0; ++level, index >>= 1U) {
      hash = NodeHash(nodes_.at({level, index - 1}), hash);
      nodes_[{level + 1, index >> 1U}] = hash;
    }
  }
  Result<Digest> ReadNode(unsigned level, std::uint64_t index) override {
    const auto found = nodes_.find({level, index});
    if (found == nodes_.end()) return Error{ErrorKind::kNotFound, "no such node"};
    return found->second;
  }
  TreeHead Head(std::uint64_t size) const {
    return {size, RootByDefinition(std::span(leaves_).first(size))};
  }
  const Digest& leaf(std::uint64_t index) const { return leaves_[index]; }

 private:
  std::vector<Digest> leaves_;
  std::map<std::pair<unsigned, std::uint64_t>, Digest> nodes_;
};

MemoryTree SomeTree(std::uint64_t size) {
  MemoryTree tree;
  for (std::uint64_t i = 0; i < size; ++i)
    tree.Append("entry " + std::to_string(i));
  return tree;
}

// All that come of a proof by one small change.
std::vector<Proof> Bent(const Proof& proof, const Digest& other) {
  std::vector<Proof> all;
  for (std::size_t i = 0; i < proof.size(); ++i) {
    all.push_back(proof);
    all.back()[i].bytes[i % 32] ^= std::byte{4};
    all.push_back(proof);
    all.back().erase(all.back().begin() + static_cast<std::ptrdiff_t>(i));
  }
  all.push_back(proof);
  all.back().push_back(other);
  all.push_back(proof);
  all.back().insert(all.back().begin(), other);
  return all;
}

TEST(MerkleTest, GivesTheRootsOfCertificateTransparency) {
  const std::string entries[] = {
      "",
      std::string(1, '\0'),
      "\x10",
      "\x20\x21",
      "\x30\x31",
      "\x40\x41\x42\x43",
      "\x50\x51\x52\x53\x54\x55\x56\x57",
      "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
  const char* const roots[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                               "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                               "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                               "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                               "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                               "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                               "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                               "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                               "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  MemoryTree tree;
  for (std::uint64_t size = 0; size <= 8; ++size) {
    EXPECT_EQ(Root(tree, size)->ToHex(), roots[size]);
    if (size < 8) tree.Append(entries[size]);
  }
}

TEST(MerkleTest, ProvesEveryLeafOfEverySize) {
  MemoryTree tree = SomeTree(kSizeMax);
  for (std::uint64_t size = 1; size <= kSizeMax; ++size) {
    const TreeHead head = tree.Head(size);
    ASSERT_EQ(*Root(tree, size), head.root);
    for (std::uint64_t i = 0; i < size; ++i) {
      const Proof proof = *ProveInclusion(tree, i, size);
      ASSERT_TRUE(VerifyInclusion(proof, tree.leaf(i), i, head));
      ASSERT_FALSE(VerifyInclusion(proof, tree.leaf(i), size, head));
      ASSERT_FALSE(VerifyInclusion(proof, tree.leaf((i + 1) % kSizeMax), i, head));
      for (const Proof& bent : Bent(proof, head.root))
        ASSERT_EQ(VerifyInclusion(bent, tree.leaf(i), i, head).error().kind, ErrorKind::kDenied);
    }
  }
}

TEST(MerkleTest, ProvesThatEverySizeGoesOn) {
  MemoryTree tree = SomeTree(kSizeMax);
  for (std::uint64_t size = 1; size <= kSizeMax; ++size) {
    const TreeHead newer = tree.Head(size);
    for (std::uint64_t old_size = 1; old_size <= size; ++old_size) {
      const TreeHead older = tree.Head(old_size);
      const Proof proof = *ProveConsistency(tree, old_size, size);
      ASSERT_TRUE(VerifyConsistency(proof, older, newer));
      ASSERT_EQ(VerifyConsistency(proof, newer, older).has_value(), old_size == size);
      TreeHead forked = older;
      forked.root.bytes[0] ^= std::byte{1};
      ASSERT_FALSE(VerifyConsistency(proof, forked, newer));
      forked = newer;
      forked.root.bytes[31] ^= std::byte{1};
      ASSERT_FALSE(VerifyConsistency(proof, older, forked));
      for (const Proof& bent : Bent(proof, newer.root))
        ASSERT_EQ(VerifyConsistency(bent, older, newer).error().kind, ErrorKind::kDenied);
    }
  }
}

TEST(MerkleTest, NothingGoesOnFromNothing) {
  const MemoryTree tree = SomeTree(3);
  const TreeHead empty = {0, EmptyRoot()};
  EXPECT_FALSE(VerifyConsistency({}, empty, empty));
  EXPECT_FALSE(VerifyConsistency({}, empty, tree.Head(3)));
  EXPECT_FALSE(VerifyInclusion({}, tree.leaf(0), 0, empty));
}

TEST(MerkleTest, AnySizeEndsSoon) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  const Digest some = EmptyRoot();
  for (const std::uint64_t index : {std::uint64_t{0}, kMax / 2, kMax - 1})
    for (const std::size_t length :
         {std::size_t{0}, std::size_t{1}, std::size_t{64}, std::size_t{100'000}}) {
      const Proof proof(length, some);
      EXPECT_FALSE(VerifyInclusion(proof, some, index, {kMax, some}));
      EXPECT_FALSE(VerifyConsistency(proof, {index, some}, {kMax, some}));
    }
}

TEST(MerkleTest, WhatIsNotStoredIsNotProved) {
  MemoryTree tree = SomeTree(5);
  EXPECT_EQ(Root(tree, 6).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(ProveInclusion(tree, 0, 8).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(ProveConsistency(tree, 5, 8).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace plumb::tlog
