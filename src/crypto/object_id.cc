// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/object_id.h"

#include <blake3.h>

#include "base/text.h"

namespace plumb {

struct Blake3Hasher::State {
  blake3_hasher hasher;
};

std::string ObjectId::ToHex() const { return EncodeHex(bytes); }

ObjectId Blake3(ByteSpan data) {
  blake3_hasher hasher;
  blake3_hasher_init(&hasher);
  blake3_hasher_update(&hasher, data.data(), data.size());
  ObjectId id;
  blake3_hasher_finalize(&hasher, reinterpret_cast<std::uint8_t*>(id.bytes.data()),
                         id.bytes.size());
  return id;
}

Blake3Hasher::Blake3Hasher() : state_(std::make_unique<State>()) {
  blake3_hasher_init(&state_->hasher);
}

Blake3Hasher::~Blake3Hasher() = default;

Blake3Hasher& Blake3Hasher::Add(ByteSpan data) {
  blake3_hasher_update(&state_->hasher, data.data(), data.size());
  return *this;
}

ObjectId Blake3Hasher::Finish() const {
  ObjectId id;
  blake3_hasher_finalize(&state_->hasher, reinterpret_cast<std::uint8_t*>(id.bytes.data()),
                         id.bytes.size());
  return id;
}

}  // namespace plumb
