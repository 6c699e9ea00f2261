// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_KIT_FILES_INTERNAL_H_
#define PLUMB_KIT_KIT_FILES_INTERNAL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "blueprint/kitfile.h"
#include "kit/file_list.h"
#include "kit/modelkit.h"
#include "store/store.h"

namespace plumb::kit {

// Where the Kitfile goes.
inline constexpr std::string_view kKitfileName = "Kitfile";

// The layers whose files `unpack` without filters writes, in its order: of the bases, which come
// nearest first, models and their parts, the deepest first as kit does it; then the kit's own.
Result<std::vector<PackedEntry>> UnpackedEntries(const std::vector<ModelKit>& bases,
                                                 const ModelKit& modelkit);

// Finds out which files a kit unpacks to: from what is told of layers, what the store has recorded,
// and if it may, by reading. Threads: one at a time.
class KitFiles {
 public:
  // `store` must outlive it.
  explicit KitFiles(store::Store& store) : store_(store) {}

  // Just written: the store does not know it yet.
  void Tell(store::FilesOfLayer layer);
  // Asks the store about those of which nothing was told; gives those of which it knows nothing.
  Result<std::vector<PackedEntry>> FindUnknown(const std::vector<PackedEntry>& layers);
  // Reads them, out of the store. kCorrupt if one is not there.
  Status Read(const std::vector<PackedEntry>& unknown, unsigned threads, Progress& progress);

  // Of layers that are all known. kInvalid or kDenied if `unpack` refuses a name.
  Result<FileList> List(const std::vector<PackedEntry>& layers,
                        const blueprint::Kitfile& kitfile) const;
  // What the store shall record.
  std::vector<store::FilesOfLayer> News() const;

 private:
  store::Store& store_;
  std::map<Digest, std::vector<store::FileOfLayer>> layers_;
  std::set<Digest> news_;
};

}  // namespace plumb::kit

#endif  // PLUMB_KIT_KIT_FILES_INTERNAL_H_
