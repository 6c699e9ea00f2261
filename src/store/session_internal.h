// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_SESSION_INTERNAL_H_
#define PLUMB_STORE_SESSION_INTERNAL_H_

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "host/files.h"
#include "host/machine.h"
#include "store/blob_pipeline_internal.h"
#include "store/catalog_upkeep.h"
#include "store/leases_internal.h"
#include "store/object_saver_internal.h"
#include "store/piece_hasher_internal.h"
#include "store/reserve_internal.h"
#include "store/store.h"

namespace plumb::store {

class StoreSession final : public Session {
 public:
  // `directory` is the store's.
  struct Parts {
    KeptCatalog& catalog;
    PackStore& packs;
    host::Directory& directory;
    Reserve& reserve;
    host::Clock& clock;
    Domain domain;
  };
  // Without a lease nothing is looked up or written: its failure is that of the first call.
  StoreSession(Result<std::unique_ptr<Lease>> lease, const Parts& parts)
      : lease_(std::move(lease)),
        parts_(parts),
        catalog_(parts.catalog),
        clock_(parts.clock),
        saver_(parts.catalog, parts.packs, parts.domain) {
    change_.domain = parts.domain;
  }
  ~StoreSession() override;

  Result<std::unique_ptr<BlobWriter>> CreateBlob(const BlobPlan& plan) override;
  Result<BlobInfo> PutBlob(ByteSpan bytes) override;
  void AddKit(NewKit kit) override;
  void MoveRef(RefMove move) override;
  void RemoveKit(const Digest& manifest) override;
  void RememberLayer(const LayerKey& key, const LayerRecord& record) override;
  Status Commit() override;

 private:
  // The record of a blob that is expected, unless a writer of this session has it already.
  PartialBlob* OpenPartial(const Digest& blob);
  void ForgetPartials();
  Result<BlobInfo> KeepExpected(const Digest& expected, PartialBlob* partial, FinishedBlob blob);
  Result<BlobInfo> Keep(FinishedBlob blob);
  // Takes out of the change what is so already; whether anything is left.
  Result<bool> DropNoNews();
  Result<bool> HasNewKit();
  // What was told of files that nobody told before.
  Status FindNewFiles();
  Status SaveRecords();
  Status SaveDeviceRecords();
  Status SaveHeldRecords();

  const Result<std::unique_ptr<Lease>> lease_;  // first: it ends after all the others
  const Parts parts_;
  Catalog& catalog_;
  host::Clock& clock_;
  std::once_flag has_reserve_;
  PieceHasher hasher_;
  std::mutex mutex_;
  // Before the saver goes, which ends the packs that these name, they stay locked.
  std::vector<std::unique_ptr<PartialBlob>> partials_;
  ObjectSaver saver_;
  std::set<Digest> blobs_;  // of this session
  CatalogChange change_;
  std::vector<FilesRecord> files_;  // that were told, known or not
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_SESSION_INTERNAL_H_
