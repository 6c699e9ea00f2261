// SPDX-License-Identifier: MIT OR Apache-2.0
#include "store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "archive/compression.h"
#include "base/text.h"
#include "store/frame_internal.h"
#include "store/pack_index_internal.h"
#include "store/rebuild.h"
#include "store/recipe_internal.h"
#include "store/store_parts_internal.h"
#include "store/tree_internal.h"
#include "store/upkeep.h"
#include "tests/noise.h"
#include "tests/temporary_directory.h"

// Packs, recipes and catalogs of an enemy: all is refused, within the memory that an honest one
// takes, and nothing is given out. (Cycles need no test: objects are named by hashes, and what a
// tree names are bytes of a pack, a recipe's objects are never recipes. Nothing can name what is
// made from it.)
namespace plumb::store {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;

std::uint64_t PeakMemory() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) << 10U;
}

// What a tree says of a block.
struct BlockClaim {
  std::uint8_t encoding = 0;
  std::uint64_t stored_size = 0;
  GroupHash hash;
};
struct TreeClaim {
  std::uint64_t size = 0;
  std::vector<BlockClaim> blocks;
  std::uint8_t kind = 0;
  std::uint64_t parameters = 0;
  std::string place = {};  // of kind 1: name and offset
  std::string behind = {};

  std::string ToBytes() const {
    std::string bytes(1, static_cast<char>(kind));
    AppendVarint(bytes, parameters);
    AppendVarint(bytes, size);
    bytes += place;
    for (const BlockClaim& block : blocks) {
      if (kind == 0) {
        bytes.push_back(static_cast<char>(block.encoding));
        AppendVarint(bytes, block.stored_size);
      }
      bytes += AsText(block.hash.bytes);
    }
    return bytes + behind;
  }
  ObjectId Root() const {
    std::vector<GroupHash> hashes;
    for (const BlockClaim& block : blocks)
      hashes.push_back(block.hash);
    return RootOf(hashes);
  }
};

class StoreAttack : public testing::Test {
 protected:
  StoreAttack() {
    parts_ = *OpenStoreParts(*files_, *entropy_, Path());
    writer_ = std::make_unique<FrameWriter>(*parts_.packs->Create());
  }
  std::string Path() const { return temporary_.path() + "/store"; }

  // One block as the others will have it, whatever `stored` is.
  BlockClaim AddBlock(std::string_view raw, std::uint32_t index, Encoding encoding,
                      ByteSpan stored) {
    const GroupHash hash = HashGroup(AsBytes(raw), index);
    FrameContent frame = {FrameType::kBlock, {hash.bytes}, raw.size(), encoding, stored};
    frame.block = index;
    EXPECT_TRUE(writer_->Append(frame));
    return {static_cast<std::uint8_t>(encoding), stored.size(), hash};
  }
  TreeClaim AddBlocks(std::string_view raw) {
    TreeClaim tree = {raw.size(), {}};
    for (std::uint32_t i = 0; i * kMiB < raw.size(); ++i) {
      const std::string_view block = raw.substr(i * kMiB, kMiB);
      tree.blocks.push_back(AddBlock(block, i, Encoding::kRaw, AsBytes(block)));
    }
    return tree;
  }
  // An object as the catalog would have it.
  ObjectRecord AddTree(const TreeClaim& tree, const ObjectId& id) {
    const std::string bytes = tree.ToBytes();
    ObjectRecord object = {
        id, *writer_->Append({FrameType::kTree, id, bytes.size(), Encoding::kRaw, AsBytes(bytes)})};
    object.place.encoding = Encoding::kTree;
    object.place.raw_size = tree.size;
    object.place.blocks_size = object.place.start = 1;
    return object;
  }
  ObjectRecord AddObject(std::string_view raw, Encoding encoding, ByteSpan stored) {
    const ObjectId id = Blake3(AsBytes(raw));
    return {id, *writer_->Append({FrameType::kObject, id, raw.size(), encoding, stored})};
  }

