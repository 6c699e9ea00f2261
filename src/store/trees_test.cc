// SPDX-License-Identifier: MIT OR Apache-2.0
// Objects in blocks, as sessions, gc, fsck and optimize treat them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "store/recipe_internal.h"
#include "store/store_parts_internal.h"
#include "store/tree_internal.h"
#include "store/upkeep.h"
#include "tests/store_kits.h"
#include "tests/temporary_directory.h"

namespace plumb::store {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

// One tensor, which has a tree, between a header and a last one that has none.
std::string Weights(std::size_t size, unsigned seed, const std::string& space = "") {
  const std::string header =
      R"({"a":{"dtype":"U8","shape":[)" + std::to_string(size) + R"(],"data_offsets":[0,)" +
      std::to_string(size) + R"(]},"b":{"dtype":"U8","shape":[5000],"data_offsets":[)" +
      std::to_string(size) + "," + std::to_string(size + 5000) + "]}}" + space;
  std::string file;
  AppendU64(file, header.size());
  return file + header + Noise(size + 5000, seed);
}

class TreesTest : public testing::Test {
 protected:
  TreesTest()
      : store_(*OpenStore(*files_, *clock_, *entropy_, Path())),
        upkeep_(*OpenUpkeep(*files_, *clock_, *entropy_, Path())) {}

  std::string Path() const { return temporary_.path() + "/store"; }

  void Add(const std::vector<std::string>& layers, const std::string& tag) {
    const auto session = store_->Begin();
    std::string manifest;
    std::vector<Digest> needs;
    for (const std::string& layer : layers) {
      BlobPlan plan = Shape::kOpaque;
      plan.expected_size = layer.size();
      const auto writer = *session->CreateBlob(plan);
      ASSERT_TRUE(writer->Write(AsBytes(layer)));
      needs.push_back((*writer->Finish()).digest);
      manifest += needs.back().ToString() + "\n";
    }
    const Digest kit = (*session->PutBlob(AsBytes(manifest))).digest;
    session->AddKit({kit, needs});
    session->MoveRef({{"m", tag}, kit, ""});
    ASSERT_TRUE(session->Commit());
  }
  void Untag(const std::string& tag) {
    const auto session = store_->Begin();
    session->MoveRef({{"m", tag}, std::nullopt, ""});
    ASSERT_TRUE(session->Commit());
  }

  CollectReport Collect() {
    CollectRequest request;
    request.find_needs = NeedsOf;
    request.keep_untagged_ns = 0;
    request.keep_left_ns = 0;
    SilentProgress silent;
    return *upkeep_->Collect(request, silent);
  }
  CheckReport Check(Depth depth) {
    CheckRequest request;
    request.find_needs = NeedsOf;
    request.depth = depth;
    SilentProgress silent;
    return *upkeep_->Check(request, silent);
  }
  MeasureReport Measure() {
    SilentProgress silent;
    return *upkeep_->Measure({NeedsOf}, silent);
  }
  OptimizeReport Optimize(Tier tier) {
    SilentProgress silent;
    const auto optimized = upkeep_->Optimize({tier}, silent);
    EXPECT_TRUE(optimized) << optimized.error().message;
    return *optimized;
  }

