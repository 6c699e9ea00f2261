// SPDX-License-Identifier: MIT OR Apache-2.0
#include "store/store.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "archive/tar_writer.h"
#include "store/sqlite_internal.h"
#include "tests/noise.h"
#include "tests/temporary_directory.h"

namespace plumb::store {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

class StoreTest : public testing::Test {
 protected:
  StoreTest() : store_(Open()) {}

  std::unique_ptr<Store> Open() {
    auto opened = OpenStore(*files_, *clock_, *entropy_, path());
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }
  std::string path() const { return temporary_.path() + "/store"; }

  Digest Put(const std::string& bytes, Shape shape = Shape::kOpaque) {
    const auto session = store_->Begin();
    const auto writer = *session->CreateBlob(shape);
    EXPECT_TRUE(writer->Write(AsBytes(bytes)));
    const BlobInfo info = *writer->Finish();
    EXPECT_EQ(info.size, bytes.size());
    EXPECT_EQ(info.digest, Sha256(AsBytes(bytes)));
    EXPECT_TRUE(session->Commit());
    return info.digest;
  }

  Result<std::string> Get(const Digest& digest, std::uint64_t offset = 0) {
    PLUMB_TRY(const auto source, store_->OpenBlob(digest, offset));
    return ReadAll(*source, std::size_t{1} << 30);
  }

  std::uint64_t BytesOnDisk() const {
    std::uint64_t size = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path() + "/packs"))
      size += entry.file_size();
    return size;
  }
  std::vector<std::filesystem::path> Packs() const {
    std::vector<std::filesystem::path> packs;
    for (const auto& entry : std::filesystem::directory_iterator(path() + "/packs"))
      packs.push_back(entry.path());
    return packs;
  }
  // Flips one bit in the middle of the largest pack.
  void Damage() const {
    std::filesystem::path largest;
    for (const auto& pack : Packs())
      if (largest.empty() || std::filesystem::file_size(pack) > std::filesystem::file_size(largest))
        largest = pack;
    std::fstream file(largest, std::ios::in | std::ios::out | std::ios::binary);
    const auto middle = static_cast<std::streamoff>(std::filesystem::file_size(largest) / 2);
    file.seekg(middle);
    const char byte = static_cast<char>(file.get());
    file.seekp(middle);
    file.put(static_cast<char>(byte ^ 1));
  }

  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, BlobsOfEverySizeComeBack) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{64} << 10,
                                 (std::size_t{64} << 10) + 1, 4 * kMiB, 4 * kMiB + 1, 19 * kMiB}) {
    const std::string blob = Noise(size, static_cast<unsigned>(size));
    const Digest digest = Put(blob);
    const auto read = Get(digest);
    ASSERT_TRUE(read) << size << read.error().message;
    EXPECT_TRUE(*read == blob) << size;
  }
}

TEST_F(StoreTest, ATarComesBackWhateverItsCuts) {
  std::string tar;
  for (const std::size_t size : {std::size_t{100}, 5 * kMiB + 77, std::size_t{0}, 2 * kMiB}) {
    tar +=
        *archive::TarHeader({"f" + std::to_string(size), archive::TarEntryType::kFile, 0644, size});
    tar += Noise(size, 3) + std::string(archive::TarPadding(size), '\0');
  }
  tar += archive::TarEnd();
  const auto read = Get(Put(tar, Shape::kTar));
  ASSERT_TRUE(read);
  EXPECT_TRUE(*read == tar);
}

TEST_F(StoreTest, ReadingMayBeginAnywhere) {
  const std::string blob = Noise(9 * kMiB, 1);
  const Digest digest = Put(blob);
  for (const std::size_t offset :
       {std::size_t{1}, 4 * kMiB - 1, 4 * kMiB, 8 * kMiB + 5, 9 * kMiB}) {
    const auto read = Get(digest, offset);
    ASSERT_TRUE(read) << offset;
    EXPECT_TRUE(*read == blob.substr(offset)) << offset;
  }
  EXPECT_EQ(Get(digest, 9 * kMiB + 1).error().kind, ErrorKind::kInvalid);
}

TEST_F(StoreTest, EqualBytesAreKeptOnce) {
  const std::string blob = Noise(12 * kMiB, 1);
  Put(blob);
  const std::uint64_t before = BytesOnDisk();
  Put(blob);
  EXPECT_EQ(BytesOnDisk(), before);
  // Two files in a tar are the same bytes again, behind headers.
  std::string tar = *archive::TarHeader({"w", archive::TarEntryType::kFile, 0644, blob.size()});
  tar += blob + archive::TarEnd();
  Put(tar, Shape::kTar);
  EXPECT_LT(BytesOnDisk(), before + 64 * 1024);
}

