// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/aes_gcm.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"
#include "crypto/hmac.h"

namespace plumb {
namespace {

using Bytes = std::vector<std::byte>;

TEST(AesGcmTest, OpensWhatItSealedAndNothingElse) {
  const Bytes key(32, std::byte{7});
  const Bytes nonce(12, std::byte{9});
  const AesGcmInput input = {key, nonce, AsBytes("name")};
  for (const std::size_t size : {0U, 1U, 16U, 1000U}) {
    const Bytes plaintext(size, std::byte{3});
    const Bytes sealed = SealAesGcm(input, plaintext);
    ASSERT_EQ(sealed.size(), size + kAesGcmTagSize);
    EXPECT_EQ(*OpenAesGcm(input, sealed), plaintext);
    for (std::size_t i = 0; i < sealed.size(); i += 7) {
      Bytes bent = sealed;
      bent[i] ^= std::byte{1};
      EXPECT_EQ(OpenAesGcm(input, bent).error().kind, ErrorKind::kDenied);
    }
    EXPECT_FALSE(OpenAesGcm(input, ByteSpan(sealed).first(sealed.size() - 1)));
    EXPECT_FALSE(OpenAesGcm({key, nonce, AsBytes("other")}, sealed));
  }
  EXPECT_FALSE(OpenAesGcm(input, {}));
  EXPECT_EQ(OpenAesGcm({nonce, nonce, {}}, Bytes(16)).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(OpenAesGcm({key, {}, {}}, Bytes(16)).error().kind, ErrorKind::kInvalid);
}

// The specification's (McGrew and Viega) test case 13.
TEST(AesGcmTest, SealsAsTheSpecification) {
  const Bytes sealed = SealAesGcm({Bytes(32), Bytes(12), {}}, {});
  EXPECT_EQ(EncodeHex(sealed), "530f8afbc74536b9a963b4f1c4cb738b");
}

// RFC 4231, test cases 2 and 6.
TEST(HmacTest, IsTheOneOfTheRfc) {
  const Digest tag = HmacSha256(AsBytes("Jefe"), AsBytes("what do ya want for nothing?"));
  EXPECT_EQ(tag.ToHex(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const Bytes key(131, std::byte{0xaa});
  const ByteSpan message = AsBytes("Test Using Larger Than Block-Size Key - Hash Key First");
  EXPECT_EQ(HmacSha256(key, message).ToHex(),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacTest, ATagMayBeCutToHalfOfIt) {
  const Digest tag = HmacSha256({}, {});
  const ByteSpan whole(tag.bytes);
  EXPECT_TRUE(CheckHmacSha256({}, {}, whole));
  EXPECT_TRUE(CheckHmacSha256({}, {}, whole.first(16)));
  EXPECT_EQ(CheckHmacSha256({}, {}, whole.first(15)).error().kind, ErrorKind::kDenied);
  EXPECT_FALSE(CheckHmacSha256({}, {}, {}));
  EXPECT_FALSE(CheckHmacSha256({}, {}, whole.subspan(1)));
  EXPECT_FALSE(CheckHmacSha256({}, AsBytes("x"), whole));
}

}  // namespace
}  // namespace plumb
