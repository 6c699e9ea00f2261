// SPDX-License-Identifier: MIT OR Apache-2.0
#include "store/upkeep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "store/blob_reader_internal.h"
#include "store/leases_internal.h"
#include "store/partial_packs_internal.h"
#include "store/store_parts_internal.h"
#include "tests/store_kits.h"
#include "tests/temporary_directory.h"

namespace plumb::store {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class UpkeepTest : public testing::Test {
 protected:
  UpkeepTest()
      : store_(*OpenStore(*files_, clock_, *entropy_, Path())),
        upkeep_(*OpenUpkeep(*files_, clock_, *entropy_, Path())) {}

  std::string Path() const { return temporary_.path() + "/store"; }

  std::vector<ObjectId> ObjectsOf(const std::string& blob) {
    std::vector<ObjectId> objects;
    const auto parts = *upkeep_->Describe(Sha256(AsBytes(blob)));
    for (const BlobPart& part : parts)
      if (part.object) objects.push_back(*part.object);
    return objects;
  }

  // Puts a kit into a session, without committing it.
  static Digest Put(Session& session, const std::vector<std::string>& layers,
                    const std::vector<Digest>& bases = {}) {
    std::vector<Digest> needs;
    for (const std::string& layer : layers) {
      const auto writer = *session.CreateBlob(Shape::kOpaque);
      EXPECT_TRUE(writer->Write(AsBytes(layer)));
      needs.push_back((*writer->Finish()).digest);
    }
    const Digest manifest = (*session.PutBlob(AsBytes(ManifestOf(layers, bases)))).digest;
    session.AddKit({manifest, needs});
    return manifest;
  }

  Digest Add(const std::vector<std::string>& layers, const std::string& tag,
             const std::vector<Digest>& bases = {}) {
    const auto session = store_->Begin();
    const Digest manifest = Put(*session, layers, bases);
    if (!tag.empty()) session->MoveRef({{"m", tag}, manifest, ""});
    EXPECT_TRUE(session->Commit());
    return manifest;
  }

  void Untag(const std::string& tag) {
    const auto session = store_->Begin();
    session->MoveRef({{"m", tag}, std::nullopt, ""});
    ASSERT_TRUE(session->Commit());
  }

  CollectReport Collect(std::int64_t keep_untagged_ns = 0, DryRun dry_run = DryRun::kNo) {
    CollectRequest request;
    request.find_needs = NeedsOf;
    request.keep_untagged_ns = keep_untagged_ns;
    request.keep_left_ns = keep_untagged_ns;
    request.dry_run = dry_run;
    return Collect(request);
  }

  CollectReport Collect(const CollectRequest& request) {
    SilentProgress silent;
    auto report = upkeep_->Collect(request, silent);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : CollectReport();
  }

  CheckReport Check(Depth depth) {
    CheckRequest request;
    request.find_needs = NeedsOf;
    request.depth = depth;
    request.threads = 2;
    SilentProgress silent;
    auto report = upkeep_->Check(request, silent);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : CheckReport();
  }

  MeasureReport Measure() {
    MeasureRequest request;
    request.find_needs = NeedsOf;
    SilentProgress silent;
    auto report = upkeep_->Measure(request, silent);
    EXPECT_TRUE(report) << report.error().message;
    if (!report) return {};
    EXPECT_EQ(report->on_disk,
              report->needed + report->unneeded + report->unfinished + report->overhead);
    return *report;
  }

  bool IsWhole(const std::string& layer) {
    const auto store = *OpenStore(*files_, clock_, *entropy_, Path());
    const auto read = ReadBlob(*store, Sha256(AsBytes(layer)), layer.size());
    return read && *read == layer;
  }

