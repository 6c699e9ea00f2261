// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/ed25519_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "base/check.h"

namespace plumb {
namespace {

struct Freed {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, Freed>;

KeyHandle Open(ByteSpan seed) {
  KeyHandle key(EVP_PKEY_new_raw_private_key(
      EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(seed.data()), seed.size()));
  PLUMB_CHECK(key);
  return key;
}

}  // namespace

Ed25519Key::Ed25519Key(ByteSpan seed) {
  PLUMB_CHECK(seed.size() == kSeedSize);
  std::ranges::copy(seed, seed_.begin());
  std::size_t size = public_bytes_.size();
  auto* const out = reinterpret_cast<unsigned char*>(public_bytes_.data());
  PLUMB_CHECK(EVP_PKEY_get_raw_public_key(Open(seed_).get(), out, &size) == 1);
  PLUMB_CHECK(size == public_bytes_.size());
}

Ed25519Key::~Ed25519Key() { OPENSSL_cleanse(seed_.data(), seed_.size()); }

Ed25519Key::Signature Ed25519Key::Sign(ByteSpan message) const {
  const KeyHandle key = Open(seed_);
  const std::unique_ptr<EVP_MD_CTX, Freed> context(EVP_MD_CTX_new());
  PLUMB_CHECK(context);
  Signature signature = {};
  std::size_t size = signature.size();
  PLUMB_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  PLUMB_CHECK(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                             &size, reinterpret_cast<const unsigned char*>(message.data()),
                             message.size()) == 1);
  PLUMB_CHECK(size == signature.size());
  return signature;
}

}  // namespace plumb
