// SPDX-License-Identifier: MIT OR Apache-2.0
// Any bytes, of either shape, also as the beginning of something longer: pieces are as long as they
// may be, blocks of a tensor come in order, and where is cut does not depend on how the bytes come.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "store/cutter_internal.h"
#include "store/recipe_internal.h"
#include "weights/tensor_file.h"

namespace {

using plumb::ByteSpan;
using namespace plumb::store;

struct Piece {
  std::size_t size = 0;
  PieceRole role;
  friend bool operator==(const Piece&, const Piece&) = default;
};

// `step`: how many bytes come at once.
std::vector<Piece> Cut(ByteSpan bytes, Shape shape, std::size_t step) {
  Cutter cutter(shape, shape == Shape::kTar ? 0 : bytes.size());
  std::vector<Piece> pieces;
  Piece piece;
  while (!bytes.empty()) {
    piece.role = cutter.role();
    const std::size_t room = cutter.Stretch();
    PLUMB_CHECK(room >= 1 && room <= kBlockSizeMax - piece.size);
    const ByteSpan next = bytes.first(std::min({room, step, bytes.size()}));
    const auto [taken, is_cut] = cutter.Take(next);
    PLUMB_CHECK(taken >= 1 && taken <= next.size());
    piece.size += taken;
    bytes = bytes.subspan(taken);
    if (!is_cut && !bytes.empty()) continue;
    pieces.push_back(piece);
    piece = {};
  }
  return pieces;
}

void CheckRoles(const std::vector<Piece>& pieces) {
  std::uint64_t left = 0;  // of the present tensor
  for (const Piece& piece : pieces) {
    const PieceRole& role = piece.role;
    PLUMB_CHECK(role.tensor_size == 0 || role.tensor_size >= kTensorSizeMin);
    PLUMB_CHECK(left == 0 || left == role.tensor_size - role.offset);
    PLUMB_CHECK(left != 0 || role.offset == 0);
    PLUMB_CHECK(role.offset % kBlockSizeMax == 0);
    if (role.tensor_size == 0) continue;
    left = role.tensor_size - role.offset;
    PLUMB_CHECK(piece.size <= left);
    // Only the end of all may cut a block short.
    PLUMB_CHECK(piece.size == std::min<std::uint64_t>(left, kBlockSizeMax) ||
                &piece == &pieces.back());
    left -= piece.size;
  }
}

void Try(ByteSpan bytes, Shape shape) {
  const std::vector<Piece> pieces = Cut(bytes, shape, kBlockSizeMax);
  CheckRoles(pieces);
  PLUMB_CHECK(Cut(bytes, shape, bytes.size() > 65536 ? 40961 : 7) == pieces);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteSpan bytes = std::as_bytes(std::span(data, size));
  Try(bytes, Shape::kTar);
  Try(bytes, Shape::kOpaque);
  // What begins as a file of weights goes on: then there may be tensors of several blocks.
  std::vector<std::byte> longer(bytes.begin(), bytes.end());
  longer.resize(size + (std::size_t{5} << 19));
  const auto header = plumb::weights::ReadTensorHeader(bytes, longer.size());
  if (header && *header) Try(longer, Shape::kOpaque);
  return 0;
}
