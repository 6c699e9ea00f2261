// SPDX-License-Identifier: MIT OR Apache-2.0
// Against logs and who relies on them. Each test is an attack; what stops it stands beside it.
#include "tlog/log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/temporary_directory.h"
#include "tests/test_log.h"
#include "tlog/log_proof.h"

namespace plumb::tlog {
namespace {

const std::string kOrigin = "log.example/one";

Policy PolicyOf(const std::string& lines) {
  auto policy =
      Policy::Parse("log " + TestVkey(NoteKeyType::kEd25519, kOrigin, 'l') + "\n" + lines);
  EXPECT_TRUE(policy) << policy.error().message;
  return *std::move(policy);
}
const std::string kTwoWitnesses =
    "witness a " + TestVkey(NoteKeyType::kCosignature, "w.example/a", 'a') + "\nwitness b " +
    TestVkey(NoteKeyType::kCosignature, "w.example/b", 'b') + "\ngroup both all a b\nquorum both\n";

// One entry, and what proves it.
LogProof ProofOf(std::string_view entry, const std::vector<NoteSignature>& more = {}) {
  const std::string text = Checkpoint{kOrigin, {1, LeafHash(AsBytes(entry))}}.ToString();
  LogProof proof = {{}, 0, {}, {text, {SignNote(kOrigin, TestKey('l'), text)}}};
  for (const NoteSignature& signature : more)
    proof.checkpoint.signatures.push_back(signature);
  return proof;
}
std::string TextOf(std::string_view entry) { return ProofOf(entry).checkpoint.text; }

// cosign CVE-2026-22703: a proof of some entry passed as that of another.
TEST(LogAttack, AnyValidEntryIsNotAccepted) {
  const Policy policy = PolicyOf("quorum none\n");
  EXPECT_TRUE(VerifyLogProof(ProofOf("mine"), LeafHash(AsBytes("mine")), policy));
  EXPECT_EQ(VerifyLogProof(ProofOf("other"), LeafHash(AsBytes("mine")), policy).error().kind,
            ErrorKind::kDenied);
}

// CVE-2026-39395: what cannot be parsed counts as verified.
TEST(LogAttack, WhatCannotBeParsedIsNoSuccess) {
  const std::string good = ProofOf("mine").ToString();
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(LogProof::Parse(good.substr(0, size))) << size;
}

// CVE-2026-49834: one log, or one witness, counted twice.
TEST(LogAttack, NobodyCountsTwice) {
  const Policy policy = PolicyOf(kTwoWitnesses);
  const std::string text = TextOf("mine");
  const NoteSignature a = Cosign("w.example/a", TestKey('a'), text, 1);
  const NoteSignature later = Cosign("w.example/a", TestKey('a'), text, 2);
  const NoteSignature b = Cosign("w.example/b", TestKey('b'), text, 1);
  const Digest leaf = LeafHash(AsBytes("mine"));
  EXPECT_FALSE(VerifyLogProof(ProofOf("mine", {a, a}), leaf, policy));
  EXPECT_FALSE(VerifyLogProof(ProofOf("mine", {a, later}), leaf, policy));
  EXPECT_TRUE(VerifyLogProof(ProofOf("mine", {a, b}), leaf, policy));
  // The same key under two names is refused when the policy is read.
  EXPECT_FALSE(
      Policy::Parse("witness a " + TestVkey(NoteKeyType::kCosignature, "w.example/a", 'a') +
                    "\nwitness b " + TestVkey(NoteKeyType::kCosignature, "w.example/b", 'a') +
                    "\ngroup both all a b\nquorum both\n"));
}

// One witness's word passed as another's, or as said of another checkpoint.
TEST(LogAttack, ACosignatureIsOfOneWitnessAndOneCheckpoint) {
  const Policy policy = PolicyOf(kTwoWitnesses);
  const std::string text = TextOf("mine");
  const NoteSignature a = Cosign("w.example/a", TestKey('a'), text, 1);
  NoteSignature renamed = a;
  renamed.name = "w.example/b";
  renamed.key_id = VerifierKey::Of(NoteKeyType::kCosignature, "w.example/b", TestKey('b')).id();
  const NoteSignature foreign = Cosign("w.example/b", TestKey('b'), TextOf("other"), 1);
  NoteSignature redated = Cosign("w.example/b", TestKey('b'), text, 1);
  redated.bytes[7] = 2;
  const Digest leaf = LeafHash(AsBytes("mine"));
  for (const NoteSignature& bad : {renamed, foreign, redated})
    EXPECT_EQ(VerifyLogProof(ProofOf("mine", {a, bad}), leaf, policy).error().kind,
              ErrorKind::kDenied);
}

// An inner node, or an entry that looks like two hashes, passed as a leaf (RFC 6962, 2.1: leaves
// and nodes are hashed apart).
TEST(LogAttack, ANodeIsNoLeaf) {
  const Digest left = LeafHash(AsBytes("left"));
  const Digest right = LeafHash(AsBytes("right"));
  const TreeHead head = {2, NodeHash(left, right)};
  std::string both(AsText(left.bytes));
  both += AsText(right.bytes);
  EXPECT_NE(LeafHash(AsBytes(both)), head.root);
  EXPECT_FALSE(VerifyInclusion({}, head.root, 0, head));
  EXPECT_FALSE(VerifyInclusion({}, LeafHash(AsBytes(both)), 0, {1, head.root}));
}

// Log fork after restore: a copy of the log from before signs another history.
TEST(LogAttack, ARestoredLogForksNothing) {
  TemporaryDirectory directory;
  const auto files = host::MakeFiles();
  const auto open = [&] {
    return Log::Open(*files, directory.path() + "/log", {kOrigin, TestKey('l')});
  };
  ASSERT_TRUE((*open())->Append(1, {"one"}));
  const std::string before = directory.Read("log/journal");
  ASSERT_TRUE((*open())->Append(2, {"two"}));
  const std::string served = directory.Read("log/public/checkpoint");
  directory.Write("log/journal", before);
  EXPECT_EQ(open().error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(directory.Read("log/public/checkpoint"), served);
  EXPECT_EQ(directory.Read("log/journal"), before);
}

// Entries that look like a journal's records change nothing.
TEST(LogAttack, AnEntryIsNoRecord) {
  TemporaryDirectory directory;
  const auto files = host::MakeFiles();
  const auto open = [&](const std::string& name) {
    return *Log::Open(*files, directory.path() + "/" + name, {kOrigin, TestKey('l')});
  };
  ASSERT_TRUE(open("other")->Append(1, {"x", "y", "z"}));
  const std::string journal = directory.Read("other/journal");
  ASSERT_TRUE(open("log")->Append(1, {journal, "last"}));
  EXPECT_EQ(open("log")->State()->head.size, 2U);
  // Also if the end is torn within it.
  const std::string whole = directory.Read("log/journal");
  directory.Write("log/journal", whole.substr(0, whole.size() - 40));
  std::filesystem::remove(directory.path() + "/log/public/checkpoint");
  EXPECT_EQ(open("log")->State()->head.size, 0U);
}

}  // namespace
}  // namespace plumb::tlog
