// SPDX-License-Identifier: MIT OR Apache-2.0
#include "host/leftovers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "tests/temporary_directory.h"

namespace plumb::host {
namespace {

bool IsOurs(std::string_view name) { return name.starts_with("new-"); }

class LeftoversTest : public testing::Test {
 protected:
  bool Exists(const std::string& name) const {
    return std::filesystem::exists(temporary_.path() + "/" + name);
  }

  TemporaryDirectory temporary_;
  std::unique_ptr<Files> files_ = MakeFiles();
  std::unique_ptr<Directory> directory_ =
      *files_->OpenDirectory(temporary_.path(), IfMissing::kFail);
};

TEST_F(LeftoversTest, WhatNobodyWritesToGoes) {
  temporary_.Write("new-1", "left");
  temporary_.Write("other", "kept");
  std::filesystem::create_directory(temporary_.path() + "/new-directory");
  RemoveLeftovers(*directory_, "", IsOurs);
  EXPECT_FALSE(Exists("new-1"));
  EXPECT_TRUE(Exists("other"));
  EXPECT_TRUE(Exists("new-directory"));
}

TEST_F(LeftoversTest, WhatSomebodyWritesToStays) {
  auto made = CreateLocked(*directory_, "new-1", 0600);
  ASSERT_TRUE(made) << made.error().message;
  RemoveLeftovers(*directory_, "", IsOurs);
  EXPECT_TRUE(Exists("new-1"));
  made->lock.reset();
  RemoveLeftovers(*directory_, "", IsOurs);
  EXPECT_FALSE(Exists("new-1"));
}

TEST_F(LeftoversTest, WhatIsThereIsInTheWay) {
  temporary_.Write("new-1", "");
  EXPECT_EQ(CreateLocked(*directory_, "new-1", 0600).error().kind, ErrorKind::kConflict);
}

// Whoever cleans up meanwhile takes nothing away from who has it in his hands.
TEST_F(LeftoversTest, WhatWasMadeIsThereWhileOthersCleanUp) {
  std::atomic<bool> is_done = false;
  std::thread cleaner([&] {
    while (!is_done)
      RemoveLeftovers(*directory_, "", IsOurs);
  });
  for (int i = 0; i < 500; ++i) {
    const auto made = CreateLocked(*directory_, "new-1", 0600);
    EXPECT_TRUE(made) << made.error().message;
    if (!made) break;
    EXPECT_NE(made->lock, nullptr);
    const auto there = directory_->State("new-1");
    EXPECT_TRUE(there && there->inode == made->file->State()->inode);
    EXPECT_TRUE(directory_->Remove("new-1"));
  }
  is_done = true;
  cleaner.join();
}

}  // namespace
}  // namespace plumb::host
