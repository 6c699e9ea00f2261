// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_OPTIMIZER_INTERNAL_H_
#define PLUMB_STORE_OPTIMIZER_INTERNAL_H_

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "store/blob_reader_internal.h"
#include "store/inventory_internal.h"
#include "store/pack_merger_internal.h"
#include "store/payload_internal.h"
#include "store/store_parts_internal.h"
#include "store/upkeep.h"

namespace plumb::store {

// One pass of optimize. Objects do not say what they are: the headers of the blobs that they
// belong to do.
class Optimizer {
 public:
  // Everything must outlive it.
  Optimizer(const StoreParts& parts, const OptimizeRequest& request, Progress& progress)
      : parts_(parts),
        catalog_(*parts.catalog),
        request_(request),
        progress_(progress),
        objects_(*parts.catalog, *parts.packs) {}

  Result<OptimizeReport> Run();

 private:
  Status FindRoles(const Digest& blob);
  bool IsWorthATry(const ObjectId& id) const;
  // Whether some of its blocks become smaller.
  Result<bool> WouldShrink(ObjectReader::Object& object, const PieceRole& role);
  Status WriteAnew(ObjectReader::Object& object, const PieceRole& role);
  Result<ObjectPlace> Write(ObjectReader::Object& object, const PieceRole& role);
  // Read back, then named: docs/format.md, "Write order".
  Status Commit();
  Status ReadBack(const MovedObject& moved);

  const StoreParts& parts_;
  KeptCatalog& catalog_;
  const OptimizeRequest& request_;
  Progress& progress_;
  ObjectReader objects_;
  Inventory inventory_;
  std::unordered_map<ObjectId, PieceRole, HashOfHash> roles_;  // of tensors
  std::unique_ptr<PackMerger> merger_;
  OptimizeReport pending_;  // not committed yet
  OptimizeReport report_;
};

Result<std::vector<BlobPart>> DescribeBlob(const StoreParts& parts, const Digest& blob);

}  // namespace plumb::store

#endif  // PLUMB_STORE_OPTIMIZER_INTERNAL_H_
