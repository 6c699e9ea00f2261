// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/hmac.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>

namespace plumb {
namespace {

constexpr std::size_t kBlockSize = 64;
constexpr std::size_t kTagSizeMin = 16;

}  // namespace

Digest HmacSha256(ByteSpan key, ByteSpan message) {
  std::array<std::byte, kBlockSize> inner = {};
  const Digest hashed = key.size() > kBlockSize ? Sha256(key) : Digest{};
  if (key.size() > kBlockSize) key = hashed.bytes;
  std::ranges::copy(key, inner.begin());
  std::array<std::byte, kBlockSize> outer = inner;
  for (std::byte& byte : inner)
    byte ^= std::byte{0x36};
  for (std::byte& byte : outer)
    byte ^= std::byte{0x5c};
  const Digest digest = Sha256Hasher().Add(inner).Add(message).Finish();
  const Digest tag = Sha256Hasher().Add(outer).Add(digest.bytes).Finish();
  OPENSSL_cleanse(inner.data(), inner.size());
  OPENSSL_cleanse(outer.data(), outer.size());
  return tag;
}

Status CheckHmacSha256(ByteSpan key, ByteSpan message, ByteSpan tag) {
  const Digest expected = HmacSha256(key, message);
  if (tag.size() < kTagSizeMin || tag.size() > expected.bytes.size() ||
      CRYPTO_memcmp(tag.data(), expected.bytes.data(), tag.size()) != 0)
    return Error{ErrorKind::kDenied, "the message's authentication code is another"};
  return Done{};
}

}  // namespace plumb
