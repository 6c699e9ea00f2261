// SPDX-License-Identifier: MIT OR Apache-2.0
#include "store/domain.h"

#include <algorithm>

namespace plumb::store {

Result<Domain> Domain::Parse(std::string_view name) {
  const bool is_good = !name.empty() && name.size() <= kDomainNameMax &&
                       std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f'; });
  if (!is_good)
    return Error{ErrorKind::kInvalid, "a domain's name has 1 to " + std::to_string(kDomainNameMax) +
                                          " printable characters of ASCII, and no space"};
  return Domain(std::string(name));
}

}  // namespace plumb::store
