// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_READ_KIT_H_
#define PLUMB_VERBS_READ_KIT_H_

#include <cstdint>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "blueprint/kitfile.h"
#include "kit/modelkit.h"
#include "store/store.h"
#include "verbs/kit_name.h"
#include "verbs/place.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

enum class Where : std::uint8_t { kHere, kElsewhere };

// A kit to look at, here or where its name says.
struct KitSource {
  std::string name;
  Where where = Where::kHere;
  NetworkOptions network = {};
};

// Manifest and config of a kit. From elsewhere nothing is stored.
Result<kit::ModelKit> ReadKit(Workspace& workspace, const KitSource& source, Progress& progress);

// What a person wrote, without what a build added.
blueprint::Kitfile WithoutDigests(blueprint::Kitfile kitfile);

// Says so if the kit that this one is built upon is not in the store: without it this one cannot be
// unpacked.
Status WarnOfMissingBase(store::Store& store, const kit::ModelKit& modelkit, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_READ_KIT_H_
