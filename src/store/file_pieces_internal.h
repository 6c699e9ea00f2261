// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_FILE_PIECES_INTERNAL_H_
#define PLUMB_STORE_FILE_PIECES_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/object_id.h"
#include "store/cutter_internal.h"

namespace plumb::store {

// A piece of a file, as a layer with the file in it is cut.
struct FilePiece {
  std::uint64_t offset = 0;
  std::size_t size = 0;
  PieceRole role = {};
  ObjectId hash = {};  // of a block of a tensor its hash in the tree

  bool IsLiteral() const;
  // Of its bytes.
  void Hash(ByteSpan bytes);
};

// Fills all of the buffer from that place of the file.
using ReadFileAt = std::function<Status(std::uint64_t offset, MutableByteSpan buffer)>;

// All pieces in order, not hashed. What is in tensors does not decide where they are cut, and is
// not read.
Result<std::vector<FilePiece>> CutFile(const ReadFileAt& read, std::uint64_t size,
                                       Shape shape = Shape::kOpaque);

}  // namespace plumb::store

#endif  // PLUMB_STORE_FILE_PIECES_INTERNAL_H_
