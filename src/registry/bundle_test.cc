// SPDX-License-Identifier: MIT OR Apache-2.0
#include "registry/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "archive/compression.h"
#include "oci/media_types.h"
#include "registry/transfer.h"
#include "tests/temporary_directory.h"

namespace plumb::registry {
namespace {

using testing::ElementsAre;

constexpr std::string_view kTar = "application/vnd.kitops.modelkit.model.v1.tar";

class BundleTest : public testing::Test {
 protected:
  std::unique_ptr<store::Store> Open(const std::string& name) {
    return *store::OpenStore(*files_, *clock_, *entropy_, temporary_.path() + "/" + name);
  }

  static oci::Descriptor Put(store::Session& session, std::string_view bytes,
                             std::string_view type) {
    const store::BlobInfo info = *session.PutBlob(AsBytes(bytes));
    return {std::string(type), info.digest, info.size};
  }

  // A kit of these layers.
  Digest PutKit(const std::vector<std::string>& layers) {
    const auto session = store_->Begin();
    const oci::Descriptor config = Put(*session, "{}", oci::kModelKitConfigMediaType);
    std::vector<oci::Descriptor> described;
    std::vector<Digest> needs = {config.digest};
    for (const std::string& layer : layers) {
      described.push_back(Put(*session, layer, kTar));
      needs.push_back(described.back().digest);
    }
    const Digest id = Put(*session, oci::WriteManifest(config, described), "").digest;
    session->AddKit({id, needs});
    EXPECT_TRUE(session->Commit());
    return id;
  }

  std::string Write(std::vector<BundleKit> kits) {
    MemorySink sink(std::size_t{64} << 20);
    const auto report = WriteBundle(*store_, std::move(kits), sink, progress_);
    EXPECT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->bytes, sink.text().size());
    return std::move(sink).TakeText();
  }

  Layout OpenFile(const std::string& bytes) {
    temporary_.Write("bundle", bytes);
    const auto directory = *files_->OpenDirectory(temporary_.path(), host::IfMissing::kFail);
    auto layout = OpenBundle(*directory->Open("bundle", host::OpenHow::kRead), "bundle", progress_);
    EXPECT_TRUE(layout) << layout.error().message;
    return *std::move(layout);
  }

  TemporaryDirectory temporary_;
  SilentProgress progress_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  std::unique_ptr<store::Store> store_ = Open("store");
};

TEST_F(BundleTest, TheSameKitsGiveTheSameBytes) {
  const Digest first = PutKit({"one", "two"});
  const Digest second = PutKit({"two", "three"});
  const std::string written = Write({{first, "m:v1"}, {second, "m:v2"}, {second, "a:v2"}});
  EXPECT_EQ(Write({{second, "a:v2"}, {second, "m:v2"}, {first, "m:v1"}, {first, "m:v1"}, {first}}),
            written);
}

TEST_F(BundleTest, OneNameCannotBeOfTwoKits) {
  MemorySink sink(1 << 20);
  const auto written =
      WriteBundle(*store_, {{PutKit({"one"}), "m:v1"}, {PutKit({"two"}), "m:v1"}}, sink, progress_);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kConflict);
}

TEST_F(BundleTest, AllOfItComesBackFromAFileAndFromAStream) {
  const std::string large(3U << 20, 'w');
  const Digest first = PutKit({large, "shared"});
  const Digest second = PutKit({"shared", "other"});
  const std::string plain = Write({{first, "m:v1"}, {second, "m:v2"}});
  for (const auto compression :
       {archive::Compression::kNone, archive::Compression::kGzip, archive::Compression::kZstd}) {
    MemorySink sink(plain.size() + 4096);
    const auto compressor = archive::MakeCompressor(compression, 0, sink);
    ASSERT_TRUE(compressor->Write(AsBytes(plain)));
    ASSERT_TRUE(compressor->Finish());
    const auto target = Open("target" + std::to_string(static_cast<int>(compression)));
    const Layout layout = OpenFile(sink.text());
    EXPECT_EQ(layout.order == BlobOrder::kAny, compression == archive::Compression::kNone);
    for (const oci::IndexEntry& entry : layout.index.entries) {
      PullRequest request;
      request.digest = entry.descriptor.digest;
      request.connections = 1;
      const auto pulled = Pull(*target, *layout.remote, request, progress_);
      ASSERT_TRUE(pulled) << pulled.error().message;
    }
    EXPECT_EQ(target->ListKits()->size(), 2U);
    EXPECT_TRUE(*store::ReadBlob(*target, Sha256(AsBytes(large)), large.size()) == large);
  }
}

// What tests/conformance/remote_suite.h says of reading.
TEST_F(BundleTest, ItReadsAsEveryRemoteDoes) {
  const Digest id = PutKit({"0123456789"});
  const Layout layout = OpenFile(Write({{id, "v1"}}));
  Remote& remote = *layout.remote;
  EXPECT_EQ(remote.FetchManifest("v1", std::nullopt)->descriptor.digest, id);
  EXPECT_EQ(Sha256(AsBytes(remote.FetchManifest("", id)->bytes)), id);
  EXPECT_EQ(remote.FetchManifest("v2", std::nullopt).error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(*remote.ListTags(), ElementsAre("v1"));

  oci::Descriptor blob = {std::string(kTar), Sha256(AsBytes("0123456789")), 10};
  EXPECT_TRUE(*remote.HasBlob(blob));
  for (std::uint64_t offset = 0; offset <= 10; ++offset) {
    MemorySink sink(10);
    ASSERT_TRUE(remote.FetchBlob(blob, offset, sink, progress_));
    EXPECT_EQ(sink.text(), std::string("0123456789").substr(static_cast<std::size_t>(offset)));
  }
  MemorySink sink(100);
  EXPECT_EQ(remote.FetchBlob(blob, 11, sink, progress_).error().kind, ErrorKind::kInvalid);
  for (const std::uint64_t size : {9U, 11U}) {
    blob.size = size;
    EXPECT_FALSE(*remote.HasBlob(blob));
    EXPECT_EQ(remote.FetchBlob(blob, 0, sink, progress_).error().kind, ErrorKind::kCorrupt);
  }
  blob.digest = Sha256(AsBytes("nowhere"));
  EXPECT_EQ(remote.FetchBlob(blob, 0, sink, progress_).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(remote.PushManifest(blob, "", "").error().kind, ErrorKind::kUnsupported);
}

TEST(LayoutEntryNameTest, IsWholeOrOnlyATag) {
  oci::IndexEntry entry;
  const auto name = [&](const std::string& text) {
    entry.tag = text;
    const LayoutEntryName found = *NameOf(entry);
    return found.repository + "|" + found.tag;
  };
  EXPECT_EQ(name(""), "|");
  EXPECT_EQ(name("v1"), "|v1");
  EXPECT_EQ(name("m:v1"), "m|v1");
  EXPECT_EQ(name("team/m"), "team/m|");
  EXPECT_EQ(name("host.io:5000/team/m:v1"), "host.io:5000/team/m|v1");
  entry.descriptor.annotations = {{"io.containerd.image.name", "host.io/m:v1"}};
  EXPECT_EQ(name("v1"), "host.io/m|v1");
}

}  // namespace
}  // namespace plumb::registry
