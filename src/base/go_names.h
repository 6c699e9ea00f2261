// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BASE_GO_NAMES_H_
#define PLUMB_BASE_GO_NAMES_H_

#include <string_view>

namespace plumb {

// Whether Go's encoding/json, which compares without regard to case, takes the member `name` for
// `known` although it is another.
bool GoMistakesFor(std::string_view name, std::string_view known);

}  // namespace plumb

#endif  // PLUMB_BASE_GO_NAMES_H_
