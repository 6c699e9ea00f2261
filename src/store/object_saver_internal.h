// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_OBJECT_SAVER_INTERNAL_H_
#define PLUMB_STORE_OBJECT_SAVER_INTERNAL_H_

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/object_id.h"
#include "store/catalog_upkeep.h"
#include "store/cutter_internal.h"
#include "store/frame_internal.h"
#include "store/pack_store.h"
#include "store/tree_internal.h"

namespace plumb::store {

// Writes what one session adds into new packs: one open pack for each writer at work. What
// the catalog or this session has is not written again. Packs that are not wanted in the
// end (no Finish) go again, but for those that are to be left. Threads: any number at once.
class ObjectSaver {
 public:
  // What is there is there for `domain`.
  ObjectSaver(KeptCatalog& catalog, PackStore& packs, const Domain& domain)
      : catalog_(catalog), starts_(catalog), packs_(packs), domain_(domain) {}
  ~ObjectSaver();
  ObjectSaver(const ObjectSaver&) = delete;
  ObjectSaver& operator=(const ObjectSaver&) = delete;

  // 1 to kBlockSizeMax bytes. Gives where they are now.
  Result<ObjectRecord> SaveObject(ByteSpan raw, const PieceRole& role);
  Result<ObjectId> SaveRecord(FrameType type, std::string_view record);

  // This object lies in a pack that no catalog names, where it was just read: it need not be
  // written again.
  void Offer(const ObjectRecord& object);
  // Somebody remembers what lies in this pack: it stays, ended like any other, even if the session
  // comes to nothing.
  void Leave(const PackName& pack);

  // For a TensorSaver. Objects that are as long and perhaps begin the same, this session's own too;
  // their trees, null if damaged; where one is now; that one of them is what came; what was written
  // for a new one, whose place is returned, or that of another that came first.
  Result<std::vector<ObjectRecord>> FindTwins(std::uint64_t start, std::uint64_t size);
  Result<std::shared_ptr<const ObjectTree>> TreeOf(const ObjectRecord& object);
  Result<ObjectRecord> FindAgain(const ObjectId& id);
  void TakeKnown(const ObjectRecord& object);
  Result<ObjectRecord> SaveTree(const ObjectRecord& object, std::shared_ptr<const ObjectTree> tree);
  // One pack to one writer, until it is given back. If an append fails the pack is gone, with what
  // others wrote there: nothing of this session can be committed then.
  Result<std::unique_ptr<FrameWriter>> TakeWriter();
  Result<ObjectPlace> Append(std::unique_ptr<FrameWriter>& writer, const FrameContent& content);
  Status GiveBack(std::unique_ptr<FrameWriter> writer);
  Result<std::unique_ptr<PackReader>> OpenPack(const PackName& name) { return packs_.Open(name); }

  // On return everything is durable. Gives the objects that are new. If an object could not be
  // saved, this fails too: another caller may have relied on it.
  Result<std::vector<ObjectRecord>> Finish();
  // Those that Finish() made durable, of others too.
  std::vector<PackName> packs() const;
  // The packs are wanted: the catalog names them.
  void Keep() { unwanted_.clear(); }

 private:
  bool Claim(const ObjectId& id);
  Result<ObjectRecord> AwaitClaimed(const ObjectId& id);
  Result<ObjectPlace> SaveClaimed(const ObjectId& id, ByteSpan raw, const PieceRole& role);
  // The place that was offered, if one was: from then on this session needs that pack.
  std::optional<ObjectPlace> TakeOffered(const ObjectId& id);
  Result<ObjectPlace> Write(const FrameContent& content);
  void Fail();

  Catalog& catalog_;
  ObjectStarts& starts_;
  PackStore& packs_;
  const Domain domain_;
  std::mutex mutex_;
  std::condition_variable placed_;
  std::map<ObjectId, std::optional<ObjectPlace>> claimed_;  // no place: not saved yet
  std::map<ObjectId, ObjectPlace> offered_;
  struct OwnTree {
    ObjectRecord object;
    std::shared_ptr<const ObjectTree> tree;
  };
  std::multimap<std::uint64_t, OwnTree> trees_;  // of `objects_`, by how they start
  std::set<PackName> adopted_;                   // packs of others that hold some of `objects_`
  std::set<PackName> left_;
  std::vector<ObjectRecord> objects_;
  std::vector<std::unique_ptr<FrameWriter>> idle_;
  std::vector<PackName> unwanted_;  // closed, and not named by the catalog yet
  bool has_failed_ = false;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_OBJECT_SAVER_INTERNAL_H_
