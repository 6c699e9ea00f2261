// SPDX-License-Identifier: MIT OR Apache-2.0
// ModelPacks made to harm who unpacks them: what a tar could say, an annotation can say too. Each
// test names the rule that stops it, and shows that nothing was written.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/workbench.h"

namespace plumb::kit {
namespace {

constexpr char kRaw[] = "application/vnd.cncf.model.weight.v1.raw";
constexpr char kTar[] = "application/vnd.cncf.model.weight.v1.tar";

oci::Annotations At(const std::string& path) {
  return {{std::string(oci::kFilePathAnnotation), path}};
}

class ModelPackAttackTest : public testing::Test {
 protected:
  ModelPackAttackTest() { bench_.directory().Write("outside/victim", "precious"); }

  void ExpectRefused(const Digest& id, ErrorKind kind) {
    const std::vector<std::string> target = bench_.List();
    const auto unpacked = bench_.Unpack(id);
    ASSERT_FALSE(unpacked);
    EXPECT_EQ(unpacked.error().kind, kind) << unpacked.error().message;
    EXPECT_EQ(bench_.List(), target);
    EXPECT_EQ(bench_.List("outside"), std::vector<std::string>{"victim"});
    EXPECT_EQ(bench_.directory().Read("outside/victim"), "precious");
  }
  void ExpectPathsRefused(const std::vector<std::string>& paths,
                          ErrorKind kind = ErrorKind::kDenied) {
    std::vector<HandMadeLayer> layers = {{kRaw, "good", At("good.bin")}};
    for (const std::string& path : paths)
      layers.push_back({kRaw, "evil", At(path)});
    ExpectRefused(bench_.PutModelPack(layers), kind);
  }

  Workbench bench_;
};

TEST_F(ModelPackAttackTest, AnHonestOneIsUnpacked) {
  const auto unpacked = bench_.Unpack(bench_.PutModelPack({{kRaw, "w", At("a/w.bin")}}));
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench_.ReadTarget("a/w.bin"), "w");
}

// CheckEntryName, of the annotation.
TEST_F(ModelPackAttackTest, PathsThatClimbOut) {
  for (const char* path : {"../outside/victim", "a/../../outside/victim", "..", "./../x"})
    ExpectPathsRefused({path});
}

TEST_F(ModelPackAttackTest, AbsolutePaths) {
  ExpectPathsRefused({bench_.path() + "/outside/victim"});
  ExpectPathsRefused({"//x"});
}

TEST_F(ModelPackAttackTest, PathsThatAreNone) {
  for (const char* path : {".", "a//b", "a/./b"})
    ExpectPathsRefused({path});
  ExpectPathsRefused({std::string("a\0b", 3)});
  ExpectPathsRefused({std::string(300, 'x')});
}

// TargetNames: one on some machines.
TEST_F(ModelPackAttackTest, PathsThatCollide) {
  ExpectPathsRefused({"A.bin", "a.bin"});
  ExpectPathsRefused({"\xc3\xa9", "e\xcc\x81"});
  ExpectPathsRefused({"x", "x/y"});
  ExpectPathsRefused({"Kitfile"});
}

// One content for each path: only what is wholly the same may come twice.
TEST_F(ModelPackAttackTest, APathThatComesTwice) {
  ExpectPathsRefused({"good.bin"}, ErrorKind::kInvalid);
  ExpectPathsRefused({"./good.bin"}, ErrorKind::kInvalid);
}

// PlaceOf: what the annotation says of a tar, its names must keep to.
TEST_F(ModelPackAttackTest, ATarThatLeavesItsPath) {
  const std::string tar = TarFile("other.bin", "evil") + archive::TarEnd();
  ExpectRefused(bench_.PutModelPack({{kTar, tar, At("w.bin")}}), ErrorKind::kDenied);
}

// A diffId is checked where it is given.
TEST_F(ModelPackAttackTest, AWrongDiffId) {
  ExpectRefused(bench_.PutModelPack({{kRaw, "w", At("w.bin")}}, {Sha256(AsBytes("v"))}),
                ErrorKind::kCorrupt);
}

TEST_F(ModelPackAttackTest, AWrongSize) {
  ExpectRefused(bench_.PutModelPack({{kRaw, "w", oci::WriteFileAnnotations("w.bin", 0644, 2)}}),
                ErrorKind::kCorrupt);
}

// A Kitfile cannot send a layer elsewhere than where the layer says it goes.
TEST_F(ModelPackAttackTest, AKitfileOfAnotherPath) {
  const std::string raw = "application/vnd.kitops.modelkit.code.v1.raw";
  const std::string config = R"({"manifestVersion":"1.0.0","package":{},"code":[{"path":"src"}]})";
  ExpectRefused(bench_.PutKit(config, {{raw, "evil", At("bin/x")}}), ErrorKind::kInvalid);
  ExpectRefused(bench_.PutKit(config, {{raw, "evil", At("src/../bin/x")}}), ErrorKind::kInvalid);
  ExpectRefused(bench_.PutKit(config, {{raw, "evil", At("src/./x")}}), ErrorKind::kDenied);
}

}  // namespace
}  // namespace plumb::kit
