// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tlog/frontier.h"

#include <bit>
#include <optional>
#include <span>
#include <utility>

#include "base/check.h"

namespace plumb::tlog {
namespace {

// Over hashes of which there are a power of two.
Digest Fold(std::span<const Digest> hashes) {
  if (hashes.size() == 1) return hashes.front();
  const std::size_t half = hashes.size() / 2;
  return NodeHash(Fold(hashes.first(half)), Fold(hashes.subspan(half)));
}

std::string TileOf(std::span<const Digest> hashes) {
  std::string bytes;
  for (const Digest& hash : hashes)
    bytes += AsText(hash.bytes);
  return bytes;
}

std::string BundleOf(std::span<const std::string> entries) {
  std::string bytes;
  for (const std::string& entry : entries)
    AppendEntry(bytes, AsBytes(entry));
  return bytes;
}

}  // namespace

Result<Frontier> Frontier::Make(std::uint64_t size, std::vector<std::vector<Digest>> levels,
                                std::vector<std::string> entries) {
  const Error invalid = {ErrorKind::kInvalid,
                         "that is no edge of a tree of " + std::to_string(size) + " entries"};
  std::size_t height = 0;
  for (; TileHashCount(size, static_cast<unsigned>(height)) > 0; ++height) {
    const std::uint64_t count = TileHashCount(size, static_cast<unsigned>(height)) % kTileWidth;
    if (height >= levels.size() || levels[height].size() != count) return invalid;
  }
  if (levels.size() != height || entries.size() != size % kTileWidth) return invalid;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i].size() > kEntrySizeMax || LeafHash(AsBytes(entries[i])) != levels[0][i])
      return invalid;
  Frontier frontier;
  frontier.size_ = size;
  frontier.levels_ = std::move(levels);
  frontier.entries_ = std::move(entries);
  return frontier;
}

TreeHead Frontier::Head() const {
  // The lower a level, the further to the right. Within one, the smaller a subtree.
  std::optional<Digest> root;
  for (const std::vector<Digest>& level : levels_) {
    std::span<const Digest> hashes(level);
    while (!hashes.empty()) {
      const std::size_t count = std::size_t{1} << std::countr_zero(hashes.size());
      const Digest subtree = Fold(hashes.last(count));
      root = root ? NodeHash(subtree, *root) : subtree;
      hashes = hashes.first(hashes.size() - count);
    }
  }
  return {size_, root ? *root : EmptyRoot()};
}

void Frontier::Append(std::string entry, std::vector<TileContent>& full) {
  PLUMB_CHECK(entry.size() <= kEntrySizeMax);
  const Digest leaf = LeafHash(AsBytes(entry));
  entries_.push_back(std::move(entry));
  if (entries_.size() == kTileWidth) {
    full.push_back({{TileKind::kEntries, 0, size_ / kTileWidth, kTileWidth}, BundleOf(entries_)});
    entries_.clear();
  }
  ++size_;
  AddHash(0, leaf, full);
}

void Frontier::AddHash(std::size_t level, const Digest& hash, std::vector<TileContent>& full) {
  if (level == levels_.size()) levels_.emplace_back();
  levels_[level].push_back(hash);
  if (levels_[level].size() < kTileWidth) return;
  const auto tile_level = static_cast<unsigned>(level);
  const std::uint64_t index = TileHashCount(size_, tile_level) / kTileWidth - 1;
  full.push_back({{TileKind::kHashes, tile_level, index, kTileWidth}, TileOf(levels_[level])});
  const Digest above = Fold(levels_[level]);
  levels_[level].clear();
  AddHash(level + 1, above, full);
}

std::vector<TileContent> Frontier::PartialTiles() const {
  std::vector<TileContent> partial;
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    const auto tile_level = static_cast<unsigned>(level);
    const std::uint64_t index = TileHashCount(size_, tile_level) / kTileWidth;
    const std::size_t width = levels_[level].size();
    if (width == 0) continue;
    if (level == 0) partial.push_back({{TileKind::kEntries, 0, index, width}, BundleOf(entries_)});
    partial.push_back({{TileKind::kHashes, tile_level, index, width}, TileOf(levels_[level])});
  }
  return partial;
}

}  // namespace plumb::tlog
