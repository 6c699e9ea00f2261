// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BLUEPRINT_SOURCE_INTERNAL_H_
#define PLUMB_BLUEPRINT_SOURCE_INTERNAL_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace plumb::blueprint {

// Text as UTF-8, whatever byte order mark it came with (UTF-8 or UTF-16), without the mark.
struct DecodedText {
  std::string utf8;
  // Where in `utf8` the first U+FFFD stands for bytes that could not be read.
  std::optional<std::size_t> first_replaced;
};

// Bytes that are not text become U+FFFD, as many as golang.org/x/text gives for them.
DecodedText DecodeText(std::string_view bytes);

// Whether Go's strconv.IsPrint says so: graphic characters, and of the spaces only U+0020.
bool IsPrintable(char32_t code_point);

struct SourcePosition {
  int line = 0;    // from 1; CR LF, CR and LF each end a line
  int column = 0;  // from 1, in code points
};

// A blueprint's text with its name, to point at places in it. The text must outlive it.
class Source {
 public:
  Source(std::string_view text, std::string_view file);

  std::string_view Text() const { return text_; }
  SourcePosition At(std::size_t offset) const;
  // "file:line:column: problem".
  std::string Locate(std::size_t offset, std::string_view problem) const;
  // kInvalid, or `kind`: the same, then the line and a caret under the place.
  Error ErrorAt(std::size_t offset, std::string_view problem,
                ErrorKind kind = ErrorKind::kInvalid) const;

 private:
  std::size_t LineBegin(std::size_t offset) const;

  std::string_view text_;
  std::string file_;
  std::vector<std::size_t> line_begins_;
};

}  // namespace plumb::blueprint

#endif  // PLUMB_BLUEPRINT_SOURCE_INTERNAL_H_
