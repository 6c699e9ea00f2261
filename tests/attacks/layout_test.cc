// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "registry/connect.h"
#include "registry/transfer.h"
#include "tests/temporary_directory.h"

// A layout directory made by an enemy: on a stick that was found, in an archive that was
// downloaded, or in a place where he can write while we read.
namespace plumb::registry {
namespace {

constexpr std::string_view kLayerType = "application/vnd.kitops.modelkit.model.v1.tar";

oci::Descriptor Describe(std::string_view bytes, std::string_view type = kLayerType) {
  return {std::string(type), Sha256(AsBytes(bytes)), bytes.size()};
}

// A disk of the enemy that changes a file once somebody begins to read what is in it.
class ChangingSink final : public ByteSink {
 public:
  explicit ChangingSink(std::function<void()> change) : change_(std::move(change)) {}
  Status Write(ByteSpan bytes) override {
    if (text.empty()) change_();
    text += AsText(bytes);
    return Done{};
  }
  std::string text;

 private:
  const std::function<void()> change_;
};

class LayoutAttack : public testing::Test {
 protected:
  LayoutAttack() {
    temporary_.Write("layout/oci-layout", oci::WriteLayoutMarker());
    WriteKit(layer_, Describe(layer_));
    Write(layer_);
  }

  // A kit whose layer is said to be `layer`.
  void WriteKit(const std::string& bytes, const oci::Descriptor& layer) {
    Write("{}");
    manifest_ = oci::WriteManifest(Describe("{}"), {layer});
    Write(manifest_);
    Write(bytes);
    WriteIndex(Describe(manifest_, oci::kManifestMediaType));
  }
  void WriteIndex(const oci::Descriptor& manifest) {
    oci::Index index;
    index.entries.push_back({manifest, "v1"});
    temporary_.Write("layout/index.json", oci::WriteIndex(index));
  }
  void Write(const std::string& bytes) { temporary_.Write(NameOf(bytes), bytes); }
  static std::string NameOf(std::string_view bytes) {
    return "layout/blobs/sha256/" + Sha256(AsBytes(bytes)).ToHex();
  }
  std::string PathOf(std::string_view bytes) const {
    return temporary_.path() + "/" + NameOf(bytes);
  }

  // Pulls, and makes sure that a failure left nothing.
  Status PullKit() {
    SilentProgress silent;
    const auto store = *store::OpenStore(*files_, *clock_, *entropy_, temporary_.path() + "/store");
    const auto remote = OpenLayout(*files_, temporary_.path() + "/layout");
    const auto pulled = Pull(*store, *remote, {"v1", std::nullopt, {kName}}, silent);
    if (pulled) return Done{};
    EXPECT_TRUE(store->ListKits()->empty());
    EXPECT_TRUE(store->ListRefs()->empty());
    EXPECT_EQ(*store->FindBlob(Sha256(AsBytes(layer_))), std::nullopt);
    return pulled.error();
  }
  void ExpectRefused(ErrorKind kind) {
    const Status pulled = PullKit();
    ASSERT_FALSE(pulled);
    EXPECT_EQ(pulled.error().kind, kind) << pulled.error().message;
  }