  // What a blob is made of.
  std::vector<ObjectId> ObjectsOf(const std::string& blob) {
    std::vector<ObjectId> objects;
    const auto parts = *upkeep_->Describe(Sha256(AsBytes(blob)));
    for (const BlobPart& part : parts)
      if (part.object) objects.push_back(*part.object);
    return objects;
  }
  bool IsWhole(const std::string& blob) {
    const auto read = ReadBlob(*store_, Sha256(AsBytes(blob)), blob.size());
    return read && *read == blob;
  }
  std::vector<fs::path> Packs() const {
    std::vector<fs::path> packs;
    for (const auto& entry : fs::directory_iterator(Path() + "/packs"))
      packs.push_back(entry.path());
    std::ranges::sort(packs);
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
  static void Overwrite(const fs::path& path, std::size_t at, std::string_view bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file << bytes;
  }

  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  std::unique_ptr<Store> store_;
  std::unique_ptr<Upkeep> upkeep_;
};

TEST_F(TreesTest, TensorsAreCollectedAndMovedWithTheirBlocks) {
  const std::string kept = Weights(5 * kMiB + 17, 1);
  const std::string gone = Weights(20 * kMiB, 2);
  // All in one pack: what is kept lies before and behind what goes.
  Add({kept, gone, Weights(3 * kMiB, 3)}, "v1");
  Add({kept, Weights(3 * kMiB, 3)}, "v2");
  EXPECT_LT(BytesInPacks(), 30 * kMiB);
  EXPECT_EQ(ObjectsOf(gone).size(), 2U) << "a tensor is one object";
  Untag("v1");
  const auto before = Packs();
  const CollectReport report = Collect();
  EXPECT_GT(report.bytes_freed, 19 * kMiB);
  EXPECT_TRUE(Packs() != before) << "it was written anew";
  EXPECT_TRUE(IsWhole(kept));
  EXPECT_TRUE(IsWhole(Weights(3 * kMiB, 3)));
  EXPECT_FALSE(IsWhole(gone));
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
  EXPECT_EQ(Collect().packs, 0U);
}

TEST_F(TreesTest, ADamagedBlockIsTheDamageOfItsTensor) {
  const std::string layer = Weights(9 * kMiB, 1);
  Add({layer}, "v1");
  Overwrite(LargestPack(), 5 * kMiB, "damage");
  EXPECT_THAT(Check(Depth::kStructure).damages, IsEmpty());
  const CheckReport report = Check(Depth::kContent);
  ASSERT_EQ(report.damages.size(), 1U);
  EXPECT_EQ(report.damages[0].what, "object '" + ObjectsOf(layer)[0].ToHex() + "'");
  EXPECT_FALSE(IsWhole(layer));
  Add({layer}, "v1");
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
  EXPECT_TRUE(IsWhole(layer));
}

// What has the same beginning is not written until it parts, and what it shares is there anyway.
TEST_F(TreesTest, ATensorThatPartsFromItsTwinIsWhole) {
  const std::string layer = Weights(4 * kMiB, 1);
  Add({layer}, "v1");
  const std::uint64_t alone = BytesInPacks();
  const std::string same = Weights(4 * kMiB, 1, "  ");  // another header
  Add({same}, "same");
  EXPECT_LT(BytesInPacks(), alone + 64 * 1024);
  std::string other = layer;
  other[3 * kMiB] ^= '\1';
  Add({other}, "other");
  EXPECT_GT(BytesInPacks(), alone + 4 * kMiB);
  // One that is cut short where the twin goes on, and one of a single block.
  const std::string half = layer.substr(0, 2 * kMiB);
  const std::string first = layer.substr(0, kMiB / 2);
  {
    const auto session = store_->Begin();
    for (const std::string& blob : {half, first}) {
      BlobPlan plan = Shape::kOpaque;
      plan.expected_size = layer.size();
      const auto writer = *session->CreateBlob(plan);
      ASSERT_TRUE(writer->Write(AsBytes(blob)));
      ASSERT_TRUE(writer->Finish());
    }
    ASSERT_TRUE(session->Commit());
  }
  for (const std::string& blob : {layer, same, other, half, first})
    EXPECT_TRUE(IsWhole(blob));
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
}

// Weights as they are learned: random, of like size.
std::string Floats(std::size_t count, std::uint16_t upper_mask) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits =
        static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(normal(random)) >> 16U);
    AppendU16(bytes, bits & upper_mask);
  }
  return bytes;
}

std::string Bf16File(const std::string& data) {
  const std::string header = R"({"w":{"dtype":"BF16","shape":[)" + std::to_string(data.size() / 2) +
                             R"(],"data_offsets":[0,)" + std::to_string(data.size()) + "]}}";
  std::string file;
  AppendU64(file, header.size());
  return file + header + data;
}

TEST_F(TreesTest, WeightsAreKeptByWhatTheyAreAndMadeSmallerOnDemand) {
  const std::string layer = Bf16File(Floats(3 * kMiB / 2 + 100, 0xFFFF));
  Add({layer}, "v1");
  const auto encodings = [&] {
    return (*upkeep_->Describe(Sha256(AsBytes(layer)))).back().encodings;
  };
  EXPECT_THAT(encodings(), ElementsAre("planes"));
  EXPECT_LT(BytesInPacks(), layer.size() * 7 / 10);
  EXPECT_EQ(Optimize(Tier::kFast).objects, 0U) << "it is so already";
  const OptimizeReport report = Optimize(Tier::kArchive);
  EXPECT_EQ(report.objects, 1U);
  EXPECT_LT(report.bytes_after, report.bytes_before);
  EXPECT_THAT(encodings(), testing::Contains("entropy"));
  EXPECT_TRUE(IsWhole(layer));
  EXPECT_GT(Collect().bytes_freed, layer.size() / 2);
  EXPECT_TRUE(IsWhole(layer));
  EXPECT_THAT(Check(Depth::kContent).damages, IsEmpty());
  EXPECT_EQ(Optimize(Tier::kArchive).objects, 0U);
}

TEST_F(TreesTest, DuTellsWhatEachKitAdded) {
  const std::string shared = Weights(3 * kMiB, 1);
  Add({shared}, "v1");
  Add({shared, Weights(2 * kMiB, 2)}, "v2");
  const MeasureReport report = Measure();
  ASSERT_EQ(report.kits.size(), 2U);
  EXPECT_GT(report.kits[0].added, 3 * kMiB);
  EXPECT_GT(report.kits[1].added, 2 * kMiB);
  EXPECT_LT(report.kits[1].added, 3 * kMiB);
  EXPECT_EQ(report.kits[0].added + report.kits[1].added, report.needed);
}

}  // namespace
}  // namespace plumb::store
