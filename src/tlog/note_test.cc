// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tlog/note.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "crypto/digest.h"
#include "tests/test_log.h"

namespace plumb::tlog {
namespace {

constexpr std::string_view kText = "log.example/one\n3\nnot yet a checkpoint\n";

VerifierKey LogKey(char seed, const std::string& name = "log.example/one") {
  return VerifierKey::Of(NoteKeyType::kEd25519, name, TestKey(seed));
}
VerifierKey WitnessKey(char seed, const std::string& name) {
  return VerifierKey::Of(NoteKeyType::kCosignature, name, TestKey(seed));
}

Note SomeNote() {
  return {std::string(kText),
          {SignNote("log.example/one", TestKey(1), kText),
           Cosign("witness.example/w", TestKey(2), kText, 1'700'000'000)}};
}

ErrorKind KindOf(std::string_view note) {
  const auto parsed = Note::Parse(note);
  return parsed ? ErrorKind::kNotFound : parsed.error().kind;
}

TEST(NoteTest, IsWrittenAsItIsRead) {
  const std::string text = SomeNote().ToString();
  const auto parsed = Note::Parse(text);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(*parsed, SomeNote());
  EXPECT_EQ(parsed->ToString(), text);
  EXPECT_TRUE(text.starts_with(std::string(kText) + "\n\u2014 log.example/one "));
}

TEST(NoteTest, TheTextMayHaveEmptyLines) {
  const std::string text = "a\n\n\u2014 b AAAA\n\n";
  Note note = {text, {SignNote("k", TestKey(1), text)}};
  const auto parsed = Note::Parse(note.ToString());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->text, text);
}

TEST(NoteTest, WhatIsNoneIsRefused) {
  const std::string good = SomeNote().ToString();
  const std::size_t split = good.find("\n\n");
  const std::string line = good.substr(split + 2);
  EXPECT_EQ(KindOf(""), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(kText), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(std::string(kText) + "\n"), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(good.substr(0, good.size() - 1)), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(good + "\n"), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(good + "x\n"), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf("a\rb\n\n" + line), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf("\xff\n\n" + line), ErrorKind::kInvalid);
  for (const char* const bad :
       {"- k AAAAAAA=", "\u2014 k", "\u2014  AAAAAAA=", "\u2014 k+ AAAAAAA=", "\u2014 k AAAA",
        "\u2014 k AAAAAA==", "\u2014 k AAAAAAB=", "\u2014 k AAAAAAA= ", "\u2014 k  AAAAAAA=",
        "\u2014 k\u2003l AAAAAAA="})
    EXPECT_EQ(KindOf("text\n\n" + std::string(bad) + "\n"), ErrorKind::kInvalid) << bad;
  EXPECT_EQ(KindOf("text\n\n\u2014 k AAAAAAA=\n"), ErrorKind::kNotFound);
}

TEST(NoteTest, HasLimits) {
  std::string many = "text\n\n";
  for (std::size_t i = 0; i < kNoteSignaturesMax; ++i)
    many += "\u2014 k AAAAAAA=\n";
  EXPECT_EQ(KindOf(many), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(many + "\u2014 k AAAAAAA=\n"), ErrorKind::kExhausted);
  EXPECT_EQ(KindOf(std::string(kNoteSizeMax, 'a') + many), ErrorKind::kExhausted);
}

TEST(NoteTest, TellsWhoSignedItAndWhen) {
  const std::vector<VerifierKey> keys = {WitnessKey(9, "witness.example/other"),
                                         WitnessKey(2, "witness.example/w"), LogKey(1)};
  const auto verified = VerifySignatures(SomeNote(), keys);
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_EQ(*verified, (std::vector<VerifiedSignature>{{1, 1'700'000'000}, {2, 0}}));
}

TEST(NoteTest, TheNewestOfSeveralCosignaturesCounts) {
  Note note = SomeNote();
  for (const std::uint64_t time : {1'800'000'000U, 1'600'000'000U})
    note.signatures.push_back(Cosign("witness.example/w", TestKey(2), kText, time));
  const VerifierKey key = WitnessKey(2, "witness.example/w");
  EXPECT_EQ(VerifySignatures(note, {&key, 1})->front().time, 1'800'000'000U);
}

TEST(NoteTest, ABadSignatureOfAKnownKeySpoilsTheNote) {
  const std::vector<VerifierKey> keys = {LogKey(1), WitnessKey(2, "witness.example/w")};
  for (std::size_t which = 0; which < 2; ++which)
    for (std::size_t at = 0; at < SomeNote().signatures[which].bytes.size(); at += 5) {
      Note note = SomeNote();
      note.signatures[which].bytes[at] ^= 1;
      EXPECT_EQ(VerifySignatures(note, keys).error().kind, ErrorKind::kDenied);
      note = SomeNote();
      note.signatures[which].bytes.resize(at);
      EXPECT_EQ(VerifySignatures(note, keys).error().kind, ErrorKind::kDenied);
    }
  Note note = SomeNote();
  note.text += "more\n";
  EXPECT_EQ(VerifySignatures(note, keys).error().kind, ErrorKind::kDenied);
}

TEST(NoteTest, UnknownKeysArePassedOver) {
  // The same key as a log's and as a witness's, and under another name, is another.
  const std::vector<VerifierKey> others = {LogKey(1, "log.example/two"), LogKey(3),
                                           WitnessKey(1, "log.example/one"),
                                           LogKey(2, "witness.example/w")};
  EXPECT_EQ(VerifySignatures(SomeNote(), others).error().kind, ErrorKind::kDenied);
  const std::vector<VerifierKey> keys = {LogKey(1)};
  Note note = SomeNote();
  note.signatures[1].bytes = "not by a key that is known";
  EXPECT_TRUE(VerifySignatures(note, keys));
}

// So that a cosignature cannot be passed for a log's word, nor the other way round.
TEST(NoteTest, ACosignatureIsOfAnotherMessage) {
  const VerifierKey log = LogKey(2, "w");
  Note note = {std::string(kText), {Cosign("w", TestKey(2), kText, 7)}};
  note.signatures[0].key_id = log.id();
  note.signatures[0].bytes.erase(0, 8);
  EXPECT_EQ(VerifySignatures(note, {&log, 1}).error().kind, ErrorKind::kDenied);
}

TEST(VerifierKeyTest, IsWrittenAsItIsRead) {
  for (const VerifierKey& key : {LogKey(1), WitnessKey(2, "w\u00e9")}) {
    const auto parsed = VerifierKey::Parse(key.ToString());
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->ToString(), key.ToString());
    EXPECT_EQ(parsed->id(), key.id());
    EXPECT_EQ(parsed->name(), key.name());
  }
  EXPECT_NE(LogKey(1).id(), WitnessKey(1, "log.example/one").id());
}

TEST(VerifierKeyTest, MlDsaIsKnownByNameOnly) {
  // Of 1312 zeros; the id is what Python's hashlib gives.
  const std::string bytes = std::string(1, '\x06') + std::string(1312, '\0');
  const auto key = VerifierKey::Parse("w+ID+" + EncodeBase64(AsBytes(bytes)));
  EXPECT_FALSE(key);
  const Digest digest = Sha256(AsBytes("w\n" + bytes));
  const std::string id = digest.ToHex().substr(0, 8);
  const auto parsed = VerifierKey::Parse("w+" + id + "+" + EncodeBase64(AsBytes(bytes)));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->type(), NoteKeyType::kMlDsa44);
  Note note = SomeNote();
  note.signatures.push_back({"w", parsed->id(), std::string(2428, 'x')});
  const std::vector<VerifierKey> keys = {*parsed, LogKey(1)};
  EXPECT_EQ(*VerifySignatures(note, keys), (std::vector<VerifiedSignature>{{1, 0}}));
}

TEST(VerifierKeyTest, WhatIsNoneIsRefused) {
  const std::string good = LogKey(1).ToString();
  const std::string key = good.substr(good.rfind('+') + 1);
  const std::string id = good.substr(good.size() - key.size() - 9, 8);
  const auto kind = [](const std::string& vkey) {
    const auto parsed = VerifierKey::Parse(vkey);
    return parsed ? ErrorKind::kNotFound : parsed.error().kind;
  };
  EXPECT_EQ(kind("log.example/one+" + id + "+" + key), ErrorKind::kNotFound);
  EXPECT_EQ(kind("log.example/two+" + id + "+" + key), ErrorKind::kInvalid);
  EXPECT_EQ(kind("log example/one+" + id + "+" + key), ErrorKind::kInvalid);
  EXPECT_EQ(kind("+" + id + "+" + key), ErrorKind::kInvalid);
  EXPECT_EQ(kind(good + "="), ErrorKind::kInvalid);
  EXPECT_EQ(kind(good + "AAAA"), ErrorKind::kInvalid);
  EXPECT_EQ(kind("log.example/one+" + id + key), ErrorKind::kInvalid);
  EXPECT_EQ(kind("log.example/one+" + id + "+"), ErrorKind::kInvalid);
  EXPECT_EQ(kind("log.example/one+" + id + "+Ag=="), ErrorKind::kUnsupported);
  EXPECT_EQ(kind(""), ErrorKind::kInvalid);
  EXPECT_EQ(kind(std::string(5000, '+')), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace plumb::tlog
