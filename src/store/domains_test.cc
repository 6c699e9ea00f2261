// SPDX-License-Identifier: MIT OR Apache-2.0
// Named domains, as sessions, readers, gc, du, fsck and rebuild treat them: whoever works in one
// has the store for himself, as far as he can see.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "store/rebuild.h"
#include "store/sqlite_internal.h"
#include "store/store_parts_internal.h"
#include "store/upkeep.h"
#include "tests/store_kits.h"
#include "tests/temporary_directory.h"

namespace plumb::store {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

const Domain kAlice = *Domain::Parse("team/alice");
const Domain kBob = *Domain::Parse("team/bob");
const Domain& kDevice = Domain::Device();

// A safetensors file of one tensor in blocks, which shrinks: of its bits a quarter are set.
std::string Weights(std::size_t size, unsigned seed) {
  const std::string header = R"({"a":{"dtype":"F32","shape":[)" + std::to_string(size / 4) +
                             R"(],"data_offsets":[0,)" + std::to_string(size) + "]}}";
  std::string file;
  AppendU64(file, header.size());
  std::string data = Noise(size, seed);
  const std::string mask = Noise(size, seed + 1000);
  for (std::size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<char>(data[i] & mask[i]);
  return file + header + data;
}

// A store somewhere, and what is done in it.
class Shared {
 public:
  explicit Shared(const std::string& name = "store") : path_(temporary_.path() + "/" + name) {}

  const std::string& path() const { return path_; }
  std::unique_ptr<Store> Open(const Domain& domain) {
    return *OpenStore(*files_, clock, *entropy_, path_, domain);
  }
  std::unique_ptr<Upkeep> OpenUpkeep() {
    return *store::OpenUpkeep(*files_, clock, *entropy_, path_);
  }
  StoreParts Parts() { return *OpenStoreParts(*files_, *entropy_, path_); }

  struct Added {
    Digest kit;
    std::vector<bool> was_known;  // of the layers, and the manifest
    std::uint64_t written = 0;    // bytes in packs
  };
  Added Add(const Domain& domain, const std::vector<std::string>& layers, const std::string& tag,
            const std::vector<Digest>& bases = {}) {
    clock.now_ns += 1000;
    const std::uint64_t before = BytesInPacks();
    Added added;
    const auto store = Open(domain);
    const auto session = store->Begin();
    std::vector<Digest> needs;
    for (const std::string& layer : layers) {
      BlobPlan plan = Shape::kOpaque;
      plan.expected_size = layer.size();
      const auto writer = *session->CreateBlob(plan);
      EXPECT_TRUE(writer->Write(AsBytes(layer)));
      const WrittenBlob written = *writer->Finish();
      added.was_known.push_back(written.was_known);
      needs.push_back(written.digest);
    }
    const BlobInfo manifest = *session->PutBlob(AsBytes(ManifestOf(layers, bases)));
    added.was_known.push_back(manifest.was_known);
    added.kit = manifest.digest;
    session->AddKit({added.kit, needs});
    const std::string repository = domain.IsDevice() ? "m" : domain.name();
    if (!tag.empty()) session->MoveRef({{repository, tag}, added.kit, ""});
    const Status committed = session->Commit();
    EXPECT_TRUE(committed) << committed.error().message;
    added.written = BytesInPacks() - before;
    return added;
  }
  void Remove(const Domain& domain, const Digest& kit, const std::string& tag) {
    clock.now_ns += 1000;
    const auto store = Open(domain);
    const auto session = store->Begin();
    const std::string repository = domain.IsDevice() ? "m" : domain.name();
    session->MoveRef({{repository, tag}, std::nullopt, ""});
    session->RemoveKit(kit);
    const Status committed = session->Commit();
    EXPECT_TRUE(committed) << committed.error().message;
  }

  CollectReport Collect() {
    CollectRequest request;
    request.find_needs = NeedsOf;
    request.keep_untagged_ns = 0;
    request.keep_left_ns = 0;
    SilentProgress silent;
    clock.now_ns += 1000;
    const auto report = OpenUpkeep()->Collect(request, silent);
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(CollectReport());
  }
  std::vector<Damage> Check() {
    CheckRequest request;
    request.find_needs = NeedsOf;
    request.depth = Depth::kContent;
    SilentProgress silent;
    const auto report = OpenUpkeep()->Check(request, silent);
    EXPECT_TRUE(report) << report.error().message;
    return report->damages;
  }
  MeasureReport Measure(const Domain& domain) {
    MeasureRequest request;
    request.find_needs = NeedsOf;
    request.domain = domain;
    SilentProgress silent;
    return *OpenUpkeep()->Measure(request, silent);
  }
  void Rebuild() {
    RebuildRequest request;
    request.find_needs = NeedsOf;
    SilentProgress silent;
    fs::remove(path_ + "/catalog.sqlite");
    const auto report =
        RebuildCatalog({*files_, *host::MakeLinks(), clock, *entropy_, path_}, request, silent);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_THAT(report->damages, IsEmpty());
  }

  std::uint64_t BytesInPacks() const {
    std::uint64_t size = 0;
    if (!fs::exists(path_)) return size;
    for (const auto& entry : fs::directory_iterator(path_ + "/packs"))
      size += fs::file_size(entry.path());
    return size;
  }
  bool IsWhole(const Domain& domain, const std::string& layer) {
    const auto store = Open(domain);
    const auto read = ReadBlob(*store, Sha256(AsBytes(layer)), layer.size());
    if (read) return *read == layer;
    EXPECT_EQ(read.error().kind, ErrorKind::kNotFound) << read.error().message;
    return false;
  }
  // What `list` shows.
  std::string ListOf(const Domain& domain) {
    const auto store = Open(domain);
    std::string text;
    const auto kits = *store->ListKits();
    for (const Kit& kit : kits)
      text += kit.manifest.ToString() + " " + std::to_string(kit.added_ns) + "\n";
    const auto refs = *store->ListRefs();
    for (const Ref& ref : refs)
      text += ref.name.ToString() + " " + ref.manifest.ToString() + "\n";
    return text;
  }
  // Which domain sees what.
  std::vector<std::string> Holdings() {
    std::vector<std::string> rows;
    CatalogVisitor visitor;
    visitor.on_holding = [&](const Holding& holding) -> Status {
      rows.push_back(holding.key.domain.name() + " " +
                     std::to_string(static_cast<int>(holding.key.kind)) + " " +
                     EncodeHex(holding.key.name) + " " + std::to_string(holding.added_ns) + " " +
                     std::to_string(holding.unneeded_since));
      return Done{};
    };
    EXPECT_TRUE(Parts().catalog->Visit(visitor));
    std::ranges::sort(rows);
    return rows;
  }

  SetClock clock;

 private:
  const TemporaryDirectory temporary_;
  const std::string path_;
  const std::unique_ptr<host::Files> files_ = host::MakeFiles();
  const std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
};

bool operator==(const MeasureReport& a, const MeasureReport& b) {
  return a.kits == b.kits && a.shared == b.shared && a.needed == b.needed &&
         a.unneeded == b.unneeded && a.unfinished == b.unfinished && a.overhead == b.overhead &&
         a.on_disk == b.on_disk && a.adopted == b.adopted;
}

TEST(DomainTest, NamesAreShortAndPrintable) {
  EXPECT_EQ(Domain::Parse("library/model")->name(), "library/model");
  EXPECT_TRUE(Domain::Parse(std::string(255, 'a')));
  for (const std::string& name :
       {std::string(), std::string(256, 'a'), std::string("a b"), std::string("a\n"),
        std::string("a\0b", 3), std::string("\x7f"), std::string("\xc3\xa4")})
    EXPECT_EQ(Domain::Parse(name).error().kind, ErrorKind::kInvalid) << name;
}

TEST(DomainsTest, WhatAnotherHasIsWrittenAsIfTheStoreWasEmpty) {
  const std::vector<std::string> layers = {Weights(5 * kMiB, 1), Noise(3 * kMiB, 2), "small"};
  Shared alone;
  Shared shared;
  for (const Domain& other : {kDevice, kAlice}) {
    const auto first = shared.Add(other, layers, "v1");
    EXPECT_GT(first.written, 6 * kMiB) << other.name();
  }
  const auto here = shared.Add(kBob, layers, "v1");
  const auto there = alone.Add(kBob, layers, "v1");
  EXPECT_EQ(here.was_known, std::vector<bool>(4, false));
  EXPECT_EQ(here.was_known, there.was_known);
  EXPECT_EQ(here.written, there.written);
  // And the second time nothing is, in either.
  EXPECT_EQ(shared.Add(kBob, layers, "v1").written, 0U);
  for (const Domain& domain : {kAlice, kBob, kDevice})
    for (const std::string& layer : layers)
      EXPECT_TRUE(shared.IsWhole(domain, layer));
  EXPECT_THAT(shared.Check(), IsEmpty());
}

// Bytes are kept once in the end.
TEST(DomainsTest, AGcTakesTheSecondCopy) {
  const std::vector<std::string> layers = {Weights(5 * kMiB, 1), Noise(3 * kMiB, 2)};
  Shared shared;
  const std::uint64_t once = shared.Add(kAlice, layers, "v1").written;
  shared.Add(kBob, layers, "v1");
  shared.Collect();
  EXPECT_LT(shared.BytesInPacks(), once + 128 * 1024);
  for (const Domain& domain : {kAlice, kBob})
    for (const std::string& layer : layers)
      EXPECT_TRUE(shared.IsWhole(domain, layer));
  EXPECT_THAT(shared.Check(), IsEmpty());
}

TEST(DomainsTest, ListAndDuAreThoseOfAStoreOfItsOwn) {
  const std::string common = Weights(5 * kMiB, 1);
  Shared alone;
  Shared shared;
  // Smaller by another's doing: that must not show either.
  const Digest kit = shared.Add(kAlice, {common, Noise(kMiB, 3)}, "v1").kit;
  SilentProgress silent;
  const auto optimized = *shared.OpenUpkeep()->Optimize({Tier::kArchive}, silent);
  EXPECT_GT(optimized.objects, 0U);
  alone.clock.now_ns = shared.clock.now_ns;
  for (Shared* each : {&shared, &alone}) {
    each->Add(kBob, {common}, "v1");
    each->Add(kBob, {common, Noise(2 * kMiB, 4)}, "v2");
  }
  EXPECT_EQ(shared.ListOf(kBob), alone.ListOf(kBob));
  const MeasureReport report = shared.Measure(kBob);
  EXPECT_TRUE(report == alone.Measure(kBob));
  EXPECT_EQ(report.kits.size(), 2U);
  EXPECT_GT(report.shared, 3 * kMiB);
  EXPECT_EQ(report.on_disk, report.needed);
  shared.Remove(kAlice, kit, "v1");
  EXPECT_EQ(shared.ListOf(kAlice), "");
  EXPECT_TRUE(shared.Measure(kBob) == report);
  shared.Collect();
  EXPECT_TRUE(shared.Measure(kBob) == report);
  EXPECT_TRUE(shared.Measure(kAlice) == MeasureReport());
}

TEST(DomainsTest, WhatOneRemovesTheOtherKeeps) {
  const std::vector<std::string> layers = {Weights(5 * kMiB, 1), Noise(3 * kMiB, 2)};
  Shared shared;
  const Digest kit = shared.Add(kAlice, layers, "v1").kit;
  shared.Add(kBob, layers, "v1");
  shared.Remove(kAlice, kit, "v1");
  shared.Collect();
  for (const std::string& layer : layers) {
    EXPECT_FALSE(shared.IsWhole(kAlice, layer));
    EXPECT_TRUE(shared.IsWhole(kBob, layer));
  }
  // It is new to her again.
  EXPECT_EQ(shared.Add(kAlice, layers, "v1").was_known, std::vector<bool>(3, false));
  shared.Remove(kAlice, kit, "v1");
  shared.Remove(kBob, kit, "v1");
  shared.Collect();
  EXPECT_FALSE(shared.IsWhole(kDevice, layers[0]));
  EXPECT_LT(shared.BytesInPacks(), 64 * 1024U);
  EXPECT_THAT(shared.Holdings(), IsEmpty());
}

// By its own tags, in the same store.
// Also where the device brings nothing that the store has not: that it wants it is news.
TEST(DomainsTest, WhatTheDeviceAddsBesideADomainStaysItsOwn) {
  Shared shared;
  const std::vector<std::string> layers = {Weights(kMiB / 2, 1)};
  const Digest kit = shared.Add(kAlice, layers, "v1").kit;
  EXPECT_FALSE(shared.Open(kDevice)->ListKits()->front().is_own);
  ASSERT_EQ(shared.Add(kDevice, layers, "").kit, kit);
  EXPECT_TRUE(shared.Open(kDevice)->ListKits()->front().is_own);
  shared.Remove(kAlice, kit, "v1");
  ASSERT_EQ(shared.Open(kDevice)->ListKits()->size(), 1U);
  EXPECT_TRUE(shared.Open(kDevice)->OpenBlob(Sha256(AsBytes(layers[0])), 0));
  EXPECT_TRUE(shared.Open(kAlice)->ListKits()->empty());
}

TEST(DomainsTest, AKitWithoutATagGoesInItsDomain) {
  Shared shared;
  const std::string layer = Noise(2 * kMiB, 1);
  shared.Add(kAlice, {layer}, "");
  const Digest kit = shared.Add(kBob, {layer}, "v1").kit;
  shared.Collect();
  EXPECT_EQ(shared.ListOf(kAlice), "");
  EXPECT_FALSE(shared.IsWhole(kAlice, layer));
  EXPECT_TRUE(shared.IsWhole(kBob, layer));
  EXPECT_EQ(shared.Open(kDevice)->ListKits()->front().manifest, kit);
}

TEST(DomainsTest, ABaseStaysWhereItIsSeen) {
  Shared shared;
  const std::string layer = Noise(2 * kMiB, 1);
  const Digest base = shared.Add(kAlice, {layer}, "").kit;
  shared.Add(kAlice, {"top"}, "v1", {base});
  shared.Add(kBob, {"top"}, "v1", {base});
  shared.Collect();
  EXPECT_TRUE(shared.IsWhole(kAlice, layer));
  EXPECT_EQ(shared.Open(kAlice)->ListKits()->size(), 2U);
  EXPECT_FALSE(shared.IsWhole(kBob, layer));
  EXPECT_EQ(shared.Open(kBob)->ListKits()->size(), 1U);
  EXPECT_THAT(shared.Check(), IsEmpty());
}

TEST(DomainsTest, PacksTellWhoSeesWhat) {
  const std::vector<std::string> layers = {Weights(5 * kMiB, 1), Noise(3 * kMiB, 2)};
  Shared shared;
  shared.Add(kDevice, {layers[1]}, "v1");
  shared.Add(kAlice, layers, "v1");
  shared.Add(kBob, layers, "v2");
  shared.Add(kBob, {layers[1]}, "v1");
  shared.Remove(kAlice, shared.Add(kAlice, {"gone"}, "v2").kit, "v2");
  shared.Collect();
  const auto holdings = shared.Holdings();
  const std::map<Domain, std::string> lists = {{kAlice, shared.ListOf(kAlice)},
                                               {kBob, shared.ListOf(kBob)},
                                               {kDevice, shared.ListOf(kDevice)}};
  for (int i = 0; i < 2; ++i) {
    shared.Rebuild();
    for (const auto& [domain, list] : lists)
      EXPECT_EQ(shared.ListOf(domain), list) << domain.name();
    EXPECT_THAT(shared.Check(), IsEmpty());
    // What no kit needs came back, as the pack was not written anew.
    EXPECT_GT(shared.Holdings().size(), holdings.size());
    shared.Collect();
    EXPECT_EQ(shared.Holdings(), holdings);
  }
  // The device's kit is its own still.
  const Digest kit = shared.Open(kDevice)->FindRef({"m", "v1"})->value();
  shared.Remove(kBob, kit, "v1");
  EXPECT_EQ(shared.Open(kDevice)->FindRef({"m", "v1"})->value(), kit);
}

// Before any gc, while the records of what went are there.
TEST(DomainsTest, ARebuildDoesNotBringBackWhatADomainRemoved) {
  const std::vector<std::string> layers = {Noise(2 * kMiB, 1)};
  Shared shared;
  const Digest kit = shared.Add(kAlice, layers, "v1").kit;
  shared.Add(kBob, layers, "v1");
  shared.Remove(kAlice, kit, "v1");
  shared.Rebuild();
  EXPECT_EQ(shared.ListOf(kAlice), "");
  shared.Collect();
  EXPECT_FALSE(shared.IsWhole(kAlice, layers[0]));
  shared.Rebuild();
  EXPECT_EQ(shared.ListOf(kAlice), "");
  EXPECT_TRUE(shared.IsWhole(kBob, layers[0]));
}

TEST(DomainsTest, RecordsThatAreLostAreWrittenAnew) {
  const std::vector<std::string> layers = {Noise(2 * kMiB, 1)};
  Shared shared;
  shared.Add(kDevice, layers, "v1");
  shared.Add(kAlice, layers, "v1");
  // The pack of Alice's session, of which nobody needs an object.
  std::set<fs::path> packs;
  for (const auto& entry : fs::directory_iterator(shared.path() + "/packs"))
    packs.insert(entry.path());
  ASSERT_EQ(packs.size(), 2U);
  const auto place = *shared.Parts().catalog->FindObject(kAlice, [&] {
    const auto parts = *shared.OpenUpkeep()->Describe(Sha256(AsBytes(layers[0])));
    for (const BlobPart& part : parts)
      if (part.object) return *part.object;
    return ObjectId();
  }());
  ASSERT_TRUE(place);
  for (const fs::path& pack : packs)
    if (pack.stem() != place->pack.ToString()) fs::remove(pack);
  const auto holdings = shared.Holdings();
  shared.Collect();
  shared.Rebuild();
  EXPECT_EQ(shared.Holdings(), holdings);
}

TEST(DomainsTest, ACheckFindsWhatADomainDoesNotSeeAndTheSameOnceMoreMendsIt) {
  const std::vector<std::string> layers = {Noise(2 * kMiB, 1)};
  Shared shared;
  shared.Add(kAlice, layers, "v1");
  shared.Add(kBob, layers, "v1");
  {
    const auto parts = shared.Parts();
    const auto connection =
        *SqliteConnection::Open(*parts.directory, std::string(kCatalogFile), 1000);
    ASSERT_TRUE(
        connection->Execute("DELETE FROM holdings WHERE kind = 2 AND domain ="
                            " (SELECT domain FROM domains WHERE name = 'team/alice')"));
  }
  const auto damages = shared.Check();
  ASSERT_EQ(damages.size(), 2U);  // its layer, and its manifest
  for (const Damage& damage : damages)
    EXPECT_EQ(damage.why, "domain 'team/alice' has its kit, and does not see it");
  EXPECT_FALSE(shared.IsWhole(kAlice, layers[0]));
  EXPECT_TRUE(shared.IsWhole(kBob, layers[0]));
  shared.Add(kAlice, layers, "v1");
  EXPECT_THAT(shared.Check(), IsEmpty());
  EXPECT_TRUE(shared.IsWhole(kAlice, layers[0]));
}

// Each adds and removes what the other does too, while what nobody needs is taken away.
TEST(DomainsTest, WhoWorksAtOnceTakesNothingFromTheOther) {
  const std::string common = Noise(400'000, 1);
  const TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/store";
  const auto files = host::MakeFiles();
  const auto clock = host::MakeClock();
  const auto entropy = host::MakeEntropy();
  std::atomic<int> at_work = 2;
  const auto work = [&](const Domain& domain) {
    const auto store = *OpenStore(*files, *clock, *entropy, path, domain);
    for (unsigned round = 0; round < 15; ++round) {
      const std::string own = Noise(5000, round);
      const auto session = store->Begin();
      const Digest layer = (*session->PutBlob(AsBytes(common))).digest;
      const Digest other = (*session->PutBlob(AsBytes(own))).digest;
      const Digest kit = (*session->PutBlob(AsBytes(ManifestOf({common, own})))).digest;
      session->AddKit({kit, {layer, other}});
      session->MoveRef({{domain.name(), "v1"}, kit, ""});
      const Status committed = session->Commit();
      EXPECT_TRUE(committed) << committed.error().message;
      EXPECT_TRUE(*ReadBlob(*store, layer, common.size()) == common);
      if (round % 2 == 0) continue;
      const auto removal = store->Begin();
      removal->MoveRef({{domain.name(), "v1"}, std::nullopt, ""});
      removal->RemoveKit(kit);
      EXPECT_TRUE(removal->Commit());
    }
    --at_work;
  };
  std::thread alice(work, kAlice);
  std::thread bob(work, kBob);
  const auto upkeep = *OpenUpkeep(*files, *clock, *entropy, path);
  SilentProgress silent;
  CollectRequest request;
  request.find_needs = NeedsOf;
  request.keep_untagged_ns = 0;
  request.keep_left_ns = 0;
  while (at_work > 0) {
    EXPECT_TRUE(upkeep->Collect(request, silent));
    // Sessions wait for the catalog's lock in steps: a gc behind the other would leave them none.
    clock->SleepMs(50);
  }
  alice.join();
  bob.join();
  CheckRequest check;
  check.find_needs = NeedsOf;
  check.depth = Depth::kContent;
  EXPECT_THAT((*upkeep->Check(check, silent)).damages, IsEmpty());
  ASSERT_TRUE(upkeep->Collect(request, silent));
  for (const Domain& domain : {kAlice, kBob}) {
    const auto store = *OpenStore(*files, *clock, *entropy, path, domain);
    EXPECT_EQ(store->ListKits()->size(), 1U);
    EXPECT_TRUE(*ReadBlob(*store, Sha256(AsBytes(common)), common.size()) == common);
  }
  EXPECT_THAT((*upkeep->Check(check, silent)).damages, IsEmpty());
}

TEST(DomainsTest, AStoreOfADeviceAloneIsAsItWas) {
  Shared shared;
  const auto version_of = [&] {
    std::string bytes = *host::ReadFile(*shared.Parts().directory, kCatalogFile, 64 * kMiB);
    return static_cast<int>(bytes[63]);
  };
  shared.Add(kDevice, {Noise(kMiB, 1)}, "v1");
  EXPECT_EQ(*shared.Open(kBob)->FindBlob(Sha256(AsBytes("x"))), std::nullopt);
  shared.Collect();
  EXPECT_EQ(version_of(), 3);
  shared.Add(kBob, {Noise(kMiB, 1)}, "v1");
  EXPECT_EQ(version_of(), 4);
}

// What came of a blob that one is pulling does not come faster to another.
TEST(DomainsTest, AnUnfinishedBlobIsTakenUpInItsDomain) {
  Shared shared;
  const std::string blob = Weights(6 * kMiB, 1);
  BlobPlan plan = Shape::kOpaque;
  plan.expected = Sha256(AsBytes(blob));
  plan.expected_size = blob.size();
  {
    const auto store = shared.Open(kAlice);
    const auto session = store->Begin();
    const auto writer = *session->CreateBlob(plan);
    ASSERT_TRUE(writer->Write(AsBytes(blob).first(4 * kMiB)));
  }
  for (const auto& [domain, has_some] :
       {std::pair(kBob, false), std::pair(kDevice, false), std::pair(kAlice, true)}) {
    const auto store = shared.Open(domain);
    const auto session = store->Begin();
    const auto writer = *session->CreateBlob(plan);
    EXPECT_EQ(*writer->TakeKept() > 0, has_some) << domain.name();
  }
}

}  // namespace
}  // namespace plumb::store
