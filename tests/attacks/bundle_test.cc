// SPDX-License-Identifier: MIT OR Apache-2.0
#include "registry/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "archive/compression.h"
#include "archive/tar_writer.h"
#include "oci/media_types.h"
#include "registry/transfer.h"
#include "tests/temporary_directory.h"

// A bundle made by an enemy: found on a stick, sent by mail.
namespace plumb::registry {
namespace {

using testing::HasSubstr;

struct Member {
  std::string name;
  std::string content;
};

std::string TarOf(const std::vector<Member>& members) {
  std::string tar;
  for (const Member& member : members) {
    tar += *archive::TarHeader(
        {member.name, archive::TarEntryType::kFile, 0644, member.content.size()});
    tar += member.content;
    tar.append(static_cast<std::size_t>(archive::TarPadding(member.content.size())), '\0');
  }
  return tar + archive::TarEnd();
}

oci::Descriptor Describe(std::string_view bytes, std::string_view type) {
  return {std::string(type), Sha256(AsBytes(bytes)), bytes.size()};
}

class BundleAttack : public testing::Test {
 protected:
  BundleAttack() {
    oci::Index index;
    index.entries.push_back({Describe(manifest_, oci::kManifestMediaType), "m:v1"});
    members_ = {{"oci-layout", oci::WriteLayoutMarker()},
                {"index.json", oci::WriteIndex(index)},
                Blob(manifest_),
                Blob("{}"),
                Blob(layer_)};
  }

  static Member Blob(const std::string& bytes) {
    return {"blobs/sha256/" + Sha256(AsBytes(bytes)).ToHex(), bytes};
  }

  // Pulls the kit, and makes sure that a failure left nothing.
  Status Pull(Result<Layout> layout, const std::string& store_name) {
    if (!layout) return layout.error();
    SilentProgress silent;
    const auto store =
        *store::OpenStore(*files_, *clock_, *entropy_,
                          temporary_.path() + "/" + store_name + std::to_string(++stores_));
    PullRequest request;
    request.digest = Sha256(AsBytes(manifest_));
    request.connections = layout->order == BlobOrder::kAny ? 2 : 1;
    const auto pulled = registry::Pull(*store, *layout->remote, request, silent);
    if (pulled) return Done{};
    EXPECT_TRUE(store->ListKits()->empty());
    EXPECT_EQ(*store->FindBlob(Sha256(AsBytes(layer_))), std::nullopt);
    return pulled.error();
  }
  Status PullFile(const std::string& bytes) {
    temporary_.Write("bundle", bytes);
    const auto directory = *files_->OpenDirectory(temporary_.path(), host::IfMissing::kFail);
    return Pull(OpenBundle(*directory->Open("bundle", host::OpenHow::kRead), "bundle", progress_),
                "of-file");
  }
  Status PullStream(const std::string& bytes) {
    return Pull(OpenBundle(std::make_unique<MemorySource>(AsBytes(bytes)), "stream", progress_),
                "of-stream");
  }
  void ExpectRefused(ErrorKind kind, std::string_view why) {
    const std::string tar = TarOf(members_);
    for (const Status& pulled : {PullFile(tar), PullStream(tar)}) {
      ASSERT_FALSE(pulled);
      EXPECT_EQ(pulled.error().kind, kind) << pulled.error().message;
      EXPECT_THAT(pulled.error().message, HasSubstr(why));
    }
  }

