// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>

#include "blueprint/go_regexp_internal.h"

namespace plumb::blueprint {
namespace {

constexpr char32_t kRuneMax = 0x10FFFF;
constexpr int kRepeatMax = 1000;
constexpr int kUnbounded = -1;
constexpr std::size_t kDepthMax = 100;

using Range = std::pair<char32_t, char32_t>;
using Ranges = std::vector<Range>;

struct NamedClass {
  std::u32string_view name;
  std::u32string_view bounds;  // first and last of each range
};

constexpr std::array<NamedClass, 14> kPosixClasses = {{
    {U"alnum", U"09AZaz"},
    {U"alpha", U"AZaz"},
    {U"ascii", std::u32string_view(U"\0\x7F", 2)},
    {U"blank", U"\t\t  "},
    {U"cntrl", std::u32string_view(U"\0\x1F\x7F\x7F", 4)},
    {U"digit", U"09"},
    {U"graph", U"!~"},
    {U"lower", U"az"},
    {U"print", U" ~"},
    {U"punct", U"!/:@[`{~"},
    {U"space", U"\t\r  "},
    {U"upper", U"AZ"},
    {U"word", U"09AZ__az"},
    {U"xdigit", U"09AFaf"},
}};
constexpr std::array<NamedClass, 3> kPerlClasses = {{
    {U"d", U"09"},
    {U"s", U"\t\n\f\r  "},
    {U"w", U"09AZ__az"},
}};

Ranges RangesOf(std::u32string_view bounds) {
  Ranges ranges;
  for (std::size_t i = 0; i + 1 < bounds.size(); i += 2)
    ranges.emplace_back(bounds[i], bounds[i + 1]);
  return ranges;
}

Ranges Complement(Ranges ranges) {
  std::ranges::sort(ranges);
  Ranges rest;
  char32_t next = 0;
  for (const auto& [first, last] : ranges) {
    if (first > next) rest.emplace_back(next, first - 1);
    next = std::max(next, static_cast<char32_t>(last + 1));
  }
  if (next <= kRuneMax) rest.emplace_back(next, kRuneMax);
  return rest;
}

bool IsAsciiAlnum(char32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsOctal(char32_t c) { return c >= '0' && c <= '7'; }

std::optional<char32_t> HexValue(char32_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

bool IsWordChar(char32_t c) { return IsAsciiAlnum(c) || c == '_'; }

// What was read.
struct Node {
  enum class Kind : std::uint8_t { kOne, kAssertion, kSequence, kAlternatives, kRepetition };
  Kind kind = Kind::kSequence;
  Ranges ranges = {};      // kOne
  char32_t assertion = 0;  // as written after a '\\'
  std::vector<Node> children = {};
  int min = 0;  // kRepetition
  int max = kUnbounded;
};

Node One(Ranges ranges) { return {.kind = Node::Kind::kOne, .ranges = std::move(ranges)}; }
Node Assertion(char32_t what) { return {.kind = Node::Kind::kAssertion, .assertion = what}; }

constexpr char32_t kBeginning = 'A';
constexpr char32_t kEnding = 'z';

// Every member is false, or nothing, for what Go refuses.
class Reader {
 public:
  explicit Reader(std::u32string_view text) : rest_(text) {}

  std::optional<Node> Read() {
    std::optional<Node> node = Alternatives(0);
    return rest_.empty() ? std::move(node) : std::nullopt;
  }

 private:
  bool TakeIf(char32_t c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Only where there is one.
  char32_t Take() {
    const char32_t c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  // Up to the end, or the ')' of a group.
  std::optional<Node> Alternatives(std::size_t depth) {
    if (depth == kDepthMax) return std::nullopt;
    Node all{.kind = Node::Kind::kAlternatives};
    do {
      std::optional<Node> next = Sequence(depth);
      if (!next) return std::nullopt;
      all.children.push_back(*std::move(next));
    } while (TakeIf('|'));
    return all;
  }

  std::optional<Node> Sequence(std::size_t depth) {
    Node sequence;
    bool was_repetition = false;
    while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
      const std::optional<std::pair<int, int>> times = TakeRepetition();
      if (!times) {
        if (!TakePiece(depth, sequence.children)) return std::nullopt;
        was_repetition = false;
        continue;
      }
      TakeIf('?');  // which of several matches is found is not asked
      const auto [min, max] = *times;
      if (sequence.children.empty() || was_repetition) return std::nullopt;
      if (min > kRepeatMax || max > kRepeatMax || (max != kUnbounded && max < min))
        return std::nullopt;
      Node repetition{.kind = Node::Kind::kRepetition, .min = min, .max = max};
      repetition.children.push_back(std::move(sequence.children.back()));
      sequence.children.back() = std::move(repetition);
      was_repetition = true;
    }
    return sequence;
  }

  // "*", "+", "?", "{2}", "{2,}", "{2,3}"; a '{' that is none of these stands for itself.
  std::optional<std::pair<int, int>> TakeRepetition() {
    if (TakeIf('*')) return std::pair(0, kUnbounded);
    if (TakeIf('+')) return std::pair(1, kUnbounded);
    if (TakeIf('?')) return std::pair(0, 1);
    const std::u32string_view before = rest_;
    if (TakeIf('{')) {
      const std::optional<int> min = TakeCount();
      std::optional<int> max = min;
      if (min && TakeIf(',')) max = rest_.starts_with(U'}') ? kUnbounded : TakeCount();
      if (min && max && TakeIf('}')) return std::pair(*min, *max);
    }
    rest_ = before;
    return std::nullopt;
  }

  // Decimal digits without a zero before them. What is too large stays too large.
  std::optional<int> TakeCount() {
    const std::size_t size = std::min(rest_.find_first_not_of(U"0123456789"), rest_.size());
    if (size == 0 || (size > 1 && rest_.front() == '0')) return std::nullopt;
    int count = 0;
    for (const char32_t c : rest_.substr(0, size))
      count = std::min(count * 10 + static_cast<int>(c - '0'), kRepeatMax + 1);
    rest_.remove_prefix(size);
    return count;
  }

  // Something that can be repeated; of a quotation, each of its characters.
  bool TakePiece(std::size_t depth, std::vector<Node>& out) {
    const char32_t c = Take();
    if (c == '\\') return TakeEscape(out);
    if (c == '(') {
      std::optional<Node> group = Alternatives(depth + 1);
      if (!group || !TakeIf(')')) return false;
      out.push_back(*std::move(group));
    } else if (c == '[') {
      std::optional<Ranges> ranges = TakeClass();
      if (!ranges) return false;
      out.push_back(One(*std::move(ranges)));
    } else if (c == '.') {
      out.push_back(One(Complement({{'\n', '\n'}})));
    } else if (c == '^' || c == '$') {
      out.push_back(Assertion(c == '^' ? kBeginning : kEnding));
    } else {
      out.push_back(One({{c, c}}));
    }
    return true;
  }

  // What follows a '\' outside of a [class].
  bool TakeEscape(std::vector<Node>& out) {
    if (rest_.empty()) return false;
    if (TakeIf('Q')) {
      const std::u32string_view quoted = rest_.substr(0, rest_.find(U"\\E"));
      for (const char32_t c : quoted)
        out.push_back(One({{c, c}}));
      rest_.remove_prefix(std::min(quoted.size() + 2, rest_.size()));
      return true;
    }
    if (std::u32string_view(U"AzbB").find(rest_.front()) != std::u32string_view::npos) {
      out.push_back(Assertion(Take()));
      return true;
    }
    if (std::optional<Ranges> perl = TakePerlClass()) {
      out.push_back(One(*std::move(perl)));
      return true;
    }
    const std::optional<char32_t> c = TakeEscapedChar();
    if (c) out.push_back(One({{*c, *c}}));
    return c.has_value();
  }

  // The letter of "\d" and the like.
  std::optional<Ranges> TakePerlClass() {
    for (const auto& [name, bounds] : kPerlClasses) {
      if (TakeIf(name.front())) return RangesOf(bounds);
      if (TakeIf(name.front() - 'a' + 'A')) return Complement(RangesOf(bounds));
    }
    return std::nullopt;
  }

  std::optional<char32_t> TakeEscapedChar() {
    if (rest_.empty()) return std::nullopt;
    const char32_t c = Take();
    const std::u32string_view letters = U"afnrtv";
    const std::size_t letter = letters.find(c);
    if (letter != std::u32string_view::npos) return U"\a\f\n\r\t\v"[letter];
    if (c == 'x') return TakeHex();
    if (IsOctal(c)) return TakeOctal(c);
    if (c >= 0x80 || IsAsciiAlnum(c)) return std::nullopt;
    return c;
  }

  std::optional<char32_t> TakeHex() {
    char32_t value = 0;
    if (TakeIf('{')) {
      const std::size_t end = rest_.find('}');
      if (end == std::u32string_view::npos || end == 0) return std::nullopt;
      for (const char32_t c : rest_.substr(0, end)) {
        const std::optional<char32_t> digit = HexValue(c);
        if (!digit) return std::nullopt;
        value = value * 16 + *digit;
        if (value > kRuneMax) return std::nullopt;
      }
      rest_.remove_prefix(end + 1);
      return value;
    }
    for (int i = 0; i < 2; ++i) {
      const std::optional<char32_t> digit = rest_.empty() ? std::nullopt : HexValue(Take());
      if (!digit) return std::nullopt;
      value = value * 16 + *digit;
    }
    return value;
  }

  // "\0", "\012"; a single other digit would refer back to a group, which Go does not do.
  std::optional<char32_t> TakeOctal(char32_t first) {
    const auto next_is_octal = [this] { return !rest_.empty() && IsOctal(rest_.front()); };
    if (first != '0' && !next_is_octal()) return std::nullopt;
    char32_t value = first - '0';
    for (int i = 0; i < 2 && next_is_octal(); ++i)
      value = value * 8 + (Take() - '0');
    return value;
  }

  // After the '['.
  std::optional<Ranges> TakeClass() {
    const bool negated = TakeIf('^');
    Ranges ranges;
    for (bool first = true; first || !TakeIf(']'); first = false) {
      if (rest_.empty() || !TakeMember(ranges)) return std::nullopt;
    }
    return negated ? Complement(std::move(ranges)) : std::move(ranges);
  }

  bool TakeMember(Ranges& ranges) {
    const auto add = [&ranges](const Ranges& more) {
      ranges.insert(ranges.end(), more.begin(), more.end());
      return true;
    };
    const std::size_t end = rest_.starts_with(U"[:") ? rest_.find(U":]", 2) : rest_.npos;
    if (end != rest_.npos) {
      const std::optional<Ranges> named = PosixClass(rest_.substr(2, end - 2));
      rest_.remove_prefix(end + 2);
      return named && add(*named);
    }
    if (rest_.starts_with('\\') && rest_.size() > 1) {
      const std::u32string_view before = rest_;
      rest_.remove_prefix(1);
      if (const std::optional<Ranges> perl = TakePerlClass()) return add(*perl);
      rest_ = before;
    }
    const std::optional<char32_t> low = TakeMemberChar();
    if (!low) return false;
    std::optional<char32_t> high = low;
    if (rest_.size() >= 2 && rest_[0] == '-' && rest_[1] != ']') {
      rest_.remove_prefix(1);
      high = TakeMemberChar();
      if (!high || *high < *low) return false;
    }
    return add({{*low, *high}});
  }

  std::optional<char32_t> TakeMemberChar() {
    if (rest_.empty()) return std::nullopt;
    if (TakeIf('\\')) return TakeEscapedChar();
    return Take();
  }

  static std::optional<Ranges> PosixClass(std::u32string_view name) {
    const bool negated = name.starts_with(U'^');
    if (negated) name.remove_prefix(1);
    for (const auto& [known, bounds] : kPosixClasses)
      if (known == name) return negated ? Complement(RangesOf(bounds)) : RangesOf(bounds);
    return std::nullopt;
  }

  std::u32string_view rest_;
};

}  // namespace

class GoRegexpWriter {
 public:
  static Result<GoRegexp> Write(const Node& node, std::size_t size_max) {
    GoRegexpWriter writer(size_max);
    writer.Add(node);
    if (writer.Here() >= size_max)
      return Error{ErrorKind::kExhausted,
                   "it would have more than " + std::to_string(size_max) + " instructions"};
    writer.Emit(Op::kMatch);
    return std::move(writer.made_);
  }

 private:
  using Op = GoRegexp::Op;

  explicit GoRegexpWriter(std::size_t size_max) : size_max_(size_max) {}

  std::size_t Here() const { return made_.program_.size(); }
  // Gives where it stands.
  std::size_t Emit(Op op, std::size_t target = 0) {
    made_.program_.push_back({op, static_cast<std::uint32_t>(target)});
    return Here() - 1;
  }
  void LeadHere(const std::vector<std::size_t>& instructions) {
    for (const std::size_t instruction : instructions)
      made_.program_[instruction].target = static_cast<std::uint32_t>(Here());
  }

  void Add(const Node& node) {
    if (Here() >= size_max_) return;
    switch (node.kind) {
      case Node::Kind::kOne:
        Emit(Op::kOne, RangesAt(node));
        break;
      case Node::Kind::kAssertion:
        Emit(node.assertion == kBeginning ? Op::kBegin
             : node.assertion == kEnding  ? Op::kEnd
             : node.assertion == 'b'      ? Op::kWordEdge
                                          : Op::kNoWordEdge);
        break;
      case Node::Kind::kSequence:
        for (const Node& child : node.children)
          Add(child);
        break;
      case Node::Kind::kAlternatives:
        AddAlternatives(node);
        break;
      case Node::Kind::kRepetition:
        AddRepetition(node);
        break;
    }
  }

  // Where its ranges stand: once, however often a repetition adds it.
  std::size_t RangesAt(const Node& node) {
    const auto [at, is_new] = ranges_.try_emplace(&node, made_.ranges_.size());
    if (is_new) made_.ranges_.push_back(node.ranges);
    return at->second;
  }

  void AddAlternatives(const Node& node) {
    std::vector<std::size_t> exits;
    for (const Node& child : node.children) {
      if (&child == &node.children.back()) {
        Add(child);
        continue;
      }
      const std::size_t split = Emit(Op::kSplit);
      Add(child);
      exits.push_back(Emit(Op::kJump));
      LeadHere({split});
    }
    LeadHere(exits);
  }

  void AddRepetition(const Node& node) {
    const Node& child = node.children.front();
    for (int i = 0; i < node.min; ++i)
      Add(child);
    std::vector<std::size_t> exits;
    if (node.max == kUnbounded) {
      exits.push_back(Emit(Op::kSplit));
      Add(child);
      Emit(Op::kJump, exits.front());
    }
    for (int i = node.min; i < node.max; ++i) {
      exits.push_back(Emit(Op::kSplit));
      Add(child);
    }
    LeadHere(exits);
  }

  const std::size_t size_max_;
  std::unordered_map<const Node*, std::size_t> ranges_;
  GoRegexp made_;
};

Result<std::optional<GoRegexp>> GoRegexp::Compile(std::u32string_view text, std::size_t size_max) {
  const std::optional<Node> node = Reader(text).Read();
  if (!node) return std::optional<GoRegexp>();
  PLUMB_TRY(GoRegexp made, GoRegexpWriter::Write(*node, size_max));
  return std::optional(std::move(made));
}

// Adds an instruction, and those that are reached from it without a character.
void GoRegexp::Enter(std::size_t first, std::u32string_view text, std::size_t position,
                     Threads& threads) const {
  const bool at_edge = (position > 0 && IsWordChar(text[position - 1])) !=
                       (position < text.size() && IsWordChar(text[position]));
  std::vector<std::size_t> open = {first};
  while (!open.empty()) {
    const std::size_t at = open.back();
    open.pop_back();
    if (threads.has[at]) continue;
    threads.has[at] = true;
    threads.at.push_back(at);
    const Instruction& instruction = program_[at];
    const Op op = instruction.op;
    if (op == Op::kJump || op == Op::kSplit) open.push_back(instruction.target);
    const bool passes = op == Op::kSplit || (op == Op::kBegin && position == 0) ||
                        (op == Op::kEnd && position == text.size()) ||
                        (op == Op::kWordEdge && at_edge) || (op == Op::kNoWordEdge && !at_edge);
    if (passes) open.push_back(at + 1);
  }
}

bool GoRegexp::Matches(std::u32string_view text) const {
  Threads now{{}, std::vector<bool>(program_.size())};
  Threads next = now;
  for (std::size_t position = 0;; ++position) {
    Enter(0, text, position, now);
    if (now.has.back()) return true;
    if (position == text.size()) return false;
    const char32_t c = text[position];
    for (const std::size_t at : now.at) {
      const Instruction& instruction = program_[at];
      if (instruction.op != Op::kOne) continue;
      const Ranges& ranges = ranges_[instruction.target];
      const bool takes = std::ranges::any_of(
          ranges, [c](const Range& range) { return c >= range.first && c <= range.second; });
      if (takes) Enter(at + 1, text, position + 1, next);
    }
    for (const std::size_t at : now.at)
      now.has[at] = false;
    now.at.clear();
    std::swap(now, next);
  }
}

}  // namespace plumb::blueprint
