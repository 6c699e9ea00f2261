// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BLUEPRINT_GO_REGEXP_INTERNAL_H_
#define PLUMB_BLUEPRINT_GO_REGEXP_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace plumb::blueprint {

// A regular expression as Go's regexp package reads it, because kit turns patterns into some.
// All of the syntax but flags, names of groups and \p (Unicode classes).
class GoRegexp {
 public:
  // Nothing for what Go refuses, and for what is not known here. kExhausted if it would have more
  // than `size_max` instructions.
  static Result<std::optional<GoRegexp>> Compile(std::u32string_view text, std::size_t size_max);

  // How many instructions it has.
  std::size_t size() const { return program_.size(); }

  // Whether it matches somewhere in the text. Takes time in proportion to both.
  bool Matches(std::u32string_view text) const;

 private:
  friend class GoRegexpWriter;

  using Range = std::pair<char32_t, char32_t>;
  using Ranges = std::vector<Range>;
  enum class Op : std::uint8_t {
    kOne,         // a character of `ranges_[target]`
    kSplit,       // on at the next and at `target`
    kJump,        // on at `target`
    kBegin,       // nothing, at the beginning
    kEnd,         // nothing, at the end
    kWordEdge,    // nothing, where a word begins or ends
    kNoWordEdge,  // nothing, elsewhere
    kMatch
  };
  struct Instruction {
    Op op = Op::kMatch;
    std::uint32_t target = 0;
  };
  // Instructions to go on from, each once.
  struct Threads {
    std::vector<std::size_t> at;
    std::vector<bool> has;
  };

  void Enter(std::size_t first, std::u32string_view text, std::size_t position,
             Threads& threads) const;

  std::vector<Instruction> program_;  // the last is kMatch
  std::vector<Ranges> ranges_;
};

}  // namespace plumb::blueprint

#endif  // PLUMB_BLUEPRINT_GO_REGEXP_INTERNAL_H_
