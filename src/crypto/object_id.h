// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CRYPTO_OBJECT_ID_H_
#define PLUMB_CRYPTO_OBJECT_ID_H_

#include <array>
#include <compare>
#include <cstddef>
#include <memory>
#include <string>

#include "base/bytes.h"

namespace plumb {

// The BLAKE3-256 of some raw bytes, used as their name inside the store. Not a Digest: the
// two worlds meet only in recipes.
struct ObjectId {
  std::array<std::byte, 32> bytes = {};

  friend auto operator<=>(const ObjectId&, const ObjectId&) = default;
  std::string ToHex() const;
};

ObjectId Blake3(ByteSpan data);

// BLAKE3 of bytes that come in pieces. Threads: one at a time.
class Blake3Hasher {
 public:
  Blake3Hasher();
  ~Blake3Hasher();
  Blake3Hasher(const Blake3Hasher&) = delete;
  Blake3Hasher& operator=(const Blake3Hasher&) = delete;

  Blake3Hasher& Add(ByteSpan data);
  ObjectId Finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plumb

#endif  // PLUMB_CRYPTO_OBJECT_ID_H_
