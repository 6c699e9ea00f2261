// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CRYPTO_ED25519_KEY_H_
#define PLUMB_CRYPTO_ED25519_KEY_H_

#include <array>
#include <cstddef>

#include "base/bytes.h"

namespace plumb {

// A key of one's own that signs (RFC 8032), in memory: wiped when it goes.
// Threads: any number at once.
class Ed25519Key {
 public:
  static constexpr std::size_t kSeedSize = 32;
  using Signature = std::array<std::byte, 64>;

  // The private key of RFC 8032, section 5.1.5. Requires kSeedSize bytes.
  explicit Ed25519Key(ByteSpan seed);
  ~Ed25519Key();
  Ed25519Key(const Ed25519Key&) = default;
  Ed25519Key& operator=(const Ed25519Key&) = default;

  const std::array<std::byte, 32>& public_bytes() const { return public_bytes_; }

  Signature Sign(ByteSpan message) const;

 private:
  std::array<std::byte, kSeedSize> seed_ = {};
  std::array<std::byte, 32> public_bytes_ = {};
};

}  // namespace plumb

#endif  // PLUMB_CRYPTO_ED25519_KEY_H_
