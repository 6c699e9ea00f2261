// SPDX-License-Identifier: MIT OR Apache-2.0
// Beside the published ones below: tests/vectors asks about signatures that openssl made.
#include "crypto/public_key.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/text.h"

namespace plumb {
namespace {

using Bytes = std::vector<std::byte>;

Bytes Hex(std::string_view text) {
  Bytes bytes(text.size() / 2);
  EXPECT_TRUE(DecodeHex(text, bytes));
  return bytes;
}

// RFC 6979, appendix A.2.5: P-256, "sample", SHA-256.
const std::string kPoint =
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
const std::string kR = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
const std::string kS = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
const std::string kSpki = "3059301306072a8648ce3d020106082a8648ce3d03010703420004" + kPoint;

TEST(PublicKeyTest, VerifiesEcdsaOfTheRfc) {
  const auto key = PublicKey::ParseSpki(Hex(kSpki));
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->type(), KeyType::kP256);
  EXPECT_EQ(key->spki(), Hex(kSpki));
  const auto verify = [&](EcdsaForm form, const std::string& signature,
                          HashType hash = HashType::kSha256) {
    return key->VerifyEcdsa(hash, AsBytes("sample"), form, Hex(signature));
  };
  EXPECT_TRUE(verify(EcdsaForm::kP1363, kR + kS));
  EXPECT_TRUE(verify(EcdsaForm::kDer, "3046022100" + kR + "022100" + kS));
  const Status other = verify(EcdsaForm::kP1363, kS + kR);
  EXPECT_EQ(other.error().kind, ErrorKind::kDenied);
  EXPECT_FALSE(verify(EcdsaForm::kP1363, kR + kS, HashType::kSha384));
  // Forms that only resemble DER: a length in two bytes, one of no definite length, a zero in
  // front.
  EXPECT_FALSE(verify(EcdsaForm::kDer, "308146022100" + kR + "022100" + kS));
  EXPECT_FALSE(verify(EcdsaForm::kDer, "3080022100" + kR + "022100" + kS + "0000"));
  EXPECT_FALSE(verify(EcdsaForm::kDer, "304702220000" + kR + "022100" + kS));
  EXPECT_FALSE(verify(EcdsaForm::kDer, "30440220" + kR + "0220" + kS));
  EXPECT_FALSE(verify(EcdsaForm::kDer, kR + kS));
  EXPECT_FALSE(verify(EcdsaForm::kDer, ""));
  EXPECT_EQ(key->VerifyEd25519(AsBytes("sample"), Hex(kR + kS)).error().kind, ErrorKind::kInvalid);
}

// RFC 8032, section 7.1, tests 1 and 3.
TEST(PublicKeyTest, VerifiesEd25519OfTheRfc) {
  const auto one = PublicKey::FromEd25519(
      Hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
  ASSERT_TRUE(one);
  const Bytes signature =
      Hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
          "1cf9b46b"
          "d25bf5f0595bbe24655141438e7a100b");
  EXPECT_TRUE(one->VerifyEd25519({}, signature));
  EXPECT_EQ(one->VerifyEd25519(AsBytes("x"), signature).error().kind, ErrorKind::kDenied);
  EXPECT_FALSE(one->VerifyEd25519({}, ByteSpan(signature).first(63)));
  const auto three = PublicKey::ParseSpki(Hex(
      "302a300506032b6570032100fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"));
  ASSERT_TRUE(three);
  EXPECT_EQ(three->type(), KeyType::kEd25519);
  EXPECT_TRUE(
      three->VerifyEd25519(Hex("af82"), Hex("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680"
                                            "d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
                                            "4a7c15e9716ed28dc027beceea1ec40a")));
  EXPECT_EQ(three->VerifyEcdsa(HashType::kSha256, {}, EcdsaForm::kDer, signature).error().kind,
            ErrorKind::kInvalid);
}

TEST(PublicKeyTest, TakesOneSpellingOfAKey) {
  const auto kind = [](const std::string& spki) {
    const auto key = PublicKey::ParseSpki(Hex(spki));
    return key ? ErrorKind::kNotFound : key.error().kind;
  };
  EXPECT_EQ(kind(kSpki + "00"), ErrorKind::kInvalid);
  EXPECT_EQ(kind(kSpki.substr(0, kSpki.size() - 2)), ErrorKind::kInvalid);
  EXPECT_EQ(kind(""), ErrorKind::kInvalid);
  // Compressed.
  EXPECT_EQ(kind("3039301306072a8648ce3d020106082a8648ce3d03010703220003" + kPoint.substr(0, 64)),
            ErrorKind::kInvalid);
  // A point beside the curve.
  std::string beside = kSpki;
  beside.back() = '8';
  EXPECT_EQ(kind(beside), ErrorKind::kInvalid);
  // X25519 and secp256k1.
  EXPECT_EQ(kind("302a300506032b656e032100fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb91154"
                 "8908025"),
            ErrorKind::kUnsupported);
  EXPECT_EQ(
      kind("3056301006072a8648ce3d020106052b8104000a0342000479be667ef9dcbbac55a06295ce870b07029bfcd"
           "b2dce28"
           "d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"),
      ErrorKind::kUnsupported);
  EXPECT_FALSE(PublicKey::FromEd25519(Hex("00")));
}

}  // namespace
}  // namespace plumb