TEST_F(StoreTest, TextIsKeptSmaller) {
  std::string text;
  while (text.size() < 4 * kMiB)
    text += "{\"token\": " + std::to_string(text.size()) + "},\n";
  const Digest digest = Put(text);
  EXPECT_LT(BytesOnDisk(), text.size() / 2);
  EXPECT_TRUE(*Get(digest) == text);
}

TEST_F(StoreTest, WhatIsNotCommittedIsNotThereAndLeavesNothing) {
  {
    const auto session = store_->Begin();
    const auto writer = *session->CreateBlob(Shape::kOpaque);
    ASSERT_TRUE(writer->Write(AsBytes(Noise(9 * kMiB, 1))));
    ASSERT_TRUE(writer->Finish());
  }
  EXPECT_EQ(*store_->FindBlob(Sha256(AsBytes(Noise(9 * kMiB, 1)))), std::nullopt);
  EXPECT_EQ(BytesOnDisk(), 0U);
}

TEST_F(StoreTest, ADroppedWriterDiscardsItsBlobOnly) {
  const auto session = store_->Begin();
  {
    const auto dropped = *session->CreateBlob(Shape::kOpaque);
    ASSERT_TRUE(dropped->Write(AsBytes(Noise(9 * kMiB, 1))));
  }
  const Digest kept = (*session->PutBlob(AsBytes("kept"))).digest;
  ASSERT_TRUE(session->Commit());
  EXPECT_TRUE((*store_->FindBlob(kept)).has_value());
  EXPECT_EQ(*store_->FindBlob(Sha256(AsBytes(Noise(9 * kMiB, 1)))), std::nullopt);
}

TEST_F(StoreTest, ACommitWithoutNewsWritesNothing) {
  const auto commit = [&] {
    const auto session = store_->Begin();
    const Digest config = (*session->PutBlob(AsBytes("config"))).digest;
    const Digest manifest = (*session->PutBlob(AsBytes("manifest"))).digest;
    session->AddKit({manifest, {config}});
    session->MoveRef({{"m", "v1"}, manifest, "why"});
    session->RememberLayer(LayerKey(), {config, 6, config});
    EXPECT_TRUE(session->Commit());
  };
  commit();
  const auto packs = Packs();
  const auto catalog_time = std::filesystem::last_write_time(path() + "/catalog.sqlite");
  commit();
  EXPECT_EQ(Packs(), packs);
  EXPECT_EQ(std::filesystem::last_write_time(path() + "/catalog.sqlite"), catalog_time);
}

TEST_F(StoreTest, WhatIsKnownOfFilesIsRecordedOnce) {
  const std::vector<FileOfLayer> files = {{"a/b", Sha256(AsBytes("1"))},
                                          {"", Sha256(AsBytes("2"))}};
  const Digest layer = Sha256(AsBytes("layer"));
  const Digest manifest = Sha256(AsBytes("manifest"));
  const auto commit = [&](const std::optional<Digest>& root) {
    const auto session = store_->Begin();
    EXPECT_TRUE(session->PutBlob(AsBytes("layer")));
    EXPECT_TRUE(session->PutBlob(AsBytes("manifest")));
    session->AddKit({manifest, {layer}, root, {{layer, files}, {layer, files}}});
    EXPECT_TRUE(session->Commit());
  };
  commit(std::nullopt);
  EXPECT_EQ(*store_->FindFilesOfLayer(layer), files);
  EXPECT_EQ(*store_->FindFilesOfLayer(manifest), std::nullopt);
  EXPECT_EQ(*store_->FindFilesRoot(manifest), std::nullopt);
  // Of a kit that is there already, too.
  const Digest root = Sha256(AsBytes("root"));
  commit(root);
  const auto packs = Packs();
  commit(Sha256(AsBytes("another")));
  EXPECT_EQ(Packs(), packs);
  store_ = Open();
  EXPECT_EQ(*store_->FindFilesOfLayer(layer), files);
  EXPECT_EQ(*store_->FindFilesRoot(manifest), root);
}

TEST_F(StoreTest, ADamagedRecordOfFilesCountsAsNone) {
  const Digest manifest = Sha256(AsBytes("manifest"));
  const auto commit = [&](const Digest& root) {
    const auto session = store_->Begin();
    EXPECT_TRUE(session->PutBlob(AsBytes("manifest")));
    session->AddKit({manifest, {}, root});
    EXPECT_TRUE(session->Commit());
  };
  const Digest root = Sha256(AsBytes("root"));
  for (const char* const damage :
       {"UPDATE files SET bytes = zeroblob(65)", "UPDATE files SET id = zeroblob(32)",
        "UPDATE files SET subject = zeroblob(32)", "UPDATE files SET kind = 1"}) {
    commit(root);
    EXPECT_EQ(*store_->FindFilesRoot(manifest), root);
    {
      const auto directory = *files_->OpenDirectory(path(), host::IfMissing::kFail);
      ASSERT_TRUE((*SqliteConnection::Open(*directory, "catalog.sqlite", 1000))->Execute(damage));
    }
    EXPECT_EQ(*store_->FindFilesRoot(manifest), std::nullopt) << damage;
    EXPECT_EQ(*store_->FindFilesOfLayer(manifest), std::nullopt) << damage;
  }
}

