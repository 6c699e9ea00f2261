// SPDX-License-Identifier: MIT OR Apache-2.0
// Answers test vectors of others, so that these need not be in the tree:
//
//     plumb_vectors KIND < CASES
//
// CASES has a JSON object a line, and so has what is printed: {"id":…,"ok":true|false}, with the id
// as it came; null if the line has none, or is no JSON. KINDS below says what a case has. Bytes are
// hexadecimal, but base64 where trees are meant. A case that lacks something, or where a number is
// out of range, is not ok.
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/text.h"
#include "crypto/aes_gcm.h"
#include "crypto/hmac.h"
#include "crypto/public_key.h"
#include "tlog/merkle.h"

namespace plumb {
namespace {

using Bytes = std::vector<std::byte>;

Error Bad(std::string_view member) {
  return Error{ErrorKind::kInvalid, "'" + std::string(member) + "' is missing or not of its form"};
}

Result<Bytes> HexOf(const Json& object, std::string_view member) {
  const Json* const value = object.Find(member);
  const std::string* const text = value == nullptr ? nullptr : value->IfString();
  if (text == nullptr || text->size() % 2 != 0) return Bad(member);
  Bytes bytes(text->size() / 2);
  if (!DecodeHex(*text, bytes)) return Bad(member);
  return bytes;
}

Result<std::uint64_t> NumberOf(const Json& object, std::string_view member) {
  const Json* const value = object.Find(member);
  if (value == nullptr) return Bad(member);
  return value->ToUint64();
}

Result<Digest> DigestIn(const Json* value, std::string_view member) {
  const std::string* const text = value == nullptr ? nullptr : value->IfString();
  if (text == nullptr) return Bad(member);
  PLUMB_TRY(const std::string bytes, DecodeBase64(*text));
  Digest digest;
  if (bytes.size() != digest.bytes.size()) return Bad(member);
  std::ranges::copy(AsBytes(bytes), digest.bytes.begin());
  return digest;
}
Result<Digest> DigestOf(const Json& object, std::string_view member) {
  return DigestIn(object.Find(member), member);
}

// No proof is one without hashes.
Result<tlog::Proof> ProofOf(const Json& object) {
  const Json* const value = object.Find("proof");
  tlog::Proof proof;
  if (value == nullptr || value->IsNull()) return proof;
  if (value->IfArray() == nullptr) return Bad("proof");
  for (const Json& item : *value->IfArray()) {
    PLUMB_TRY(const Digest digest, DigestIn(&item, "proof"));
    proof.push_back(digest);
  }
  return proof;
}

Status CheckInclusion(const Json& object) {
  PLUMB_TRY(const std::uint64_t index, NumberOf(object, "leafIdx"));
  tlog::TreeHead head;
  PLUMB_TRY(head.size, NumberOf(object, "treeSize"));
  PLUMB_TRY(head.root, DigestOf(object, "root"));
  PLUMB_TRY(const Digest leaf, DigestOf(object, "leafHash"));
  PLUMB_TRY(const tlog::Proof proof, ProofOf(object));
  return VerifyInclusion(proof, leaf, index, head);
}

// There are cases in which all that matters of roots is whether they are equal, and which write
// there what comes to mind. What is no root becomes one that no tree has.
Result<Digest> RootOf(const Json& object, std::string_view member) {
  if (auto root = DigestOf(object, member)) return root;
  PLUMB_TRY(const std::string bytes, DecodeBase64(object.TextOf(member)));
  return Sha256(AsBytes("no root: " + bytes));
}

Status CheckConsistency(const Json& object) {
  tlog::TreeHead older;
  tlog::TreeHead newer;
  PLUMB_TRY(older.size, NumberOf(object, "size1"));
  PLUMB_TRY(newer.size, NumberOf(object, "size2"));
  PLUMB_TRY(older.root, RootOf(object, "root1"));
  PLUMB_TRY(newer.root, RootOf(object, "root2"));
  PLUMB_TRY(const tlog::Proof proof, ProofOf(object));
  return VerifyConsistency(proof, older, newer);
}

// "SHA-256", or as others write it: "sha256", "SHA256".
Result<HashType> HashOf(const Json& object) {
  std::string digits;
  for (const char c : object.TextOf("sha"))
    if (c >= '0' && c <= '9') digits.push_back(c);
  if (digits == "256") return HashType::kSha256;
  if (digits == "384") return HashType::kSha384;
  if (digits == "512") return HashType::kSha512;
  return Bad("sha");
}

struct SignedMessage {
  PublicKey key;
  Bytes message;
  Bytes signature;
};
Result<SignedMessage> SignedOf(const Json& object) {
  PLUMB_TRY(const Bytes spki, HexOf(object, "spki"));
  PLUMB_TRY(PublicKey key, PublicKey::ParseSpki(spki));
  PLUMB_TRY(Bytes message, HexOf(object, "msg"));
  PLUMB_TRY(Bytes signature, HexOf(object, "sig"));
  return SignedMessage{std::move(key), std::move(message), std::move(signature)};
}

Status CheckEcdsa(const Json& object, EcdsaForm form) {
  PLUMB_TRY(const SignedMessage it, SignedOf(object));
  PLUMB_TRY(const HashType hash, HashOf(object));
  return it.key.VerifyEcdsa(hash, it.message, form, it.signature);
}

Status CheckEd25519(const Json& object) {
  PLUMB_TRY(const SignedMessage it, SignedOf(object));
  return it.key.VerifyEd25519(it.message, it.signature);
}

Status CheckAesGcm(const Json& object) {
  PLUMB_TRY(const Bytes key, HexOf(object, "key"));
  PLUMB_TRY(const Bytes nonce, HexOf(object, "iv"));
  PLUMB_TRY(const Bytes associated, HexOf(object, "aad"));
  PLUMB_TRY(Bytes sealed, HexOf(object, "ct"));
  PLUMB_TRY(const Bytes tag, HexOf(object, "tag"));
  PLUMB_TRY(const Bytes message, HexOf(object, "msg"));
  if (tag.size() != kAesGcmTagSize) return Bad("tag");
  sealed.insert(sealed.end(), tag.begin(), tag.end());
  PLUMB_TRY(const Bytes opened, OpenAesGcm({key, nonce, associated}, sealed));
  if (opened != message) return Error{ErrorKind::kDenied, "it is another message"};
  return Done{};
}

Status CheckHmac(const Json& object) {
  PLUMB_TRY(const Bytes key, HexOf(object, "key"));
  PLUMB_TRY(const Bytes message, HexOf(object, "msg"));
  PLUMB_TRY(const Bytes tag, HexOf(object, "tag"));
  return CheckHmacSha256(key, message, tag);
}

const std::map<std::string_view, std::function<Status(const Json&)>> kKinds = {
    // leafIdx, treeSize, root, leafHash, proof[]
    {"merkle-inclusion", CheckInclusion},
    // size1, size2, root1, root2, proof[]
    {"merkle-consistency", CheckConsistency},
    // spki, sha, msg, sig
    {"ecdsa-der", [](const Json& object) { return CheckEcdsa(object, EcdsaForm::kDer); }},
    {"ecdsa-p1363", [](const Json& object) { return CheckEcdsa(object, EcdsaForm::kP1363); }},
    {"ed25519", CheckEd25519},
    // key, iv, aad, ct, tag, msg
    {"aes-gcm-open", CheckAesGcm},
    // key, msg, tag
    {"hmac-sha256", CheckHmac},
};

int Run(std::string_view kind) {
  const auto check = kKinds.find(kind);
  if (check == kKinds.end()) {
    std::cerr << "plumb_vectors KIND < CASES, where KIND is one of";
    for (const auto& [name, unused] : kKinds)
      std::cerr << ' ' << name;
    std::cerr << '\n';
    return 2;
  }
  for (std::string line; std::getline(std::cin, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto object = ParseJson(line);
    const Json* const id = object ? object->Find("id") : nullptr;
    Json answer = Json::MakeObject();
    answer.Set("id", id == nullptr ? Json() : *id);
    answer.Set("ok", Json::Bool(object.has_value() && check->second(*object).has_value()));
    std::cout << WriteJson(answer, JsonStyle::kCompact) << '\n';
  }
  std::cout.flush();
  return std::cout ? 0 : 1;
}

}  // namespace
}  // namespace plumb

int main(int count, char** arguments) {
  return plumb::Run(count == 2 ? std::string_view(arguments[1]) : std::string_view());
}
