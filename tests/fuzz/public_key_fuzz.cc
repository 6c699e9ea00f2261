// SPDX-License-Identifier: MIT OR Apache-2.0
// Keys of others (SubjectPublicKeyInfo). What is accepted has one spelling, and verifies no noise.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "crypto/public_key.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb;
  const ByteSpan bytes = std::as_bytes(std::span(data, size));
  const auto key = PublicKey::ParseSpki(bytes);
  if (!key) {
    PLUMB_CHECK(!key.error().message.empty());
    return 0;
  }
  PLUMB_CHECK(std::ranges::equal(key->spki(), bytes));
  const std::array<std::byte, 64> noise = {std::byte{1}};
  PLUMB_CHECK(!key->VerifyEd25519(bytes, noise));
  PLUMB_CHECK(!key->VerifyEcdsa(HashType::kSha256, bytes, EcdsaForm::kP1363, noise));
  PLUMB_CHECK(!key->VerifyEcdsa(HashType::kSha384, bytes, EcdsaForm::kDer, bytes));
  return 0;
}
