// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "archive/tar_writer.h"
#include "store/upkeep.h"
#include "tests/sim/faulty_files.h"
#include "tests/sim/world.h"
#include "tests/store_kits.h"
#include "tests/temporary_directory.h"

// A gc on a disk that fails at each of its calls in turn: what a kit needs stays whole, a check in
// depth finds nothing, and the next gc does what this one could not.
namespace plumb::store {
namespace {

constexpr std::int64_t kNever = std::int64_t{1} << 40;
void Add(Store& store, const std::vector<std::string>& layers, const std::string& tag) {
  const auto session = store.Begin();
  std::string manifest;
  std::vector<Digest> needs;
  for (const std::string& layer : layers) {
    const auto writer = *session->CreateBlob(Shape::kTar);
    ASSERT_TRUE(writer->Write(AsBytes(layer)));
    needs.push_back((*writer->Finish()).digest);
    manifest += needs.back().ToString() + "\n";
  }
  const Digest kit = (*session->PutBlob(AsBytes(manifest))).digest;
  session->AddKit({kit, needs});
  session->MoveRef({{"m", tag}, kit, ""});
  ASSERT_TRUE(session->Commit());
}

const Domain kAlice = *Domain::Parse("m");

// A named domain has what stays, and had what goes.
void FillDomain(Store& alice, const std::string& kept, const std::string& gone) {
  Add(alice, {kept}, "hers");
  Add(alice, {gone}, "not-hers");
  const auto session = alice.Begin();
  session->MoveRef({{"m", "not-hers"}, std::nullopt, ""});
  ASSERT_TRUE(session->Commit());
}

// A kit that stays shares a pack with one that goes; then some small packs.
void Fill(Store& store, const std::vector<std::string>& kept, const std::string& gone) {
  Add(store, {kept[0], gone}, "gone");
  Add(store, {kept[0]}, "kept");
  for (std::size_t i = 1; i < kept.size(); ++i)
    Add(store, {kept[i]}, "small" + std::to_string(i));
  const auto session = store.Begin();
  session->MoveRef({{"m", "gone"}, std::nullopt, ""});
  ASSERT_TRUE(session->Commit());
}

Result<CollectReport> Collect(Upkeep& upkeep) {
  CollectRequest request;
  request.find_needs = NeedsOf;
  request.keep_untagged_ns = 0;
  request.keep_left_ns = 0;
  SilentProgress silent;
  return upkeep.Collect(request, silent);
}

TEST(FaultyGcTest, EveryFailureLeavesAWholeStore) {
  // With a tensor of several blocks.
  const std::string weights = sim::TensorFile('w');
  std::vector<std::string> kept = {
      *archive::TarHeader({"w.bin", archive::TarEntryType::kFile, 0644, weights.size()}) + weights};
  for (unsigned i = 0; i < 8; ++i)
    kept.push_back(Noise(70'000, 100 + i));
  const std::string gone = Noise(3 * kMiB, 2);
  const auto clock = host::MakeClock();
  const auto entropy = host::MakeEntropy();
  const TemporaryDirectory filled;
  const auto real = host::MakeFiles();
  Fill(**OpenStore(*real, *clock, *entropy, filled.path() + "/store"), kept, gone);
  FillDomain(**OpenStore(*real, *clock, *entropy, filled.path() + "/store", kAlice), kept[0], gone);
  int failures = 0;
  // Each of the first calls, then fewer: they are frames that are copied, one like the other.
  for (std::int64_t calls = 0;; calls += 1 + calls / 16) {
    const TemporaryDirectory temporary;
    std::filesystem::copy(filled.path(), temporary.path(),
                          std::filesystem::copy_options::recursive);
    const std::string path = temporary.path() + "/store";
    host::Faults faults;
    host::FaultyFiles files(faults);
    faults.calls_left = kNever;
    bool is_done = false;
    {
      const auto upkeep = *OpenUpkeep(files, *clock, *entropy, path);
      faults.calls_left = calls;
      const auto collected = Collect(*upkeep);
      is_done = collected.has_value();
      if (!is_done) {
        ++failures;
        EXPECT_EQ(collected.error().kind, ErrorKind::kExhausted) << collected.error().message;
      }
    }
    faults.calls_left = kNever;
    const auto upkeep = *OpenUpkeep(files, *clock, *entropy, path);
    const auto check = [&] {
      CheckRequest request;
      request.find_needs = NeedsOf;
      request.depth = Depth::kContent;
      SilentProgress silent;
      const auto checked = upkeep->Check(request, silent);
      ASSERT_TRUE(checked) << checked.error().message;
      for (const Damage& damage : checked->damages)
        ADD_FAILURE() << calls << ": " << damage.what << ": " << damage.why;
    };
    check();
    ASSERT_TRUE(Collect(*upkeep)) << calls;
    check();
    const auto store = *OpenStore(files, *clock, *entropy, path);
    for (const std::string& layer : kept)
      EXPECT_TRUE(*ReadBlob(*store, Sha256(AsBytes(layer)), layer.size()) == layer) << calls;
    EXPECT_EQ(*store->FindBlob(Sha256(AsBytes(gone))), std::nullopt) << calls;
    const auto alice = *OpenStore(files, *clock, *entropy, path, kAlice);
    EXPECT_TRUE(*ReadBlob(*alice, Sha256(AsBytes(kept[0])), kept[0].size()) == kept[0]) << calls;
    EXPECT_EQ(alice->ListKits()->size(), 1U) << calls;
    EXPECT_LT((*Collect(*upkeep)).bytes_kept, 3 * kMiB) << calls;
    if (is_done) break;
  }
  // Making a new pack, its frames and its end, two syncs.
  EXPECT_GT(failures, 10);
}

}  // namespace
}  // namespace plumb::store
