// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CRYPTO_PUBLIC_KEY_H_
#define PLUMB_CRYPTO_PUBLIC_KEY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace plumb {

enum class KeyType : std::uint8_t { kP256, kP384, kEd25519 };
enum class HashType : std::uint8_t { kSha256, kSha384, kSha512 };

// How an ECDSA signature is written.
enum class EcdsaForm : std::uint8_t {
  kDer,    // RFC 3279, section 2.2.3: ASN.1, in the one spelling that DER allows
  kP1363,  // r and s as they are, each as long as the curve's order (IEEE 1363; JWS)
};

// A key that others sign with: P-256, P-384 (SEC 1) or Ed25519 (RFC 8032).
// Trust: key, message and signature may all come from an enemy.
// Threads: any number at once.
class PublicKey {
 public:
  // From a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7), in DER, with the curve named and the
  // point, which must lie on it, not compressed. kInvalid otherwise, kUnsupported for other types.
  static Result<PublicKey> ParseSpki(ByteSpan der);
  // The 32 bytes of RFC 8032. kInvalid for another size.
  static Result<PublicKey> FromEd25519(ByteSpan bytes);

  KeyType type() const { return type_; }
  const std::vector<std::byte>& spki() const { return spki_; }

  // kDenied unless it is a signature of `message` by this key, in this form: of Ed25519 also if S
  // is not below the group's order, of ECDSA also if r or s is zero or not below the curve's, or
  // the form is not kept to the letter. kInvalid if the key is of the other algorithm.
  Status VerifyEcdsa(HashType hash, ByteSpan message, EcdsaForm form, ByteSpan signature) const;
  Status VerifyEd25519(ByteSpan message, ByteSpan signature) const;

 private:
  struct Handle;  // OpenSSL's
  PublicKey(KeyType type, std::vector<std::byte> spki, std::shared_ptr<const Handle> handle);

  KeyType type_;
  std::vector<std::byte> spki_;
  std::shared_ptr<const Handle> handle_;
};

}  // namespace plumb

#endif  // PLUMB_CRYPTO_PUBLIC_KEY_H_
