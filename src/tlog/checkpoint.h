// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TLOG_CHECKPOINT_H_
#define PLUMB_TLOG_CHECKPOINT_H_

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tlog/merkle.h"

namespace plumb::tlog {

// Others count in signed numbers.
inline constexpr std::uint64_t kTreeSizeMax = std::numeric_limits<std::int64_t>::max();

// What a log says it is: the text of a note (C2SP tlog-checkpoint).
// Trust: nothing of it, before the note is verified.
struct Checkpoint {
  std::string origin;  // which log
  TreeHead head;
  std::vector<std::string> extensions = {};  // lines that nothing is known about

  // kInvalid if the text is none, in the one spelling there is.
  static Result<Checkpoint> Parse(std::string_view text);
  std::string ToString() const;

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// Of formats like this one: a number without needless zeros, and not more than kTreeSizeMax; 32
// bytes as base64. kInvalid otherwise.
Result<std::uint64_t> ParseTreeNumber(std::string_view text);
Result<Digest> ParseTreeHash(std::string_view text);

}  // namespace plumb::tlog

#endif  // PLUMB_TLOG_CHECKPOINT_H_
