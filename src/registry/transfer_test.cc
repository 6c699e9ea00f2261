// SPDX-License-Identifier: MIT OR Apache-2.0
#include "registry/transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "oci/media_types.h"
#include "tests/temporary_directory.h"

namespace plumb::registry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kLayerType = "application/vnd.kitops.modelkit.model.v1.tar";

oci::Descriptor Describe(std::string_view bytes, std::string_view type = kLayerType) {
  return {std::string(type), Sha256(AsBytes(bytes)), bytes.size()};
}

// A repository in memory, which writes down what happens and may misbehave.
class MemoryRemote final : public Remote {
 public:
  Result<RemoteManifest> FetchManifest(std::string_view tag,
                                       const std::optional<Digest>& digest) override {
    const auto found = manifests.find(digest ? digest->ToString() : std::string(tag));
    if (found == manifests.end()) return Error{ErrorKind::kNotFound, "no such manifest"};
    return found->second;
  }
  Status FetchBlob(const oci::Descriptor& blob, std::uint64_t /*offset*/, ByteSink& sink,
                   Progress& /*progress*/) override {
    Log("get " + Name(blob));
    const std::lock_guard lock(mutex_);
    const auto found = blobs.find(blob.digest);
    if (found == blobs.end()) return Error{ErrorKind::kNotFound, "no such blob"};
    return sink.Write(AsBytes(found->second));
  }
  Result<bool> HasBlob(const oci::Descriptor& blob) override {
    const std::lock_guard lock(mutex_);
    return blobs.contains(blob.digest);
  }
  Result<bool> MountBlob(const oci::Descriptor& blob, std::string_view repository) override {
    const auto sibling = siblings.find(std::string(repository));
    if (sibling == siblings.end() || !sibling->second.contains(blob.digest)) return false;
    Hold(sibling->second[blob.digest]);
    Log("mount " + Name(blob));
    return true;
  }
  Status PushBlob(const oci::Descriptor& blob, const OpenBlob& open,
                  Progress& /*progress*/) override {
    PLUMB_TRY(const auto source, open(0));
    PLUMB_TRY(std::string bytes, ReadAll(*source, std::size_t{1} << 20));
    if (bytes == failing) return Error{ErrorKind::kUnavailable, "no answer"};
    Log("put " + bytes);
    const std::lock_guard lock(mutex_);
    blobs[blob.digest] = std::move(bytes);
    return Done{};
  }
  Status PushManifest(const oci::Descriptor& descriptor, std::string_view bytes,
                      std::string_view tag) override {
    Log("manifest " + std::string(tag));
    Serve(descriptor, std::string(bytes), tag);
    return Done{};
  }
  Result<std::vector<std::string>> ListTags() override { return std::vector<std::string>(); }

  void Serve(const oci::Descriptor& descriptor, const std::string& bytes, std::string_view tag) {
    manifests[descriptor.digest.ToString()] = {descriptor, bytes};
    if (!tag.empty()) manifests[std::string(tag)] = {descriptor, bytes};
  }
  void Hold(const std::string& blob) {
    const std::lock_guard lock(mutex_);
    blobs[Sha256(AsBytes(blob))] = blob;
  }

  std::map<std::string, RemoteManifest> manifests;
  std::map<Digest, std::string> blobs;
  std::map<std::string, std::map<Digest, std::string>> siblings;
  std::vector<std::string> log;
  std::string failing = "(none)";

 private:
  std::string Name(const oci::Descriptor& blob) {
    const std::lock_guard lock(mutex_);
    const auto found = blobs.find(blob.digest);
    return found == blobs.end() ? blob.digest.ToHex().substr(0, 8) : found->second;
  }
  void Log(std::string line) {
    const std::lock_guard lock(mutex_);
    log.push_back(std::move(line));
  }

  std::mutex mutex_;
};

