// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_FILTER_INTERNAL_H_
#define PLUMB_KIT_FILTER_INTERNAL_H_

#include <string_view>
#include <vector>

#include "base/result.h"
#include "kit/modelkit.h"
#include "kit/unpack.h"

namespace plumb::kit {

bool Matches(const Filter& filter, const PackedEntry& entry);
bool MatchesKitfile(const Filter& filter);
// Whether it may match models and parts of them: of bases nothing else is unpacked.
bool MayMatchModels(const Filter& filter);

// The entries that some filter matches; without filters, all. kInvalid for a filter that matches
// nothing, saying what there is.
Result<std::vector<PackedEntry>> ChooseEntries(std::vector<PackedEntry> entries,
                                               const std::vector<Filter>& filters);

// Whether `text` is `pattern`, in which "?" stands for any code unit but '/', "*" for any number
// of them, and "**" for anything.
bool MatchesGlob(std::string_view pattern, std::string_view text);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_FILTER_INTERNAL_H_
