// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_KIT17_INTERNAL_H_
#define PLUMB_KIT_KIT17_INTERNAL_H_

#include <optional>
#include <string>
#include <string_view>

#include "oci/reference.h"

// Where kit 1.7.0 sees things differently (docs/format.md, "1.7").
namespace plumb::kit {

// What a model path names if kit takes it for a ModelKit and not for a file.
std::optional<oci::Reference> ParseKit17Reference(std::string_view path);

// Without white space at both ends, as Go's strings.TrimSpace sees it, and then cleaned.
std::string CleanKit17Path(std::string_view path);

// Whether kit thinks that one of two cleaned paths lies beneath the other.
bool InOneKit17Tree(std::string_view a, std::string_view b);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_KIT17_INTERNAL_H_