  const store::RefName kName = {"m", "v1"};
  const std::string layer_ = std::string(3U << 20, 'w');
  std::string manifest_;
  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
};

TEST_F(LayoutAttack, WithoutAnAttackItIsPulled) {
  const Status pulled = PullKit();
  EXPECT_TRUE(pulled) << pulled.error().message;
}

// Rule: the store names what it is given, and the name is compared.
TEST_F(LayoutAttack, ABlobOfOtherBytes) {
  std::string lie = layer_;
  lie.back() = 'x';
  temporary_.Write(NameOf(layer_), lie);
  ExpectRefused(ErrorKind::kCorrupt);
}

// Rule: not a byte more is taken than the manifest says; a sparse file costs nothing to make.
TEST_F(LayoutAttack, ABlobWithoutEnd) {
  std::filesystem::resize_file(PathOf(layer_), std::uintmax_t{1} << 40);
  ExpectRefused(ErrorKind::kCorrupt);
}

TEST_F(LayoutAttack, ABlobThatIsCutOff) {
  std::filesystem::resize_file(PathOf(layer_), layer_.size() - 1);
  ExpectRefused(ErrorKind::kCorrupt);
}

// Rule: a manifest is what its digest says, whatever the index says beside it.
TEST_F(LayoutAttack, AManifestOfOtherBytes) {
  temporary_.Write(NameOf(manifest_), manifest_.substr(0, manifest_.size() - 1) + " ");
  ExpectRefused(ErrorKind::kCorrupt);
}

// Rule: no symlink inside a layout is followed (host::Directory), so that pulling and pushing on
// cannot carry off a file of this machine.
TEST_F(LayoutAttack, ABlobThatIsASymlink) {
  temporary_.Write("secret", layer_);
  std::filesystem::remove(PathOf(layer_));
  std::filesystem::create_symlink(temporary_.path() + "/secret", PathOf(layer_));
  ExpectRefused(ErrorKind::kDenied);
}

TEST_F(LayoutAttack, AFolderThatIsASymlink) {
  std::filesystem::rename(temporary_.path() + "/layout/blobs", temporary_.path() + "/blobs");
  std::filesystem::create_directory_symlink("../blobs", temporary_.path() + "/layout/blobs");
  ExpectRefused(ErrorKind::kDenied);
}

TEST_F(LayoutAttack, AnIndexThatIsASymlink) {
  std::filesystem::rename(temporary_.path() + "/layout/index.json", temporary_.path() + "/index");
  std::filesystem::create_symlink("../index", temporary_.path() + "/layout/index.json");
  ExpectRefused(ErrorKind::kDenied);
}

// The same rule towards a writer: what a symlink points at is not written over.
TEST_F(LayoutAttack, APushIntoAFolderThatIsASymlink) {
  temporary_.Write("elsewhere/kept", "kept");
  std::filesystem::remove_all(temporary_.path() + "/layout/blobs/sha256");
  std::filesystem::create_directory_symlink("../../elsewhere",
                                            temporary_.path() + "/layout/blobs/sha256");
  const auto remote = OpenLayout(*files_, temporary_.path() + "/layout");
  EXPECT_FALSE(remote->PushManifest(Describe("{}", oci::kManifestMediaType), "{}", "v2"));
  const auto content = std::filesystem::directory_iterator(temporary_.path() + "/elsewhere");
  EXPECT_EQ(std::distance(begin(content), end(content)), 1);
}

// Rule: only regular files are read, and opening one never waits.
TEST_F(LayoutAttack, ABlobThatIsAPipe) {
  std::filesystem::remove(PathOf(layer_));
  ASSERT_EQ(::mkfifo(PathOf(layer_).c_str(), 0600), 0);
  ExpectRefused(ErrorKind::kDenied);
}

// Rule: sizes are limits, never amounts of memory that are asked for.
TEST_F(LayoutAttack, AnIndexThatNamesAHugeManifest) {
  oci::Descriptor manifest = Describe(manifest_, oci::kManifestMediaType);
  manifest.size = std::uint64_t{1} << 62;
  WriteIndex(manifest);
  ExpectRefused(ErrorKind::kExhausted);
}

TEST_F(LayoutAttack, AManifestThatNamesAHugeLayer) {
  oci::Descriptor layer = Describe(layer_);
  layer.size = (std::uint64_t{1} << 62) - 2;
  WriteKit(layer_, layer);
  ExpectRefused(ErrorKind::kCorrupt);
}

TEST_F(LayoutAttack, AnIndexThatIsHuge) {
  std::filesystem::resize_file(temporary_.path() + "/layout/index.json", std::uintmax_t{1} << 40);
  ExpectRefused(ErrorKind::kExhausted);
}

TEST_F(LayoutAttack, AMarkerThatIsHuge) {
  std::filesystem::resize_file(temporary_.path() + "/layout/oci-layout", std::uintmax_t{1} << 40);
  ExpectRefused(ErrorKind::kExhausted);
}

// Rule: a digest is 32 bytes, never a path.
TEST_F(LayoutAttack, ADigestThatIsAPath) {
  std::string index = temporary_.Read("layout/index.json");
  const std::string hex = Sha256(AsBytes(manifest_)).ToHex();
  index.replace(index.find(hex), hex.size(), "../../../secret");
  temporary_.Write("layout/index.json", index);
  ExpectRefused(ErrorKind::kInvalid);
}

// Rule: a file is opened once; who puts another in its place is too late.
TEST_F(LayoutAttack, ABlobReplacedWhileItIsRead) {
  const auto remote = OpenLayout(*files_, temporary_.path() + "/layout");
  SilentProgress silent;
  ChangingSink sink([&] {
    temporary_.Write("other", std::string(layer_.size(), 'x'));
    std::filesystem::rename(temporary_.path() + "/other", PathOf(layer_));
  });
  EXPECT_TRUE(remote->FetchBlob(Describe(layer_), 0, sink, silent));
  EXPECT_TRUE(sink.text == layer_);
}

}  // namespace
}  // namespace plumb::registry
