// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/digest.h"

#include <openssl/evp.h>

#include <algorithm>

#include "base/text.h"

namespace plumb {
namespace {

constexpr std::string_view kPrefix = "sha256:";

// The other algorithms that image-spec registers ("Digests"), and how many bytes they give.
struct Algorithm {
  std::string_view prefix;
  std::size_t size;
};
constexpr Algorithm kOthers[] = {{"sha512:", 64}, {"sha384:", 48}, {"blake3:", 32}};

bool IsOfOtherAlgorithm(std::string_view text) {
  std::array<std::byte, 64> bytes = {};
  return std::ranges::any_of(kOthers, [&](const Algorithm& other) {
    return text.starts_with(other.prefix) &&
           DecodeHex(text.substr(other.prefix.size()), MutableByteSpan(bytes).first(other.size));
  });
}

}  // namespace

Result<Digest> Digest::Parse(std::string_view text) {
  Digest digest;
  if (text.starts_with(kPrefix) && DecodeHex(text.substr(kPrefix.size()), digest.bytes))
    return digest;
  const std::string shown = Printable(text.substr(0, 160));
  if (IsOfOtherAlgorithm(text))
    return Error{ErrorKind::kUnsupported, "'" + shown + "' is no sha256 digest"};
  return Error{ErrorKind::kInvalid,
               "'" + shown + "' is no digest: sha256: and 64 lower-case hexadecimal digits"};
}

std::string Digest::ToString() const { return std::string(kPrefix) + ToHex(); }

std::string Digest::ToHex() const { return EncodeHex(bytes); }

struct Sha256Hasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();

  State() {
    PLUMB_CHECK(context != nullptr);
    PLUMB_CHECK(EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1);
  }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Sha256Hasher::Sha256Hasher() : state_(std::make_unique<State>()) {}
Sha256Hasher::~Sha256Hasher() = default;

Sha256Hasher& Sha256Hasher::Add(ByteSpan data) {
  PLUMB_CHECK(EVP_DigestUpdate(state_->context, data.data(), data.size()) == 1);
  return *this;
}

Digest Sha256Hasher::Finish() {
  Digest digest;
  unsigned size = 0;
  auto* out = reinterpret_cast<unsigned char*>(digest.bytes.data());
  PLUMB_CHECK(EVP_DigestFinal_ex(state_->context, out, &size) == 1);
  PLUMB_CHECK(size == digest.bytes.size());
  return digest;
}

Digest Sha256(ByteSpan data) { return Sha256Hasher().Add(data).Finish(); }

}  // namespace plumb