  const std::string layer_ = std::string(3U << 20, 'w');
  const std::string manifest_ =
      oci::WriteManifest(Describe("{}", oci::kModelKitConfigMediaType),
                         {Describe(layer_, "application/vnd.kitops.modelkit.model.v1.tar")});
  std::vector<Member> members_;
  // A store for each pull: what one had of a blob before it was refused, the next may go on with.
  int stores_ = 0;
  TemporaryDirectory temporary_;
  SilentProgress progress_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
};

TEST_F(BundleAttack, WithoutAnAttackItIsPulled) {
  const std::string tar = TarOf(members_);
  for (const Status& pulled : {PullFile(tar), PullStream(tar)})
    EXPECT_TRUE(pulled) << pulled.error().message;
}

// Rule: nothing in an archive is ever a path of this machine; who tries is refused all the same.
TEST_F(BundleAttack, ANameThatLeavesTheArchive) {
  for (const char* name : {"../x", "/etc/x", "blobs/../../x"}) {
    members_.insert(members_.begin(), {name, "x"});
    ExpectRefused(ErrorKind::kDenied, "");
    members_.erase(members_.begin());
  }
}

TEST_F(BundleAttack, ABlobWhoseNameIsAPath) {
  members_.insert(members_.begin() + 2, {"blobs/sha256/x/y", "x"});
  ExpectRefused(ErrorKind::kInvalid, "no name of a blob");
}

TEST_F(BundleAttack, ASymbolicLink) {
  std::string tar = TarOf({{"blobs/sha256", ""}});
  tar[156] = '2';  // its type
  for (std::size_t i = 148; i < 156; ++i)
    tar[i] = ' ';
  unsigned sum = 0;
  for (const char c : tar.substr(0, 512))
    sum += static_cast<unsigned char>(c);
  std::snprintf(tar.data() + 148, 8, "%06o", sum);
  tar = tar.substr(0, 512) + TarOf(members_);
  EXPECT_EQ(PullFile(tar).error().kind, ErrorKind::kDenied);
  EXPECT_EQ(PullStream(tar).error().kind, ErrorKind::kDenied);
}

// Rule: what two readers could read as two things is refused.
TEST_F(BundleAttack, TwoIndexes) {
  members_.push_back(members_[1]);
  const Status pulled = PullFile(TarOf(members_));
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(pulled.error().message, HasSubstr("twice"));
}

TEST_F(BundleAttack, ABlobThatIsThereTwice) {
  members_.insert(members_.begin() + 2, {members_.back().name, "other"});
  const std::string tar = TarOf(members_);
  EXPECT_EQ(PullFile(tar).error().kind, ErrorKind::kInvalid);
  EXPECT_FALSE(PullStream(tar));  // which may not get so far
}

TEST_F(BundleAttack, OneNameForTwoKits) {
  oci::Index index;
  index.entries.push_back({Describe(manifest_, oci::kManifestMediaType), "m:v1"});
  index.entries.push_back({Describe("{}", oci::kManifestMediaType), "m:v1"});
  members_[1].content = oci::WriteIndex(index);
  ExpectRefused(ErrorKind::kInvalid, "calls two things 'm:v1'");
}

TEST_F(BundleAttack, AnIndexThatIsAManifestToo) {
  members_[1].content.insert(1, R"("layers":[],)");
  ExpectRefused(ErrorKind::kInvalid, "a manifest and an index at once");
}

TEST_F(BundleAttack, AnIndexThatNamesAnIndex) {
  oci::Index index;
  index.entries.push_back({Describe(manifest_, oci::kIndexMediaType), "m:v1"});
  members_[1].content = oci::WriteIndex(index);
  ExpectRefused(ErrorKind::kUnsupported, "no manifest of a kit");
}

// Rule: everything is compared with its digest before it has a name.
TEST_F(BundleAttack, ALayerOfOtherBytes) {
  members_.back().content.back() = 'x';
  ExpectRefused(ErrorKind::kCorrupt, "came with other bytes");
}

TEST_F(BundleAttack, AManifestOfOtherBytes) {
  members_[2].content.back() = ' ';
  ExpectRefused(ErrorKind::kCorrupt, "bytes of another");
}

TEST_F(BundleAttack, ALayerThatIsTooLongOrTooShort) {
  members_.back().content += 'x';
  ExpectRefused(ErrorKind::kCorrupt, "too long");
  members_.back().content.resize(layer_.size() - 1);
  ExpectRefused(ErrorKind::kCorrupt, "too short");
}

// Rule: what a manifest names and is not there is damage, not absence.
TEST_F(BundleAttack, ALayerThatIsMissing) {
  members_.pop_back();
  ExpectRefused(ErrorKind::kCorrupt, "has no blob");
}

TEST_F(BundleAttack, AnArchiveThatIsCutOff) {
  const std::string tar = TarOf(members_);
  for (const std::size_t size : {tar.size() - 1024 - 100, std::size_t{2000}, std::size_t{100}}) {
    EXPECT_EQ(PullFile(tar.substr(0, size)).error().kind, ErrorKind::kCorrupt) << size;
    EXPECT_EQ(PullStream(tar.substr(0, size)).error().kind, ErrorKind::kCorrupt) << size;
  }
}

// Rule: sizes are limits, never amounts of memory that are asked for, and a sparse file costs
// nothing to make.
TEST_F(BundleAttack, AnIndexThatIsHuge) {
  members_[1].content.resize(std::size_t{5} << 20, ' ');
  ExpectRefused(ErrorKind::kExhausted, "longer than");
}

TEST_F(BundleAttack, AnEntryThatIsLongerThanTheFile) {
  std::string tar = TarOf({members_[0], members_[1], members_[2], members_[3]});
  tar.resize(tar.size() - 1024);
  tar += *archive::TarHeader(
      {members_[4].name, archive::TarEntryType::kFile, 0644, std::uint64_t{1} << 61});
  tar += layer_;
  EXPECT_EQ(PullFile(tar).error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(PullStream(tar).error().kind, ErrorKind::kCorrupt);
}

TEST_F(BundleAttack, MoreEntriesThanAnybodyNeeds) {
  std::string tar;
  const std::string header = *archive::TarHeader({"x", archive::TarEntryType::kFile, 0644, 0});
  for (int i = 0; i < 100'001; ++i)
    tar += header;
  EXPECT_EQ(PullFile(tar).error().kind, ErrorKind::kExhausted);
  EXPECT_EQ(PullStream(tar).error().kind, ErrorKind::kExhausted);
}

// Rule: a stream that expands a thousandfold is read in constant memory, and not beyond what its
// manifests name.
TEST_F(BundleAttack, ABombOfGzip) {
  members_.insert(members_.begin() + 2, {"zeros", std::string(std::size_t{64} << 20, '\0')});
  MemorySink compressed(std::size_t{1} << 20);
  const auto gzip = archive::MakeCompressor(archive::Compression::kGzip, 0, compressed);
  ASSERT_TRUE(gzip->Write(AsBytes(TarOf(members_))));
  ASSERT_TRUE(gzip->Finish());
  const Status pulled = PullFile(compressed.text());
  EXPECT_TRUE(pulled) << pulled.error().message;
}

// Rule: a stream is read once; what would need more is refused, saying how to go on.
TEST_F(BundleAttack, AStreamInAnotherOrder) {
  std::swap(members_[2], members_[4]);
  const std::string tar = TarOf(members_);
  EXPECT_TRUE(PullFile(tar));
  const Status pulled = PullStream(tar);
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(pulled.error().hint, HasSubstr("plumb import FILE"));
}

TEST_F(BundleAttack, NamesThatAreNoNames) {
  oci::IndexEntry entry = {Describe(manifest_, oci::kManifestMediaType), ""};
  for (const char* name : {"../m:v1", "m:v1\x1b[2J", "/m", "m:", "M:v1", "m@v1:x"}) {
    entry.tag = name;
    EXPECT_EQ(NameOf(entry).error().kind, ErrorKind::kInvalid) << name;
  }
}

}  // namespace
}  // namespace plumb::registry
