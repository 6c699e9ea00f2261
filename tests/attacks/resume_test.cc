// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "oci/manifest.h"
#include "registry/connect.h"
#include "registry/transfer.h"
#include "store/store.h"
#include "tests/fake_registry.h"
#include "tests/noise.h"
#include "tests/temporary_directory.h"

// Pulls that go on where an earlier one ended, with a registry, or with somebody at the disk, that
// wants other bytes to be taken for the blob. src/registry/piecewise_upload_test.cc has the pushes.
namespace plumb::registry {
namespace {

using testing::HasSubstr;

constexpr std::size_t kMiB = std::size_t{1} << 20;
const std::string kBase = "https://registry.example.org/v2/models/tiny/";

class ResumeAttack : public testing::Test {
 protected:
  ResumeAttack() {
    const std::string config = "{}";
    const oci::Descriptor config_blob = {"application/x", Sha256(AsBytes(config)), config.size()};
    const oci::Descriptor layer = {"application/x", Sha256(AsBytes(layer_)), layer_.size()};
    manifest_ = oci::WriteManifest(config_blob, {layer});
    world_.http.On("GET " + kBase + "manifests/v1", {{200, {}, manifest_}});
    world_.http.On("GET " + kBase + "blobs/" + config_blob.digest.ToString(), {{200, {}, config}});
    url_ = "GET " + kBase + "blobs/" + layer.digest.ToString();
    // What an earlier pull got: two pieces, and part of a third.
    OnLayer({{200, {}, layer_, 9 * kMiB}, {403}});
    EXPECT_EQ(Pull().error().kind, ErrorKind::kDenied);
    EXPECT_TRUE(HasRecord());
  }

  void OnLayer(std::vector<FakeAnswer> answers) { world_.http.On(url_, std::move(answers)); }
  FakeAnswer Rest(const std::string& bytes) const {
    return {206, {{"Content-Range", Range(9 * kMiB)}}, bytes.substr(9 * kMiB)};
  }
  std::string Range(std::size_t start) const {
    return "bytes " + std::to_string(start) + "-" + std::to_string(layer_.size() - 1) + "/" +
           std::to_string(layer_.size());
  }
  Status Pull() {
    PullRequest request;
    request.tag = "v1";
    before_ = world_.http.asked().size();
    const auto pulled = registry::Pull(*store_, *remote_, request, world_.progress);
    if (!pulled) return pulled.error();
    return Done{};
  }
  // The ranges of the layer that the last pull asked for.
  std::vector<std::string> Ranges() const {
    std::vector<std::string> ranges;
    const std::vector<Asked> asked = world_.http.asked();
    for (std::size_t i = before_; i < asked.size(); ++i)
      if (asked[i].method + " " + asked[i].url == url_) ranges.push_back(asked[i].Header("Range"));
    return ranges;
  }
  std::string RecordPath() const { return "store/partial/" + Sha256(AsBytes(layer_)).ToHex(); }
  bool HasRecord() const { return std::filesystem::exists(temporary_.path() + "/" + RecordPath()); }
  bool IsHere() {
    const auto read = store::ReadBlob(*store_, Sha256(AsBytes(layer_)), layer_.size());
    return read && *read == layer_;
  }

