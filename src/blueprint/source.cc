// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "blueprint/source_internal.h"

namespace plumb::blueprint {
namespace {

// How much of a long line is shown on either side of the caret, in code points.
constexpr std::size_t kShownBefore = 60;
constexpr std::size_t kShownAfter = 40;

std::size_t CountCodePoints(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// `text` on one line of a terminal: a tab takes one column, so that the caret stays below.
std::string Shown(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '\t', ' ');
  return Printable(spaced);
}

std::string_view FirstCodePoints(std::string_view text, std::size_t count) {
  std::string_view rest = text;
  for (; count > 0 && !rest.empty(); --count)
    TakeCodePoint(rest);
  return text.substr(0, text.size() - rest.size());
}

}  // namespace

Source::Source(std::string_view text, std::string_view file)
    : text_(text), file_(Printable(file)), line_begins_{0} {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool carriage_return = text[i] == '\r' && text.substr(i + 1, 1) != "\n";
    if (text[i] == '\n' || carriage_return) line_begins_.push_back(i + 1);
  }
}

std::size_t Source::LineBegin(std::size_t offset) const {
  return *std::prev(std::upper_bound(line_begins_.begin(), line_begins_.end(), offset));
}

SourcePosition Source::At(std::size_t offset) const {
  const auto after = std::upper_bound(line_begins_.begin(), line_begins_.end(), offset);
  const std::size_t begin = *std::prev(after);
  return {static_cast<int>(after - line_begins_.begin()),
          static_cast<int>(1 + CountCodePoints(text_.substr(begin, offset - begin)))};
}

std::string Source::Locate(std::size_t offset, std::string_view problem) const {
  const SourcePosition at = At(offset);
  return file_ + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " +
         std::string(problem);
}

Error Source::ErrorAt(std::size_t offset, std::string_view problem, ErrorKind kind) const {
  const std::size_t begin = LineBegin(offset);
  const std::size_t end = std::min(text_.find_first_of("\r\n", offset), text_.size());
  std::string_view before = text_.substr(begin, offset - begin);
  std::string lead = "  ";
  if (const std::size_t count = CountCodePoints(before); count > kShownBefore) {
    before.remove_prefix(FirstCodePoints(before, count - kShownBefore).size());
    lead = "  ... ";
  }
  const std::string_view after = FirstCodePoints(text_.substr(offset, end - offset), kShownAfter);
  const std::string shown_before = lead + Shown(before);
  return {kind, Locate(offset, problem) + "\n" + shown_before + Shown(after) + "\n" +
                    std::string(CountCodePoints(shown_before), ' ') + "^"};
}

}  // namespace plumb::blueprint
