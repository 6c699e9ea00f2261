// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_CATALOG_H_
#define PLUMB_STORE_CATALOG_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/object_id.h"
#include "store/domain.h"
#include "store/pack_store.h"
#include "store/store.h"

// Where everything in the packs is, and what the refs point at.
namespace plumb::store {

// What helps whoever has a catalog that cannot be read: packs tell all that it told.
inline constexpr std::string_view kCatalogDamagedHint =
    "plumb fsck --rebuild-catalog makes it again from the store's packs, which hold everything";

// docs/format.md, "Encodings".
enum class Encoding : std::uint8_t { kRaw = 0, kZstd = 1, kPlanes = 2, kEntropy = 3, kTree = 4 };
inline constexpr std::uint64_t kEncodingMax = 4;

// A kit without a ref that is added once more is as if it had come today, if it came longer ago.
inline constexpr std::int64_t kKitsRenewedAfterNs = std::int64_t{24} * 60 * 60 * 1'000'000'000;

// Where the payload of an object's frame lies. Of an object that has blocks that is its tree.
struct ObjectPlace {
  PackName pack;
  std::uint64_t offset = 0;
  std::uint64_t stored_size = 0;
  std::uint64_t raw_size = 0;  // of the object
  Encoding encoding = Encoding::kRaw;
  Standing standing = Standing::kGood;
  // Of those with a tree only: what their blocks take, the beginning of the first one's hash, and
  // the adopted file that they lie in, if it is one.
  std::uint64_t blocks_size = 0;
  std::uint64_t start = 0;
  std::optional<PackName> adopted = {};

  // All that is kept of it.
  std::uint64_t TotalSize() const { return stored_size + blocks_size; }

  friend bool operator==(const ObjectPlace&, const ObjectPlace&) = default;
};

// How a blob is kept: `bytes` is the blob itself, or its recipe, and `id` the BLAKE3 of that.
enum class BlobForm : std::uint8_t { kWhole = 0, kRecipe = 1 };
struct BlobRecord {
  Digest digest;
  std::uint64_t size = 0;
  BlobForm form = BlobForm::kWhole;
  ObjectId id;
  std::string bytes;
  Standing standing = Standing::kGood;

  friend bool operator==(const BlobRecord&, const BlobRecord&) = default;
};

struct ObjectRecord {
  ObjectId id;
  ObjectPlace place;
};

struct KitChange {
  Digest manifest;
  std::vector<Digest> needs;  // blobs that must be there
};

struct LayerMemory {
  LayerKey key;
  LayerRecord record;
};

// What is known of the files of a layer, or of a kit: a record of docs/format.md, "Packs", type 8.
enum class FilesKind : std::uint8_t { kLayer = 1, kKit = 2 };
struct FilesKey {
  FilesKind kind = FilesKind::kLayer;
  Digest subject;  // the layer's blob, or the manifest

  friend bool operator==(const FilesKey&, const FilesKey&) = default;
};
struct FilesRecord {
  FilesKey key;
  ObjectId id;  // the BLAKE3 of `bytes`
  std::string bytes;
};

// What one session changes. Applied in the order of the members.
struct CatalogChange {
  Domain domain = Domain::Device();  // of the session: it sees what comes, and needs only that
  std::vector<PackName> packs = {};  // all that were written
  std::vector<ObjectRecord> objects = {};  // those that are known, and good, are left as they are
  std::vector<BlobRecord> blobs = {};  // the same; those of recipes that are unneeded no more are
  // Those that are there are left as they are, but for kKitsRenewedAfterNs.
  std::vector<KitChange> added_kits = {};
  std::vector<RefMove> moves = {};
  std::vector<Digest> removed_kits = {};
  std::vector<LayerMemory> layers = {};
  std::vector<FilesRecord> files = {};  // in the place of those that are there
  std::int64_t now_ns = 0;
};

// Promises, checked by tests/conformance/catalog_suite.h on every implementation:
//   - Apply is all or nothing, and durable on return; with it all that was found before. (A
//     change without content makes sure of that, and costs nothing if it is so already.)
//   - What one Apply wrote is seen by every later call, of every process.
//   - Nothing that is found is believed: who asks checks bytes against their hashes.
//   - A call of a domain answers as if what the domain does not see was nowhere. What is there for
//     others is not taken for known: it may be given again, and the place that is known stays.
// Errors: kUnavailable if others keep it locked for over 30 s, kCorrupt if it is damaged.
// Threads: any number at once, of any number of processes.
class Catalog {
 public:
  virtual ~Catalog() = default;

  virtual Result<std::optional<ObjectPlace>> FindObject(const Domain& domain,
                                                        const ObjectId& id) = 0;
  virtual Result<std::optional<BlobRecord>> FindBlob(const Domain& domain,
                                                     const Digest& digest) = 0;
  virtual Result<std::optional<LayerRecord>> FindLayer(const Domain& domain,
                                                       const LayerKey& key) = 0;
  virtual Result<std::optional<Digest>> FindRef(const Domain& domain, const RefName& name) = 0;
  virtual Result<std::vector<Ref>> ListRefs(const Domain& domain) = 0;  // in order of names
  // That no gc found unneeded; oldest first.
  virtual Result<std::vector<Kit>> ListKits(const Domain& domain) = 0;

  // What kits and recipes of the change need, and a gc found unneeded meanwhile, is needed again.
  // kInvalid: a kit needs a blob that is not there, or a named domain moves a ref of another
  // repository than that of its name. kConflict: a ref would point at a kit
  // that is not there, is not where it was expected, or a kit is removed that one points at; or a
  // recipe needs an object that is not there. Moves to where a ref points already are not recorded.
  virtual Status Apply(const CatalogChange& change) = 0;
};

// Finds objects by how they begin, so that what is there already is noticed while it comes.
// Threads: as of Catalog.
class ObjectStarts {
 public:
  virtual ~ObjectStarts() = default;

  // Those of `size` with a tree whose first block may have this hash, if they may be relied upon: a
  // few at most.
  virtual Result<std::vector<ObjectRecord>> FindByStart(const Domain& domain, std::uint64_t start,
                                                        std::uint64_t size) = 0;
};

// The same catalog, as who lists files sees it.
class FilesCatalog {
 public:
  virtual ~FilesCatalog() = default;
  // The record; nothing if there is none, or if it is damaged.
  virtual Result<std::optional<std::string>> FindFiles(const Domain& domain,
                                                       const FilesKey& key) = 0;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_CATALOG_H_
