// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_IMPORT_LAYOUT_H_
#define PLUMB_VERBS_IMPORT_LAYOUT_H_

#include <optional>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "registry/bundle.h"
#include "verbs/import.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct LayoutChoice {
  std::string label;                  // what it is called in messages
  std::string name = {};              // of the one kit it must hold then; empty: as there
  std::string tag = {};               // only this one of its index; empty: all
  std::optional<Digest> digest = {};  // only this one
  std::string repository = {};        // of those that have a tag only; empty: they get no name
};

// Takes the kits of a layout. What is no kit is passed over, with a warning; kUnsupported if
// nothing is left, kInvalid if one name is given to several.
Result<ImportReport> ImportLayout(Workspace& workspace, registry::Layout layout,
                                  const LayoutChoice& choice, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_IMPORT_LAYOUT_H_