  const TemporaryDirectory temporary_;
  FakeWorld world_;
  const std::unique_ptr<Remote> remote_ = world_.Connect("registry.example.org");
  const std::unique_ptr<host::Files> files_ = host::MakeFiles();
  const std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  const std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  const std::unique_ptr<store::Store> store_ =
      *store::OpenStore(*files_, *clock_, *entropy_, temporary_.path() + "/store");
  const std::string layer_ = Noise(11 * kMiB, 1);
  std::string manifest_;
  std::string url_;
  std::size_t before_ = 0;
};

TEST_F(ResumeAttack, WithoutOneOnlyTheRestIsFetched) {
  OnLayer({Rest(layer_)});
  ASSERT_TRUE(Pull());
  EXPECT_THAT(Ranges(), testing::ElementsAre("bytes=" + std::to_string(9 * kMiB) + "-"));
  EXPECT_TRUE(IsHere());
  EXPECT_FALSE(HasRecord());
}

// Rule: a part is taken only if it is the part that was asked for.
TEST_F(ResumeAttack, APartOfAnotherPlaceIsRefused) {
  for (const std::string& range :
       {Range(0), Range(9 * kMiB - 1), Range(9 * kMiB + 1), std::string("bytes 9437184-9437185/7"),
        std::string("bytes */11534336"), std::string()}) {
    FakeAnswer answer = Rest(layer_);
    answer.headers = {{"Content-Range", range}};
    OnLayer({answer});
    EXPECT_EQ(Pull().error().kind, ErrorKind::kCorrupt) << range;
    EXPECT_FALSE(IsHere());
  }
  OnLayer({Rest(layer_)});
  ASSERT_TRUE(Pull()) << "what was here before still counts";
  EXPECT_TRUE(IsHere());
}

// Rule: a blob has the size that its descriptor says.
TEST_F(ResumeAttack, APartThatIsTooLongIsRefused) {
  OnLayer({Rest(layer_ + "x")});
  EXPECT_EQ(Pull().error().kind, ErrorKind::kCorrupt);
  EXPECT_FALSE(IsHere());
}

TEST_F(ResumeAttack, APartThatIsTooShortIsNotTheRest) {
  FakeAnswer shorter = Rest(layer_.substr(0, 10 * kMiB));
  FakeAnswer last = {206, {{"Content-Range", Range(10 * kMiB)}}, layer_.substr(10 * kMiB)};
  OnLayer({shorter, last});
  ASSERT_TRUE(Pull()) << "who sends less is asked for more";
  EXPECT_TRUE(IsHere());
}

// Rule: an answer with everything is an answer; what is here is not taken twice.
TEST_F(ResumeAttack, TheWholeInPlaceOfAPartIsTakenFromWhereItIsMissing) {
  OnLayer({{200, {}, layer_}});
  ASSERT_TRUE(Pull());
  EXPECT_TRUE(IsHere());
}

// Rule: a registry that has no parts to give may still give the whole.
TEST_F(ResumeAttack, WhoRefusesAPartIsAskedForTheWhole) {
  FakeAnswer elsewhere = Rest(layer_);
  elsewhere.headers = {{"Content-Range", Range(0)}};
  for (const FakeAnswer& refusal : {FakeAnswer{416}, FakeAnswer{400}, elsewhere}) {
    OnLayer({refusal, {403}});
    EXPECT_EQ(Pull().error().kind, ErrorKind::kDenied);
    EXPECT_THAT(Ranges(), testing::ElementsAre("bytes=" + std::to_string(9 * kMiB) + "-", ""));
    EXPECT_TRUE(HasRecord());
  }
  OnLayer({{416}, {200, {}, layer_}});
  ASSERT_TRUE(Pull());
  EXPECT_TRUE(IsHere());
  EXPECT_THAT(world_.progress.warnings.back(), HasSubstr("fetching all of it again"));
}

// Rule: the digest of the whole decides; if it is another, all of it comes anew, once.
TEST_F(ResumeAttack, OtherBytesInTheRestAreFoundOut) {
  std::string other = layer_;
  other[10 * kMiB] ^= 1;
  OnLayer({Rest(other), {200, {}, layer_}});
  ASSERT_TRUE(Pull());
  EXPECT_TRUE(IsHere());
  EXPECT_THAT(world_.progress.warnings.back(), HasSubstr("fetching all of it again"));
}

TEST_F(ResumeAttack, WhoGoesOnLyingEndsThePull) {
  std::string other = layer_;
  other[10 * kMiB] ^= 1;
  OnLayer({Rest(other), {200, {}, other}});
  const Status pulled = Pull();
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(Ranges().size(), 2U);
  EXPECT_FALSE(HasRecord()) << "the next begins anew";
}

// Rule: a record is a hint. What it names is hashed, and the whole is compared.
TEST_F(ResumeAttack, ARecordThatNamesOtherPiecesCostsBytesOnly) {
  const std::string mine = temporary_.Read(RecordPath());
  // Of the pieces that are here, in another order.
  const std::size_t first = mine.find('\n') + 1;
  const std::size_t second = mine.find('\n', first) + 1;
  const std::size_t third = mine.find('\n', second) + 1;
  const std::string swapped = mine.substr(0, first) + mine.substr(second, third - second) +
                              mine.substr(first, second - first);
  temporary_.Write(RecordPath(), swapped);
  FakeAnswer rest = {206, {{"Content-Range", Range(8 * kMiB)}}, layer_.substr(8 * kMiB)};
  OnLayer({rest, {200, {}, layer_}});
  ASSERT_TRUE(Pull());
  EXPECT_TRUE(IsHere());
}

TEST_F(ResumeAttack, ARecordOfNonsenseIsNone) {
  for (const std::string& nonsense : {std::string("x"), std::string(100'000, '\n'),
                                      std::string("plumb-partial 1 sha256:\nobject\n")}) {
    temporary_.Write(RecordPath(), nonsense);
    OnLayer({{403}});
    EXPECT_EQ(Pull().error().kind, ErrorKind::kDenied);
    EXPECT_THAT(Ranges(), testing::ElementsAre(""));
  }
}

}  // namespace
}  // namespace plumb::registry
