// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/kit_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/workbench.h"

namespace plumb::verbs {
namespace {

using testing::HasSubstr;

class NameHereTest : public testing::Test {
 protected:
  Digest AddKit(const std::string& manifest, const std::string& tag = {}) {
    const auto session = bench_.store().Begin();
    const Digest id = session->PutBlob(AsBytes(manifest))->digest;
    session->AddKit({id, {}});
    if (!tag.empty()) session->MoveRef({{"sha256", tag}, id, ""});
    EXPECT_TRUE(session->Commit());
    return id;
  }

  ErrorKind KindOf(const std::string& text) {
    const auto name = NameHere(bench_.store(), text);
    EXPECT_FALSE(name) << text;
    return name ? ErrorKind::kInterrupted : name.error().kind;
  }

  Workbench bench_;
};

TEST_F(NameHereTest, TheBeginningOfAModelKitIdIsEnough) {
  const Digest id = AddKit("one");
  AddKit("two");
  const std::string hex = id.ToHex();
  for (const std::string& text :
       {"sha256:" + hex.substr(0, 7), "@" + hex.substr(0, 7), "@sha256:" + hex.substr(0, 12),
        "m@" + hex.substr(0, 63), "host.io/m@" + hex.substr(0, 9)}) {
    const auto name = NameHere(bench_.store(), text);
    ASSERT_TRUE(name) << text << ": " << name.error().message;
    EXPECT_EQ(name->reference().digest, id) << text;
  }
  // Where it would be pushed to is not forgotten.
  EXPECT_EQ(NameHere(bench_.store(), "host.io/m@" + hex.substr(0, 9))->reference().host, "host.io");
}

TEST_F(NameHereTest, WhatIsTooShortOrNoDigestIsNone) {
  const std::string hex = AddKit("one").ToHex();
  EXPECT_EQ(KindOf("@" + hex.substr(0, 6)), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf("@" + hex.substr(0, 6) + "g"), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf("@" + hex + "0"), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf("NoName@" + hex.substr(0, 7)), ErrorKind::kInvalid);
  EXPECT_FALSE(NameHere(bench_.store(), "sha256:" + hex.substr(0, 6))->HasDigest());
}

TEST_F(NameHereTest, WhatNoKitBeginsWithIsNotFound) {
  AddKit("one");
  EXPECT_EQ(KindOf("@0000000"), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf("sha256:0000000"), ErrorKind::kNotFound);
}

TEST_F(NameHereTest, ATagOfThatNameComesFirst) {
  const std::string hex = AddKit("one").ToHex().substr(0, 7);
  AddKit("two", hex);
  EXPECT_EQ(NameHere(bench_.store(), "sha256:" + hex)->ToString(), "sha256:" + hex);
  EXPECT_TRUE(NameHere(bench_.store(), "@" + hex)->HasDigest());
}

TEST_F(NameHereTest, WhatSeveralBeginWithNamesThem) {
  // Some twenty thousand of 2^28 are enough for two alike.
  std::map<std::string, std::string> seen;
  for (int i = 0;; ++i) {
    ASSERT_LT(i, 1'000'000);
    const std::string manifest = std::to_string(i);
    const std::string begin = Sha256(AsBytes(manifest)).ToHex().substr(0, 7);
    const auto [twin, is_new] = seen.emplace(begin, manifest);
    if (is_new) continue;
    const Digest first = AddKit(twin->second);
    const Digest second = AddKit(manifest);
    const auto name = NameHere(bench_.store(), "@" + begin);
    ASSERT_FALSE(name);
    EXPECT_EQ(name.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(name.error().message, HasSubstr(first.ToString()));
    EXPECT_THAT(name.error().message, HasSubstr(second.ToString()));
    EXPECT_EQ(NameHere(bench_.store(), first.ToString())->reference().digest, first);
    return;
  }
}

}  // namespace
}  // namespace plumb::verbs