class TransferTest : public testing::Test {
 protected:
  // Adds a kit to the store as a build would.
  Digest Build(const std::vector<std::string>& layers, const std::string& config = "config") {
    const auto session = store_->Begin();
    const std::string manifest = ManifestOf(layers, config);
    std::vector<Digest> needs;
    needs.reserve(layers.size() + 1);
    for (const std::string& blob : layers)
      needs.push_back(session->PutBlob(AsBytes(blob))->digest);
    needs.push_back(session->PutBlob(AsBytes(config))->digest);
    const Digest digest = session->PutBlob(AsBytes(manifest))->digest;
    session->AddKit({digest, needs});
    EXPECT_TRUE(session->Commit());
    return digest;
  }
  static std::string ManifestOf(const std::vector<std::string>& layers,
                                const std::string& config = "config") {
    std::vector<oci::Descriptor> descriptors;
    descriptors.reserve(layers.size());
    for (const std::string& layer : layers)
      descriptors.push_back(Describe(layer));
    return oci::WriteManifest(Describe(config, oci::kModelKitConfigMediaType), descriptors);
  }
  // Lets the other side have a kit.
  Digest Serve(const std::vector<std::string>& layers, std::string_view tag) {
    for (const std::string& layer : layers)
      remote_.Hold(layer);
    remote_.Hold("config");
    return ServeManifest(ManifestOf(layers), tag);
  }
  Digest ServeManifest(const std::string& bytes, std::string_view tag) {
    const oci::Descriptor descriptor = Describe(bytes, oci::kManifestMediaType);
    remote_.Serve(descriptor, bytes, tag);
    return descriptor.digest;
  }

  Result<TransferReport> PushKit(const Digest& manifest, std::vector<std::string> tags = {"v1"}) {
    return Push(*store_, remote_, {manifest, std::move(tags), mount_from_}, silent_);
  }
  Result<TransferReport> PullKit(const std::string& tag = "v1") {
    return Pull(*store_, remote_, {tag, std::nullopt, {kName}}, silent_);
  }
  // That a failed pull left nothing that anybody sees.
  void ExpectNothingCame() {
    EXPECT_EQ(*store_->FindRef(kName), std::nullopt);
    EXPECT_THAT(*store_->ListKits(), IsEmpty());
    for (const auto& [digest, bytes] : remote_.blobs)
      EXPECT_EQ(*store_->FindBlob(digest), std::nullopt) << bytes;
  }

  const store::RefName kName = {"host/m", "v1"};
  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  std::unique_ptr<store::Store> store_ =
      *store::OpenStore(*files_, *clock_, *entropy_, temporary_.path() + "/store");
  MemoryRemote remote_;
  std::vector<std::string> mount_from_;
  SilentProgress silent_;
};

TEST_F(TransferTest, NothingIsNamedBeforeItIsWhole) {
  const Digest manifest = Build({"a", "b", "c"});
  const auto report = PushKit(manifest, {"v1", "latest"});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->manifest, manifest);
  EXPECT_EQ(report->bytes_moved, 3 + std::string_view("config").size());
  ASSERT_EQ(remote_.log.size(), 6U);
  std::sort(remote_.log.begin(), remote_.log.begin() + 3);
  EXPECT_THAT(remote_.log, ElementsAre("put a", "put b", "put c", "put config", "manifest v1",
                                       "manifest latest"));
  EXPECT_EQ(remote_.manifests["v1"].bytes, *store::ReadBlob(*store_, manifest, 4096));
  EXPECT_EQ(remote_.manifests["v1"].descriptor.media_type, oci::kManifestMediaType);
}

TEST_F(TransferTest, WhatIsThereIsNotSent) {
  const Digest manifest = Build({"a", "bb", "ccc"});
  remote_.Hold("bb");
  remote_.siblings["sibling"][Sha256(AsBytes("ccc"))] = "ccc";
  mount_from_ = {"stranger", "sibling"};
  const auto report = PushKit(manifest);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->bytes_moved, 1 + std::string_view("config").size());
  EXPECT_EQ(report->bytes_present, 2U);
  EXPECT_EQ(report->bytes_mounted, 3U);
  EXPECT_THAT(remote_.log, testing::Contains("mount ccc"));
  EXPECT_THAT(remote_.log, testing::Not(testing::Contains("put ccc")));
}

TEST_F(TransferTest, EqualLayersAreSentOnce) {
  const auto report = PushKit(Build({"a", "config", "a"}));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->bytes_moved, 1 + std::string_view("config").size());
  EXPECT_THAT(remote_.log, ElementsAre("put a", "put config", "manifest v1"));
}

