// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tlog/frontier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "tests/test_log.h"

namespace plumb::tlog {
namespace {

class Tiles : public TileReader {
 public:
  void Put(std::vector<TileContent> tiles) {
    for (TileContent& tile : tiles)
      files_[tile.name.ToPath()] = std::move(tile.bytes);
  }
  Result<std::string> ReadTile(const TileName& name) override {
    const auto found = files_.find(name.ToPath());
    if (found == files_.end()) return Error{ErrorKind::kNotFound, "no " + name.ToPath()};
    return found->second;
  }

 private:
  std::map<std::string, std::string> files_;
};

// The specification's rule of which tiles there are, and the RFC's of the root, for each size.
TEST(FrontierTest, GivesRootAndTilesOfEverySize) {
  Frontier frontier;
  Tiles tiles;
  std::vector<Digest> leaves;
  for (std::uint64_t size = 0; size <= 66'000; ++size) {
    const bool is_looked_at = size < 600 || size % 256 <= 1 || size > 65'500;
    if (is_looked_at && size % 7 < 3) {
      ASSERT_EQ(frontier.Head().size, size);
      if (size < 1000 || size % 2048 == 0 || size > 65'990) {
        ASSERT_EQ(frontier.Head().root, RootByDefinition(leaves));
      }
      tiles.Put(frontier.PartialTiles());
      TileNodes nodes(tiles, size);
      ASSERT_EQ(*Root(nodes, size), frontier.Head().root) << size;
      for (const TileName& name : NewTiles(0, size))
        ASSERT_TRUE(name.width == kTileWidth || tiles.ReadTile(name)) << name.ToPath();
      const auto again = Frontier::Make(size, frontier.levels(), frontier.entries());
      ASSERT_TRUE(again);
      ASSERT_EQ(again->Head(), frontier.Head());
    }
    std::vector<TileContent> full;
    const std::string entry = std::to_string(size);
    leaves.push_back(LeafHash(AsBytes(entry)));
    frontier.Append(entry, full);
    for (const TileContent& tile : full)
      ASSERT_EQ(tile.name.width, kTileWidth);
    tiles.Put(std::move(full));
  }
  const auto bundle = tiles.ReadTile({TileKind::kEntries, 0, 1, kTileWidth});
  const auto entries = ParseEntryBundle(AsBytes(*bundle), kTileWidth);
  ASSERT_TRUE(entries);
  EXPECT_EQ(AsText(entries->front()), "256");
}

TEST(FrontierTest, TakesTheEdgeOfItsSizeOnly) {
  Frontier frontier;
  std::vector<TileContent> full;
  for (int i = 0; i < 300; ++i)
    frontier.Append(std::to_string(i), full);
  const auto levels = frontier.levels();
  const auto entries = frontier.entries();
  EXPECT_TRUE(Frontier::Make(300, levels, entries));
  for (const std::uint64_t size : {0U, 299U, 301U, 44U, 556U, 70'000U})
    EXPECT_EQ(Frontier::Make(size, levels, entries).error().kind, ErrorKind::kInvalid) << size;
  auto bent = entries;
  bent[7] += "x";
  EXPECT_FALSE(Frontier::Make(300, levels, bent));
  bent.pop_back();
  EXPECT_FALSE(Frontier::Make(300, levels, bent));
  EXPECT_TRUE(Frontier::Make(0, {}, {}));
}

}  // namespace
}  // namespace plumb::tlog
