// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BLUEPRINT_KITFILE_INTERNAL_H_
#define PLUMB_BLUEPRINT_KITFILE_INTERNAL_H_

#include "base/json.h"
#include "blueprint/kitfile.h"

namespace plumb::blueprint {

enum class WithDigests : std::uint8_t { kNo, kYes };

// The tree that a config and a printed Kitfile have in common.
Json WriteKitfile(const Kitfile& kitfile, WithDigests with_digests);

}  // namespace plumb::blueprint

#endif  // PLUMB_BLUEPRINT_KITFILE_INTERNAL_H_
