// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TLOG_POLICY_H_
#define PLUMB_TLOG_POLICY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tlog/checkpoint.h"
#include "tlog/note.h"

namespace plumb::tlog {

// A checkpoint that a policy accepts.
struct AcceptedCheckpoint {
  struct Witness {
    std::string name;        // in the policy
    std::uint64_t time = 0;  // seconds since 1970

    friend bool operator==(const Witness&, const Witness&) = default;
  };
  Checkpoint checkpoint;
  std::vector<Witness> witnesses;  // all that cosigned it, in the policy's order

  friend bool operator==(const AcceptedCheckpoint&, const AcceptedCheckpoint&) = default;
};

// Which logs one believes, and which witnesses must have seen what they say (C2SP tlog-policy).
// Trust: the text is one's own; the notes it judges are anybody's. Threads: any number at once.
class Policy {
 public:
  struct Log {
    VerifierKey key;  // its name is the origin of the log
    std::string url;  // or empty
  };
  struct Witness {
    std::string name;
    VerifierKey key;
    std::string url;
  };

  // kInvalid, with the line, if it is none; kExhausted over 64 KiB, or 1024 lines that say
  // anything.
  static Result<Policy> Parse(std::string_view text);

  const std::vector<Log>& logs() const { return logs_; }
  const std::vector<Witness>& witnesses() const { return witnesses_; }

  // kDenied unless a log of the policy signed it under its own origin, and the quorum cosigned it;
  // also if a signature by any key of the policy does not verify. kInvalid if it is no checkpoint.
  Result<AcceptedCheckpoint> Judge(const Note& note) const;

 private:
  // A witness, or a group: so many of those before it.
  struct Voter {
    std::string name;
    std::optional<std::size_t> witness;
    std::size_t threshold = 0;
    std::vector<std::size_t> members;
    bool is_member = false;
  };
  class Parser;
  Policy() = default;

  std::vector<Log> logs_;
  std::vector<Witness> witnesses_;
  std::vector<Voter> voters_;
  std::optional<std::size_t> quorum_;  // nothing: none is needed
};

}  // namespace plumb::tlog

#endif  // PLUMB_TLOG_POLICY_H_
