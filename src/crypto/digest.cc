// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/digest.h"

// SHA256_CTX is deprecated since OpenSSL 3.0, without another way to its state.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <algorithm>

#include "base/text.h"
#include "crypto/sha256_lanes_internal.h"

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

// OpenSSL's older interface, because it shows the state that two lanes are hashed into.
struct Sha256Hasher::State {
  SHA256_CTX context;

  State() { PLUMB_CHECK(SHA256_Init(&context) == 1); }

  // How many bytes are missing in the block that was begun; 0 if none was.
  std::size_t Missing() const { return context.num == 0 ? 0 : kSha256BlockSize - context.num; }

  // `bytes` more were hashed.
  void Count(std::uint64_t bytes) {
    const std::uint64_t bits =
        (static_cast<std::uint64_t>(context.Nh) << 32U | context.Nl) + (bytes << 3U);
    context.Nh = static_cast<SHA_LONG>(bits >> 32U);
    context.Nl = static_cast<SHA_LONG>(bits);
  }
};

Sha256Hasher::Sha256Hasher() : state_(std::make_unique<State>()) {}
Sha256Hasher::~Sha256Hasher() = default;

Sha256Hasher& Sha256Hasher::Add(ByteSpan data) {
  PLUMB_CHECK(SHA256_Update(&state_->context, data.data(), data.size()) == 1);
  return *this;
}

void Sha256Hasher::AddTogether(Sha256Hasher& first, ByteSpan first_data, Sha256Hasher& second,
                               ByteSpan second_data) {
  const auto take = [](Sha256Hasher& hasher, ByteSpan& data, std::size_t size) {
    hasher.Add(data.first(std::min(size, data.size())));
    data = data.subspan(std::min(size, data.size()));
  };
  take(first, first_data, first.state_->Missing());
  take(second, second_data, second.state_->Missing());
  const std::size_t blocks =
      CanHashTwoLanes() ? std::min(first_data.size(), second_data.size()) / kSha256BlockSize : 0;
  // A block that is still not full leaves no data behind it.
  if (blocks > 0) {
    HashTwoLanes({first.state_->context.h, first_data.data()},
                 {second.state_->context.h, second_data.data()}, blocks);
    const std::size_t size = blocks * kSha256BlockSize;
    first.state_->Count(size);
    second.state_->Count(size);
    first_data = first_data.subspan(size);
    second_data = second_data.subspan(size);
  }
  first.Add(first_data);
  second.Add(second_data);
}

Digest Sha256Hasher::Finish() {
  Digest digest;
  auto* out = reinterpret_cast<unsigned char*>(digest.bytes.data());
  PLUMB_CHECK(SHA256_Final(out, &state_->context) == 1);
  return digest;
}

Digest Sha256(ByteSpan data) { return Sha256Hasher().Add(data).Finish(); }

}  // namespace plumb
