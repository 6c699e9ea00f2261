// SPDX-License-Identifier: MIT OR Apache-2.0
#include "registry/known_places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temporary_directory.h"

namespace plumb::registry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class KnownPlacesTest : public testing::Test {
 protected:
  const TemporaryDirectory temporary_;
  const std::unique_ptr<host::Files> files_ = host::MakeFiles();
  const std::unique_ptr<KnownPlaces> places_ =
      MakeKnownPlaces(*files_, temporary_.path() + "/places");
  const KnownPlace a_ = {"team/a", Sha256(AsBytes("a kit"))};
  const KnownPlace b_ = {"team/b", Sha256(AsBytes("a kit"))};
};

TEST_F(KnownPlacesTest, AreOfOneRegistryTheNewestFirst) {
  EXPECT_THAT(places_->Of("x:5000"), IsEmpty());
  places_->Remember("x:5000", a_);
  places_->Remember("x:5000", b_);
  places_->Remember("x:5000", a_);
  EXPECT_THAT(places_->Of("x:5000"), ElementsAre(b_, a_));
  EXPECT_THAT(places_->Of("x"), IsEmpty());
  EXPECT_THAT(MakeKnownPlaces(*files_, temporary_.path() + "/places")->Of("x:5000"), SizeIs(2));
}

TEST_F(KnownPlacesTest, AreNotMoreThanMany) {
  std::string text;
  for (int i = 0; i < 256; ++i)
    text += "team/m " + Sha256(AsBytes(std::to_string(i))).ToString() + "\n";
  temporary_.Write("places/" + Sha256(AsBytes("x\n")).ToHex(), text);
  places_->Remember("x", a_);
  const auto known = places_->Of("x");
  ASSERT_THAT(known, SizeIs(256));
  EXPECT_EQ(known.front(), a_);
  EXPECT_EQ(known.back().manifest, Sha256(AsBytes("1"))) << "the oldest goes";
}

TEST_F(KnownPlacesTest, OddLinesAreSkipped) {
  const std::string digest = a_.manifest.ToString();
  EXPECT_THAT(
      ParseKnownPlaces("team/a " + digest + "\n../up " + digest + "\nteam/a x\n" + digest +
                       "\n\nteam/a " + digest + "\nTEAM/a " + digest + "\nteam/b " + digest),
      ElementsAre(a_, b_));
  EXPECT_THAT(ParseKnownPlaces(std::string(200'000, '\n') + "team/a " + digest), IsEmpty());
}

}  // namespace
}  // namespace plumb::registry
