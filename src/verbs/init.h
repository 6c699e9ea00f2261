// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_INIT_H_
#define PLUMB_VERBS_INIT_H_

#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "host/files.h"
#include "kit/build.h"
#include "kit/draft.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct InitOptions {
  std::string directory = ".";
  kit::BlueprintKind kind = kit::BlueprintKind::kKitfile;
  kit::DraftOptions about = {};  // without a name: that of the directory
  // Where the blueprint goes, looked for in the working directory; empty: Kitfile or Modelfile in
  // `directory`; "-": nowhere, it is only told.
  std::string output = {};
  host::Overwrite overwrite = host::Overwrite::kNo;
};

struct InitReport {
  std::string file;  // empty: none was written
  std::string text;
};

// Writes a blueprint for what lies in a directory. kConflict if there is one already.
Result<InitReport> Init(Workspace& workspace, const InitOptions& options, Progress& progress);

// Only the text of it.
Result<std::string> DraftBlueprint(Workspace& workspace, const InitOptions& options,
                                   Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_INIT_H_
