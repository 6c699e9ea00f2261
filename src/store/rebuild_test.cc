// SPDX-License-Identifier: MIT OR Apache-2.0
#include "store/rebuild.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/text.h"
#include "host/links.h"
#include "store/adopter.h"
#include "store/frame_internal.h"
#include "store/leases_internal.h"
#include "store/recipe_internal.h"
#include "store/store_parts_internal.h"
#include "tests/store_kits.h"
#include "tests/temporary_directory.h"

namespace plumb::store {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// All that a catalog has, as text, in an order of its own.
std::vector<std::string> RowsOf(KeptCatalog& catalog) {
  std::vector<std::string> rows;
  const auto hex = [](const Digest& digest) { return digest.ToString(); };
  CatalogVisitor visitor;
  visitor.on_blob = [&](const BlobRecord& blob) -> Status {
    rows.push_back("blob " + hex(blob.digest) + " " + std::to_string(blob.size) + " " +
                   blob.id.ToHex() + " " + EncodeHex(AsBytes(blob.bytes)) + " " +
                   std::to_string(static_cast<int>(blob.standing)));
    return Done{};
  };
  visitor.on_object = [&](const ObjectRecord& object) -> Status {
    const ObjectPlace& place = object.place;
    rows.push_back("object " + object.id.ToHex() + " " + place.pack.ToString() + " " +
                   std::to_string(place.offset) + " " + std::to_string(place.stored_size) + " " +
                   std::to_string(place.raw_size));
    return Done{};
  };
  visitor.on_pack = [&](const PackRecord& pack) -> Status {
    rows.push_back("pack " + pack.name.ToString());
    return Done{};
  };
  visitor.on_kit = [&](const KitState& kit) -> Status {
    rows.push_back("kit " + hex(kit.kit.manifest) + " " + std::to_string(kit.kit.added_ns));
    return Done{};
  };
  visitor.on_move = [&](const MoveTime& move) -> Status {
    rows.push_back("move " + move.name.ToString() + " " + std::to_string(move.moved_ns) + " " +
                   (move.previous ? hex(*move.previous) : "nothing"));
    return Done{};
  };
  EXPECT_TRUE(catalog.Visit(visitor));
  const auto refs = catalog.ListRefs(Domain::Device());
  EXPECT_TRUE(refs);
  for (const Ref& ref : *refs)
    rows.push_back("ref " + ref.name.ToString() + " " + hex(ref.manifest));
  std::ranges::sort(rows);
  return rows;
}

class RebuildTest : public testing::Test {
 protected:
  std::string Path() const { return temporary_.path() + "/store"; }
  fs::path Catalog() const { return Path() + "/catalog.sqlite"; }

  std::unique_ptr<Store> Open() { return *OpenStore(*files_, clock_, *entropy_, Path()); }

  Digest Add(const std::vector<std::string>& layers, const std::string& tag,
             const std::vector<Digest>& bases = {}) {
    clock_.now_ns += 1000;
    const auto store = Open();
    const auto session = store->Begin();
    std::vector<Digest> needs;
    for (const std::string& layer : layers) {
      const auto writer = *session->CreateBlob(Shape::kOpaque);
      EXPECT_TRUE(writer->Write(AsBytes(layer)));
      needs.push_back((*writer->Finish()).digest);
    }
    const Digest manifest = (*session->PutBlob(AsBytes(ManifestOf(layers, bases)))).digest;
    session->AddKit({manifest, needs});
    if (!tag.empty()) session->MoveRef({{"m", tag}, manifest, "add"});
    EXPECT_TRUE(session->Commit());
    return manifest;
  }

  void Move(const std::string& tag, const std::optional<Digest>& target,
            const std::vector<Digest>& removed = {}) {
    clock_.now_ns += 1000;
    const auto store = Open();
    const auto session = store->Begin();
    session->MoveRef({{"m", tag}, target, "move"});
    for (const Digest& kit : removed)
      session->RemoveKit(kit);
    ASSERT_TRUE(session->Commit());
  }

