// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CRYPTO_HMAC_H_
#define PLUMB_CRYPTO_HMAC_H_

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"

namespace plumb {

// HMAC-SHA256 (RFC 2104, FIPS 198-1) of `message`, with a key of any length.
Digest HmacSha256(ByteSpan key, ByteSpan message);

// kDenied unless `tag` is that, or the first 16 bytes or more of it (RFC 2104, section 5). How long
// it takes does not tell where they differ.
Status CheckHmacSha256(ByteSpan key, ByteSpan message, ByteSpan tag);

}  // namespace plumb

#endif  // PLUMB_CRYPTO_HMAC_H_
