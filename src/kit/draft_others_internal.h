// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_DRAFT_OTHERS_INTERNAL_H_
#define PLUMB_KIT_DRAFT_OTHERS_INTERNAL_H_

#include <string>
#include <vector>

#include "base/progress.h"
#include "blueprint/modelfile.h"
#include "host/files.h"

// What lies beside a model, for drafts: what they may forget, and what they may take too much.
namespace plumb::kit {

// Whether a GGUF is an adapter: by its name ("lora"), or because its general.type says so.
bool IsAdapter(host::Directory& directory, const std::string& path);

// Paths of files, in byte order.
struct FilesBeside {
  std::vector<std::string> all;
  std::vector<std::string> adapters;
  std::vector<std::string> licences;  // in the root
};

// ADAPTER for the adapters and LICENSE for the first licence that a Modelfile can say, behind the
// FROM commands that are there. A warning names the files that no command takes.
void AddFilesBeside(host::Directory& directory, const FilesBeside& files,
                    blueprint::Modelfile& modelfile, Progress& progress);

// A warning for each that people keep to themselves: keys and passwords, by their usual names.
void WarnOfSecrets(const std::vector<std::string>& paths, Progress& progress);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_DRAFT_OTHERS_INTERNAL_H_
