// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/public_key.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace plumb {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kSpkiSizeMax = 4096;  // a point of P-384 takes 120
constexpr std::size_t kEd25519KeySize = 32;
constexpr std::size_t kEd25519SignatureSize = 64;

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using HashContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;

const unsigned char* Data(ByteSpan bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// DER of what OpenSSL made, by one of its i2d functions.
template <typename T>
std::vector<std::byte> ToDer(int (*write)(const T*, unsigned char**), const T* object) {
  unsigned char* out = nullptr;
  const int size = write(object, &out);
  PLUMB_CHECK(size > 0);
  const auto* const bytes = reinterpret_cast<const std::byte*>(out);
  std::vector<std::byte> der(bytes, bytes + size);
  OPENSSL_free(out);
  return der;
}

// What a SubjectPublicKeyInfo of such a key begins with, as DER leaves no choice: up to the key
// itself, of the curves with the byte that says that a point is not compressed.
struct Spelling {
  KeyType type;
  std::size_t size;
  std::string_view start;
};
constexpr std::string_view kEd25519Start = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\0"sv;
constexpr Spelling kSpellings[] = {
    {KeyType::kP256, 91,
     "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\0\x04"sv},
    {KeyType::kP384, 120,
     "\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\0\x22\x03\x62\0\x04"sv},
    {KeyType::kEd25519, 44, kEd25519Start}};

std::optional<KeyType> TypeOf(ByteSpan spki) {
  for (const Spelling& spelling : kSpellings)
    if (spki.size() == spelling.size && AsText(spki).starts_with(spelling.start))
      return spelling.type;
  return std::nullopt;
}

// Whether it is the key of another algorithm or curve, and not just spelt in another way.
bool IsOfOtherType(const EVP_PKEY* key) {
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) return false;
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) return true;
  char name[64] = {};
  if (EVP_PKEY_get_group_name(key, name, sizeof name, nullptr) != 1) return true;
  return name != std::string_view(SN_X9_62_prime256v1) && name != std::string_view(SN_secp384r1);
}

const EVP_MD* HashOf(HashType hash) {
  switch (hash) {
    case HashType::kSha256:
      return EVP_sha256();
    case HashType::kSha384:
      return EVP_sha384();
    case HashType::kSha512:
      return EVP_sha512();
  }
  PLUMB_CHECK(false);
}

Error NotByThatKey() { return Error{ErrorKind::kDenied, "the signature is not by that key"}; }
Error WrongForm() { return Error{ErrorKind::kDenied, "the signature does not keep to its form"}; }

// The two numbers as they are, as DER.
Result<std::vector<std::byte>> DerOfP1363(ByteSpan signature, std::size_t order_size) {
  if (signature.size() != 2 * order_size) return WrongForm();
  const auto number = [](ByteSpan bytes) {
    return Number(BN_bin2bn(Data(bytes), static_cast<int>(bytes.size()), nullptr));
  };
  Number r = number(signature.first(order_size));
  Number s = number(signature.subspan(order_size));
  const EcdsaSignature both(ECDSA_SIG_new());
  PLUMB_CHECK(r && s && both);
  PLUMB_CHECK(ECDSA_SIG_set0(both.get(), r.release(), s.release()) == 1);
  return ToDer(i2d_ECDSA_SIG, both.get());
}

// OpenSSL reads some of BER as well.
bool IsDerOfEcdsa(ByteSpan signature) {
  constexpr std::size_t kSizeMax = 256;  // of P-384 it takes 104
  if (signature.size() > kSizeMax) return false;
  const unsigned char* at = Data(signature);
  const EcdsaSignature parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size())));
  return parsed && std::ranges::equal(ToDer(i2d_ECDSA_SIG, parsed.get()), signature);
}

Status Verify(EVP_PKEY* key, const EVP_MD* hash, ByteSpan message, ByteSpan signature) {
  const HashContext context(EVP_MD_CTX_new());
  PLUMB_CHECK(context);
  PLUMB_CHECK(EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key) == 1);
  if (EVP_DigestVerify(context.get(), Data(signature), signature.size(), Data(message),
                       message.size()) != 1)
    return NotByThatKey();
  return Done{};
}

}  // namespace

struct PublicKey::Handle {
  KeyHandle key;
};

PublicKey::PublicKey(KeyType type, std::vector<std::byte> spki,
                     std::shared_ptr<const Handle> handle)
    : type_(type), spki_(std::move(spki)), handle_(std::move(handle)) {}

Result<PublicKey> PublicKey::ParseSpki(ByteSpan der) {
  const Error invalid = {ErrorKind::kInvalid, "that is no public key (SubjectPublicKeyInfo, DER)"};
  if (der.size() > kSpkiSizeMax) return invalid;
  const unsigned char* at = Data(der);
  KeyHandle key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!key || at != Data(der) + der.size()) return invalid;
  if (IsOfOtherType(key.get()))
    return Error{ErrorKind::kUnsupported,
                 "a public key is of another type than P-256, P-384 and Ed25519"};
  const std::optional<KeyType> type = TypeOf(der);
  if (!type) return invalid;
  return PublicKey(*type, {der.begin(), der.end()},
                   std::make_shared<const Handle>(Handle{std::move(key)}));
}

Result<PublicKey> PublicKey::FromEd25519(ByteSpan bytes) {
  if (bytes.size() != kEd25519KeySize)
    return Error{ErrorKind::kInvalid, "a public key of Ed25519 has 32 bytes"};
  std::string spki(kEd25519Start);
  spki.append(AsText(bytes));
  return ParseSpki(AsBytes(spki));
}

Status PublicKey::VerifyEcdsa(HashType hash, ByteSpan message, EcdsaForm form,
                              ByteSpan signature) const {
  if (type_ == KeyType::kEd25519)
    return Error{ErrorKind::kInvalid, "a key of Ed25519 makes no ECDSA signatures"};
  if (form == EcdsaForm::kDer) {
    if (!IsDerOfEcdsa(signature)) return WrongForm();
    return Verify(handle_->key.get(), HashOf(hash), message, signature);
  }
  PLUMB_TRY(const auto der, DerOfP1363(signature, type_ == KeyType::kP256 ? 32 : 48));
  return Verify(handle_->key.get(), HashOf(hash), message, der);
}

Status PublicKey::VerifyEd25519(ByteSpan message, ByteSpan signature) const {
  if (type_ != KeyType::kEd25519)
    return Error{ErrorKind::kInvalid, "a key of ECDSA makes no Ed25519 signatures"};
  if (signature.size() != kEd25519SignatureSize) return WrongForm();
  return Verify(handle_->key.get(), nullptr, message, signature);
}

}  // namespace plumb
