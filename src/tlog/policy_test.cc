// SPDX-License-Identifier: MIT OR Apache-2.0
// Checkpoints, policies that judge them, and proofs that carry them.
#include "tlog/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "tests/test_log.h"
#include "tlog/log_proof.h"

namespace plumb::tlog {
namespace {

using testing::HasSubstr;
using Names = std::vector<std::string>;

const std::string kOrigin = "log.example/one";

std::string LogLine(const std::string& origin = kOrigin, char seed = 'l') {
  return "log " + TestVkey(NoteKeyType::kEd25519, origin, seed) + "\n";
}
std::string WitnessLine(char name) {
  const std::string text(1, name);
  return "witness " + text + " " +
         TestVkey(NoteKeyType::kCosignature, "witness.example/" + text, name) +
         " https://witness.example/" + text + "\n";
}
const std::string kThree = LogLine() + WitnessLine('a') + WitnessLine('b') + WitnessLine('c');

Digest RootOfTwo() { return NodeHash(LeafHash(AsBytes("first")), LeafHash(AsBytes("second"))); }

Note Signed(const std::string& witnesses) {
  const std::string text = Checkpoint{kOrigin, {2, RootOfTwo()}}.ToString();
  Note note = {text, {SignNote(kOrigin, TestKey('l'), text)}};
  for (const char name : witnesses)
    note.signatures.push_back(
        Cosign(std::string("witness.example/") + name, TestKey(name), text, 1'700'000'000));
  return note;
}

bool Accepts(const std::string& policy, const std::string& witnesses) {
  const auto parsed = Policy::Parse(policy);
  EXPECT_TRUE(parsed) << parsed.error().message;
  const auto accepted = parsed->Judge(Signed(witnesses));
  if (!accepted) {
    EXPECT_EQ(accepted.error().kind, ErrorKind::kDenied);
    return false;
  }
  Names names;
  for (const auto& witness : accepted->witnesses)
    names.push_back(witness.name);
  EXPECT_EQ(names.size(), witnesses.size());
  return true;
}

std::string WhyNot(const std::string& policy) {
  const auto parsed = Policy::Parse(policy);
  if (parsed) return "it is a policy";
  EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid);
  return parsed.error().message;
}

TEST(CheckpointTest, IsWrittenAsItIsRead) {
  const Checkpoint checkpoint = {kOrigin, {kTreeSizeMax, RootOfTwo()}, {"more", "and more"}};
  EXPECT_EQ(*Checkpoint::Parse(checkpoint.ToString()), checkpoint);
  EXPECT_EQ((Checkpoint{"o", {0, EmptyRoot()}}.ToString()),
            "o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
}

TEST(CheckpointTest, HasOneSpelling) {
  const std::string root = EncodeBase64(RootOfTwo().bytes) + "\n";
  EXPECT_TRUE(Checkpoint::Parse("o\n7\n" + root));
  for (const std::string& bad :
       {std::string(), std::string("o\n"), std::string("o\n7\n"), "\n7\n" + root, "o\n07\n" + root,
        "o\n\n" + root, "o\n+7\n" + root, "o\n-7\n" + root, "o\n7 \n" + root,
        "o\n9223372036854775808\n" + root, "o\n18446744073709551616\n" + root,
        "o\n7\n" + root.substr(4), "o\n7\n" + root + "\n", "o\n7\n" + root + "x",
        "o\n7\nAAAA" + root, "o\n7\n=" + root})
    EXPECT_EQ(Checkpoint::Parse(bad).error().kind, ErrorKind::kInvalid) << bad;
}

TEST(PolicyTest, AsksForItsQuorum) {
  EXPECT_TRUE(Accepts(LogLine() + "quorum none\n", ""));
  EXPECT_TRUE(Accepts(kThree + "quorum none\n", ""));
  EXPECT_TRUE(Accepts(kThree + "quorum none\n", "cab"));
  EXPECT_FALSE(Accepts(kThree + "quorum b\n", "ac"));
  EXPECT_TRUE(Accepts(kThree + "quorum b\n", "b"));
  const std::string two = kThree + "group g 2 a b c\nquorum g\n";
  EXPECT_FALSE(Accepts(two, "a"));
  EXPECT_TRUE(Accepts(two, "ca"));
  const std::string nested = kThree + WitnessLine('d') + "group ab all a b\ngroup any any ab c\n" +
                             "group both all any d\nquorum both\n";
  EXPECT_FALSE(Accepts(nested, "abc"));
  EXPECT_FALSE(Accepts(nested, "ad"));
  EXPECT_TRUE(Accepts(nested, "cd"));
  EXPECT_TRUE(Accepts(nested, "abd"));
}

TEST(PolicyTest, TellsWhoCosignedAndWhen) {
  const auto policy = Policy::Parse("# ours\n\n \t" + kThree + "\tquorum \t a  \n");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->witnesses()[2].url, "https://witness.example/c");
  const auto accepted = policy->Judge(Signed("ca"));
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->checkpoint.head, (TreeHead{2, RootOfTwo()}));
  EXPECT_EQ(accepted->witnesses,
            (std::vector<AcceptedCheckpoint::Witness>{{"a", 1'700'000'000}, {"c", 1'700'000'000}}));
}

TEST(PolicyTest, OneWitnessCountsOnce) {
  Note note = Signed("aaa");
  EXPECT_FALSE(Policy::Parse(kThree + "group g 2 a b c\nquorum g\n")->Judge(note));
}

TEST(PolicyTest, BelievesALogUnderItsOwnNameOnly) {
  const Note note = Signed("abc");
  const auto kind = [&](const std::string& policy) {
    return Policy::Parse(policy)->Judge(note).error().kind;
  };
  EXPECT_EQ(kind(LogLine("log.example/two", 'm') + "quorum none\n"), ErrorKind::kDenied);
  EXPECT_EQ(kind(LogLine(kOrigin, 'm') + "quorum none\n"), ErrorKind::kDenied);
  EXPECT_EQ(kind("quorum none\n"), ErrorKind::kDenied);
  // Signed by a log of the policy, but as another's checkpoint.
  const std::string text = Checkpoint{"log.example/two", {2, RootOfTwo()}}.ToString();
  const Note foreign = {text, {SignNote(kOrigin, TestKey('l'), text)}};
  const auto both = Policy::Parse(LogLine() + LogLine("log.example/two", 'm') + "quorum none\n");
  EXPECT_EQ(both->Judge(foreign).error().kind, ErrorKind::kDenied);
  // Cosigned, but not signed.
  Note unsigned_note = note;
  unsigned_note.signatures.erase(unsigned_note.signatures.begin());
  EXPECT_EQ(Policy::Parse(kThree + "quorum a\n")->Judge(unsigned_note).error().kind,
            ErrorKind::kDenied);
}

TEST(PolicyTest, SaysWhatIsWrongInWhichLine) {
  EXPECT_THAT(WhyNot(kThree), HasSubstr("quorum"));
  EXPECT_THAT(WhyNot(kThree + "quorum d\n"), HasSubstr("line 5"));
  EXPECT_THAT(WhyNot(kThree + "quorum a\nquorum a\n"), HasSubstr("already"));
  EXPECT_THAT(WhyNot("quorum a\n" + kThree), HasSubstr("line 1"));
  EXPECT_THAT(WhyNot(kThree + "quorum none"), HasSubstr("no end"));
  EXPECT_THAT(WhyNot(kThree + "qorum none\n"), HasSubstr("'qorum'"));
  EXPECT_THAT(WhyNot(kThree + "group g 0 a\nquorum g\n"), HasSubstr("cannot be needed"));
  EXPECT_THAT(WhyNot(kThree + "group g 2 a\nquorum g\n"), HasSubstr("cannot be needed"));
  EXPECT_THAT(WhyNot(kThree + "group g most a\nquorum g\n"), HasSubstr("cannot be needed"));
  EXPECT_THAT(WhyNot(kThree + "group g all\nquorum g\n"), HasSubstr("group NAME"));
  EXPECT_THAT(WhyNot(kThree + "group g any none\nquorum g\n"), HasSubstr("none"));
  EXPECT_THAT(WhyNot(kThree + "group g any a a\nquorum g\n"), HasSubstr("in a group already"));
  EXPECT_THAT(WhyNot(kThree + "group g any a\ngroup h any a\nquorum g\n"), HasSubstr("already"));
  EXPECT_THAT(WhyNot(kThree + "group g any g\nquorum g\n"), HasSubstr("no line before"));
  EXPECT_THAT(WhyNot(kThree + "group a any b\nquorum a\n"), HasSubstr("already"));
  EXPECT_THAT(WhyNot(kThree + "group none any b\nquorum none\n"), HasSubstr("none"));
  EXPECT_THAT(WhyNot(kThree + WitnessLine('a') + "quorum a\n"), HasSubstr("another witness's"));
  EXPECT_THAT(WhyNot(kThree + LogLine("log.example/two") + "quorum a\n"),
              HasSubstr("another log's"));
  EXPECT_THAT(WhyNot("log " + TestVkey(NoteKeyType::kCosignature, "w", 'w') + "\nquorum none\n"),
              HasSubstr("of a witness"));
  EXPECT_THAT(WhyNot("witness w " + TestVkey(NoteKeyType::kEd25519, "w", 'w') + "\nquorum w\n"),
              HasSubstr("of a log"));
  EXPECT_THAT(WhyNot("quorum none\r\n"), HasSubstr("control character"));
  EXPECT_EQ(Policy::Parse(std::string(70'000, '\n')).error().kind, ErrorKind::kExhausted);
}

LogProof SomeProof() {
  return {"for whom it concerns", 1, {LeafHash(AsBytes("first"))}, Signed("ab")};
}

TEST(LogProofTest, IsWrittenAsItIsRead) {
  const std::string text = SomeProof().ToString();
  const auto parsed = LogProof::Parse(text);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(*parsed, SomeProof());
  EXPECT_EQ(parsed->ToString(), text);
  EXPECT_TRUE(
      text.starts_with("c2sp.org/tlog-proof@v1\nextra Zm9yIHdob20gaXQgY29uY2VybnM=\nindex 1\n"));
  LogProof bare = SomeProof();
  bare.extra.reset();
  bare.inclusion.clear();
  EXPECT_EQ(*LogProof::Parse(bare.ToString()), bare);
}

TEST(LogProofTest, ShowsItsEntryAndNoOther) {
  const Policy policy = *Policy::Parse(kThree + "group g 2 a b c\nquorum g\n");
  const Digest leaf = LeafHash(AsBytes("second"));
  EXPECT_TRUE(VerifyLogProof(SomeProof(), leaf, policy));
  EXPECT_FALSE(VerifyLogProof(SomeProof(), LeafHash(AsBytes("third")), policy));
  LogProof bent = SomeProof();
  bent.index = 0;
  EXPECT_EQ(VerifyLogProof(bent, leaf, policy).error().kind, ErrorKind::kDenied);
  bent = SomeProof();
  bent.checkpoint = Signed("a");
  EXPECT_EQ(VerifyLogProof(bent, leaf, policy).error().kind, ErrorKind::kDenied);
  bent = SomeProof();
  bent.extra = "anything";
  EXPECT_TRUE(VerifyLogProof(bent, leaf, policy));
}

TEST(LogProofTest, HasOneSpelling) {
  const std::string good = SomeProof().ToString();
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& bad :
       {std::string(), good.substr(1), changed("@v1", "@v2"), changed("@v1\n", "@v1\r\n"),
        changed("extra ", "extra"), changed("extra Z", "extra !"), changed("index 1", "index 01"),
        changed("index 1", "index -1"), changed("index 1\n", ""),
        changed("index 1", "index 9223372036854775808"), changed("index 1\n", "index 1\nAAAA\n"),
        changed("index 1\n", "index 1\n\n"), good.substr(0, good.find("\n\n") + 1), good + "x",
        changed("\n2\n", "\n02\n")})
    EXPECT_EQ(LogProof::Parse(bad).error().kind, ErrorKind::kInvalid) << bad;
  LogProof longer = SomeProof();
  longer.inclusion.assign(kProofHashesMax + 1, Digest());
  EXPECT_EQ(LogProof::Parse(longer.ToString()).error().kind, ErrorKind::kExhausted);
}

}  // namespace
}  // namespace plumb::tlog
