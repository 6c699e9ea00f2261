// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tlog/policy.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace plumb::tlog {
namespace {

constexpr std::size_t kPolicySizeMax = std::size_t{64} << 10;
constexpr std::size_t kPolicyLinesMax = 1024;
constexpr std::string_view kNone = "none";

std::vector<std::string_view> WordsOf(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
}

Error Wrong(std::string why) { return Error{ErrorKind::kInvalid, std::move(why)}; }

}  // namespace

class Policy::Parser {
 public:
  Status Take(std::string_view line) {
    const auto words = WordsOf(line);
    if (words.empty() || words[0].front() == '#') return Done{};
    if (++lines_ > kPolicyLinesMax)
      return Error{ErrorKind::kExhausted, "a policy has more than 1024 lines"};
    const auto is_allowed = [](char c) { return c == '\t' || (c >= 0x20 && c != 0x7f) || c < 0; };
    if (!std::ranges::all_of(line, is_allowed)) return Wrong("it has a control character");
    if (words[0] == "log") return TakeLog(words);
    if (words[0] == "witness") return TakeWitness(words);
    if (words[0] == "group") return TakeGroup(words);
    if (words[0] == "quorum") return TakeQuorum(words);
    return Wrong("'" + Printable(words[0].substr(0, 80)) +
                 "' begins no line: log, witness, group or quorum does");
  }

  Result<Policy> Finish() {
    if (!has_quorum_) return Wrong("a policy needs a line 'quorum NAME', or 'quorum none'");
    return std::move(policy_);
  }

 private:
  Status TakeLog(const std::vector<std::string_view>& words) {
    if (words.size() != 2 && words.size() != 3) return Wrong("a log is 'log KEY [URL]'");
    PLUMB_TRY(const VerifierKey key, VerifierKey::Parse(words[1]));
    if (key.type() == NoteKeyType::kCosignature) return Wrong("that is the key of a witness");
    for (const Log& other : policy_.logs_)
      if (other.key.key_bytes() == key.key_bytes()) return Wrong("that key is another log's");
    policy_.logs_.push_back({key, UrlOf(words, 2)});
    return Done{};
  }

  Status TakeWitness(const std::vector<std::string_view>& words) {
    if (words.size() != 3 && words.size() != 4)
      return Wrong("a witness is 'witness NAME KEY [URL]'");
    PLUMB_TRY(const VerifierKey key, VerifierKey::Parse(words[2]));
    if (key.type() == NoteKeyType::kEd25519) return Wrong("that is the key of a log");
    for (const Witness& other : policy_.witnesses_)
      if (other.key.key_bytes() == key.key_bytes()) return Wrong("that key is another witness's");
    PLUMB_RETURN_IF_ERROR(Name({std::string(words[1]), policy_.witnesses_.size(), 0, {}}));
    policy_.witnesses_.push_back({std::string(words[1]), key, UrlOf(words, 3)});
    return Done{};
  }

  Status TakeGroup(const std::vector<std::string_view>& words) {
    if (words.size() < 4) return Wrong("a group is 'group NAME all|any|COUNT NAME…'");
    Voter group = {std::string(words[1]), std::nullopt, 0, {}};
    for (std::size_t i = 3; i < words.size(); ++i) {
      PLUMB_TRY(const std::size_t member, Find(words[i]));
      Voter& voter = policy_.voters_[member];
      if (voter.is_member) return Wrong("'" + voter.name + "' is in a group already");
      voter.is_member = true;
      group.members.push_back(member);
    }
    const std::uint64_t count = group.members.size();
    const std::uint64_t threshold = words[2] == "any"   ? 1
                                    : words[2] == "all" ? count
                                                        : ParseUint64(words[2]).value_or(0);
    if (threshold == 0 || threshold > count)
      return Wrong("of " + std::to_string(count) + " members, '" +
                   Printable(words[2].substr(0, 40)) + "' cannot be needed");
    group.threshold = static_cast<std::size_t>(threshold);
    return Name(std::move(group));
  }

  Status TakeQuorum(const std::vector<std::string_view>& words) {
    if (words.size() != 2) return Wrong("a quorum is 'quorum NAME', or 'quorum none'");
    if (has_quorum_) return Wrong("there is a quorum already");
    has_quorum_ = true;
    if (words[1] == kNone) return Done{};
    PLUMB_TRY(policy_.quorum_, Find(words[1]));
    return Done{};
  }

  Status Name(Voter voter) {
    if (voter.name == kNone) return Wrong("'none' means that no witness is needed");
    if (Find(voter.name)) return Wrong("there is a '" + Printable(voter.name) + "' already");
    policy_.voters_.push_back(std::move(voter));
    return Done{};
  }
  Result<std::size_t> Find(std::string_view name) const {
    for (std::size_t i = 0; i < policy_.voters_.size(); ++i)
      if (policy_.voters_[i].name == name) return i;
    return Wrong("no line before this one tells who '" + Printable(name.substr(0, 80)) + "' is");
  }
  static std::string UrlOf(const std::vector<std::string_view>& words, std::size_t index) {
    return index < words.size() ? std::string(words[index]) : std::string();
  }

  Policy policy_;
  bool has_quorum_ = false;
  std::size_t lines_ = 0;
};

Result<Policy> Policy::Parse(std::string_view text) {
  if (text.size() > kPolicySizeMax)
    return Error{ErrorKind::kExhausted, "a policy is longer than 64 KiB"};
  Parser parser;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string where = "line " + std::to_string(number) + " of the policy";
    if (end == std::string_view::npos) return Wrong("it has no end").While(where);
    if (Status taken = parser.Take(text.substr(0, end)); !taken)
      return std::move(taken).error().While(where);
    text.remove_prefix(end + 1);
  }
  return parser.Finish();
}

Result<AcceptedCheckpoint> Policy::Judge(const Note& note) const {
  AcceptedCheckpoint accepted;
  PLUMB_TRY(accepted.checkpoint, Checkpoint::Parse(note.text));
  std::vector<VerifierKey> keys;
  for (const Log& log : logs_)
    if (log.key.name() == accepted.checkpoint.origin) keys.push_back(log.key);
  const std::string origin = "'" + Printable(accepted.checkpoint.origin) + "'";
  if (keys.empty()) return Error{ErrorKind::kDenied, "the policy knows no log " + origin};
  const std::size_t log_count = keys.size();
  for (const Witness& witness : witnesses_)
    keys.push_back(witness.key);
  PLUMB_TRY(const auto signatures, VerifySignatures(note, keys));
  if (signatures.front().key >= log_count)
    return Error{ErrorKind::kDenied, "the log " + origin + " has not signed its checkpoint"};

  std::vector<bool> has_cosigned(witnesses_.size());
  for (const VerifiedSignature& signature : signatures) {
    if (signature.key < log_count) continue;
    const std::size_t witness = signature.key - log_count;
    has_cosigned[witness] = true;
    accepted.witnesses.push_back({witnesses_[witness].name, signature.time});
  }
  // Members stand before their groups.
  std::vector<bool> votes;
  for (const Voter& voter : voters_) {
    const auto count = static_cast<std::size_t>(
        std::ranges::count_if(voter.members, [&](std::size_t member) { return votes[member]; }));
    votes.push_back(voter.witness ? has_cosigned[*voter.witness] : count >= voter.threshold);
  }
  if (quorum_ && !votes[*quorum_])
    return Error{ErrorKind::kDenied, "too few witnesses have cosigned the checkpoint of " + origin +
                                         ": " + std::to_string(accepted.witnesses.size()) +
                                         " have"};
  return accepted;
}

}  // namespace plumb::tlog
