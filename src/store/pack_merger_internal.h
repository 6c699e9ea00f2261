// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_PACK_MERGER_INTERNAL_H_
#define PLUMB_STORE_PACK_MERGER_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "store/catalog_upkeep.h"
#include "store/frame_internal.h"
#include "store/pack_store.h"

namespace plumb::store {

// Writes frames that are somewhere already into new packs. What was not finished goes again.
// Threads: one at a time.
class PackMerger {
 public:
  explicit PackMerger(PackStore& packs) : packs_(packs) {}
  ~PackMerger();
  PackMerger(const PackMerger&) = delete;
  PackMerger& operator=(const PackMerger&) = delete;

  // The blocks of an object come right before its tree.
  Result<ObjectPlace> Append(const FrameContent& content);

  void Move(const MovedObject& moved) { change_.moved.push_back(moved); }
  void TakeBackMoves(std::size_t count) { change_.moved.resize(count); }
  std::size_t moves() const { return change_.moved.size(); }

  // Makes the packs durable and gives the change that names them, whose packs are the caller's.
  Result<UpkeepChange> Finish();
  std::uint64_t size() const { return size_ + (writer_ == nullptr ? 0 : writer_->size()); }

 private:
  Status EndPack();

  PackStore& packs_;
  std::unique_ptr<FrameWriter> writer_;
  UpkeepChange change_;
  std::uint64_t size_ = 0;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_PACK_MERGER_INTERNAL_H_
