// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_DAMAGE_NOTES_INTERNAL_H_
#define PLUMB_STORE_DAMAGE_NOTES_INTERNAL_H_

#include <mutex>
#include <set>

#include "store/blob_reader_internal.h"
#include "store/catalog_upkeep.h"

namespace plumb::store {

// What readers found damaged is noted in the catalog, so that the next build or pull of the same
// content writes it again; of what the catalog lacks altogether fsck tells. Best effort: a store
// that cannot be written to is read all the same.
//
// Threads: any number at once.
class DamageNotes final : public DamageListener {
 public:
  explicit DamageNotes(CatalogUpkeep& catalog) : catalog_(catalog) {}

  void OnDamage(const ObjectId& id, const ObjectPlace& place) override;
  // It needs one of those that were found.
  void NoteBlob(const Digest& digest);
  // What the catalog itself has of it is damaged.
  void NoteRow(const BlobRecord& blob);

 private:
  CatalogUpkeep& catalog_;
  std::mutex mutex_;
  std::set<ObjectId> objects_;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_DAMAGE_NOTES_INTERNAL_H_
