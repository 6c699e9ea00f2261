// SPDX-License-Identifier: MIT OR Apache-2.0
#include "store/adopter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "archive/tar_writer.h"
#include "store/store.h"
#include "tests/temporary_directory.h"

namespace plumb::store {
namespace {

constexpr std::uint64_t kSize = (std::uint64_t{9} << 20) + 5000;

// By hard links, which every file system of a test has. Reflinks: tests/interop/file_systems.py.
class AdopterTest : public testing::Test {
 protected:
  AdopterTest() {
    for (std::uint64_t i = 0; content_.size() < kSize; ++i)
      content_ += std::to_string(i * 0x9e3779b97f4a7c15U);
    content_.resize(kSize);
    temporary_.Write("model.gguf", content_);
    store_ = *OpenStore(*files_, *clock_, *entropy_, temporary_.path() + "/store");
    adopter_ = *OpenAdopter(*files_, *links_, *entropy_, temporary_.path() + "/store");
  }

  Result<std::uint64_t> Adopt(const std::string& name) {
    return adopter_->Adopt(temporary_.path() + "/" + name, AdoptHow::kHardLink, progress_);
  }

  // A layer with the file in it.
  Digest Put() {
    const auto session = store_->Begin();
    const auto writer = *session->CreateBlob(Shape::kTar);
    const std::string tar =
        *archive::TarHeader({"model.gguf", archive::TarEntryType::kFile, 0644, content_.size()}) +
        content_ + std::string(archive::TarPadding(content_.size()), '\0') + archive::TarEnd();
    EXPECT_TRUE(writer->Write(AsBytes(tar)));
    const BlobInfo info = *writer->Finish();
    EXPECT_TRUE(session->Commit());
    return info.digest;
  }

  std::uint64_t SizeOfPacks() const {
    std::uint64_t size = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(temporary_.path() + "/store/packs"))
      if (entry.path().extension() == ".pack") size += entry.file_size();
    return size;
  }

  std::string content_;
  TemporaryDirectory temporary_;
  SilentProgress progress_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Links> links_ = host::MakeLinks();
  std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  std::unique_ptr<Store> store_;
  std::unique_ptr<Adopter> adopter_;
};

TEST_F(AdopterTest, WhatIsAdoptedIsNotWritten) {
  const auto adopted = Adopt("model.gguf");
  ASSERT_TRUE(adopted) << adopted.error().message;
  EXPECT_EQ(*adopted, kSize);
  const Digest layer = Put();
  EXPECT_LT(SizeOfPacks(), 64U << 10);
  const auto blob = ReadBlob(*store_, layer, kSize + 4096);
  ASSERT_TRUE(blob) << blob.error().message;
  EXPECT_EQ(Sha256(AsBytes(*blob)), layer);
}

TEST_F(AdopterTest, AChangeIsNoticedAndNeverReturned) {
  ASSERT_TRUE(Adopt("model.gguf"));
  const Digest layer = Put();
  std::string changed = content_;
  changed[kSize / 2] = 'x';
  temporary_.Write("model.gguf", changed);  // in place: the same inode
  const auto blob = ReadBlob(*store_, layer, kSize + 4096);
  ASSERT_FALSE(blob);
  EXPECT_EQ(blob.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(blob.error().message, testing::HasSubstr(layer.ToString()));
}

TEST_F(AdopterTest, AFileThatIsTakenAwayStays) {
  ASSERT_TRUE(Adopt("model.gguf"));
  const Digest layer = Put();
  std::filesystem::remove(temporary_.path() + "/model.gguf");
  EXPECT_TRUE(ReadBlob(*store_, layer, kSize + 4096));
}

TEST_F(AdopterTest, WhatIsKnownIsNotAdopted) {
  Put();
  EXPECT_EQ(*Adopt("model.gguf"), 0U);
  EXPECT_EQ(std::filesystem::hard_link_count(temporary_.path() + "/model.gguf"), 1U);
}

TEST_F(AdopterTest, SmallFilesAndOtherThingsAreNotAdopted) {
  temporary_.Write("small", "small");
  EXPECT_EQ(*Adopt("small"), 0U);
  EXPECT_EQ(Adopt("nowhere").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(Adopt("store").error().kind, ErrorKind::kDenied);
}

}  // namespace
}  // namespace plumb::store