TEST_F(TransferTest, AFailedLayerLeavesNoManifest) {
  remote_.failing = "b";
  const auto report = PushKit(Build({"a", "b"}));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(remote_.manifests, IsEmpty());
  remote_.failing = "config";
  EXPECT_FALSE(PushKit(Build({"a", "b"})));
  EXPECT_THAT(remote_.manifests, IsEmpty());
}

TEST_F(TransferTest, WithoutTagsItIsPushedByDigest) {
  ASSERT_TRUE(PushKit(Build({"a"}), {}));
  EXPECT_THAT(remote_.log, testing::Contains("manifest "));
}

TEST_F(TransferTest, AnUnknownKitCannotBePushed) {
  EXPECT_EQ(PushKit(Sha256(AsBytes("nothing"))).error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(remote_.log, IsEmpty());
}

TEST_F(TransferTest, AKitComesWholeAndIsNamed) {
  const Digest manifest = Serve({"a", "bb"}, "v1");
  const auto report = PullKit();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->manifest, manifest);
  EXPECT_EQ(report->bytes_moved, 3 + std::string_view("config").size());
  EXPECT_EQ(report->bytes_present, 0U);
  EXPECT_EQ(*store_->FindRef(kName), manifest);
  EXPECT_EQ(*store::ReadBlob(*store_, manifest, 4096), ManifestOf({"a", "bb"}));
  EXPECT_EQ(*store::ReadBlob(*store_, Sha256(AsBytes("bb")), 10), "bb");
  EXPECT_EQ(remote_.log.front(), "get config");
}

TEST_F(TransferTest, WhatIsHereIsNotFetched) {
  Build({"a"});
  Serve({"a", "bb"}, "v1");
  const auto report = PullKit();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->bytes_moved, 2U);
  EXPECT_EQ(report->bytes_present, 1 + std::string_view("config").size());
  EXPECT_THAT(remote_.log, ElementsAre("get bb"));
  ASSERT_TRUE(PullKit());
  EXPECT_EQ(remote_.log.size(), 1U);
}

TEST_F(TransferTest, EqualLayersAreFetchedOnce) {
  Serve({"a", "config", "a"}, "v1");
  ASSERT_TRUE(PullKit());
  EXPECT_THAT(remote_.log, ElementsAre("get config", "get a"));
}

TEST_F(TransferTest, AKitNeedsNoName) {
  const Digest manifest = Serve({"a"}, "v1");
  ASSERT_TRUE(Pull(*store_, remote_, {"", manifest, {}}, silent_));
  EXPECT_EQ(store_->ListKits()->size(), 1U);
  EXPECT_THAT(*store_->ListRefs(), IsEmpty());
}

TEST_F(TransferTest, TheDigestDecides) {
  const Digest first = Serve({"a"}, "v1");
  Serve({"b"}, "v1");
  EXPECT_EQ(Pull(*store_, remote_, {"v1", first, {kName}}, silent_)->manifest, first);
}

TEST_F(TransferTest, AMissingLayerLeavesNothing) {
  Serve({"a", "b"}, "v1");
  remote_.blobs.erase(Sha256(AsBytes("b")));
  // Its manifest names it: that is damage.
  EXPECT_EQ(PullKit().error().kind, ErrorKind::kCorrupt);
  ExpectNothingCame();
}

TEST_F(TransferTest, ALyingRemoteIsNotBelieved) {
  for (const std::string lie : {"x", "", "aa"}) {
    Serve({"a", "b"}, "v1");
    remote_.blobs[Sha256(AsBytes("a"))] = lie;
    const auto report = PullKit();
    ASSERT_FALSE(report) << lie;
    EXPECT_EQ(report.error().kind, ErrorKind::kCorrupt) << lie;
    ExpectNothingCame();
  }
}

