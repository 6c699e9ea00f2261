// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/digest.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <string_view>
#include <vector>

namespace plumb {
namespace {

constexpr std::string_view kOfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

// FIPS 180-4's own examples, and nothing.
TEST(Digest, KnownAnswers) {
  EXPECT_EQ(Sha256({}).ToHex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256(AsBytes("abc")).ToHex(), kOfAbc);
  EXPECT_EQ(Sha256(AsBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).ToHex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256(AsBytes(std::string(1'000'000, 'a'))).ToHex(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, OfPiecesIsThatOfTheWhole) {
  EXPECT_TRUE(rc::check([](const std::vector<std::string>& pieces) {
    Sha256Hasher hasher;
    std::string whole;
    for (const std::string& piece : pieces) {
      hasher.Add(AsBytes(piece));
      whole += piece;
    }
    RC_ASSERT(hasher.Finish() == Sha256(AsBytes(whole)));
  }));
  EXPECT_EQ(Sha256Hasher().Finish(), Sha256({}));
}

TEST(Digest, IsParsedAsItIsWritten) {
  const std::string text = "sha256:" + std::string(kOfAbc);
  const auto digest = Digest::Parse(text);
  ASSERT_TRUE(digest);
  EXPECT_EQ(*digest, Sha256(AsBytes("abc")));
  EXPECT_EQ(digest->ToString(), text);
  EXPECT_EQ(digest->ToHex(), kOfAbc);
}

TEST(Digest, HasOneSpelling) {
  const std::string hex(kOfAbc);
  for (const std::string& bad : std::vector<std::string>{
           "", hex, "sha256:", "sha256:" + hex.substr(1), "sha256:" + hex + "0",
           "sha256:" + hex + "\n", " sha256:" + hex, "SHA256:" + hex, "sha256-" + hex,
           "sha256:" + hex.substr(0, 63) + "B", "sha256:" + hex.substr(0, 63) + "g",
           "sha256:" + hex.substr(0, 63) + '\0', "sha256:../../" + hex.substr(6), "sha1:" + hex,
           // What is no digest of another algorithm either.
           "sha512:" + hex, "sha512:../etc/passwd", "sha512:", "blake3:" + hex.substr(1)}) {
    const auto digest = Digest::Parse(bad);
    ASSERT_FALSE(digest) << bad;
    EXPECT_EQ(digest.error().kind, ErrorKind::kInvalid) << bad;
  }
  EXPECT_EQ(Digest::Parse("sha256:\x1b[2J").error().message,
            "'sha256:\\x1b[2J' is no digest: sha256: and 64 lower-case hexadecimal digits");
}

TEST(Digest, OtherAlgorithmsAreUnsupported) {
  for (const std::string& other :
       {"sha512:" + std::string(128, 'a'), "sha384:" + std::string(96, '0'),
        "blake3:" + std::string(kOfAbc)})
    EXPECT_EQ(Digest::Parse(other).error().kind, ErrorKind::kUnsupported) << other;
}

TEST(Digest, IsOrderedByItsBytes) {
  const auto low = Digest::Parse("sha256:7f" + std::string(62, 'f'));
  const auto high = Digest::Parse("sha256:80" + std::string(62, '0'));
  EXPECT_LT(*low, *high);
  EXPECT_LT(Digest(), *low);
}

}  // namespace
}  // namespace plumb