  // Writes the catalog as the enemy wants it. Each object becomes a blob, of its name.
  void Publish(const std::vector<ObjectRecord>& objects) {
    CatalogChange change;
    change.packs.push_back(writer_->name());
    ASSERT_TRUE(std::exchange(writer_, nullptr)->Finish());
    for (const ObjectRecord& object : objects) {
      change.objects.push_back(object);
      change.blobs.push_back(
          BlobOf(object.id, 0, std::clamp<std::uint64_t>(object.place.raw_size, 1, kTiB)));
    }
    const Status applied = parts_.catalog->Apply(change);
    ASSERT_TRUE(applied) << applied.error().message;
  }
  static Digest NameOf(const ObjectId& id) { return Sha256(id.bytes); }
  static BlobRecord BlobOf(const ObjectId& id, std::uint64_t offset, std::uint64_t size) {
    Recipe recipe;
    recipe.size = size;
    recipe.digest = NameOf(id);
    recipe.AddObject(id, size);
    recipe.segments.front().offset = offset;
    const std::string bytes = recipe.ToBytes();
    return {recipe.digest, size, BlobForm::kRecipe, Blake3(AsBytes(bytes)), bytes};
  }

  // All of the blob that comes out of it.
  Result<std::string> Read(const ObjectId& id, std::string& given) {
    PLUMB_TRY(const auto store, OpenStore(*files_, *clock_, *entropy_, Path()));
    PLUMB_TRY(const auto source, store->OpenBlob(NameOf(id), 0));
    while (true) {
      PLUMB_TRY(const ByteSpan bytes, source->Read(kMiB));
      if (bytes.empty()) return given;
      given += AsText(bytes);
    }
  }
  void ExpectRefused(const ObjectRecord& object, std::string_view attack,
                     ErrorKind kind = ErrorKind::kCorrupt) {
    const std::uint64_t before = PeakMemory();
    std::string given;
    const auto read = Read(object.id, given);
    ASSERT_FALSE(read) << attack;
    EXPECT_EQ(read.error().kind, kind) << attack << ": " << read.error().message;
    EXPECT_EQ(given.size(), 0U) << attack;
    EXPECT_LT(PeakMemory() - before, 64 * kMiB) << attack;
  }

  // How many objects a check in depth calls damaged.
  std::size_t CountDamaged() {
    const auto upkeep = *OpenUpkeep(*files_, *clock_, *entropy_, Path());
    CheckRequest request;
    request.find_needs = [](Store&, const Digest&) { return Result<KitNeeds>(KitNeeds()); };
    request.depth = Depth::kContent;
    SilentProgress silent;
    const auto report = upkeep->Check(request, silent);
    EXPECT_TRUE(report) << report.error().message;
    return static_cast<std::size_t>(std::ranges::count_if(
        report->damages, [](const Damage& damage) { return damage.what.starts_with("object"); }));
  }
  RebuildReport Rebuild() {
    parts_ = {};
    RebuildRequest request;
    request.find_needs = [](Store&, const Digest&) { return Result<KitNeeds>(KitNeeds()); };
    SilentProgress silent;
    const auto report =
        RebuildCatalog({*files_, *host::MakeLinks(), *clock_, *entropy_, Path()}, request, silent);
    EXPECT_TRUE(report) << report.error().message;
    return *report;
  }

  const std::string content_ = Noise(kMiB + 5000, 1);
  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  StoreParts parts_;
  std::unique_ptr<FrameWriter> writer_;
};

TEST_F(StoreAttack, WithoutAnAttackItIsRead) {
  const TreeClaim tree = AddBlocks(content_);
  const ObjectRecord object = AddTree(tree, tree.Root());
  EXPECT_EQ(object.id, Blake3(AsBytes(content_)));
  const ObjectRecord small = AddObject("small", Encoding::kRaw, AsBytes("small"));
  Publish({object, small});
  std::string given;
  EXPECT_TRUE(*Read(object.id, given) == content_);
  given.clear();
  EXPECT_EQ(*Read(small.id, given), "small");
  EXPECT_EQ(Rebuild().objects, 2U);
}

// ObjectTree::Parse compares the root: of blocks that are sound, but another object's.
TEST_F(StoreAttack, TreeOfAnotherObject) {
  const ObjectRecord object =
      AddTree(AddBlocks(Noise(content_.size(), 2)), Blake3(AsBytes(content_)));
  Publish({object});
  ExpectRefused(object, "another root");
  EXPECT_EQ(CountDamaged(), 1U);
  EXPECT_EQ(Rebuild().objects, 0U);
}

// ReadBlockAt hashes each block, with its place in the object.
TEST_F(StoreAttack, BlocksInAnotherOrder) {
  const std::string two = Noise(2 * kMiB, 3);
  TreeClaim tree = {two.size(), {}};
  for (const std::uint32_t i : {1U, 0U}) {
    const std::string_view block = std::string_view(two).substr(i * kMiB, kMiB);
    tree.blocks.insert(tree.blocks.begin(), AddBlock(block, i, Encoding::kRaw, AsBytes(block)));
  }
  const ObjectRecord object = AddTree(tree, tree.Root());
  EXPECT_EQ(object.id, Blake3(AsBytes(two)));
  Publish({object});
  ExpectRefused(object, "another order");
  EXPECT_EQ(CountDamaged(), 1U);
  EXPECT_EQ(Rebuild().objects, 0U);
}

