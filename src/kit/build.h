// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_BUILD_H_
#define PLUMB_KIT_BUILD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "archive/compression.h"
#include "base/progress.h"
#include "base/result.h"
#include "blueprint/kitfile.h"
#include "blueprint/lock_file.h"
#include "host/files.h"
#include "host/machine.h"
#include "kit/base_resolver.h"
#include "oci/media_types.h"
#include "store/store.h"

namespace plumb::kit {

enum class BlueprintKind : std::uint8_t { kKitfile, kModelfile };

// A blueprint that was found and read, not yet parsed.
struct BlueprintText {
  BlueprintKind kind = BlueprintKind::kKitfile;
  std::string file;          // its machine path as the person named it; "-": standard input
  std::string context_path;  // its path in the context, if it is there; else empty
  std::string bytes;
};

// One archive for each entry, or one layer for each file, which is its bytes.
enum class LayerFormat : std::uint8_t { kTar, kRaw };
enum class Rehash : std::uint8_t { kNo, kYes };
enum class FollowSymlinks : std::uint8_t { kNo, kYes };
enum class ListFiles : std::uint8_t { kNo, kYes };

// What files are, by the names that they are packed under.
using FileDigests = std::map<std::string, Digest, std::less<>>;

struct BuildOptions {
  oci::KitFormat format = oci::KitFormat::kModelKit;
  LayerFormat layer_format = LayerFormat::kTar;  // of MCP servers always kRaw
  archive::Compression compression = archive::Compression::kNone;
  int compression_level = 0;                               // 0: the default of the compression
  blueprint::KitRules rules = blueprint::KitRules::kOurs;  // kKit17 is --kit-compat=1.7
  Rehash rehash = Rehash::kNo;  // kYes: read every layer, even where no file changed
  FollowSymlinks follow_symlinks = FollowSymlinks::kNo;
  std::vector<store::RefName> tags = {};  // moved to the result
  std::string message = {};               // why; recorded with the moves
  unsigned threads = 2;
  // A directory beneath the context, relative to it, that is not packed; empty: none. Our rules
  // only.
  std::string reserved = {};
  // What it must be made of: anything else is kConflict, and nothing is written.
  std::optional<blueprint::LockFile> locked = {};
  // What files must be that are read: another is kCorrupt. Of one that is named by its digest where
  // it lies; files that are not in it cost nothing.
  FileDigests file_digests = {};
  // Whether to find out the files root, and record it with the kit.
  ListFiles list_files = ListFiles::kYes;
};

// What is known of a context that is gone, of a ModelKit that kit 1.7 packed: only what its layers
// hold. What kit ignored and which symlinks it passed over, they show by not having it.
struct BygoneContext {
  // Directories that no layer has, with files in them that some layer has: no entries.
  std::set<std::string, std::less<>> no_entries;
};

// What a build is made of; all of it must outlive the call.
struct BuildContext {
  host::Files& files;
  host::Directory& directory;  // the context
  std::string directory_path;  // its machine path, for FROM paths that are relative or outside
  host::Clock& clock;
  host::Environment& environment;  // for "~" in FROM
  store::Store& store;
  BaseResolver& bases;
  // By the rules of kit 1.7 only; a path of which nothing is left is then an empty layer. Or null.
  const BygoneContext* bygone = nullptr;
};

struct BuiltLayer {
  oci::LayerType type = oci::LayerType::kModel;
  std::string path;  // as written in the Kitfile; of a raw layer, that of its file
  Digest digest;
  std::uint64_t size = 0;
  bool was_known = false;  // "Already saved" instead of "Saved"
};

struct BuildReport {
  Digest id;                       // the ModelKitID
  std::vector<BuiltLayer> layers;  // in the order of the manifest
  Digest config;
  bool config_was_known = false;
  bool manifest_was_known = false;
  blueprint::LockFile lock;  // what it was made of
  // docs/format.md, "Files". Nothing if `unpack` refuses the kit, or if a base is not here whose
  // layers would have to be read.
  std::optional<Digest> files_root = {};
};

// Builds a ModelKit or a ModelPack into the store: docs/format.md, under these names. The same
// blueprint and files give the same id on every machine, whatever the umask, locale, time zone,
// order of directory entries, file times, user, number of threads or place of the context (with
// compression none: what gzip and zstd make of a layer is theirs to decide).
// Layers are streamed: memory does not grow with the model and nothing is written to a
// temporary file. A layer none of whose files changed since an earlier build is not read.
// Files are hashed together with their layers; a base's layers are read for it at most once, and
// only if no build listed what is in them.
// Either all of it is in the store afterwards, or nothing.
//
// What a person should know and what is no error goes to Progress::Warn: files that no layer
// takes, layers without files, names that `unpack` will refuse, deprecated parameters.
//
// kInvalid: a blueprint that is wrong, a symlink or special file, a path that is ignored,
// absent or outside; what the chosen formats cannot hold. kNotFound: a base that is not there.
// Nothing is written in these cases. kConflict: a file changed while it was read, or it is not as
// `locked` says. kCorrupt: a file is not as `file_digests` says.
Result<BuildReport> Build(const BuildContext& context, const BlueprintText& blueprint,
                          const BuildOptions& options, Progress& progress);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_BUILD_H_
