// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CLI_TEMPLATE_H_
#define PLUMB_CLI_TEMPLATE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace plumb::cli {

// The values of one thing by the names a template may use, in the order they are told in.
using Fields = std::vector<std::pair<std::string_view, std::string>>;

// The part of Go's templates that lines of output need: text in which {{.Name}}, with or
// without spaces inside the braces, stands for a value. \t, \n, \\ and \" stand for what they
// stand for in Go.
class Template {
 public:
  // kInvalid for a name that is not among `names`, and for anything else between braces.
  static Result<Template> Parse(std::string_view text, const std::vector<std::string_view>& names);

  // The line for one thing, with a line end if the text has none of its own. `fields` must
  // have every one of the names.
  std::string Fill(const Fields& fields) const;

 private:
  struct Part {
    std::string text;        // which comes first
    std::string_view field;  // then this; may be empty
  };
  std::vector<Part> parts_;
};

}  // namespace plumb::cli

#endif  // PLUMB_CLI_TEMPLATE_H_
