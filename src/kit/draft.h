// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_DRAFT_H_
#define PLUMB_KIT_DRAFT_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "blueprint/kitfile.h"
#include "blueprint/modelfile.h"
#include "host/files.h"

namespace plumb::kit {

// What a person says about a model of which only the files are there, and what is none of them.
struct DraftOptions {
  std::string name = {};  // of package and model
  std::string description = {};
  std::vector<std::string> authors = {};
  std::string reserved = {};  // a path in the directory that is no part of it; empty: none
};

// A blueprint for what lies in a directory, by names and sizes (docs/format.md, "Drafts"). The same
// directory gives the same draft, and `Build` takes it; every file that would be packed is in some
// entry. What cannot be packed (symlinks, special files) is left out, with a warning.
// kNotFound if there is nothing; kExhausted over 100000 files, and for more entries than `Build`
// takes.
Result<blueprint::Kitfile> DraftKitfile(host::Directory& directory, const DraftOptions& options,
                                        Progress& progress);

// kNotFound if no model is there that a Modelfile could begin with: GGUF, safetensors, or PyTorch's
// .bin and .pth.
Result<blueprint::Modelfile> DraftModelfile(host::Directory& directory, const DraftOptions& options,
                                            Progress& progress);

// The SPDX id of a licence's text, if it is a well-known one; else empty.
std::string_view DetectLicense(std::string_view text);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_DRAFT_H_