  void Collect(std::int64_t keep_ns) {
    const auto upkeep = *OpenUpkeep(*files_, clock_, *entropy_, Path());
    CollectRequest request;
    request.find_needs = NeedsOf;
    request.keep_untagged_ns = keep_ns;
    request.keep_left_ns = keep_ns;
    SilentProgress silent;
    const auto collected = upkeep->Collect(request, silent);
    ASSERT_TRUE(collected) << collected.error().message;
  }

  CheckReport Check() {
    const auto upkeep = *OpenUpkeep(*files_, clock_, *entropy_, Path());
    CheckRequest request;
    request.find_needs = NeedsOf;
    request.depth = Depth::kContent;
    SilentProgress silent;
    return *upkeep->Check(request, silent);
  }

  std::vector<std::string> Rows() {
    const auto parts = *OpenStoreParts(*files_, *entropy_, Path());
    return RowsOf(*parts.catalog);
  }

  Result<RebuildReport> Rebuild() {
    RebuildRequest request;
    request.find_needs = NeedsOf;
    request.threads = 2;
    SilentProgress silent;
    return RebuildCatalog({*files_, *host::MakeLinks(), clock_, *entropy_, Path()}, request,
                          silent);
  }

  // The report, of one that must work.
  RebuildReport RebuildLost() {
    fs::remove(Catalog());
    const auto rebuilt = Rebuild();
    EXPECT_TRUE(rebuilt) << rebuilt.error().message;
    return rebuilt ? *rebuilt : RebuildReport();
  }

  std::vector<fs::path> Packs() const {
    std::vector<fs::path> packs;
    for (const auto& entry : fs::directory_iterator(Path() + "/packs"))
      packs.push_back(entry.path());
    std::ranges::sort(packs);
    return packs;
  }
  fs::path LargestPack() const {
    return std::ranges::max(Packs(), {}, [](const fs::path& pack) { return fs::file_size(pack); });
  }
  static void Flip(const fs::path& path, std::streamoff offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const int byte = file.get();
    file.seekp(offset);
    file.put(static_cast<char>(byte ^ 1));
  }

