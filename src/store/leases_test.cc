// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "store/leases_internal.h"
#include "store/store_parts_internal.h"
#include "tests/temporary_directory.h"

namespace plumb::store {
namespace {

namespace fs = std::filesystem;

class LeasesTest : public testing::Test {
 protected:
  LeasesTest() : parts_(*OpenStoreParts(*files_, *entropy_, Path())) {}

  std::string Path() const { return temporary_.path() + "/store"; }
  Leases& leases() { return *parts_.leases; }
  void NextEpoch() { ASSERT_TRUE(parts_.catalog->Mark({})); }
  std::size_t LeaseCount() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(Path() + "/leases"), fs::directory_iterator()));
  }

  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  StoreParts parts_;
};

TEST_F(LeasesTest, TheOldestThatIsHeldCounts) {
  EXPECT_EQ(*leases().Oldest(), std::nullopt);
  NextEpoch();
  auto first = *leases().Take();
  NextEpoch();
  auto second = *leases().Take();
  EXPECT_EQ(*leases().Oldest(), 1U);
  first.reset();
  EXPECT_EQ(*leases().Oldest(), 2U);
  second.reset();
  EXPECT_EQ(*leases().Oldest(), std::nullopt);
  EXPECT_EQ(LeaseCount(), 0U);
}

TEST_F(LeasesTest, ThoseOfEndedProcessesGo) {
  temporary_.Write("store/leases/left", "1\n");
  const auto held = *leases().Take();
  EXPECT_EQ(*leases().Oldest(), 0U);
  EXPECT_EQ(LeaseCount(), 1U);
}

TEST_F(LeasesTest, WhatCannotBeReadIsTheOldest) {
  NextEpoch();
  const auto held = *leases().Take();
  for (const std::string text : {"", "1", "x\n", "99999999999999999999999999999999\n"}) {
    for (const auto& entry : fs::directory_iterator(Path() + "/leases"))
      std::ofstream(entry.path()) << text;
    EXPECT_EQ(*leases().Oldest(), 0U) << text;
  }
}

}  // namespace
}  // namespace plumb::store