TEST_F(StoreTest, ADamagedPieceIsCorruptAndNeverReturned) {
  const std::string blob = Noise(12 * kMiB, 1);
  const Digest digest = Put(blob);
  Damage();
  store_ = Open();
  const auto source = *store_->OpenBlob(digest, 0);
  std::string read;
  while (true) {
    const auto piece = source->Read(kMiB);
    if (!piece) {
      EXPECT_EQ(piece.error().kind, ErrorKind::kCorrupt);
      EXPECT_NE(piece.error().message.find(digest.ToString()), std::string::npos);
      break;
    }
    ASSERT_FALSE(piece->empty()) << "the damage was not found";
    read += AsText(*piece);
  }
  EXPECT_TRUE(blob.starts_with(read));
}

TEST_F(StoreTest, AMissingPackIsCorruptNotAbsent) {
  const Digest digest = Put(Noise(5 * kMiB, 1));
  for (const auto& pack : Packs())
    std::filesystem::remove(pack);
  store_ = Open();
  EXPECT_EQ(Get(digest).error().kind, ErrorKind::kCorrupt);
}

TEST_F(StoreTest, AbsentIsNotFound) {
  EXPECT_EQ(Get(Sha256(AsBytes("nothing"))).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(*store_->FindRef({"m", "v1"}), std::nullopt);
}

TEST_F(StoreTest, AKitNeedsItsBlobs) {
  const auto session = store_->Begin();
  const Digest manifest = (*session->PutBlob(AsBytes("manifest"))).digest;
  session->AddKit({manifest, {Sha256(AsBytes("nowhere"))}});
  EXPECT_EQ(session->Commit().error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(store_->ListKits()->empty());
}

TEST_F(StoreTest, WritersOfOneSessionShareWhatIsEqual) {
  const std::string blob = Noise(16 * kMiB, 1);
  const auto session = store_->Begin();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto writer = *session->CreateBlob(Shape::kOpaque);
      EXPECT_TRUE(writer->Write(AsBytes(blob)));
      EXPECT_EQ((*writer->Finish()).digest, Sha256(AsBytes(blob)));
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  ASSERT_TRUE(session->Commit());
  EXPECT_LT(BytesOnDisk(), blob.size() + kMiB);
  EXPECT_TRUE(*Get(Sha256(AsBytes(blob))) == blob);
}

TEST_F(StoreTest, SeveralStoresOnOneDirectoryWorkAtOnce) {
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto store = Open();
      for (unsigned round = 0; round < 5; ++round) {
        const auto session = store->Begin();
        const std::string text = std::to_string(i) + " " + std::to_string(round);
        const Digest manifest = (*session->PutBlob(AsBytes(text))).digest;
        session->AddKit({manifest, {}});
        session->MoveRef({{"m" + std::to_string(i), "v" + std::to_string(round)}, manifest, ""});
        EXPECT_TRUE(session->Commit());
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(store_->ListRefs()->size(), 20U);
}

// Whoever finds packs of a faster one without having seen its catalog does not call that lost.
TEST_F(StoreTest, SeveralMayMakeOneAtOnce) {
  for (int round = 0; round < 20; ++round) {
    const std::string path = temporary_.path() + "/new" + std::to_string(round);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        const auto store = OpenStore(*files_, *clock_, *entropy_, path);
        ASSERT_TRUE(store) << store.error().message;
        const auto session = (*store)->Begin();
        const Digest manifest = (*session->PutBlob(AsBytes(std::to_string(i)))).digest;
        session->AddKit({manifest, {}});
        EXPECT_TRUE(session->Commit());
      });
    }
    for (std::thread& thread : threads)
      thread.join();
    EXPECT_EQ((*OpenStore(*files_, *clock_, *entropy_, path))->ListKits()->size(), 4U);
  }
}

TEST_F(StoreTest, ANewerStoreIsUnsupported) {
  temporary_.Write("store/format", "plumb-store 1\nrequire delta\n");
  const auto opened = OpenStore(*files_, *clock_, *entropy_, path());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kUnsupported);
}

TEST_F(StoreTest, AnyBytesInAnyPiecesComeBack) {
  EXPECT_TRUE(rc::check([&](const std::vector<std::string>& pieces) {
    const auto session = store_->Begin();
    const auto writer = *session->CreateBlob(Shape::kTar);
    std::string all;
    for (const std::string& piece : pieces) {
      RC_ASSERT(writer->Write(AsBytes(piece)).has_value());
      all += piece;
    }
    const Digest digest = (*writer->Finish()).digest;
    RC_ASSERT(session->Commit().has_value());
    RC_ASSERT(*Get(digest) == all);
  }));
}

}  // namespace
}  // namespace plumb::store
