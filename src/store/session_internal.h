// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_SESSION_INTERNAL_H_
#define PLUMB_STORE_SESSION_INTERNAL_H_

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "host/machine.h"
#include "store/blob_pipeline_internal.h"
#include "store/catalog.h"
#include "store/leases_internal.h"
#include "store/object_saver_internal.h"
#include "store/piece_hasher_internal.h"
#include "store/store.h"

namespace plumb::store {

class StoreSession final : public Session {
 public:
  // Without a lease nothing is looked up or written: its failure is that of the first call.
  StoreSession(Result<std::unique_ptr<Lease>> lease, Catalog& catalog, PackStore& packs,
               host::Clock& clock)
      : lease_(std::move(lease)), catalog_(catalog), clock_(clock), saver_(catalog, packs) {}

  Result<std::unique_ptr<BlobWriter>> CreateBlob(Shape shape) override;
  Result<BlobInfo> PutBlob(ByteSpan bytes) override;
  void AddKit(const Digest& manifest, const std::vector<Digest>& needs) override;
  void MoveRef(RefMove move) override;
  void RemoveKit(const Digest& manifest) override;
  void RememberLayer(const LayerKey& key, const LayerRecord& record) override;
  Status Commit() override;

 private:
  Result<BlobInfo> Keep(FinishedBlob blob);
  // Takes out of the change what is so already; whether anything is left.
  Result<bool> DropNoNews();
  Result<bool> HasNewKit();
  Status SaveRecords();

  const Result<std::unique_ptr<Lease>> lease_;  // first: it ends after all the others
  Catalog& catalog_;
  host::Clock& clock_;
  PieceHasher hasher_;
  ObjectSaver saver_;
  std::mutex mutex_;
  std::set<Digest> blobs_;  // of this session
  CatalogChange change_;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_SESSION_INTERNAL_H_
