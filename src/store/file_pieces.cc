// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>

#include "crypto/hash_tree.h"
#include "store/file_pieces_internal.h"
#include "store/recipe_internal.h"

namespace plumb::store {

bool FilePiece::IsLiteral() const { return role.tensor_size == 0 && size <= kLiteralSizeMax; }

void FilePiece::Hash(ByteSpan bytes) {
  if (role.IsBlock()) {
    hash.bytes = HashGroup(bytes, role.offset / kBlockSizeMax).bytes;
  } else {
    hash = Blake3(bytes);
  }
}

Result<std::vector<FilePiece>> CutFile(const ReadFileAt& read, std::uint64_t size, Shape shape) {
  std::vector<FilePiece> pieces;
  std::vector<std::byte> buffer(kBlockSizeMax);
  Cutter cutter(shape, size);
  FilePiece piece;
  for (std::uint64_t at = 0; at < size;) {
    piece.role = cutter.role();
    const auto bytes = MutableByteSpan(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(cutter.Stretch(), size - at)));
    if (piece.role.tensor_size == 0) PLUMB_RETURN_IF_ERROR(read(at, bytes));
    const auto [taken, is_cut] = cutter.Take(bytes);
    piece.size += taken;
    at += taken;
    if (!is_cut && at < size) continue;
    pieces.push_back(piece);
    piece = {at};
  }
  return pieces;
}

}  // namespace plumb::store