// ObjectTree::Parse and what it calls. Each tree has its blocks before it, and the root that its
// hashes have: nothing but the lie is wrong.
TEST_F(StoreAttack, TreesThatLie) {
  std::vector<std::pair<std::string, ObjectRecord>> lies;
  const auto lie = [&](const std::string& attack, const std::function<void(TreeClaim&)>& change) {
    TreeClaim tree = AddBlocks(content_);
    // Each is another object.
    tree.blocks.back().hash.bytes[0] = static_cast<std::byte>(lies.size());
    change(tree);
    lies.emplace_back(attack, AddTree(tree, tree.Root()));
    lies.back().second.place.raw_size = std::clamp<std::uint64_t>(tree.size, 1, 4 * kTiB);
  };
  lie("no size", [](TreeClaim& tree) { tree.size = 0; });
  lie("the size of one block", [](TreeClaim& tree) { tree.size = kMiB; });
  lie("more than a TiB", [](TreeClaim& tree) { tree.size = kTiB + 1; });
  lie("a size whose blocks wrap", [](TreeClaim& tree) { tree.size = UINT64_MAX; });
  lie("more blocks than there are bytes for", [](TreeClaim& tree) { tree.size = kTiB; });
  lie("one block more than there are", [](TreeClaim& tree) { tree.size = 2 * kMiB + 1; });
  lie("one block less than there are",
      [&](TreeClaim& tree) { tree.blocks.push_back(tree.blocks.back()); });
  lie("nothing stored", [](TreeClaim& tree) { tree.blocks[0].stored_size = 0; });
  lie("raw, but smaller", [](TreeClaim& tree) { tree.blocks[0].stored_size -= 1; });
  lie("raw, but larger", [](TreeClaim& tree) { tree.blocks[0].stored_size += 1; });
  lie("more stored than raw", [](TreeClaim& tree) {
    tree.blocks[1].encoding = 1;
    tree.blocks[1].stored_size = 5001;
  });
  lie("a stored size that wraps", [](TreeClaim& tree) {
    tree.blocks[0].encoding = 2;
    tree.blocks[0].stored_size = UINT64_MAX - 100;
  });
  lie("a tree in a block", [](TreeClaim& tree) { tree.blocks[0].encoding = 4; });
  lie("no encoding", [](TreeClaim& tree) { tree.blocks[0].encoding = 255; });
  lie("something behind", [](TreeClaim& tree) { tree.behind = "x"; });
  std::vector<ObjectRecord> objects;
  for (const auto& [attack, object] : lies)
    objects.push_back(object);
  Publish(objects);
  for (const auto& [attack, object] : lies)
    ExpectRefused(object, attack);
  EXPECT_EQ(CountDamaged(), lies.size());
  const RebuildReport rebuilt = Rebuild();
  EXPECT_EQ(rebuilt.objects, 0U);
  EXPECT_EQ(rebuilt.damages.size(), lies.size());
}

// What a newer Plumb might write is not damage.
TEST_F(StoreAttack, TreesOfAnotherKind) {
  TreeClaim tree = AddBlocks(content_);
  tree.kind = 2;
  ObjectRecord kind = AddTree(tree, tree.Root());
  Publish({kind});
  ExpectRefused(kind, "a kind to come", ErrorKind::kUnsupported);
}

// PlaceBlocks.
TEST_F(StoreAttack, BlocksBeforeTheBeginningOfThePack) {
  TreeClaim tree = {content_.size(), {}};
  for (const std::uint32_t i : {0U, 1U}) {
    const std::string_view block = std::string_view(content_).substr(i * kMiB, kMiB);
    tree.blocks.push_back({0, block.size(), HashGroup(AsBytes(block), i)});
  }
  const ObjectRecord object = AddTree(tree, tree.Root());
  Publish({object});
  ExpectRefused(object, "before the beginning");
  EXPECT_EQ(Rebuild().objects, 0U);
}

