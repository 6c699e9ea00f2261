// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/digest.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/sha256_lanes_internal.h"

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

// Against OpenSSL's own one stream, whatever the lengths and wherever a block was left.
TEST(Digest, TwoTogetherAreTwoAlone) {
  const auto text = [](std::size_t size, std::uint64_t state) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      byte = static_cast<char>(state >> 56U);
    }
    return bytes;
  };
  EXPECT_TRUE(rc::check([&](const std::vector<std::pair<std::uint8_t, std::uint16_t>>& pieces) {
    Sha256Hasher first;
    Sha256Hasher second;
    std::string first_whole;
    std::string second_whole;
    for (const auto& [small, large] : pieces) {
      const bool is_first_small = small % 2 == 0;
      const std::string first_piece = text(is_first_small ? small : large, 1 + first_whole.size());
      const std::string second_piece = text(is_first_small ? large : small, second_whole.size());
      Sha256Hasher::AddTogether(first, AsBytes(first_piece), second, AsBytes(second_piece));
      first_whole += first_piece;
      second_whole += second_piece;
    }
    RC_ASSERT(first.Finish() == Sha256(AsBytes(first_whole)));
    RC_ASSERT(second.Finish() == Sha256(AsBytes(second_whole)));
  }));
  const std::string long_text = text(5'000'000, 7);
  Sha256Hasher first;
  Sha256Hasher second;
  first.Add(AsBytes("abc"));
  Sha256Hasher::AddTogether(first, AsBytes(long_text), second, AsBytes(long_text));
  EXPECT_EQ(first.Finish(), Sha256(AsBytes("abc" + long_text)));
  EXPECT_EQ(second.Finish(), Sha256(AsBytes(long_text)));
}

// Several streams, two at a time in any order, that end where padding takes one block or two.
TEST(Digest, StreamsOfAwkwardLengthsInAnySplitAreWhatOpenSslMakesOfThem) {
  const auto run = [](const std::vector<std::pair<std::uint8_t, std::uint16_t>>& steps) {
    constexpr std::size_t kStreams = 4;
    constexpr std::array<std::size_t, 10> kSizes = {0, 1, 54, 55, 56, 57, 63, 64, 65, 1000};
    std::array<Sha256Hasher, kStreams> hashers;
    std::array<std::string, kStreams> wholes;
    const auto next = [&](std::size_t stream, std::size_t size) {
      std::string piece(size, '\0');
      for (std::size_t i = 0; i < size; ++i)
        piece[i] = static_cast<char>((wholes[stream].size() + i) * (2 * stream + 3) >> 3U);
      wholes[stream] += piece;
      return piece;
    };
    for (const auto& [streams, sizes] : steps) {
      const std::size_t first = streams % kStreams;
      const std::size_t second = (first + 1 + streams / kStreams % (kStreams - 1)) % kStreams;
      const std::string first_piece = next(first, kSizes[sizes % kSizes.size()]);
      const std::string second_piece = next(second, kSizes[sizes / kSizes.size() % kSizes.size()]);
      Sha256Hasher::AddTogether(hashers[first], AsBytes(first_piece), hashers[second],
                                AsBytes(second_piece));
    }
    for (std::size_t stream = 0; stream < kStreams; ++stream)
      RC_ASSERT(hashers[stream].Finish() == Sha256(AsBytes(wholes[stream])));
  };
  EXPECT_TRUE(rc::check("with the processor's instructions, if it has any", run));
  const WithoutLanes without;
  EXPECT_FALSE(CanHashTwoLanes());
  EXPECT_TRUE(rc::check("without", run));
}

TEST(Digest, OfTheSameBytesWithoutInstructionsForThem) {
  const WithoutLanes without;
  const std::string bytes(100'003, 'b');
  Sha256Hasher archive;
  Sha256Hasher file;
  archive.Add(AsBytes("header"));
  Sha256Hasher::AddTogether(archive, AsBytes(bytes), file, AsBytes(bytes));
  EXPECT_EQ(archive.Finish(), Sha256(AsBytes("header" + bytes)));
  EXPECT_EQ(file.Finish(), Sha256(AsBytes(bytes)));
}

// A file and the archive that it is in, whose header is a whole number of blocks.
TEST(Digest, TwoTogetherMayTakeTheSameBytes) {
  std::string header(512, 'h');
  std::string bytes(300'001, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(i * i >> 5U);
  Sha256Hasher archive;
  Sha256Hasher file;
  archive.Add(AsBytes(header));
  for (const std::size_t size : {bytes.size() / 64 * 64, bytes.size(), bytes.size()}) {
    Sha256Hasher::AddTogether(archive, AsBytes(bytes).first(size), file,
                              AsBytes(bytes).first(size));
    header += bytes.substr(0, size);
  }
  EXPECT_EQ(archive.Finish(), Sha256(AsBytes(header)));
  EXPECT_EQ(file.Finish(), Sha256(AsBytes(header.substr(512))));
}

// More than 2^32 bits: the count of OpenSSL's state is kept by us.
TEST(Digest, TwoTogetherMayBeLong) {
  const std::string piece(std::size_t{64} << 20, 'x');
  Sha256Hasher first;
  Sha256Hasher second;
  Sha256Hasher alone;
  for (int i = 0; i < 9; ++i) {
    Sha256Hasher::AddTogether(first, AsBytes(piece), second, AsBytes(piece));
    alone.Add(AsBytes(piece));
  }
  const Digest expected = alone.Finish();
  EXPECT_EQ(first.Finish(), expected);
  EXPECT_EQ(second.Finish(), expected);
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
