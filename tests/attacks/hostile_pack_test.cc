// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "crypto/object_id.h"
#include "kit/needs.h"
#include "store/frame_internal.h"
#include "store/rebuild.h"
#include "store/recipe_internal.h"
#include "store/records_internal.h"
#include "store/store_parts_internal.h"
#include "tests/noise.h"
#include "tests/temporary_directory.h"

// Packs that somebody put into a store of which the catalog is lost: whatever is in them, the
// rebuild ends, within its memory, and takes nothing for what it is not.
namespace plumb::store {
namespace {

namespace fs = std::filesystem;

class HostilePack : public testing::Test {
 protected:
  HostilePack() {
    const auto store = *OpenStore(*files_, *clock_, *entropy_, Path());
    const auto session = store->Begin();
    good_ = (*session->PutBlob(AsBytes("good"))).digest;
    EXPECT_TRUE(session->Commit());
  }

  std::string Path() const { return temporary_.path() + "/store"; }
  fs::path PackPath(const PackName& name) const {
    return Path() + "/packs/" + name.ToString() + ".pack";
  }

  // A whole pack of frames that say what the enemy likes: only its seals are right.
  PackName Write(const std::vector<FrameContent>& frames) {
    const auto parts = *OpenStoreFiles(*files_, *entropy_, Path(), {host::LockKind::kShared, 0});
    FrameWriter writer(*parts.packs->Create());
    for (const FrameContent& frame : frames)
      EXPECT_TRUE(writer.Append(frame));
    const PackName name = writer.name();
    EXPECT_TRUE(writer.Finish());
    return name;
  }
  PackName Write(FrameType type, const std::string& bytes) {
    return Write({{type, Blake3(AsBytes(bytes)), bytes.size(), Encoding::kRaw, AsBytes(bytes)}});
  }
  // As it is.
  void WriteFile(const std::string& bytes) const {
    std::ofstream(Path() + "/packs/" + std::string(32, 'e') + ".pack", std::ios::binary) << bytes;
  }

  Result<RebuildReport> Rebuild() {
    fs::remove(Path() + "/catalog.sqlite");
    RebuildRequest request;
    request.find_needs = kit::NeedsOf;
    SilentProgress silent;
    return RebuildCatalog({*files_, *host::MakeLinks(), *clock_, *entropy_, Path()}, request,
                          silent);
  }

