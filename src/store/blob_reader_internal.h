// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_BLOB_READER_INTERNAL_H_
#define PLUMB_STORE_BLOB_READER_INTERNAL_H_

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/streams.h"
#include "store/catalog.h"
#include "store/frame_internal.h"
#include "store/pack_store.h"
#include "store/recipe_internal.h"
#include "store/tree_internal.h"

namespace plumb::store {

// Who wants to know what cannot be read for its bytes, not for the disk's. Threads: any number.
class DamageListener {
 public:
  virtual ~DamageListener() = default;
  virtual void OnDamage(const ObjectId& id, const ObjectPlace& place) = 0;
};

// Finds objects and reads them, keeping some packs open. Threads: any number at once.
class ObjectReader {
 public:
  // `listener` may be null, and must outlive it.
  ObjectReader(Catalog& catalog, PackStore& packs, DamageListener* listener = nullptr)
      : catalog_(catalog), packs_(packs), listener_(listener) {}

  // An object that was looked up. It is one block if it has no tree.
  struct Object {
    ObjectId id;
    ObjectPlace place;
    std::shared_ptr<const ObjectTree> tree;  // null: it has none

    std::uint64_t size() const { return place.raw_size; }
    std::uint64_t block_size() const { return tree != nullptr ? kBlockSizeMax : size(); }
    std::uint64_t block_count() const { return tree != nullptr ? tree->blocks.size() : 1; }
  };
  // kCorrupt, also if the object, its tree or its pack is not there: something needs it.
  Result<Object> Find(const ObjectId& id);
  // One block, checked. The object is looked up once more if it was moved meanwhile.
  Status ReadBlock(Object& object, std::uint64_t index, std::vector<std::byte>& out);

 private:
  Result<Object> Look(const ObjectId& id);
  Status Read(const Object& object, std::uint64_t index, std::vector<std::byte>& out);
  Status TellOf(const Object& object, Status status);
  // kNotFound if there is no such pack.
  Result<std::shared_ptr<PackReader>> Open(const PackName& name);

  Catalog& catalog_;
  PackStore& packs_;
  DamageListener* const listener_;
  std::mutex mutex_;
  std::vector<std::pair<PackName, std::shared_ptr<PackReader>>> open_;  // used last: last
};

// The blob that `recipe` makes, from `offset` on, which is at most its size. Blocks of objects are
// read and checked some ahead, in a thread that begins with the second.
std::unique_ptr<ByteSource> MakeRecipeSource(ObjectReader& objects, Recipe recipe,
                                             std::uint64_t offset);

}  // namespace plumb::store

#endif  // PLUMB_STORE_BLOB_READER_INTERNAL_H_
