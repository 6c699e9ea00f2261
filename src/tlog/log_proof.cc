// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tlog/log_proof.h"

#include <utility>

#include "base/text.h"
#include "tlog/checkpoint.h"

namespace plumb::tlog {
namespace {

constexpr std::string_view kFirstLine = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";

Error NotAProof(const char* why) {
  return Error{ErrorKind::kInvalid, std::string("that is no proof from a log: ") + why};
}

// The next line, without its end; nothing if it has none.
std::optional<std::string_view> TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

Result<LogProof> LogProof::Parse(std::string_view text) {
  if (text.size() > kLogProofSizeMax)
    return Error{ErrorKind::kExhausted, "a proof from a log is longer than 512 KiB"};
  if (TakeLine(text) != kFirstLine) return NotAProof("its first line is another");
  LogProof proof;
  auto line = TakeLine(text);
  if (line && line->starts_with(kExtra)) {
    PLUMB_TRY(proof.extra, DecodeBase64(line->substr(kExtra.size())));
    line = TakeLine(text);
  }
  if (!line || !line->starts_with(kIndex)) return NotAProof("it has no index");
  PLUMB_TRY(proof.index, ParseTreeNumber(line->substr(kIndex.size())));
  for (line = TakeLine(text); line && !line->empty(); line = TakeLine(text)) {
    if (proof.inclusion.size() == kProofHashesMax)
      return Error{ErrorKind::kExhausted, "a proof from a log has more than 63 hashes"};
    PLUMB_TRY(const Digest hash, ParseTreeHash(*line));
    proof.inclusion.push_back(hash);
  }
  if (!line) return NotAProof("it has no checkpoint");
  PLUMB_TRY(proof.checkpoint, Note::Parse(text));
  PLUMB_TRY([[maybe_unused]] const Checkpoint checkpoint, Checkpoint::Parse(proof.checkpoint.text));
  return proof;
}

std::string LogProof::ToString() const {
  std::string text = std::string(kFirstLine) + "\n";
  if (extra) text += std::string(kExtra) + EncodeBase64(AsBytes(*extra)) + "\n";
  text += std::string(kIndex) + std::to_string(index) + "\n";
  for (const Digest& hash : inclusion)
    text += EncodeBase64(hash.bytes) + "\n";
  return text + "\n" + checkpoint.ToString();
}

Result<AcceptedCheckpoint> VerifyLogProof(const LogProof& proof, const Digest& leaf,
                                          const Policy& policy) {
  PLUMB_TRY(AcceptedCheckpoint accepted, policy.Judge(proof.checkpoint));
  PLUMB_RETURN_IF_ERROR(
      VerifyInclusion(proof.inclusion, leaf, proof.index, accepted.checkpoint.head));
  return accepted;
}

}  // namespace plumb::tlog
