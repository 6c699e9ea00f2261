// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_FOREIGN_MODEL_H_
#define PLUMB_KIT_FOREIGN_MODEL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "host/files.h"
#include "kit/build.h"
#include "oci/ollama.h"

// Models as other programs keep them, made ready for `Build`: where their files are, and a
// blueprint. Trust: what these programs wrote, and who else could write there, is read as an
// enemy's: names cannot leave their store, sizes have limits, and a file that is named by its
// SHA-256 is compared with it by the build that reads it.
namespace plumb::kit {

struct ForeignModel {
  std::unique_ptr<host::Files> files;  // one directory, kGatheredPath
  BlueprintText blueprint;             // for it
  std::string name;                    // what the kit may be called; empty: nobody says
  std::vector<std::string> paths;      // of its files, on this machine
  FileDigests digests;                 // of those that are named by them where they lie
};

// `path` is $OLLAMA_MODELS: a directory with `manifests` and `blobs` in it. kNotFound if the model
// is not there. It becomes what a build of its Modelfile would be, but that the Kitfile also keeps
// what no Modelfile can say: a warning names that.
Result<ForeignModel> ReadOllamaModel(host::Files& files, const std::string& path,
                                     const oci::OllamaName& name, Progress& progress);
// All that are in it, sorted by their paths; what is no name there is passed over.
Result<std::vector<oci::OllamaName>> ListOllamaModels(host::Files& files, const std::string& path);

// `path` is a directory models--ORGANIZATION--NAME of a Hugging Face cache; `revision` a name
// beneath its refs, or of a snapshot. Without a ref "main", that is the only snapshot. kNotFound if
// there is no such snapshot; kCorrupt if its files or the ref lead to nothing.
inline constexpr std::string_view kMainRevision = "main";
Result<ForeignModel> ReadHuggingFaceModel(host::Files& files, const std::string& path,
                                          std::string_view revision, Progress& progress);
// The names of such directories in a cache, sorted. Its data sets and spaces are none.
Result<std::vector<std::string>> ListHuggingFaceModels(host::Files& files, const std::string& path);

// A GGUF or safetensors file, with the others of its series ("w-00001-of-00002.gguf"). kUnsupported
// if it is neither; kInvalid if its name says that it is, or a safetensors file has not the size
// that its header tells.
Result<ForeignModel> ReadModelFile(host::Files& files, const std::string& path);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_FOREIGN_MODEL_H_
