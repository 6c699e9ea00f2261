// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TLOG_LOG_PROOF_H_
#define PLUMB_TLOG_LOG_PROOF_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tlog/merkle.h"
#include "tlog/note.h"
#include "tlog/policy.h"

namespace plumb::tlog {

inline constexpr std::size_t kLogProofSizeMax = std::size_t{512} << 10;
// No tree has more levels above a leaf.
inline constexpr std::size_t kProofHashesMax = 63;

// That an entry is in a log, in a file that needs no network to be checked: `.tlog-proof` (C2SP
// tlog-proof).
struct LogProof {
  std::optional<std::string> extra;  // bytes that nobody vouches for
  std::uint64_t index = 0;
  Proof inclusion;
  Note checkpoint;

  // kInvalid unless it is one, in the one spelling there is; kExhausted over a limit. Nothing is
  // verified.
  static Result<LogProof> Parse(std::string_view text);
  std::string ToString() const;

  friend bool operator==(const LogProof&, const LogProof&) = default;
};

// That the entry with this hash is in a log of the policy, in a tree that its quorum has seen.
// kDenied if not.
Result<AcceptedCheckpoint> VerifyLogProof(const LogProof& proof, const Digest& leaf,
                                          const Policy& policy);

}  // namespace plumb::tlog

#endif  // PLUMB_TLOG_LOG_PROOF_H_
