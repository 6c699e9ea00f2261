// SPDX-License-Identifier: MIT OR Apache-2.0
#include "host/leftovers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "host/read_only.h"
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

// Where somebody cleans up just when a file was made, and has it locked before its owner.
class CleanedDirectory final : public ReadOnlyDirectory {
 public:
  explicit CleanedDirectory(Directory& directory) : directory_(directory) {}
  ~CleanedDirectory() override { cleaner_.join(); }

  Result<std::unique_ptr<File>> Open(std::string_view path, OpenHow how,
                                     std::uint32_t mode) override {
    auto file = directory_.Open(path, how, mode);
    if (file && !cleaner_.joinable()) {
      auto found = *directory_.Open(path, OpenHow::kReadWrite);
      auto lock = *found->Lock(LockKind::kExclusive, 0);
      cleaner_ = std::thread([this, name = std::string(path), found = std::move(found),
                              lock = std::move(lock)]() mutable {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        EXPECT_TRUE(directory_.Remove(name));
        lock.reset();
      });
    }
    return file;
  }
  Result<FileState> State(std::string_view path) override { return directory_.State(path); }
  Result<std::vector<DirectoryEntry>> List(std::string_view path) override {
    return directory_.List(path);
  }

 private:
  Directory& directory_;
  std::thread cleaner_;
};

TEST_F(LeftoversTest, WhatIsTakenForALeftoverIsMadeAgain) {
  CleanedDirectory cleaned(*directory_);
  const auto made = CreateLocked(cleaned, "new-1", 0600);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_NE(made->lock, nullptr);
  const auto there = directory_->State("new-1");
  EXPECT_TRUE(there && there->inode == made->file->State()->inode);
}

}  // namespace
}  // namespace plumb::host