  std::vector<fs::path> Packs() const {
    std::vector<fs::path> packs;
    for (const auto& entry : fs::directory_iterator(Path() + "/packs"))
      packs.push_back(entry.path());
    return packs;
  }
  std::uint64_t BytesInPacks() const {
    std::uint64_t size = 0;
    for (const fs::path& pack : Packs())
      size += fs::file_size(pack);
    return size;
  }
  fs::path LargestPack() const {
    return std::ranges::max(Packs(), {}, [](const fs::path& pack) { return fs::file_size(pack); });
  }
  static void Overwrite(const fs::path& path, std::streamoff offset, std::string_view text) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offset);
    file << text;
  }
  // A pack that was left by a command which was killed.
  std::string Litter(char digit) const {
    std::string name(32, digit);
    std::ofstream(Path() + "/packs/" + name + ".pack") << "torn";
    return name;
  }
  bool HasPack(const std::string& name) const {
    return fs::exists(Path() + "/packs/" + name + ".pack");
  }
  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  SetClock clock_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Upkeep> upkeep_;
};

TEST_F(UpkeepTest, WhatAKitAloneNeedsGoesWithIt) {
  const std::string shared = Noise(5 * kMiB, 1);
  const std::string first = Noise(5 * kMiB, 2);
  const std::string second = Noise(5 * kMiB, 3);
  const Digest gone = Add({shared, first}, "v1");
  Add({shared, second}, "v2");
  const std::size_t objects = ObjectsOf(first).size();
  Untag("v1");
  const CollectReport report = Collect();
  EXPECT_THAT(report.kits, ElementsAre(gone));
  EXPECT_EQ(report.blobs, 2U);  // the layer and the manifest
  EXPECT_EQ(report.objects, objects);
  EXPECT_GT(report.bytes_freed, 4 * kMiB);
  EXPECT_FALSE(report.others_at_work);
  EXPECT_LT(BytesInPacks(), 11 * kMiB);
  EXPECT_EQ(report.bytes_kept, BytesInPacks());
  EXPECT_TRUE(IsWhole(shared));
  EXPECT_TRUE(IsWhole(second));
  EXPECT_FALSE(IsWhole(first));
  EXPECT_EQ(store_->ListKits()->size(), 1U);
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
}

TEST_F(UpkeepTest, ADryRunTellsTheSameAndChangesNothing) {
  Add({Noise(5 * kMiB, 1)}, "v1");
  Add({Noise(6 * kMiB, 2)}, "v2");
  Litter('a');
  Untag("v1");
  const std::uint64_t before = BytesInPacks();
  const CollectReport foreseen = Collect(0, DryRun::kYes);
  EXPECT_EQ(BytesInPacks(), before);
  EXPECT_EQ(store_->ListKits()->size(), 2U);
  const CollectReport done = Collect();
  EXPECT_EQ(foreseen.kits, done.kits);
  EXPECT_EQ(foreseen.blobs, done.blobs);
  EXPECT_EQ(foreseen.objects, done.objects);
  EXPECT_EQ(foreseen.packs, done.packs);
  EXPECT_EQ(foreseen.bytes_freed, done.bytes_freed);
  EXPECT_EQ(foreseen.bytes_kept, done.bytes_kept);
}

TEST_F(UpkeepTest, KitsWithoutTagsAreKeptForAWhile) {
  CollectRequest request;
  request.find_needs = NeedsOf;
  const Digest left = Add({Noise(5 * kMiB, 1)}, "v1");
  clock_.now_ns += 100 * kDayNs;
  Untag("v1");
  const Digest never_tagged = Add({Noise(6 * kMiB, 2)}, "");
  Add({Noise(7 * kMiB, 3)}, "v2");
  clock_.now_ns += 13 * kDayNs;
  const CollectReport both = Collect(request);
  EXPECT_THAT(both.kits, IsEmpty());
  EXPECT_EQ(both.untagged_kits, 2U);
  EXPECT_NEAR(static_cast<double>(both.untagged_bytes), 11.0 * kMiB, 4096);
  clock_.now_ns += 2 * kDayNs;
  EXPECT_THAT(Collect(request).kits, ElementsAre(never_tagged));
  clock_.now_ns += 74 * kDayNs;
  const CollectReport one = Collect(request);
  EXPECT_THAT(one.kits, IsEmpty());
  EXPECT_EQ(one.untagged_kits, 1U);
  clock_.now_ns += 2 * kDayNs;
  const CollectReport none = Collect(request);
  EXPECT_THAT(none.kits, ElementsAre(left));
  EXPECT_EQ(none.untagged_kits, 0U);
  EXPECT_EQ(none.untagged_bytes, 0U);
}

