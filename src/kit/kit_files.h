// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_KIT_FILES_H_
#define PLUMB_KIT_KIT_FILES_H_

#include <optional>

#include "base/result.h"
#include "crypto/digest.h"
#include "kit/modelkit.h"
#include "store/store.h"

namespace plumb::kit {

// The files root of a kit of the store (docs/format.md, "Files"): the one that its build recorded,
// else the one that follows from what is recorded of its layers and those of its bases. No layer is
// read for it; nothing if it is not known without.
Result<std::optional<Digest>> FindFilesRoot(store::Store& store, const ModelKit& modelkit);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_KIT_FILES_H_
