// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "store/piece_hasher_internal.h"

namespace plumb::store {
namespace {

std::string Text(std::size_t size, char seed) {
  std::string text(size, seed);
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>(text[i] + static_cast<char>(i * i >> 3U));
  return text;
}

TEST(PieceHasherTest, ManyBlobsAtOnceHaveTheDigestsTheyHaveAlone) {
  PieceHasher hasher;
  std::vector<std::thread> threads;
  for (char blob = 0; blob < 9; ++blob) {
    threads.emplace_back([&hasher, blob] {
      const std::string text = Text(1U << 20U, blob);
      const auto lane = hasher.Open();
      std::atomic<int> done = 0;
      Sha256Hasher alone;
      int pieces = 0;
      // Of sizes that end blocks and that do not.
      for (std::size_t size = 1; size < text.size();
           size = size * 2 + static_cast<std::size_t>(blob)) {
        lane->Add(AsBytes(text).first(size), {}, [&done] { ++done; });
        alone.Add(AsBytes(text).first(size));
        ++pieces;
      }
      EXPECT_EQ(lane->Finish(), alone.Finish());
      EXPECT_EQ(done, pieces);
    });
  }
  for (std::thread& thread : threads)
    thread.join();
}

TEST(PieceHasherTest, ABlobDoesNotWaitForOneThatStandsStill) {
  PieceHasher hasher;
  const auto still = hasher.Open();
  const auto lane = hasher.Open();
  const std::string text = Text(5000, 1);
  std::atomic<int> done = 0;
  for (int i = 0; i < 2; ++i)
    lane->Add(AsBytes(text), {}, [&done] { ++done; });
  // Two pieces may be all the room there is: without waiting for anybody, one is given back.
  while (done == 0)
    std::this_thread::yield();
  EXPECT_EQ(lane->Finish(), Sha256(AsBytes(text + text)));
  still->Add(AsBytes(text), {}, [] {});
  EXPECT_EQ(still->Finish(), Sha256(AsBytes(text)));
}

TEST(PieceHasherTest, AFileWithinABlob) {
  PieceHasher hasher;
  const auto still = hasher.Open();
  const std::string text = Text(300'000, 3);
  for (const std::size_t begin : {std::size_t{0}, std::size_t{64}, std::size_t{77}}) {
    const auto lane = hasher.Open();
    FileHash file;
    FileHash second;
    FileHash third;
    lane->Add(AsBytes(text).first(640), {}, [] {});
    lane->Add(AsBytes(text), {{&file, AsBytes(text).subspan(begin)}}, [] {});
    lane->Add(AsBytes(text),
              {{&file, AsBytes(text).first(5000), true},
               {&second, AsBytes(text).subspan(5120, 1000), true},
               {&third, {}, true}},
              [] {});
    EXPECT_EQ(lane->Finish(), Sha256(AsBytes(text.substr(0, 640) + text + text)));
    EXPECT_EQ(file.digest, Sha256(AsBytes(text.substr(begin) + text.substr(0, 5000))));
    EXPECT_EQ(second.digest, Sha256(AsBytes(text.substr(5120, 1000))));
    EXPECT_EQ(third.digest, Sha256({}));
  }
}

TEST(PieceHasherTest, ABlobThatIsGivenUpIsNotTouchedAgain) {
  PieceHasher hasher;
  const auto other = hasher.Open();
  for (int i = 0; i < 20; ++i) {
    auto text = std::make_unique<std::string>(Text(100'000, 2));
    auto lane = hasher.Open();
    for (int j = 0; j < 3; ++j)
      lane->Add(AsBytes(*text), {}, [] {});
    lane.reset();
    text.reset();
  }
  EXPECT_EQ(other->Finish(), Sha256({}));
}

}  // namespace
}  // namespace plumb::store