// The packs of a store hold all that it has: without a catalog they are not needless.
// A database without tables ("The Database File Format" of SQLite, 1.3 and 1.6).
std::string EmptyDatabase() {
  std::string page(4096, '\0');
  page.replace(0, 24, std::string("SQLite format 3\0\x10\0\1\1\0\x40\x20\x20", 24));
  page[27] = 1;    // changed once
  page[31] = 1;    // one page
  page[47] = 4;    // format of the schema
  page[59] = 1;    // UTF-8
  page[95] = 1;    // changed once
  page[100] = 13;  // a leaf of a table, with no cells
  page[105] = 0x10;
  return page;
}

TEST_F(UpkeepTest, AStoreThatLostItsCatalogIsLeftAlone) {
  Add({Noise(5 * kMiB, 1)}, "v1");
  const fs::path catalog = Path() + "/catalog.sqlite";
  const fs::path kept = temporary_.path() + "/kept";
  const std::size_t packs = Packs().size();
  fs::rename(catalog, kept);
  for (const bool is_empty : {false, true}) {
    if (is_empty) std::ofstream(catalog).close();
    const auto opened = OpenUpkeep(*files_, clock_, *entropy_, Path());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(opened.error().hint, kCatalogDamagedHint);
    EXPECT_EQ(OpenStore(*files_, clock_, *entropy_, Path()).error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(fs::exists(catalog), is_empty);
    EXPECT_EQ(Packs().size(), packs);
  }
  std::ofstream(catalog, std::ios::binary) << EmptyDatabase();
  EXPECT_EQ(OpenUpkeep(*files_, clock_, *entropy_, Path()).error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(OpenUpkeep(*files_, clock_, *entropy_, Path()).error().hint, kCatalogDamagedHint);
  EXPECT_EQ(Packs().size(), packs);
  fs::rename(kept, catalog);
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
}

TEST_F(UpkeepTest, BasesStayAsLongAsAKitIsBasedOnThem) {
  const std::string weights = Noise(5 * kMiB, 1);
  const Digest base = Add({weights}, "");
  Add({Noise(kMiB, 2)}, "v1", {base});
  EXPECT_THAT(Collect().kits, IsEmpty());
  EXPECT_TRUE(IsWhole(weights));
  Untag("v1");
  EXPECT_EQ(Collect().kits.size(), 2U);
  EXPECT_FALSE(IsWhole(weights));
}

// The mark falls into a build from a kit that nothing else needs.
TEST_F(UpkeepTest, ABaseStaysAKitForABuildThatBeganBefore) {
  const std::string weights = Noise(5 * kMiB, 1);
  const Digest base = Add({weights}, "");
  const auto session = store_->Begin();
  EXPECT_THAT(Collect().kits, ElementsAre(base));
  EXPECT_TRUE(store_->ListKits()->empty());
  EXPECT_THAT(Collect().kits, IsEmpty());  // told already
  const Digest kit = Put(*session, {Noise(kMiB, 2)}, {base});
  session->MoveRef({{"m", "v1"}, kit, ""});
  ASSERT_TRUE(session->Commit());
  Collect();
  EXPECT_EQ(store_->ListKits()->size(), 2U);
  EXPECT_TRUE(IsWhole(weights));
}

TEST_F(UpkeepTest, AKitWithoutATagThatIsAddedAgainIsYoung) {
  const std::string layer = Noise(5 * kMiB, 1);
  const Digest kit = Add({layer}, "");
  const std::uint64_t before = BytesInPacks();
  Add({layer}, "");
  EXPECT_EQ(BytesInPacks(), before);  // nothing is written within a day
  clock_.now_ns += 15 * kDayNs;
  EXPECT_EQ(Add({layer}, ""), kit);
  EXPECT_THAT(Collect(14 * kDayNs).kits, IsEmpty());
  EXPECT_TRUE(IsWhole(layer));
}

TEST_F(UpkeepTest, WhoReadsSeesWhatIsMarked) {
  const std::string first = Noise(5 * kMiB, 1);
  const std::string second = Noise(5 * kMiB, 2);
  Add({first, second}, "v1");
  const auto reading = *store_->OpenBlob(Sha256(AsBytes(first)), 0);
  Untag("v1");
  Collect();
  const auto found = *store_->FindBlob(Sha256(AsBytes(second)));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->standing, Standing::kUnneeded);
  EXPECT_EQ(*ReadBlob(*store_, found->digest, second.size()), second);
}

// Or else who makes a kit could keep a store from being collected.
TEST_F(UpkeepTest, WhatIsNoKitIsNoBase) {
  const std::string layer = "no manifest at all";
  Add({layer}, "v1", {Sha256(AsBytes(layer)), Sha256(AsBytes("nowhere"))});
  Collect();
  EXPECT_TRUE(IsWhole(layer));
}

// A build that was stopped, or is slow: what it found is there when it goes on.
TEST_F(UpkeepTest, WhatASessionReliesOnStays) {
  const std::string layer = Noise(5 * kMiB, 1);
  Add({layer}, "v1");
  const auto session = store_->Begin();
  const Digest again = Put(*session, {layer});  // found, not written
  Untag("v1");
  EXPECT_TRUE(Collect().others_at_work);
  EXPECT_TRUE(Collect().others_at_work);
  session->MoveRef({{"m", "v2"}, again, ""});
  const Status committed = session->Commit();
  ASSERT_TRUE(committed) << committed.error().message;
  EXPECT_TRUE(IsWhole(layer));
  Collect();
  EXPECT_TRUE(IsWhole(layer));
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
}

// The session began behind the mark: it must write again what is about to go.
TEST_F(UpkeepTest, WhatIsMarkedIsWrittenAgain) {
  const std::string layer = Noise(5 * kMiB, 1);
  Add({layer}, "v1");
  const std::size_t objects = ObjectsOf(layer).size();
  Untag("v1");
  auto older = store_->Begin();
  EXPECT_TRUE(Collect().others_at_work);
  const auto session = store_->Begin();
  const Digest again = Put(*session, {layer});
  older.reset();
  // The newer lease does not keep what was marked before it.
  const CollectReport report = Collect();
  EXPECT_EQ(report.objects, objects);
  session->MoveRef({{"m", "v2"}, again, ""});
  ASSERT_TRUE(session->Commit());
  EXPECT_TRUE(IsWhole(layer));
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
}

TEST_F(UpkeepTest, PacksOfASessionStay) {
  const std::string layer = Noise(9 * kMiB, 1);
  const auto session = store_->Begin();
  const Digest kit = Put(*session, {layer});
  ASSERT_FALSE(Packs().empty());
  Collect();
  Collect();
  session->MoveRef({{"m", "v1"}, kit, ""});
  ASSERT_TRUE(session->Commit());
  Collect();
  EXPECT_TRUE(IsWhole(layer));
}

TEST_F(UpkeepTest, LitterGoes) {
  const std::string name = Litter('a');
  {
    const auto session = store_->Begin();
    EXPECT_TRUE(Collect().others_at_work);
    EXPECT_TRUE(HasPack(name));
  }
  EXPECT_EQ(Collect().packs, 1U);
  EXPECT_FALSE(HasPack(name));
}

// Stores of before gc named only packs with objects.
TEST_F(UpkeepTest, PacksThatHoldWhatIsHereAreAdopted) {
  Add({"small"}, "v1");
  {
    const auto parts = *OpenStoreParts(*files_, *entropy_, Path());
    UpkeepChange forget;
    const std::vector<PackName> names = *parts.packs->List();
    for (const PackName& name : names)
      forget.unneeded_packs.push_back({name, 0});
    ASSERT_FALSE((*parts.catalog->Apply(forget)).empty());
  }
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
  EXPECT_EQ(Collect().packs, 0U);
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
  EXPECT_FALSE(Packs().empty());
}

TEST_F(UpkeepTest, PacksOfATransferThatMayGoOnStay) {
  const std::string young = Litter('a');
  const std::string old = Litter('b');
  temporary_.Write("store/partial/young", "object 1 " + young + " 0\n");
  temporary_.Write("store/partial/old", old);
  fs::last_write_time(Path() + "/partial/old",
                      fs::file_time_type::clock::now() - std::chrono::days(15));
  clock_.now_ns = host::MakeClock()->NowNs();
  EXPECT_EQ(Measure().unneeded, fs::file_size(Path() + "/packs/" + old + ".pack"));
  const CollectReport report = Collect();
  EXPECT_EQ(report.bytes_kept, BytesInPacks());
  EXPECT_EQ(Measure().unneeded, 0U);
  EXPECT_EQ(Measure().unfinished, BytesInPacks());
  EXPECT_TRUE(HasPack(young));
  EXPECT_FALSE(HasPack(old));
  EXPECT_TRUE(fs::exists(Path() + "/partial/young"));
  EXPECT_FALSE(fs::exists(Path() + "/partial/old"));
  fs::remove(Path() + "/partial/young");
  Collect();
  EXPECT_FALSE(HasPack(young));
}

// The same if it was of a kit, too: the transfer finds that nothing needs it, and offers it again.
TEST_F(UpkeepTest, EvenIfTheCatalogNamesThem) {
  Add({Noise(5 * kMiB, 1)}, "v1");
  const std::string pack = LargestPack().stem();
  temporary_.Write("store/partial/young", "object 1 " + pack + " 0\n");
  Untag("v1");
  Collect();
  EXPECT_TRUE(HasPack(pack));
  fs::remove(Path() + "/partial/young");
  Collect();
  EXPECT_FALSE(HasPack(pack));
}

TEST(PackNamesInTest, TakesWordsOf32HexadecimalDigits) {
  const std::string name(32, 'a');
  EXPECT_EQ(PackNamesIn("pack " + name + "\n" + std::string(31, 'b') + " " + std::string(33, 'c') +
                        " " + std::string(32, 'g') + " " + std::string(32, 'D'))
                .size(),
            1U);
  EXPECT_EQ(PackNamesIn(name).size(), 1U);
  EXPECT_TRUE(PackNamesIn("").empty());
}

// A reader who began before, and one who has looked up where things were.
TEST_F(UpkeepTest, ReadersGoOnBesideIt) {
  const std::string kept = Noise(9 * kMiB, 1);
  const std::string gone = Noise(20 * kMiB, 2);
  Add({kept, gone}, "v1");
  Add({kept}, "v2");
  Untag("v1");
  const auto reading = *store_->OpenBlob(Sha256(AsBytes(kept)), 0);
  std::string read(AsText(*reading->Read(kMiB)));
  store_->Begin().reset();
  // The reader's lease is older than the mark, so that a second gc cannot take what it may need.
  EXPECT_TRUE(Collect().others_at_work);
  while (true) {
    const auto piece = reading->Read(kMiB);
    ASSERT_TRUE(piece) << piece.error().message;
    if (piece->empty()) break;
    read += AsText(*piece);
  }
  EXPECT_TRUE(read == kept);
}

TEST_F(UpkeepTest, APlaceThatMovedIsLookedUpAgain) {
  const std::string kept = Noise(9 * kMiB, 1);
  Add({kept, Noise(20 * kMiB, 2)}, "v1");
  Add({kept}, "v2");
  Untag("v1");
  // Looks up the place, then finds that the pack is gone.
  const auto parts = *OpenStoreParts(*files_, *entropy_, Path());
  class Meanwhile final : public PackStore {
   public:
    Meanwhile(PackStore& packs, std::function<void()> act) : packs_(packs), act_(std::move(act)) {}
    Result<std::unique_ptr<PackWriter>> Create() override { return packs_.Create(); }
    Result<std::unique_ptr<PackReader>> Open(const PackName& name) override {
      if (act_) std::exchange(act_, nullptr)();
      return packs_.Open(name);
    }
    Status MakeDurable(const PackName& name) override { return packs_.MakeDurable(name); }
    Result<std::vector<PackName>> List() override { return packs_.List(); }
    Status Remove(const PackName& name) override { return packs_.Remove(name); }

   private:
    PackStore& packs_;
    std::function<void()> act_;
  };
  Meanwhile packs(*parts.packs, [&] { EXPECT_GT(Collect().packs, 0U); });
  ObjectReader reader(*parts.catalog, packs);
  auto object = *reader.Find(ObjectsOf(kept)[0]);
  std::vector<std::byte> bytes;
  ASSERT_TRUE(reader.ReadBlock(object, 0, bytes));
  EXPECT_TRUE(AsText(bytes) == kept.substr(0, bytes.size()));
}

TEST_F(UpkeepTest, SmallPacksAreMerged) {
  std::vector<std::string> layers;
  for (unsigned i = 0; i < 20; ++i) {
    layers.push_back(Noise(8192, i));
    Add({layers.back()}, "v" + std::to_string(i));
  }
  EXPECT_GE(Packs().size(), 20U);
  Collect();
  EXPECT_EQ(Packs().size(), 1U);
  for (const std::string& layer : layers)
    EXPECT_TRUE(IsWhole(layer));
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
  // And then they are left alone.
  const auto before = Packs();
  EXPECT_EQ(Collect().packs, 0U);
  EXPECT_EQ(Packs(), before);
}

// Says stop when it was asked so often.
class StopAfter final : public Progress {
 public:
  explicit StopAfter(int questions) : left_(questions) {}
  std::unique_ptr<ProgressTask> Begin(std::string_view name, std::uint64_t expected) override {
    return silent_.Begin(name, expected);
  }
  void Warn(std::string_view /*text*/) override {}
  void Note(std::string_view /*text*/) override {}
  bool StopRequested() const override { return left_-- <= 0; }

 private:
  SilentProgress silent_;
  mutable int left_;
};

TEST_F(UpkeepTest, WhereverItIsStoppedTheStoreIsWhole) {
  std::vector<std::string> layers;
  for (unsigned i = 0; i < 12; ++i) {
    layers.push_back(Noise(8192, i));
    Add({layers.back()}, "v" + std::to_string(i));
  }
  Untag("v0");
  CollectRequest request;
  request.find_needs = NeedsOf;
  request.keep_untagged_ns = 0;
  request.keep_left_ns = 0;
  int stopped = 0;
  for (int questions = 0; questions < 1000; questions += 3) {
    StopAfter progress(questions);
    const auto collected = upkeep_->Collect(request, progress);
    if (collected) break;
    ++stopped;
    ASSERT_EQ(collected.error().kind, ErrorKind::kInterrupted);
    ASSERT_THAT(Check(Depth::kContent).damages, IsEmpty()) << questions;
  }
  EXPECT_GT(stopped, 5);
  for (unsigned i = 1; i < layers.size(); ++i)
    EXPECT_TRUE(IsWhole(layers[i]));
  EXPECT_FALSE(IsWhole(layers[0]));
}

TEST_F(UpkeepTest, ADamagedKitIsNotCollected) {
  Add({Noise(5 * kMiB, 1)}, "v1");
  CollectRequest request;
  request.find_needs = [](Store&, const Digest&) -> Result<KitNeeds> {
    return Error{ErrorKind::kCorrupt, "unreadable"};
  };
  SilentProgress silent;
  EXPECT_EQ(upkeep_->Collect(request, silent).error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(store_->ListKits()->size(), 1U);
}

TEST_F(UpkeepTest, DamageIsNamedAndMendedByTheNextSession) {
  const std::string layer = Noise(9 * kMiB, 1);
  const Digest kit = Add({layer}, "v1");
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
  Overwrite(LargestPack(), 5 * kMiB, "damage");
  EXPECT_THAT(Check(Depth::kStructure).damages, IsEmpty());
  const CheckReport report = Check(Depth::kContent);
  ASSERT_EQ(report.damages.size(), 1U);
  EXPECT_THAT(report.damages[0].what, HasSubstr("object '"));
  EXPECT_THAT(report.damages[0].blobs, ElementsAre(Sha256(AsBytes(layer))));
  EXPECT_THAT(report.damages[0].kits, ElementsAre(kit));
  EXPECT_EQ(Check(Depth::kStructure).damages.size(), 1U);  // it is remembered

  const std::uint64_t before = BytesInPacks();
  Add({layer}, "v1");
  EXPECT_LT(BytesInPacks(), before + 5 * kMiB);  // only what was damaged
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
  EXPECT_TRUE(IsWhole(layer));
  Collect();
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
}

TEST_F(UpkeepTest, WhoReadsDamageNotesIt) {
  const std::string layer = Noise(9 * kMiB, 1);
  Add({layer}, "v1");
  Overwrite(LargestPack(), 5 * kMiB, "damage");
  EXPECT_FALSE(IsWhole(layer));
  EXPECT_EQ(Check(Depth::kStructure).damages.size(), 1U);
  Add({layer}, "v1");
  EXPECT_TRUE(IsWhole(layer));
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
}

// Commits while a check hashes what it has read.
class CommitWithin final : public Progress {
 public:
  explicit CommitWithin(std::function<void()> commit) : commit_(std::move(commit)) {}
  std::unique_ptr<ProgressTask> Begin(std::string_view name, std::uint64_t /*expected*/) override {
    if (name == "content") return std::make_unique<Task>(commit_);
    return std::make_unique<Task>(nothing_);
  }
  void Note(std::string_view /*text*/) override {}
  void Warn(std::string_view /*text*/) override {}
  bool StopRequested() const override { return false; }

 private:
  class Task final : public ProgressTask {
   public:
    explicit Task(const std::function<void()>& act) : act_(act) {}
    void Advance(std::uint64_t /*amount*/) override { act_(); }

   private:
    const std::function<void()>& act_;
  };

  const std::function<void()> commit_;
  const std::function<void()> nothing_ = [] {};
};

TEST_F(UpkeepTest, ACommitNeedNotWaitForACheckThatHashes) {
  Add({Noise(5 * kMiB, 1)}, "v1");
  Add({Noise(5 * kMiB, 2)}, "v2");
  int commits = 0;
  CommitWithin progress([&] {
    // A transaction that reads would hold it up for 30 s, and then it would fail.
    Add({Noise(100, 3)}, "c" + std::to_string(++commits));
  });
  CheckRequest request;
  request.find_needs = NeedsOf;
  request.depth = Depth::kContent;
  const auto report = upkeep_->Check(request, progress);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->damages, IsEmpty());
  EXPECT_EQ(commits, 2);
}

TEST_F(UpkeepTest, DamageThatWentAwayIsForgotten) {
  const std::string layer = Noise(9 * kMiB, 1);
  Add({layer}, "v1");
  const fs::path pack = LargestPack();
  fs::copy_file(pack, temporary_.path() + "/backup");
  Overwrite(pack, 5 * kMiB, "damage");
  EXPECT_EQ(Check(Depth::kContent).damages.size(), 1U);
  fs::copy_file(temporary_.path() + "/backup", pack, fs::copy_options::overwrite_existing);
  EXPECT_EQ(Check(Depth::kStructure).damages.size(), 1U);
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
  EXPECT_THAT(Check(Depth::kStructure).damages, IsEmpty());
}

TEST_F(UpkeepTest, AMissingPackIsNamedAndMended) {
  const std::string layer = Noise(9 * kMiB, 1);
  Add({layer}, "v1");
  for (const fs::path& pack : Packs())
    fs::remove(pack);
  EXPECT_FALSE(Check(Depth::kStructure).damages.empty());
  Add({layer}, "v1");
  EXPECT_TRUE(IsWhole(layer));
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
  Collect();
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
}

// The end of a pack is gone, all that is needed is there.
TEST_F(UpkeepTest, ATornPackIsReadAndWrittenAnew) {
  const std::string layer = Noise(9 * kMiB, 1);
  Add({layer}, "v1");
  fs::resize_file(LargestPack(), fs::file_size(LargestPack()) - 40);
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
  EXPECT_EQ(Collect().packs, 1U);
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
  EXPECT_TRUE(IsWhole(layer));
  EXPECT_EQ(Collect().packs, 0U);
}

// What cannot be found there any more keeps the pack; it is not copied by each gc once more.
TEST_F(UpkeepTest, ATornPackThatLacksSomethingStaysUntilThatIsThereAgain) {
  const std::string layer = Noise(9 * kMiB, 1);
  Add({layer}, "v1");
  fs::resize_file(LargestPack(), fs::file_size(LargestPack()) / 2);
  EXPECT_FALSE(Check(Depth::kStructure).damages.empty());
  const std::uint64_t in_packs = BytesInPacks();
  EXPECT_EQ(Collect().packs, 0U);
  // But for what it said of kit and tag, which the catalog knows.
  const std::uint64_t with_records = BytesInPacks();
  EXPECT_LT(with_records, in_packs + 1000);
  EXPECT_EQ(Collect().packs, 0U);
  EXPECT_EQ(BytesInPacks(), with_records);
  Add({layer}, "v1");
  EXPECT_EQ(Collect().packs, 1U);
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
}

TEST_F(UpkeepTest, WhatKitsTakeAddsUp) {
  const std::string shared = Noise(5 * kMiB, 1);
  const std::string own = Noise(6 * kMiB, 2);
  const Digest first = Add({shared}, "v1");
  const Digest second = Add({shared, own}, "v2");
  Add({Noise(7 * kMiB, 3)}, "v3");
  Untag("v3");
  Collect();
  const MeasureReport report = Measure();
  ASSERT_EQ(report.kits.size(), 2U);
  const auto use_of = [&](const Digest& kit) {
    return *std::ranges::find(report.kits, kit, &KitUse::manifest);
  };
  EXPECT_LT(use_of(first).only, 1000U);
  EXPECT_GE(use_of(second).only, own.size());
  EXPECT_LT(use_of(second).only, own.size() + 1000);
  EXPECT_GE(use_of(second).size, shared.size() + own.size());
  EXPECT_EQ(report.needed, report.shared + use_of(first).only + use_of(second).only);
  EXPECT_LT(report.overhead, kMiB);
}

// du and gc speak of the same bytes: frames that nothing needs, but too few to be worth a copy, are
// no garbage.
TEST_F(UpkeepTest, GarbageIsWhatAGcFrees) {
  const std::string kept = Noise(5 * kMiB, 1);
  Add({kept, Noise(20'000, 2)}, "v1");
  Add({kept}, "v2");
  for (unsigned i = 0; i < 12; ++i)
    Add({Noise(8192, 10 + i)}, "s" + std::to_string(i));
  const auto remove = [&](const std::string& tag) {
    const Digest kit = **store_->FindRef({"m", tag});
    const auto session = store_->Begin();
    session->MoveRef({{"m", tag}, std::nullopt, ""});
    session->RemoveKit(kit);
    ASSERT_TRUE(session->Commit());
  };
  for (const std::string tag : {"v1", "s3", "s4"})
    remove(tag);
  Litter('c');
  const MeasureReport before = Measure();
  const CollectReport foreseen = Collect(kDayNs, DryRun::kYes);
  const std::uint64_t in_packs = BytesInPacks();
  const CollectReport done = Collect(kDayNs);
  EXPECT_GT(done.bytes_freed, 16'000U);
  EXPECT_EQ(done.bytes_freed, in_packs - BytesInPacks());
  EXPECT_EQ(before.unneeded, done.bytes_freed);
  EXPECT_EQ(foreseen.bytes_freed, done.bytes_freed);
  EXPECT_EQ(foreseen.bytes_kept, BytesInPacks());
  EXPECT_EQ(Measure().unneeded, 0U);
  EXPECT_EQ(Collect(kDayNs).bytes_freed, 0U);
}

}  // namespace
}  // namespace plumb::store
