// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_BUNDLE_H_
#define PLUMB_REGISTRY_BUNDLE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "base/streams.h"
#include "crypto/digest.h"
#include "host/files.h"
#include "oci/manifest.h"
#include "registry/remote.h"
#include "store/store.h"

// Kits in one file: an OCI layout in a tar (docs/format.md, "Bundles"), for sticks, mails and
// pipes.
namespace plumb::registry {

struct BundleKit {
  Digest manifest;
  std::string name = {};  // "host/repository:tag"; empty: only by its digest
};

struct BundleReport {
  std::uint64_t bytes = 0;  // of the whole bundle
};

// Writes kits of the store as a bundle. The bytes depend on the kits and their names alone, in
// whatever order they are given. kConflict for a name that is given to two kits.
Result<BundleReport> WriteBundle(store::Store& store, std::vector<BundleKit> kits, ByteSink& sink,
                                 Progress& progress);

// In which order its blobs can be had.
enum class BlobOrder : std::uint8_t {
  kAny,
  kAsTheyCome,  // as docs/format.md has them; one after the other, from one thread
};

// A layout that is open for reading. What is written to its Remote is kUnsupported, unless it is a
// directory.
struct Layout {
  std::unique_ptr<Remote> remote;
  oci::Index index;
  BlobOrder order = BlobOrder::kAny;
};

// A bundle in a file; `label` names it in messages. Whether it is compressed, it tells itself.
// kInvalid: it is no bundle, or says one thing twice; kDenied: an entry that leaves it, or is a
// link; kExhausted over a limit; kCorrupt: a damaged archive. Trust: as an enemy's.
Result<Layout> OpenBundle(std::unique_ptr<host::File> file, std::string label, Progress& progress);

// The same from a stream. `source` and `progress` must outlive what is returned.
Result<Layout> OpenBundle(std::unique_ptr<ByteSource> source, std::string label,
                          Progress& progress);

// A layout directory. kNotFound if it is none.
Result<Layout> OpenLayoutToRead(host::Files& files, const std::string& path);

// What an entry of an index is called.
struct LayoutEntryName {
  std::string repository;  // with its host; empty: nobody says
  std::string tag;         // may be empty
};
// kInvalid: a name that breaks the grammar of references.
Result<LayoutEntryName> NameOf(const oci::IndexEntry& entry);

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_BUNDLE_H_
