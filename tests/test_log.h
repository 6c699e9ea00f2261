// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_TEST_LOG_H_
#define PLUMB_TESTS_TEST_LOG_H_

#include <array>
#include <cstddef>
#include <span>
#include <string>

#include "crypto/ed25519_key.h"
#include "tlog/merkle.h"
#include "tlog/note.h"

// Keys that everybody knows, and what the RFC says a root is.
namespace plumb::tlog {

inline Ed25519Key TestKey(char seed) {
  std::array<std::byte, Ed25519Key::kSeedSize> bytes = {};
  bytes[0] = static_cast<std::byte>(seed);
  return Ed25519Key(bytes);
}

inline std::string TestVkey(NoteKeyType type, const std::string& name, char seed) {
  return VerifierKey::Of(type, name, TestKey(seed)).ToString();
}

// MTH(D[n]) = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n])), word for word (RFC 6962, section 2.1).
inline Digest RootByDefinition(std::span<const Digest> leaves) {
  if (leaves.empty()) return EmptyRoot();
  if (leaves.size() == 1) return leaves.front();
  std::size_t k = 1;
  while (2 * k < leaves.size())
    k *= 2;
  return NodeHash(RootByDefinition(leaves.first(k)), RootByDefinition(leaves.subspan(k)));
}

}  // namespace plumb::tlog

#endif  // PLUMB_TESTS_TEST_LOG_H_
