// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TLOG_TILE_H_
#define PLUMB_TLOG_TILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "tlog/merkle.h"

// The files that a log is served as (C2SP tlog-tiles). A tile is 256 hashes of one level of the
// tree, or fewer at its right edge; levels of tiles are 8 levels of the tree apart. A bundle is the
// entries under a tile of level 0.
namespace plumb::tlog {

inline constexpr std::size_t kTileWidth = 256;
inline constexpr unsigned kTileHeight = 8;
inline constexpr std::size_t kHashSize = 32;
inline constexpr std::size_t kEntrySizeMax = 0xffff;  // its length is written in two bytes
inline constexpr std::size_t kBundleSizeMax = kTileWidth * (2 + kEntrySizeMax);

enum class TileKind : std::uint8_t { kHashes, kEntries };

// Which file: "tile/0/x001/234", "tile/1/000.p/17", "tile/entries/000".
struct TileName {
  TileKind kind = TileKind::kHashes;
  unsigned level = 0;  // 0 for entries
  std::uint64_t index = 0;
  std::size_t width = kTileWidth;  // 1 to kTileWidth

  // kInvalid unless it is the one spelling of one.
  static Result<TileName> Parse(std::string_view path);
  std::string ToPath() const;

  friend bool operator==(const TileName&, const TileName&) = default;
};

// How many hashes level `level` of tiles has in a tree of `size`.
std::uint64_t TileHashCount(std::uint64_t size, unsigned level);

// The tiles and bundles that a tree has and a smaller one, of which it goes on, has not.
std::vector<TileName> NewTiles(std::uint64_t old_size, std::uint64_t new_size);

// The entries in a bundle, as views of it. kInvalid if it does not hold just `count`.
Result<std::vector<ByteSpan>> ParseEntryBundle(ByteSpan bundle, std::size_t count);
// Requires at most kEntrySizeMax bytes.
void AppendEntry(std::string& bundle, ByteSpan entry);

// Where tiles are: on a disk, or somewhere else.
class TileReader {
 public:
  virtual ~TileReader() = default;
  // width × kHashSize bytes, or a bundle. kNotFound if it is not there.
  virtual Result<std::string> ReadTile(const TileName& name) = 0;
};

// The nodes of a tree of `size` out of its tiles; of which it keeps those that it met last.
// Trust: none of what tiles say. A root or proof that is made of them is to be verified.
// Threads: one at a time.
class TileNodes : public NodeReader {
 public:
  TileNodes(TileReader& tiles, std::uint64_t size) : tiles_(&tiles), size_(size) {}

  Result<Digest> ReadNode(unsigned level, std::uint64_t index) override;

 private:
  Result<const std::string*> Find(const TileName& name);

  struct Kept {
    TileName name;
    std::string bytes;
  };
  TileReader* tiles_;
  std::uint64_t size_;
  std::vector<Kept> kept_;
};

}  // namespace plumb::tlog

#endif  // PLUMB_TLOG_TILE_H_
