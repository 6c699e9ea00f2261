// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_IMPORT_MODEL_H_
#define PLUMB_VERBS_IMPORT_MODEL_H_

#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "kit/foreign_model.h"
#include "verbs/import.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

// Builds a kit of a model as another program keeps it, and adds it to the report. Without a name in
// `import` it is called as there, if that is a name of ours.
Status ImportModel(Workspace& workspace, const kit::ForeignModel& model,
                   const ImportOptions& import, ImportReport& report, Progress& progress);

// Where Ollama, the Hugging Face tools and kit keep their things, by their own variables. Of
// Ollama's two places, its own as a service of the system is the one if only that is there.
Result<std::string> OllamaStorePath(host::Environment& environment, host::Files& files);
Result<std::string> HuggingFaceCachePath(host::Environment& environment);
Result<std::string> KitStorePath(host::Environment& environment);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_IMPORT_MODEL_H_
