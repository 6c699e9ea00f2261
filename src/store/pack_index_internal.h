// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_PACK_INDEX_INTERNAL_H_
#define PLUMB_STORE_PACK_INDEX_INTERNAL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/object_id.h"
#include "store/frame_internal.h"
#include "store/pack_store.h"

// Reads packs without a catalog: docs/format.md, "Packs".
namespace plumb::store {

// A frame as the footer of its pack names it.
struct PackFrame {
  FrameType type = FrameType::kObject;
  ObjectId id;
  std::uint64_t header_at = 0;
  std::uint64_t stored_size = 0;

  std::uint64_t PayloadAt() const;
  std::uint64_t SizeInPack() const;  // with its header and all zeros

  friend bool operator==(const PackFrame&, const PackFrame&) = default;
};

struct PackIndex {
  std::uint64_t size = 0;  // of the pack
  bool is_torn = false;    // it has no footer: the frames are those that are found from the front
  std::vector<PackFrame> frames;  // in order
  // Bytes behind the last of them that are no frames, though the pack was whole once: its trailer
  // says that its footer lies behind. Damaged, or of a newer Plumb.
  std::uint64_t unread = 0;

  // The frame whose payload lies at `offset`; null if there is none.
  const PackFrame* FrameAt(std::uint64_t offset) const;
};

// Header, trailer and footer, checked. A pack whose end is not there or damaged was torn by a
// crash; that its frames are whole is not checked then. kCorrupt if it is none of that name.
// kUnsupported if it was written by a newer Plumb.
Result<PackIndex> ReadPackIndex(PackReader& pack, const PackName& name);

// The same of a pack whose header is damaged: each frame says by itself whether it is whole.
Result<PackIndex> ReadFramesOf(PackReader& pack, const PackName& name);

// The header of a frame, which must say what the footer says of it. kCorrupt otherwise.
Result<FrameContent> ReadFrameHeader(PackReader& pack, const PackFrame& frame);

// The payload of a frame as it is stored, checked against its header. kCorrupt otherwise; also if
// it is longer than its type may be. What a block holds is not checked: its tree does. `stored` is
// what the content that is returned points into.
Result<FrameContent> ReadFrame(PackReader& pack, const PackFrame& frame,
                               std::vector<std::byte>& stored);

}  // namespace plumb::store

#endif  // PLUMB_STORE_PACK_INDEX_INTERNAL_H_