// Its bytes may be what it says, but a pack is nobody's file: a gc would not know that it is
// needed.
TEST_F(StoreAttack, TreeThatNamesAPackAsItsFile) {
  TreeClaim tree = AddBlocks(content_);
  tree.kind = 1;
  tree.place = AsText(writer_->name().bytes);
  AppendVarint(tree.place, kPackHeaderSize + kFrameHeaderSize);
  ObjectRecord object = AddTree(tree, tree.Root());
  Publish({object});
  ExpectRefused(object, "a pack as a file");
  EXPECT_EQ(CountDamaged(), 1U);
  const RebuildReport rebuilt = Rebuild();
  EXPECT_EQ(rebuilt.objects, 0U);
  EXPECT_EQ(rebuilt.damages.size(), 1U);
}

// CheckedAdd in TakeAdopted, and what is read: a file that ends before.
TEST_F(StoreAttack, TreeOfAFileThatIsShorter) {
  const std::string name(16, 'f');
  temporary_.Write("store/packs/" + EncodeHex(AsBytes(name)) + ".file", content_.substr(0, kMiB));
  std::vector<ObjectRecord> objects;
  for (const std::uint64_t offset : {std::uint64_t{0}, kTiB, UINT64_MAX - kMiB}) {
    TreeClaim tree = AddBlocks(content_);
    tree.blocks.back().hash.bytes[0] = static_cast<std::byte>(objects.size());
    if (offset == 0) tree.blocks.back().hash = AddBlocks(content_).blocks.back().hash;
    tree.kind = 1;
    tree.place = name;
    AppendVarint(tree.place, offset);
    objects.push_back(AddTree(tree, tree.Root()));
  }
  Publish(objects);
  std::string given;
  // The first block is what it should be, and is given out.
  EXPECT_EQ(Read(objects[0].id, given).error().kind, ErrorKind::kCorrupt);
  EXPECT_TRUE(given == content_.substr(0, kMiB));
  ExpectRefused(objects[1], "far beyond the end");
  ExpectRefused(objects[2], "an offset that wraps");
  EXPECT_EQ(CountDamaged(), 3U);
}

// RecipeSource::LoadBlock, and Recipe::Parse for what wraps.
TEST_F(StoreAttack, RangesBeyondTheirObject) {
  const TreeClaim tree = AddBlocks(content_);
  const ObjectRecord object = AddTree(tree, tree.Root());
  Publish({object});
  CatalogChange change;
  std::vector<Digest> blobs;
  for (const auto& [offset, size] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {1, content_.size()}, {content_.size(), 1}, {0, kTiB}, {kTiB - 1, 1}}) {
    BlobRecord blob = BlobOf(object.id, offset, size);
    Recipe recipe = *Recipe::Parse(blob.bytes);
    recipe.digest = blob.digest = Sha256(AsBytes(std::to_string(change.blobs.size())));
    blob.bytes = recipe.ToBytes();
    blob.id = Blake3(AsBytes(blob.bytes));
    change.blobs.push_back(blob);
  }
  ASSERT_TRUE(parts_.catalog->Apply(change));
  const auto store = *OpenStore(*files_, *clock_, *entropy_, Path());
  for (const BlobRecord& blob : change.blobs) {
    const auto source = *store->OpenBlob(blob.digest, 0);
    const auto read = source->Read(kMiB);
    ASSERT_FALSE(read) << blob.size;
    EXPECT_EQ(read.error().kind, ErrorKind::kCorrupt);
  }
  for (const auto& [offset, size] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {kTiB, 1}, {UINT64_MAX, 1}, {1, kTiB}, {0, kTiB + 1}}) {
    const auto parsed = Recipe::Parse(BlobOf(object.id, offset, size).bytes);
    ASSERT_FALSE(parsed) << offset;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kCorrupt);
  }
}

std::string Zstd(const std::string& raw) {
  MemorySink sink(raw.size() + kMiB);
  const auto compressor = archive::MakeCompressor(archive::Compression::kZstd, 19, sink);
  EXPECT_TRUE(compressor->Write(AsBytes(raw)));
  EXPECT_TRUE(compressor->Finish());
  return std::move(sink).TakeText();
}

