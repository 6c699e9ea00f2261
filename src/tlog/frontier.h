// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TLOG_FRONTIER_H_
#define PLUMB_TLOG_FRONTIER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "tlog/merkle.h"
#include "tlog/tile.h"

namespace plumb::tlog {

// A file of a log, and what is in it.
struct TileContent {
  TileName name;
  std::string bytes;
};

// The right edge of a tree: enough to append to it, without reading any tile.
// Threads: one at a time.
class Frontier {
 public:
  // The edge of a tree without leaves.
  Frontier() = default;
  // kInvalid unless there are just as many hashes on each level, and entries, as a tree of `size`
  // has in its partial tiles.
  static Result<Frontier> Make(std::uint64_t size, std::vector<std::vector<Digest>> levels,
                               std::vector<std::string> entries);

  std::uint64_t size() const { return size_; }
  TreeHead Head() const;
  // Hashes of the partial tile of each level, from 0 up to the last that has any hashes; none where
  // the last tile is full.
  const std::vector<std::vector<Digest>>& levels() const { return levels_; }
  // Under the partial tile of level 0.
  const std::vector<std::string>& entries() const { return entries_; }

  // Requires at most kEntrySizeMax bytes. Tiles and bundles that became full are added to `full`.
  void Append(std::string entry, std::vector<TileContent>& full);
  // Those at the edge that are not full.
  std::vector<TileContent> PartialTiles() const;

 private:
  void AddHash(std::size_t level, const Digest& hash, std::vector<TileContent>& full);

  std::uint64_t size_ = 0;
  std::vector<std::vector<Digest>> levels_;
  std::vector<std::string> entries_;
};

}  // namespace plumb::tlog

#endif  // PLUMB_TLOG_FRONTIER_H_
