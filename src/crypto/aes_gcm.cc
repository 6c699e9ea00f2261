// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/aes_gcm.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <memory>

#include "base/check.h"

namespace plumb {
namespace {

constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kNonceSizeMax = 128;
constexpr std::size_t kTextSizeMax = std::numeric_limits<int>::max() / 2;  // what OpenSSL counts in

struct Freed {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, Freed>;

const unsigned char* Data(ByteSpan bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* Data(MutableByteSpan bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}
int Size(ByteSpan bytes) {
  PLUMB_CHECK(bytes.size() <= kTextSizeMax);
  return static_cast<int>(bytes.size());
}

const EVP_CIPHER* CipherFor(std::size_t key_size) {
  if (key_size == 16) return EVP_aes_128_gcm();
  if (key_size == 24) return EVP_aes_192_gcm();
  return key_size == 32 ? EVP_aes_256_gcm() : nullptr;
}

enum class Way : std::uint8_t { kOpen = 0, kSeal = 1 };

// Ready for what is to be encrypted or decrypted.
Context Begin(const AesGcmInput& input, Way way) {
  Context context(EVP_CIPHER_CTX_new());
  PLUMB_CHECK(context);
  EVP_CIPHER_CTX* const it = context.get();
  const int encrypts = static_cast<int>(way);
  PLUMB_CHECK(
      EVP_CipherInit_ex(it, CipherFor(input.key.size()), nullptr, nullptr, nullptr, encrypts) == 1);
  PLUMB_CHECK(EVP_CIPHER_CTX_ctrl(it, EVP_CTRL_AEAD_SET_IVLEN, Size(input.nonce), nullptr) == 1);
  PLUMB_CHECK(
      EVP_CipherInit_ex(it, nullptr, nullptr, Data(input.key), Data(input.nonce), encrypts) == 1);
  int done = 0;
  if (!input.associated.empty())
    PLUMB_CHECK(
        EVP_CipherUpdate(it, nullptr, &done, Data(input.associated), Size(input.associated)) == 1);
  return context;
}

void Update(EVP_CIPHER_CTX* context, ByteSpan in, MutableByteSpan out) {
  int done = 0;
  if (in.empty()) return;
  PLUMB_CHECK(EVP_CipherUpdate(context, Data(out), &done, Data(in), Size(in)) == 1);
  PLUMB_CHECK(done == Size(in));
}

}  // namespace

std::vector<std::byte> SealAesGcm(const AesGcmInput& input, ByteSpan plaintext) {
  PLUMB_CHECK(CipherFor(input.key.size()) != nullptr && input.nonce.size() == kNonceSize);
  std::vector<std::byte> sealed(plaintext.size() + kAesGcmTagSize);
  const MutableByteSpan out(sealed);
  const Context context = Begin(input, Way::kSeal);
  Update(context.get(), plaintext, out.first(plaintext.size()));
  int done = 0;
  const MutableByteSpan tag = out.subspan(plaintext.size());
  PLUMB_CHECK(EVP_CipherFinal_ex(context.get(), Data(tag), &done) == 1 && done == 0);
  PLUMB_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, Size(tag), tag.data()) ==
              1);
  return sealed;
}

Result<std::vector<std::byte>> OpenAesGcm(const AesGcmInput& input, ByteSpan sealed) {
  if (CipherFor(input.key.size()) == nullptr || input.nonce.empty() ||
      input.nonce.size() > kNonceSizeMax || input.associated.size() > kTextSizeMax)
    return Error{ErrorKind::kInvalid, "AES-GCM has keys of 16, 24 or 32 bytes, and a nonce"};
  const Error denied = {ErrorKind::kDenied, "what was sealed is damaged, or with another key"};
  if (sealed.size() < kAesGcmTagSize || sealed.size() > kTextSizeMax) return denied;
  std::vector<std::byte> plaintext(sealed.size() - kAesGcmTagSize);
  const ByteSpan tag = sealed.subspan(plaintext.size());
  const Context context = Begin(input, Way::kOpen);
  Update(context.get(), sealed.first(plaintext.size()), plaintext);
  // OpenSSL takes a pointer that it does not write through.
  std::array<std::byte, kAesGcmTagSize> expected = {};
  std::ranges::copy(tag, expected.begin());
  PLUMB_CHECK(
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, Size(tag), expected.data()) == 1);
  int done = 0;
  std::array<unsigned char, 16> none = {};
  if (EVP_CipherFinal_ex(context.get(), none.data(), &done) != 1) return denied;
  return plaintext;
}

}  // namespace plumb
