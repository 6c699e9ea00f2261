// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tlog/tile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tests/test_log.h"

namespace plumb::tlog {
namespace {

TEST(TileNameTest, IsWrittenAsItIsRead) {
  const std::vector<std::pair<TileName, std::string>> names = {
      {{TileKind::kHashes, 0, 0, 256}, "tile/0/000"},
      {{TileKind::kHashes, 1, 999, 1}, "tile/1/999.p/1"},
      {{TileKind::kHashes, 63, 1'234'067, 255}, "tile/63/x001/x234/067.p/255"},
      {{TileKind::kEntries, 0, 1000, 256}, "tile/entries/x001/000"},
      {{TileKind::kEntries, 0, std::numeric_limits<std::uint64_t>::max(), 7},
       "tile/entries/x018/x446/x744/x073/x709/x551/615.p/7"}};
  for (const auto& [name, path] : names) {
    EXPECT_EQ(name.ToPath(), path);
    EXPECT_EQ(*TileName::Parse(path), name);
  }
}

TEST(TileNameTest, HasOneSpelling) {
  for (const char* const bad : {"",
                                "tile",
                                "tile/",
                                "tile/0",
                                "tile/0/",
                                "tile/0/0",
                                "tile/0/00",
                                "tile/0/0000",
                                "tile/00/000",
                                "tile/64/000",
                                "tile/-1/000",
                                "tile/0/000.p/0",
                                "tile/0/000.p/256",
                                "tile/0/000.p/01",
                                "tile/0/000.p/",
                                "tile/0/x000/000",
                                "tile/0/001/000",
                                "tile/0/x001",
                                "tile/0/x001/",
                                "tile/0/x001/x000",
                                "tile/0/+01",
                                "tile/data/000",
                                "/tile/0/000",
                                "tile/0/000/",
                                "tile/0/../000",
                                "tile/0/x018/x446/x744/x073/x709/x551/616",
                                "tile/0/x999/x999/x999/x999/x999/x999/x999/999"})
    EXPECT_EQ(TileName::Parse(bad).error().kind, ErrorKind::kInvalid) << bad;
}

TEST(EntryBundleTest, HoldsEntriesOfAnySize) {
  std::string bundle;
  const std::vector<std::string> entries = {"", "one", std::string(kEntrySizeMax, 'x')};
  for (const std::string& entry : entries)
    AppendEntry(bundle, AsBytes(entry));
  const auto parsed = ParseEntryBundle(AsBytes(bundle), entries.size());
  ASSERT_TRUE(parsed);
  for (std::size_t i = 0; i < entries.size(); ++i)
    EXPECT_EQ(AsText((*parsed)[i]), entries[i]);
  EXPECT_EQ(ParseEntryBundle(AsBytes(bundle), 2).error().kind, ErrorKind::kInvalid);
  EXPECT_FALSE(ParseEntryBundle(AsBytes(bundle), 4));
  for (const std::size_t size : {bundle.size() - 1, std::size_t{6}, std::size_t{1}})
    EXPECT_FALSE(ParseEntryBundle(AsBytes(bundle.substr(0, size)), 3));
  EXPECT_TRUE(ParseEntryBundle({}, 0));
}

// A log that is written tile by tile as it grows, and every node of which is read back.
class MemoryTiles : public TileReader {
 public:
  void Grow(std::uint64_t size) {
    const std::uint64_t old_size = leaves_.size();
    while (leaves_.size() < size)
      leaves_.push_back(LeafHash(AsBytes(std::to_string(leaves_.size()))));
    for (const TileName& name : NewTiles(old_size, size))
      if (name.kind == TileKind::kHashes) tiles_[name.ToPath()] = Make(name);
  }
  Result<std::string> ReadTile(const TileName& name) override {
    const auto found = tiles_.find(name.ToPath());
    if (found == tiles_.end()) return Error{ErrorKind::kNotFound, "no " + name.ToPath()};
    return found->second;
  }
  Digest Define(std::uint64_t begin, std::uint64_t end) const {
    return RootByDefinition(std::span(leaves_).subspan(begin, end - begin));
  }
  const Digest& leaf(std::uint64_t index) const { return leaves_[index]; }

 private:
  std::string Make(const TileName& name) const {
    std::string bytes;
    const std::uint64_t span = std::uint64_t{1} << (name.level * kTileHeight);
    for (std::uint64_t i = 0; i < name.width; ++i) {
      const std::uint64_t begin = (name.index * kTileWidth + i) * span;
      bytes += AsText(Define(begin, begin + span).bytes);
    }
    return bytes;
  }

  std::vector<Digest> leaves_;
  std::map<std::string, std::string> tiles_;
};

TEST(TileTest, GiveRootsAndProofs) {
  MemoryTiles tiles;
  for (const std::uint64_t size : {1U, 2U, 255U, 256U, 257U, 300U, 512U, 1000U, 66'000U}) {
    tiles.Grow(size);
    TileNodes nodes(tiles, size);
    const TreeHead head = {size, tiles.Define(0, size)};
    ASSERT_EQ(*Root(nodes, size), head.root) << size;
    for (const std::uint64_t index : {std::uint64_t{0}, size / 2, size - 1})
      EXPECT_TRUE(
          VerifyInclusion(*ProveInclusion(nodes, index, size), tiles.leaf(index), index, head));
    for (const std::uint64_t old_size : {std::uint64_t{1}, (size + 1) / 2, size})
      EXPECT_TRUE(VerifyConsistency(*ProveConsistency(nodes, old_size, size),
                                    {old_size, tiles.Define(0, old_size)}, head));
    EXPECT_EQ(nodes.ReadNode(0, size).error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(nodes.ReadNode(64, 0).error().kind, ErrorKind::kNotFound);
  }
}

TEST(TileTest, ATreeHasTheTilesThatTheSpecificationSays) {
  std::vector<TileName> names = NewTiles(0, 70'000);
  std::erase_if(names, [](const TileName& name) { return name.kind == TileKind::kEntries; });
  EXPECT_EQ(names.size(), 273U + 1 + 1 + 1 + 1);
  const auto has = [&](const TileName& name) { return std::ranges::count(names, name) == 1; };
  EXPECT_TRUE(has({TileKind::kHashes, 0, 273, 112}));
  EXPECT_TRUE(has({TileKind::kHashes, 1, 0, 256}));
  EXPECT_TRUE(has({TileKind::kHashes, 1, 1, 17}));
  EXPECT_TRUE(has({TileKind::kHashes, 2, 0, 1}));
  EXPECT_TRUE(NewTiles(70'000, 70'000).empty());
  EXPECT_EQ(NewTiles(70'000, 70'001).size(), 2U);
  EXPECT_EQ(NewTiles(255, 256).size(), 3U);
}

TEST(TileTest, OneOfAnotherSizeIsDamaged) {
  class Short : public TileReader {
   public:
    Result<std::string> ReadTile(const TileName& /*name*/) override { return std::string(31, 'x'); }
  };
  Short tiles;
  TileNodes nodes(tiles, 1);
  EXPECT_EQ(nodes.ReadNode(0, 0).error().kind, ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace plumb::tlog