// Expand and codec::DecodeBlock give as much as was said, and not a byte more.
TEST_F(StoreAttack, Bombs) {
  const std::string zeros(kMiB, '\0');
  const std::string huge = Zstd(std::string(256 * kMiB, '\0'));
  const std::string longer = Zstd(std::string(kMiB + 1, '\0'));
  const std::string shorter = Zstd(std::string(kMiB - 1, '\0'));
  const std::string twice = Zstd(zeros) + Zstd(zeros);
  std::string planes = "\1\1\0\1x\1x";  // bf16, and no field
  planes += std::string(64, '\xff');
  std::string entropy("\1\1\0\3\0\3\0", 7);
  entropy += std::string(64, '\xff');
  std::vector<std::pair<std::string, ObjectRecord>> bombs;
  const auto bomb = [&](const std::string& attack, Encoding encoding, const std::string& stored) {
    ASSERT_LT(stored.size(), kMiB);
    TreeClaim tree = {2 * kMiB, {}};
    for (const std::uint32_t i : {0U, 1U})
      tree.blocks.push_back(AddBlock(zeros, i, encoding, AsBytes(stored)));
    // What the second block should be is another thing in each: so are the objects.
    tree.blocks.back().hash.bytes[0] = static_cast<std::byte>(bombs.size());
    bombs.emplace_back(attack + ", a block", AddTree(tree, tree.Root()));
    ObjectRecord object = AddObject(zeros, encoding, AsBytes(stored));
    object.id.bytes[0] = static_cast<std::byte>(bombs.size());
    bombs.emplace_back(attack + ", a frame", object);
  };
  bomb("zstd of 256 MiB", Encoding::kZstd, huge);
  bomb("zstd of a byte more", Encoding::kZstd, longer);
  bomb("zstd of a byte less", Encoding::kZstd, shorter);
  bomb("zstd twice", Encoding::kZstd, twice);
  bomb("no zstd", Encoding::kZstd, "no zstd");
  bomb("planes that are none", Encoding::kPlanes, planes);
  bomb("planes that are cut short", Encoding::kPlanes, planes.substr(0, 5));
  bomb("entropy that is none", Encoding::kEntropy, entropy);
  std::vector<ObjectRecord> objects;
  for (const auto& [attack, object] : bombs)
    objects.push_back(object);
  Publish(objects);
  for (const auto& [attack, object] : bombs)
    ExpectRefused(object, attack);
  EXPECT_EQ(CountDamaged(), bombs.size());
}

// ReadTree and ReadObject: what a row says decides what is allocated, not what is believed.
TEST_F(StoreAttack, RowsThatLieOfAPlace) {
  std::vector<std::pair<std::string, ObjectRecord>> lies;
  const auto lie = [&](const std::string& attack, const std::function<void(ObjectPlace&)>& change) {
    const std::string raw = Noise(content_.size(), 100 + static_cast<unsigned>(lies.size()));
    const TreeClaim tree = AddBlocks(raw);
    lies.emplace_back(attack, AddTree(tree, tree.Root()));
    change(lies.back().second.place);
  };
  lie("another size", [](ObjectPlace& place) { place.raw_size += 1; });
  lie("a smaller size", [](ObjectPlace& place) { place.raw_size -= 1; });
  lie("a byte before", [](ObjectPlace& place) { place.offset -= 1; });
  lie("the frame before", [&](ObjectPlace& place) { place.offset -= 6000; });
  lie("beyond the end", [](ObjectPlace& place) { place.offset = kTiB; });
  lie("a shorter tree", [](ObjectPlace& place) { place.stored_size -= 1; });
  lie("a tree of a TiB", [](ObjectPlace& place) { place.stored_size = kTiB; });
  lie("no tree at all", [](ObjectPlace& place) { place.stored_size = 0; });
  lie("an object of such a size", [](ObjectPlace& place) { place.encoding = Encoding::kRaw; });
  lie("an object of planes", [](ObjectPlace& place) {
    place.encoding = Encoding::kPlanes;
    place.raw_size = kMiB;
  });
  lie("the tree of the one before",
      [&](ObjectPlace& place) { place.offset = lies.front().second.place.offset; });
  std::vector<ObjectRecord> objects;
  for (const auto& [attack, object] : lies)
    objects.push_back(object);
  Publish(objects);
  for (const auto& [attack, object] : lies)
    ExpectRefused(object, attack);
  EXPECT_EQ(CountDamaged(), lies.size());
  // The packs tell how it is.
  const RebuildReport rebuilt = Rebuild();
  EXPECT_EQ(rebuilt.objects, lies.size());
  EXPECT_TRUE(rebuilt.damages.empty());
}

// ReadHeaderAt: a frame has no encoding of trees.
TEST_F(StoreAttack, FrameInTheEncodingOfATree) {
  const ObjectRecord object = AddObject("text", Encoding::kTree, AsBytes("text"));
  const PackName pack = writer_->name();
  Publish({object});
  // In the catalog it is one, too: that begins with a 't', and is not even a tree's frame.
  ExpectRefused(object, "a frame that says it is a tree");
  const auto reader = *parts_.packs->Open(pack);
  const auto index = *ReadPackIndex(*reader, pack);
  const auto header = ReadFrameHeader(*reader, index.frames.front());
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace plumb::store