TEST_F(TransferTest, AnotherManifestThanAskedForIsRefused) {
  const Digest wanted = Serve({"a"}, "v1");
  const std::string other = ManifestOf({"b"});
  remote_.manifests[wanted.ToString()].bytes = other;
  EXPECT_EQ(Pull(*store_, remote_, {"", wanted, {kName}}, silent_).error().kind,
            ErrorKind::kCorrupt);
  remote_.manifests[wanted.ToString()].descriptor = Describe(other, oci::kManifestMediaType);
  EXPECT_EQ(Pull(*store_, remote_, {"", wanted, {kName}}, silent_).error().kind,
            ErrorKind::kCorrupt);
  EXPECT_THAT(remote_.log, IsEmpty());
}

TEST_F(TransferTest, SizesThatAreNotTrueAreRefusedAlsoOfWhatIsHere) {
  Build({"a"});
  oci::Descriptor layer = Describe("a");
  layer.size = 2;
  remote_.Hold("config");
  ServeManifest(oci::WriteManifest(Describe("config"), {layer}), "v1");
  EXPECT_EQ(PullKit().error().kind, ErrorKind::kCorrupt);
  ServeManifest(oci::WriteManifest(Describe("config"), {Describe("a"), layer}), "v1");
  EXPECT_EQ(PullKit().error().kind, ErrorKind::kInvalid);
}

TEST_F(TransferTest, WhatIsNoManifestOfAKitIsUnsupported) {
  const std::string index = R"({"schemaVersion":2,"manifests":[]})";
  for (const std::string_view type :
       {oci::kIndexMediaType, oci::kManifestMediaType, std::string_view("text/html")}) {
    remote_.Serve(Describe(index, type), index, "v1");
    EXPECT_EQ(PullKit().error().kind, ErrorKind::kUnsupported) << type;
  }
  // A manifest that is served as an index is neither.
  const std::string manifest = ManifestOf({"a"});
  remote_.Serve(Describe(manifest, oci::kIndexMediaType), manifest, "v1");
  EXPECT_EQ(PullKit().error().kind, ErrorKind::kUnsupported);
  ExpectNothingCame();
}

TEST_F(TransferTest, AHugeConfigIsNotEvenAskedFor) {
  oci::Descriptor config = Describe("config");
  config.size = oci::kManifestSizeMax + 1;
  ServeManifest(oci::WriteManifest(config, {}), "v1");
  EXPECT_EQ(PullKit().error().kind, ErrorKind::kExhausted);
  EXPECT_THAT(remote_.log, IsEmpty());
}

TEST_F(TransferTest, AnyManifestTravels) {
  // Of another artifact, by another tool, with members that are not ours.
  const std::string empty = "{}";
  const std::string bytes =
      R"({"schemaVersion":2,"artifactType":"a/b","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":")" +
      Sha256(AsBytes(empty)).ToString() +
      R"(","size":2},"layers":[{"mediaType":"application/vnd.oci.empty.v1+json","digest":")" +
      Sha256(AsBytes(empty)).ToString() + R"(","size":2}], "other" : [1] })";
  remote_.Hold(empty);
  const Digest digest = ServeManifest(bytes, "v1");
  ASSERT_TRUE(PullKit());
  MemoryRemote target;
  ASSERT_TRUE(Push(*store_, target, {digest, {"v2"}}, silent_));
  EXPECT_EQ(target.manifests["v2"].bytes, bytes);
  EXPECT_THAT(target.log, ElementsAre("put {}", "manifest v2"));
}

class StoppedProgress final : public Progress {
 public:
  std::unique_ptr<ProgressTask> Begin(std::string_view name, std::uint64_t expected) override {
    return SilentProgress().Begin(name, expected);
  }
  void Warn(std::string_view /*text*/) override {}
  void Note(std::string_view /*text*/) override {}
  bool StopRequested() const override { return true; }
};

TEST_F(TransferTest, WhoIsStoppedLeavesNothingHalf) {
  StoppedProgress stopped;
  const Digest served = Serve({"a"}, "v1");
  EXPECT_EQ(Pull(*store_, remote_, {"", served, {kName}}, stopped).error().kind,
            ErrorKind::kInterrupted);
  ExpectNothingCame();
  MemoryRemote target;
  EXPECT_EQ(Push(*store_, target, {Build({"a"}), {"v1"}}, stopped).error().kind,
            ErrorKind::kInterrupted);
  EXPECT_THAT(target.manifests, IsEmpty());
}

}  // namespace
}  // namespace plumb::registry
