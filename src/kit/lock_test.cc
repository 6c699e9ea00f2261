// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "blueprint/lock_file.h"
#include "tests/workbench.h"

namespace plumb::kit {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kKitfile[] =
    "manifestVersion: 1.0.0\nmodel: {path: ./w.bin}\ncode: [{path: src/}]\n";

class LockTest : public testing::Test {
 protected:
  LockTest() {
    bench_.Write("w.bin", "weights");
    bench_.Write("src/a", "1");
    bench_.Write("src/b", "22");
  }

  blueprint::LockFile LockOf(const std::string& kitfile, const BuildOptions& options = {}) {
    const auto built = bench_.BuildKitfile(kitfile, options);
    EXPECT_TRUE(built) << built.error().message;
    return built ? built->lock : blueprint::LockFile{};
  }

  Workbench bench_;
};

TEST_F(LockTest, NamesWhatTheKitIsMadeOf) {
  const blueprint::LockFile lock = LockOf(kKitfile);
  EXPECT_EQ(lock.blueprint.digest, Sha256(AsBytes(kKitfile)));
  EXPECT_TRUE(lock.bases.empty());
  ASSERT_EQ(lock.inputs.size(), 2U);
  EXPECT_EQ(lock.inputs[0].name, "w.bin");
  EXPECT_EQ(lock.inputs[0].content.size, 7U);
  EXPECT_EQ(lock.inputs[1].name, "src");
  EXPECT_EQ(lock.inputs[1].content.size, 3U);
}

TEST_F(LockTest, IsTheSameHoweverLayersAreCompressedAndWhateverIsRemembered) {
  const blueprint::LockFile lock = LockOf(kKitfile);
  EXPECT_EQ(LockOf(kKitfile), lock);
  BuildOptions gzip;
  gzip.compression = archive::Compression::kGzip;
  EXPECT_EQ(LockOf(kKitfile, gzip), lock);
}

TEST_F(LockTest, ListsEachBaseOfTheChainAsItIsNamed) {
  BuildOptions options;
  options.tags = {{"a", "v1"}};
  const auto base = bench_.BuildKitfile(kKitfile, options);
  options.tags = {{"b", "v1"}};
  const auto middle =
      bench_.BuildKitfile("manifestVersion: 1.0.0\nmodel: {path: 'a:v1'}\n", options);
  ASSERT_TRUE(base && middle);
  const blueprint::LockFile lock = LockOf("manifestVersion: 1.0.0\nmodel: {path: 'b:v1'}\n");
  ASSERT_EQ(lock.bases.size(), 2U);
  EXPECT_EQ(lock.bases[0].name, "b:v1");
  EXPECT_EQ(lock.bases[0].content.digest, middle->id);
  EXPECT_EQ(lock.bases[1].name, "a@" + base->id.ToString());
  EXPECT_EQ(lock.bases[1].content.digest, base->id);
}

TEST_F(LockTest, WhatIsLockedIsBuiltAndNothingElse) {
  BuildOptions options;
  options.tags = {{"m", "v1"}};
  options.locked = LockOf(kKitfile);
  EXPECT_TRUE(bench_.BuildKitfile(kKitfile, options));

  bench_.Write("src/b", "changed");
  options.tags = {{"m", "v2"}};
  const auto refused = bench_.BuildKitfile(kKitfile, options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr("  * input 'src' was "));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("w.bin")));
  EXPECT_FALSE(*bench_.store().FindRef({"m", "v2"}));
  EXPECT_EQ(bench_.store().ListKits()->size(), 1U);
}

TEST_F(LockTest, OfManyDifferencesSomeAreShown) {
  std::string kitfile = "manifestVersion: 1.0.0\ncode:\n";
  for (int i = 0; i < 30; ++i) {
    bench_.Write("f" + std::to_string(i), "x");
    kitfile += "  - path: f" + std::to_string(i) + "\n";
  }
  BuildOptions options;
  options.locked.emplace();
  const auto refused = bench_.BuildKitfile(kitfile, options);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("and 11 more"));
}

}  // namespace
}  // namespace plumb::kit
