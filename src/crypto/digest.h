// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CRYPTO_DIGEST_H_
#define PLUMB_CRYPTO_DIGEST_H_

#include <array>
#include <compare>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace plumb {

// The SHA-256 of some bytes, used as their name outside the store (OCI). A type of its own,
// so that a digest cannot be passed for a path, a tag or an object of the store. It is 32
// bytes, never a path string: nothing that was parsed from outside can name a file.
struct Digest {
  std::array<std::byte, 32> bytes = {};

  friend auto operator<=>(const Digest&, const Digest&) = default;

  // Parses "sha256:" and 64 lower-case hex digits, the one spelling we accept and write
  // (image-spec, "Digests"). Another well-formed algorithm is kUnsupported, all else
  // kInvalid.
  static Result<Digest> Parse(std::string_view text);
  std::string ToString() const;
  std::string ToHex() const;
};

Digest Sha256(ByteSpan data);

// SHA-256 of bytes that come in pieces (FIPS 180-4). Threads: one at a time.
class Sha256Hasher {
 public:
  Sha256Hasher();
  ~Sha256Hasher();
  Sha256Hasher(const Sha256Hasher&) = delete;
  Sha256Hasher& operator=(const Sha256Hasher&) = delete;

  Sha256Hasher& Add(ByteSpan data);
  // The same as two calls of Add, in not much more time than one where the processor has
  // instructions for SHA-256: they wait for each other, and two streams need not.
  static void AddTogether(Sha256Hasher& first, ByteSpan first_data, Sha256Hasher& second,
                          ByteSpan second_data);

  // The digest of all that was added. Call once.
  Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plumb

#endif  // PLUMB_CRYPTO_DIGEST_H_
