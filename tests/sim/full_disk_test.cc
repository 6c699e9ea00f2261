// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <functional>
#include <span>
#include <string>

#include "tests/sim/world.h"
#include "verbs/build.h"
#include "verbs/fsck.h"
#include "verbs/gc.h"
#include "verbs/remove.h"

// A disk that takes no more than it has: what is removed makes room for what comes. However little
// is left, a person gets it back with 'plumb remove' and 'plumb gc' alone.
namespace plumb::sim {
namespace {

using host::SimulatedDisk;
using host::Survival;

constexpr std::uint64_t kBlockSize = 4096;

std::string Noise(char seed, std::size_t size) {
  std::string noise(size, '\0');
  SeededEntropy(seed).Fill(std::as_writable_bytes(std::span(noise)));
  return noise;
}

// Two files; that of the datasets is the same in each.
Status Build(SimulatedDisk& disk, char seed, std::size_t size) {
  World world(disk);
  PLUMB_RETURN_IF_ERROR(world.Write("/model/Kitfile",
                                    "manifestVersion: 1.0.0\nmodel: {path: w.bin}\n"
                                    "datasets: [{path: x.bin}]\n"));
  PLUMB_RETURN_IF_ERROR(world.Write("/model/w.bin", Noise(seed, size)));
  PLUMB_RETURN_IF_ERROR(world.Write("/model/x.bin", Noise('x', std::size_t{100} << 10)));
  verbs::BuildOptions options;
  options.directory = "/model";
  options.tags = {std::string("m:") + seed};
  PLUMB_TRY([[maybe_unused]] const auto report,
            verbs::Build(world.workspace(), options, world.progress()));
  return Done{};
}

Status Remove(SimulatedDisk& disk, char seed) {
  World world(disk);
  verbs::RemoveOptions options;
  options.name = std::string("m:") + seed;
  PLUMB_TRY([[maybe_unused]] const auto report,
            verbs::Remove(world.workspace(), options, world.progress()));
  return Done{};
}

Status Gc(SimulatedDisk& disk) {
  World world(disk);
  verbs::GcOptions options;
  options.keep_untagged = "0";
  PLUMB_TRY([[maybe_unused]] const auto report,
            verbs::Gc(world.workspace(), options, world.progress()));
  return Done{};
}

std::string Message(const Status& status) {
  return status ? std::string() : status.error().message + " (" + status.error().hint + ")";
}

// What is called a, b and c. Half of what only a needs is shared with the others.
std::unique_ptr<SimulatedDisk> Filled() {
  auto disk = std::make_unique<SimulatedDisk>();
  for (const char seed : {'a', 'b', 'c'})
    EXPECT_EQ(Message(Build(*disk, seed, std::size_t{300} << 10)), "");
  return disk;
}

TEST(FullDiskTest, ABuildThatFindsNoRoomLeavesRoomToRemove) {
  const auto disk = Filled();
  disk->LimitTo(disk->UsedBytes() + (std::uint64_t{1} << 20));
  const Status built = Build(*disk, 'd', std::size_t{4} << 20);
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().kind, ErrorKind::kExhausted);
  disk->LimitTo(disk->UsedBytes());
  EXPECT_EQ(Message(Remove(*disk, 'a')), "");
  EXPECT_EQ(Message(Gc(*disk)), "");
}

TEST(FullDiskTest, HoweverLittleIsLeftItCanBeFreed) {
  const auto start = Filled();
  const std::uint64_t filled = start->UsedBytes();
  // From not one block to as many as the reserve has.
  for (std::uint64_t blocks = 0; blocks < 160; blocks += 1 + blocks / 8) {
    const auto disk = start->AfterPowerCut(Survival::kAll);
    disk->LimitTo(filled + blocks * kBlockSize);
    for (const char seed : {'a', 'b'}) {
      EXPECT_EQ(Message(Remove(*disk, seed)), "") << blocks;
      // Somebody else takes what is left meanwhile.
      disk->LimitTo(disk->UsedBytes());
    }
    ASSERT_EQ(Message(Gc(*disk)), "") << blocks;
    EXPECT_LT(disk->UsedBytes() + (std::uint64_t{500} << 10), filled) << blocks;
    const auto contents = Inspect(*disk, {});
    ASSERT_TRUE(contents) << contents.error().message;
    EXPECT_EQ(contents->count("m:c"), 1U) << blocks;
    EXPECT_EQ(contents->size(), 2U) << blocks;
    // And there is room again for the next time.
    disk->LimitTo(disk->UsedBytes());
    EXPECT_EQ(Message(Remove(*disk, 'c')), "") << blocks;
    EXPECT_EQ(Message(Gc(*disk)), "") << blocks;
  }
}

// Nothing was kept, or a stranger took it: the answer says what helps, and nothing is lost.
TEST(FullDiskTest, WithoutAReserveTheErrorSaysWhatHelps) {
  const auto disk = Filled();
  ASSERT_EQ(Message(Remove(*disk, 'a')), "");
  const auto store = *disk->OpenDirectory("/person/plumb/store", host::IfMissing::kFail, 0);
  ASSERT_TRUE(store->Remove("reserve"));
  disk->LimitTo(disk->UsedBytes());
  const Status collected = Gc(*disk);
  ASSERT_FALSE(collected);
  EXPECT_EQ(collected.error().kind, ErrorKind::kExhausted);
  EXPECT_NE(collected.error().hint.find("free "), std::string::npos) << collected.error().hint;
  EXPECT_FALSE(Remove(*disk, 'b'));
  const auto contents = Inspect(*disk, {});
  ASSERT_TRUE(contents) << contents.error().message;
  EXPECT_EQ(contents->count("m:b"), 1U);
}

}  // namespace
}  // namespace plumb::sim