  // A pack by hand, as an enemy or a crash might leave it.
  PackName WritePack(const std::function<void(FrameWriter&)>& fill) {
    const auto parts = *OpenStoreFiles(*files_, *entropy_, Path(), {host::LockKind::kShared, 0});
    FrameWriter writer(*parts.packs->Create());
    fill(writer);
    const PackName name = writer.name();
    EXPECT_TRUE(writer.Finish());
    return name;
  }

  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  SetClock clock_;
};

TEST_F(RebuildTest, AllThatTheCatalogSaidComesBack) {
  const Digest first = Add({Noise(9 * kMiB, 1), "small"}, "v1");
  const Digest second = Add({Noise(9 * kMiB, 1), std::string(5 * kMiB, 'z')}, "v2", {first});
  const Digest gone = Add({Noise(70'000, 2)}, "gone");
  Add({Noise(70'000, 3)}, "");
  Move("v1", second);
  Move("latest", first);
  Move("gone", std::nullopt, {gone});
  const auto before = Rows();
  const RebuildReport report = RebuildLost();
  EXPECT_THAT(report.damages, IsEmpty());
  EXPECT_THAT(report.kits_left_out, IsEmpty());
  EXPECT_EQ(report.old_catalog, "");
  EXPECT_EQ(report.kits, 3U);
  EXPECT_EQ(report.refs, 3U);
  EXPECT_EQ(report.moves, 6U);
  EXPECT_EQ(Rows(), before);
  EXPECT_THAT(Check().damages, IsEmpty());
}

TEST_F(RebuildTest, AlsoBehindAGcThatWroteThePacksAnew) {
  const Digest first = Add({Noise(70'000, 1)}, "v1");
  for (unsigned i = 2; i < 14; ++i)
    Add({Noise(70'000, i)}, "v1");
  Move("v1", first);
  clock_.now_ns += 200 * kDayNs;
  Collect(14 * kDayNs);
  // Of the only move that is left nothing tells any more where the tag was before it.
  const auto rows = [&] {
    auto all = Rows();
    std::erase_if(all, [](const std::string& row) { return row.starts_with("move m:v1 "); });
    return all;
  };
  const auto before = rows();
  ASSERT_EQ(before.size() + 1, Rows().size());
  ASSERT_THAT(Packs(), SizeIs(testing::Lt(5U)));
  EXPECT_THAT(RebuildLost().damages, IsEmpty());
  EXPECT_EQ(rows(), before);
  EXPECT_EQ(before.size() + 1, Rows().size());
}

// What a young move left is kept for its time: so must be what tells where the tag was before.
TEST_F(RebuildTest, AMoveIsKeptThatSaysWhatAYoungOneLeft) {
  const Digest first = Add({Noise(70'000, 1)}, "v1");
  clock_.now_ns += 200 * kDayNs;
  const Digest second = Add({Noise(70'000, 2)}, "v1");
  Collect(90 * kDayNs);
  RebuildLost();
  Collect(90 * kDayNs);
  const auto kits = *Open()->ListKits();
  EXPECT_THAT(kits, ElementsAre(testing::Field(&Kit::manifest, first),
                                testing::Field(&Kit::manifest, second)));
}

TEST_F(RebuildTest, WhatIsInThePlaceOfTheCatalogIsKeptBesideIt) {
  Add({Noise(70'000, 1)}, "v1");
  const auto before = Rows();
  for (const std::string& text : {std::string("no catalog"), Noise(100'000, 5)}) {
    std::ofstream(Catalog()) << text;
    std::ofstream(Catalog().string() + "-journal") << Noise(5000, 6);
    std::ofstream(Catalog().string() + "-wal") << Noise(5000, 7);
    const auto report = Rebuild();
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->old_catalog, Catalog().string() + ".old");
    EXPECT_TRUE(temporary_.Read("store/catalog.sqlite.old") == text);
    EXPECT_TRUE(temporary_.Read("store/catalog.sqlite.old-journal") == Noise(5000, 6));
    EXPECT_FALSE(fs::exists(Catalog().string() + "-wal"));
    EXPECT_EQ(Rows(), before);
  }
}

TEST_F(RebuildTest, NobodyElseMayHaveTheStoreOpen) {
  Add({Noise(70'000, 1)}, "v1");
  const auto before = Rows();
  {
    const auto store = Open();
    EXPECT_EQ(Rebuild().error().kind, ErrorKind::kUnavailable);
  }
  {
    // A version that knows nothing of the lock on `format`.
    const std::string name = "leases/00112233445566778899aabbccddeeff";
    const auto directory = *files_->OpenDirectory(Path(), host::IfMissing::kFail);
    const auto file = *directory->Open(name, host::OpenHow::kCreate);
    const auto lock = *file->Lock(host::LockKind::kExclusive, 0);
    const auto rebuilt = Rebuild();
    EXPECT_EQ(rebuilt.error().kind, ErrorKind::kUnavailable);
    EXPECT_THAT(rebuilt.error().message, HasSubstr("another plumb is at work"));
  }
  EXPECT_EQ(Rows(), before);
  EXPECT_TRUE(Rebuild());
}

// What the next gc marks must be newer than any lease that is left.
TEST_F(RebuildTest, TheEpochIsAboveAllThatEverWas) {
  Add({Noise(70'000, 1)}, "v1");
  for (int i = 0; i < 5; ++i)
    Collect(0);
  const auto epoch = [&] {
    return *(*OpenStoreParts(*files_, *entropy_, Path())).catalog->CurrentEpoch();
  };
  const Epoch before = epoch();
  RebuildLost();
  EXPECT_GT(epoch(), before);
}

TEST_F(RebuildTest, ADamagedObjectIsLeftOutAndWrittenAgain) {
  const std::string layer = Noise(9 * kMiB, 1);
  const Digest kit = Add({layer}, "v1");
  Flip(LargestPack(), 5'000'000);
  const RebuildReport report = RebuildLost();
  ASSERT_THAT(report.damages, SizeIs(1));
  EXPECT_THAT(report.damages[0].what, HasSubstr("an object in pack"));
  EXPECT_EQ(report.kits, 1U);
  const auto blob = *Open()->FindBlob(Sha256(AsBytes(layer)));
  ASSERT_TRUE(blob);
  EXPECT_EQ(blob->standing, Standing::kDamaged);
  const CheckReport checked = Check();
  ASSERT_THAT(checked.damages, SizeIs(1));
  EXPECT_THAT(checked.damages[0].kits, ElementsAre(kit));
  Add({layer}, "v1");
  EXPECT_THAT(Check().damages, IsEmpty());
}

TEST_F(RebuildTest, AKitWithoutATagThatIsNotWholeIsLeftOutWithoutANoise) {
  const Digest kit = Add({Noise(9 * kMiB, 1)}, "");
  Flip(LargestPack(), 5'000'000);
  const RebuildReport report = RebuildLost();
  EXPECT_THAT(report.kits_left_out, ElementsAre(kit));
  EXPECT_EQ(report.kits, 0U);
  EXPECT_THAT(*Open()->ListKits(), IsEmpty());
}

TEST_F(RebuildTest, UnlessAnotherIsBasedOnIt) {
  const Digest base = Add({Noise(9 * kMiB, 1)}, "");
  Flip(LargestPack(), 5'000'000);
  Add({Noise(70'000, 2)}, "v1", {base});
  const RebuildReport report = RebuildLost();
  EXPECT_THAT(report.kits_left_out, IsEmpty());
  EXPECT_EQ(report.kits, 2U);
}

TEST_F(RebuildTest, AKitOfWhichTheManifestIsGoneIsNamedIfATagNamesIt) {
  const Digest kit = Add({Noise(9 * kMiB, 1)}, "v1");
  Move("latest", kit);
  fs::remove(LargestPack());
  for (const fs::path& pack : Packs())
    if (fs::file_size(pack) > 600) fs::remove(pack);
  const RebuildReport report = RebuildLost();
  EXPECT_EQ(report.kits, 1U);
  EXPECT_THAT(*Open()->ListRefs(), ElementsAre(Ref{{"m", "latest"}, kit}));
  const CheckReport checked = Check();
  ASSERT_THAT(checked.damages, SizeIs(1));
  EXPECT_EQ(checked.damages[0].what, "blob '" + kit.ToString() + "'");
  EXPECT_THAT(checked.damages[0].kits, ElementsAre(kit));
}

TEST_F(RebuildTest, ATornPackGivesWhatIsInFront) {
  const std::string layer = Noise(9 * kMiB, 1);
  Add({layer}, "v1");
  const auto before = Rows();
  fs::resize_file(LargestPack(), fs::file_size(LargestPack()) - 40);
  EXPECT_THAT(RebuildLost().damages, IsEmpty());
  EXPECT_EQ(Rows(), before);
}

TEST_F(RebuildTest, APackWithoutItsBeginningGivesTheRest) {
  Add({Noise(9 * kMiB, 1)}, "v1");
  const auto before = Rows();
  Flip(LargestPack(), 20);
  const RebuildReport report = RebuildLost();
  ASSERT_THAT(report.damages, SizeIs(1));
  EXPECT_THAT(report.damages[0].what, HasSubstr("the beginning of pack"));
  EXPECT_EQ(Rows(), before);
}

TEST_F(RebuildTest, OfTwoTheOneInAWholePackCounts) {
  const std::string layer = Noise(70'000, 1);
  Add({layer}, "v1");
  // The same object once more, in a pack that is torn, under the first name of all.
  const ObjectId id = Blake3(AsBytes(layer));
  PackName torn = WritePack([&](FrameWriter& writer) {
    ASSERT_TRUE(
        writer.Append({FrameType::kObject, id, layer.size(), Encoding::kRaw, AsBytes(layer)}));
  });
  const fs::path path = Path() + "/packs/" + torn.ToString() + ".pack";
  fs::resize_file(path, fs::file_size(path) - 40);
  RebuildLost();
  const auto parts = *OpenStoreParts(*files_, *entropy_, Path());
  const auto place = *parts.catalog->FindObject(Domain::Device(), id);
  ASSERT_TRUE(place);
  EXPECT_NE(place->pack, torn);
  EXPECT_THAT(RowsOf(*parts.catalog), testing::Contains("pack " + torn.ToString()));
}

TEST_F(RebuildTest, OfTwoRecipesTheOneThatCanBeFollowedCounts) {
  const std::string layer = Noise(70'000, 1);
  const Digest digest = Sha256(AsBytes(layer));
  Add({layer}, "v1");
  Recipe recipe;
  recipe.size = 100'000;
  recipe.digest = digest;
  recipe.AddObject(Blake3(AsBytes("not here")), recipe.size);
  for (int i = 0; i < 8; ++i)  // one of them comes first by name
    WritePack([&](FrameWriter& writer) {
      ASSERT_TRUE(writer.AppendRecord(FrameType::kRecipe, recipe.ToBytes()));
    });
  RebuildLost();
  EXPECT_EQ(*ReadBlob(*Open(), digest, kMiB), layer);
}

TEST_F(RebuildTest, PiecesOfAdoptedFilesAreHashed) {
  const std::string content = Noise(9 * kMiB + 5000, 1);
  temporary_.Write("model.bin", content);
  {
    const auto links = host::MakeLinks();
    const auto adopter = *OpenAdopter(*files_, *links, *entropy_, Path(), 1);
    SilentProgress silent;
    ASSERT_TRUE(adopter->Adopt(temporary_.path() + "/model.bin", AdoptHow::kHardLink, silent));
    Add({content}, "v1");
  }
  const auto before = Rows();
  EXPECT_THAT(RebuildLost().damages, IsEmpty());
  EXPECT_EQ(Rows(), before);
  Flip(temporary_.path() + "/model.bin", 5'000'000);
  RebuildLost();
  const CheckReport checked = Check();
  ASSERT_THAT(checked.damages, SizeIs(testing::Ge(1U)));
  EXPECT_EQ(ReadBlob(*Open(), Sha256(AsBytes(content)), 16 * kMiB).error().kind,
            ErrorKind::kCorrupt);
}

// Else what damage to packs took, a later loss of the catalog would take for good.
TEST_F(RebuildTest, WhatPacksDoNotSayAnyMoreAGcWritesAnew) {
  const std::string layer = Noise(70'000, 1);
  Add({layer}, "v1");
  const auto rows = [&] {
    auto all = Rows();
    std::erase_if(all, [](const std::string& row) {
      return !row.starts_with("kit ") && !row.starts_with("move ") && !row.starts_with("ref ");
    });
    return all;
  };
  const auto before = rows();
  ASSERT_EQ(before.size(), 3U);
  for (const fs::path& pack : Packs())
    fs::remove(pack);
  EXPECT_THAT(Check().damages, testing::Not(IsEmpty()));
  Add({layer}, "v1");
  Collect(14 * kDayNs);
  EXPECT_THAT(RebuildLost().damages, IsEmpty());
  EXPECT_EQ(rows(), before);
  EXPECT_THAT(Check().damages, IsEmpty());
}

TEST_F(RebuildTest, WhereThereIsNoStoreNoneIsMade) {
  EXPECT_EQ(Rebuild().error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(fs::exists(Path()));
}

TEST_F(RebuildTest, OneThatWasStoppedLeavesWhatAGcTakes) {
  Add({Noise(70'000, 1)}, "v1");
  for (const char* name : {"catalog.sqlite.new", "catalog.sqlite.new-journal"})
    temporary_.Write("store/" + std::string(name), Noise(5000, 1));
  const auto before = Rows();
  EXPECT_THAT(RebuildLost().damages, IsEmpty());
  EXPECT_EQ(Rows(), before);
  temporary_.Write("store/catalog.sqlite.new", "x");
  Collect(0);
  EXPECT_FALSE(fs::exists(Catalog().string() + ".new"));
}

}  // namespace
}  // namespace plumb::store