  // What is good is there, and the rest was refused: in so many damages, or passed over.
  void ExpectRefused(std::size_t damages) {
    const auto report = Rebuild();
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->damages.size(), damages);
    EXPECT_EQ(report->blobs, 1U);
    EXPECT_EQ(report->objects, 0U);
    EXPECT_EQ(report->kits, 0U);
    EXPECT_EQ(report->refs, 0U);
    const auto store = *OpenStore(*files_, *clock_, *entropy_, Path());
    EXPECT_EQ(*ReadBlob(*store, good_, 100), "good");
  }

  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  Digest good_;
};

TEST_F(HostilePack, OfRandomBytes) {
  for (const std::size_t size : {0U, 1U, 63U, 64U, 200U, 100'000U}) {
    WriteFile(Noise(size, size));
    ExpectRefused(1);
  }
}

TEST_F(HostilePack, WhoseFramesHaveOtherIds) {
  const std::string bytes = Noise(5000, 1);
  const ObjectId other = Blake3(AsBytes("another"));
  Write({{FrameType::kObject, other, bytes.size(), Encoding::kRaw, AsBytes(bytes)},
         {FrameType::kBlob, other, bytes.size(), Encoding::kRaw, AsBytes(bytes)}});
  ExpectRefused(2);
}

TEST_F(HostilePack, WhoseLengthsLie) {
  const std::string bytes = Noise(5000, 1);
  const ObjectId id = Blake3(AsBytes(bytes));
  std::vector<FrameContent> frames;
  for (const std::uint64_t raw_size : {std::uint64_t{0}, std::uint64_t{4999}, std::uint64_t{5001},
                                       std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    frames.push_back({FrameType::kObject, id, raw_size, Encoding::kRaw, AsBytes(bytes)});
    frames.push_back({FrameType::kObject, id, raw_size, Encoding::kZstd, AsBytes(bytes)});
  }
  Write(frames);
  ExpectRefused(frames.size());
}

TEST_F(HostilePack, WithRecordsThatAreNone) {
  Write(FrameType::kKit, Noise(41, 1));
  Write(FrameType::kRefMove, Noise(100, 2));
  Write(FrameType::kRefMove, Noise(70'000, 3));
  Write(FrameType::kRecipe, "\1" + Noise(100, 4));
  Write(FrameType::kBlob, Noise(70'000, 5));
  // A time, and a size, that no catalog can hold.
  std::string kit = ToRecord(KitEvent{KitAction::kAdded, good_, 1});
  kit.back() = '\xff';
  Write(FrameType::kKit, kit);
  ExpectRefused(6);
}

TEST_F(HostilePack, WithRecordsOfDomainsThatAreNone) {
  const Domain domain = *Domain::Parse("somebody");
  std::string named = ToRecord(HeldEvent{HeldAction::kBlob, good_, 0, domain});
  Write(FrameType::kHeld, named.substr(0, 40));
  Write(FrameType::kHeld, named + std::string(300, 'a'));
  Write(FrameType::kHeld, named + std::string(70'000, 'a'));
  named.back() = '\n';
  Write(FrameType::kHeld, named);
  ExpectRefused(4);
}

// Nobody sees by them what is not there.
TEST_F(HostilePack, WithRecordsOfDomainsThatHaveWhatIsNowhere) {
  const Domain domain = *Domain::Parse("somebody");
  const Digest nowhere = Sha256(AsBytes("nowhere"));
  Write(FrameType::kHeld, ToRecord(HeldEvent{HeldAction::kBlob, nowhere, 0, domain}));
  Write(FrameType::kHeld, ToRecord(HeldEvent{HeldAction::kKitAdded, nowhere, 1, domain}));
  Write(FrameType::kHeld, ToRecord(HeldEvent{HeldAction::kKitRemoved, good_, 1, domain}));
  ExpectRefused(0);
  const auto store = *OpenStore(*files_, *clock_, *entropy_, Path(), domain);
  EXPECT_EQ(*store->FindBlob(nowhere), std::nullopt);
  EXPECT_EQ(*store->FindBlob(good_), std::nullopt);
  EXPECT_TRUE(store->ListKits()->empty());
}

TEST_F(HostilePack, WithARecipeOfMoreThanThereCanBe) {
  Recipe recipe;
  recipe.digest = Sha256(AsBytes("large"));
  recipe.size = ~std::uint64_t{0} - 1;
  recipe.AddObject(Blake3(AsBytes("x")), std::uint64_t{1} << 63);
  recipe.AddObject(Blake3(AsBytes("x")), (std::uint64_t{1} << 63) - 2);
  Write(FrameType::kRecipe, recipe.ToBytes());
  ExpectRefused(1);
}

// It may be of a blob that is here too: then the one that can be followed counts; and else none is
// read as what it is not.
TEST_F(HostilePack, WithARecipeOfOtherBytes) {
  const std::string bytes = Noise(5000, 1);
  const ObjectId id = Blake3(AsBytes(bytes));
  Recipe recipe;
  recipe.digest = Sha256(AsBytes("what the enemy wants to be read"));
  recipe.size = bytes.size();
  recipe.AddObject(id, bytes.size());
  const std::string text = recipe.ToBytes();
  Write({{FrameType::kObject, id, bytes.size(), Encoding::kRaw, AsBytes(bytes)},
         {FrameType::kRecipe, Blake3(AsBytes(text)), text.size(), Encoding::kRaw, AsBytes(text)}});
  ASSERT_TRUE(Rebuild());
  const auto upkeep = *OpenUpkeep(*files_, *clock_, *entropy_, Path());
  CheckRequest request;
  request.find_needs = kit::NeedsOf;
  request.depth = Depth::kContent;
  SilentProgress silent;
  const auto checked = upkeep->Check(request, silent);
  ASSERT_TRUE(checked);
  ASSERT_EQ(checked->damages.size(), 1U);
  EXPECT_THAT(checked->damages[0].what, testing::HasSubstr(recipe.digest.ToString()));
}

TEST_F(HostilePack, WithATrailerThatLies) {
  const PackName name = Write(FrameType::kBlob, "small");
  const std::uint64_t size = fs::file_size(PackPath(name));
  for (const auto& [footer_at, count] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{{~std::uint64_t{0}, 1},
                                                            {64, ~std::uint64_t{0}},
                                                            {64, std::uint64_t{1} << 57},
                                                            {0, 0},
                                                            {size, 1}}) {
    std::string trailer = "PLUMBEND";
    AppendU64(trailer, footer_at);
    AppendU64(trailer, count);
    trailer += AsText(ByteSpan(Blake3(AsBytes(trailer)).bytes).first(8));
    std::fstream file(PackPath(name), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(size - trailer.size()));
    file << trailer;
    file.close();
    // Its frame is found from the front, and is what it says.
    const auto report = Rebuild();
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->blobs, 2U);
  }
}

// With holes, a file takes no room and can be as long as it likes: what its footer may claim does
// not grow with it.
TEST_F(HostilePack, ThatIsLongAndEmpty) {
  const PackName name = Write(FrameType::kBlob, "small");
  const std::uint64_t size = std::uint64_t{1} << 40;
  std::string trailer = "PLUMBEND";
  AppendU64(trailer, 64);
  AppendU64(trailer, std::uint64_t{1} << 32);
  trailer += AsText(ByteSpan(Blake3(AsBytes(trailer)).bytes).first(8));
  fs::resize_file(PackPath(name), size - trailer.size());
  std::ofstream(PackPath(name), std::ios::app | std::ios::binary) << trailer;
  const auto report = Rebuild();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->blobs, 2U);
}

// Of a newer Plumb, or so it says: nothing is changed.
TEST_F(HostilePack, OfANewerVersion) {
  const PackName name = Write(FrameType::kBlob, "small");
  std::string header = "PLUMBPAK";
  AppendU32(header, 2);
  AppendU32(header, 0);
  header += AsText(name.bytes);
  header.append(24, '\0');
  header += AsText(ByteSpan(Blake3(AsBytes(header)).bytes).first(8));
  std::fstream file(PackPath(name), std::ios::in | std::ios::out | std::ios::binary);
  file << header;
  file.close();
  EXPECT_EQ(Rebuild().error().kind, ErrorKind::kUnsupported);
  EXPECT_FALSE(fs::exists(Path() + "/catalog.sqlite"));
}

}  // namespace
}  // namespace plumb::store
