// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CRYPTO_AES_GCM_H_
#define PLUMB_CRYPTO_AES_GCM_H_

#include <cstddef>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace plumb {

inline constexpr std::size_t kAesGcmTagSize = 16;

// AES-GCM (NIST SP 800-38D) with a key of 16, 24 or 32 bytes. `nonce` must never come twice with
// one key: ours have 12 bytes; to open, up to 128 are taken.
struct AesGcmInput {
  ByteSpan key;
  ByteSpan nonce;
  ByteSpan associated;  // not encrypted, but authenticated with the rest
};

// Ciphertext, and behind it the tag.
std::vector<std::byte> SealAesGcm(const AesGcmInput& input, ByteSpan plaintext);

// kDenied, and nothing of it, if the tag is not of just these bytes; kInvalid for a key or nonce of
// another size.
Result<std::vector<std::byte>> OpenAesGcm(const AesGcmInput& input, ByteSpan sealed);

}  // namespace plumb

#endif  // PLUMB_CRYPTO_AES_GCM_H_
