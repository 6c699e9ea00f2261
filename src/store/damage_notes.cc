// SPDX-License-Identifier: MIT OR Apache-2.0
#include "store/damage_notes_internal.h"

namespace plumb::store {

void DamageNotes::OnDamage(const ObjectId& id, const ObjectPlace& place) {
  {
    const std::lock_guard lock(mutex_);
    if (!objects_.insert(id).second) return;
  }
  UpkeepChange change;
  change.damaged_objects.push_back({id, place});
  static_cast<void>(catalog_.Apply(change));
}

void DamageNotes::NoteBlob(const Digest& digest) {
  UpkeepChange change;
  DamagedBlob& blob = change.damaged_blobs.emplace_back();
  blob.digest = digest;
  {
    const std::lock_guard lock(mutex_);
    blob.objects.assign(objects_.begin(), objects_.end());
  }
  if (!blob.objects.empty()) static_cast<void>(catalog_.Apply(change));
}

void DamageNotes::NoteRow(const BlobRecord& blob) {
  UpkeepChange change;
  change.damaged_blobs.push_back({blob.digest, {}, Blake3(AsBytes(blob.bytes))});
  static_cast<void>(catalog_.Apply(change));
}

}  // namespace plumb::store
