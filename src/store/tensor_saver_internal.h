// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_TENSOR_SAVER_INTERNAL_H_
#define PLUMB_STORE_TENSOR_SAVER_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "store/cutter_internal.h"
#include "store/frame_internal.h"
#include "store/object_saver_internal.h"
#include "store/tree_internal.h"

namespace plumb::store {

// Takes a tensor block by block. As long as what comes is what an object that is here already
// begins with, nothing is written; where they part, what they have in common is copied. Blocks that
// come to nothing (no Finish) are litter in a pack. Threads: one at a time.
class TensorSaver {
 public:
  // `role` is that of the first block.
  TensorSaver(ObjectSaver& saver, const PieceRole& role) : saver_(saver), role_(role) {}
  ~TensorSaver();
  TensorSaver(const TensorSaver&) = delete;
  TensorSaver& operator=(const TensorSaver&) = delete;

  // All but the last are kBlockSizeMax long. Tells where it is now.
  Result<BlockPlace> Add(ByteSpan block);
  // What came is the whole object, also if more was announced.
  Result<ObjectRecord> Finish();

 private:
  // An object that begins as this one.
  struct Twin {
    ObjectRecord record;
    std::shared_ptr<const ObjectTree> tree;
  };
  Status FindTwin();
  bool IsAsTwin() const;
  // The twin goes another way: the blocks that were the same, so many, are written now.
  Status Part(std::size_t same);
  Status Write(std::size_t index, ByteSpan raw);

  ObjectSaver& saver_;
  const PieceRole role_;
  std::vector<std::byte> first_;  // block, until there is a second
  ObjectTree tree_;               // of what was taken
  std::optional<Twin> twin_;
  std::unique_ptr<FrameWriter> writer_;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_TENSOR_SAVER_INTERNAL_H_
