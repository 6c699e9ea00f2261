// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_CHECKER_INTERNAL_H_
#define PLUMB_STORE_CHECKER_INTERNAL_H_

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "store/blob_reader_internal.h"
#include "store/inventory_internal.h"
#include "store/store_parts_internal.h"
#include "store/upkeep.h"

// One check: structure, and if it is asked for every byte.
namespace plumb::store {

class Checker {
 public:
  // `store` reads what `parts` hold. Everything must outlive it.
  Checker(const StoreParts& parts, Store& store, const CheckRequest& request, Progress& progress)
      : parts_(parts),
        catalog_(*parts.catalog),
        request_(request),
        progress_(progress),
        needs_(request.find_needs, store),
        objects_(*parts.catalog, *parts.packs) {}

  Result<CheckReport> Run();

 private:
  using ObjectEntry = std::pair<const ObjectId, ObjectPlace>;
  using ObjectsOfPacks = std::map<PackName, std::vector<const ObjectEntry*>>;

  Status CheckPacks();
  Status CheckUnnamedPacks();
  Status CheckPack(const PackName& name, const std::vector<const ObjectEntry*>& objects);
  // Of an adopted file, which has no frames.
  Status CheckAdopted(PackReader& file, const PackName& name,
                      const std::vector<const ObjectEntry*>& objects);
  Status CheckPlace(PackReader& pack, const PackIndex& index, const ObjectEntry& object);
  Status CheckTree(PackReader& pack, const PackIndex& index, const ObjectEntry& object);
  Status CheckAdoptedTree(const ObjectId& id, const ObjectTree& tree);
  Status CheckRecords(PackReader& pack, const PackName& name, const PackIndex& index);
  // Of a record in a pack, which cannot be read.
  void NoteBadRecord(const PackName& name, const PackFrame& frame);
  // Between headers, payloads and frames.
  Status CheckZeros(PackReader& pack, const PackName& name, const PackIndex& index);
  void CheckBlobs();
  Status CheckContent();
  Status HashBlob(const Digest& digest);
  using TakeBlock = std::function<void(ByteSpan)>;
  // How many of its bytes the object has; nothing if it is damaged.
  Result<std::optional<std::uint64_t>> HashSegment(const Segment& segment, Sha256Hasher& hasher);
  // Gives the bytes of an object; false if they are damaged, which is noted.
  Result<bool> ReadObject(const ObjectId& id, const TakeBlock& take);
  Status ReadBlocks(const ObjectId& id, const TakeBlock& take);
  Status CheckKits();
  // Whether domains see what their kits need.
  Status CheckDomains();
  Status Remember();
  DamagedBlob WhyDamaged(const Digest& digest, const BlobEntry& blob) const;

  static std::string PlaceText(const ObjectPlace& place);
  // `why`, or what must have happened if it lies in an adopted file.
  std::string WhyBad(const ObjectPlace& place, const std::string& why);
  void BlameObject(const ObjectId& id, const std::string& why);
  void BlameBlob(const Digest& digest, const std::string& why);
  void FillBlobs();

  const StoreParts& parts_;
  KeptCatalog& catalog_;
  const CheckRequest& request_;
  Progress& progress_;
  NeedsCache needs_;
  ObjectReader objects_;
  Inventory inventory_;
  std::unordered_set<ObjectId, HashOfHash> records_;  // that were found in packs
  std::set<PackName> adopted_;
  std::set<PackName> worn_;
  std::set<PackName> unfinished_;  // kept for pulls that may go on

  std::mutex mutex_;  // of what follows
  std::map<ObjectId, std::string> bad_objects_;
  std::map<Digest, std::string> bad_blobs_;
  std::unordered_set<ObjectId, HashOfHash> read_objects_;
  CheckReport report_;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_CHECKER_INTERNAL_H_
