// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_FRAME_INTERNAL_H_
#define PLUMB_STORE_FRAME_INTERNAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/object_id.h"
#include "store/catalog.h"
#include "store/pack_store.h"

// What packs are made of: docs/format.md, "Packs".
namespace plumb::store {

enum class FrameType : std::uint8_t {
  kAlignedObject = 1,  // of stores from before kObject: read, never written
  kRecipe = 2,
  kBlob = 3,
  kKit = 4,
  kRefMove = 5,
  kBlock = 6,
  kTree = 7,
  kFiles = 8,
  kHeld = 9,
  kObject = 10,
  kFooter = 255,
};

// Whether the catalog may name such a frame as an object's; whether it holds any of an object.
inline bool IsWholeObject(FrameType type) {
  return type == FrameType::kObject || type == FrameType::kAlignedObject;
}
inline bool IsOfObject(FrameType type) { return IsWholeObject(type) || type == FrameType::kTree; }
inline bool IsContent(FrameType type) { return IsOfObject(type) || type == FrameType::kBlock; }

// A pack is closed behind this many bytes.
inline constexpr std::uint64_t kPackSizeMax = std::uint64_t{256} << 20;

inline constexpr std::size_t kPackHeaderSize = 64;
inline constexpr std::size_t kFrameHeaderSize = 128;
inline constexpr std::size_t kTrailerSize = 32;
// How much of a BLAKE3 ends a header, and how much of one checks a payload.
inline constexpr std::size_t kHashStubSize = 8;
inline constexpr std::size_t kCheckSize = 16;
// Of an entry of the footer.
inline constexpr std::size_t kFooterEntrySize = 49;
// Zeros between the end of a frame's header and its payload.
std::uint64_t PaddingBehind(FrameType type, std::uint64_t header_end, std::uint64_t stored_size);
// What a frame without such padding takes: one of a block, a tree or an object.
std::uint64_t UnpaddedFrameSize(std::uint64_t stored_size);

// What a frame holds.
struct FrameContent {
  FrameType type = FrameType::kObject;
  ObjectId id;  // of the raw bytes; of a block its hash in the tree, of a tree its object
  std::uint64_t raw_size = 0;
  Encoding encoding = Encoding::kRaw;
  ByteSpan stored = {};
  std::uint32_t block = 0;               // which one of its object
  std::array<std::byte, 16> check = {};  // of what was read; who writes leaves it
};

// Writes frames to one pack. Threads: one at a time.
class FrameWriter {
 public:
  // The pack's header is written with the first frame.
  explicit FrameWriter(std::unique_ptr<PackWriter> pack) : pack_(std::move(pack)) {}

  // Returns where the payload lies.
  Result<ObjectPlace> Append(const FrameContent& content);
  // As raw; returns its id.
  Result<ObjectId> AppendRecord(FrameType type, std::string_view record);

  bool IsFull() const { return size_ >= kPackSizeMax; }
  std::uint64_t size() const { return size_; }
  const PackName& name() const { return pack_->name(); }

  // Footer and trailer; on return the pack is durable.
  Status Finish();

 private:
  struct Written {
    FrameType type;
    ObjectId id;
    std::uint64_t offset;
    std::uint64_t stored_size;
  };

  const std::unique_ptr<PackWriter> pack_;
  std::vector<Written> frames_;
  std::uint64_t size_ = 0;
};

// What became of an adopted file: who it belongs to writes there as he likes.
inline constexpr std::string_view kAdoptedFileChanged =
    "a file that another program owns (import --link) was changed";

// What to say of bytes that are not what they should be.
Error DamagedAt(const PackReader& pack, const ObjectPlace& place);

// The payload there, decoded, not checked against any hash: `out` is resized to its raw size, which
// the caller has bounded. kCorrupt if it cannot be that.
Status ReadPayload(PackReader& pack, const ObjectPlace& place, std::vector<std::byte>& out);

// The raw bytes of an object, read, decoded, and checked against `id`. kCorrupt otherwise.
// It has no tree. `out` is resized to its raw size, which is at most kFramedObjectSizeMax.
Status ReadObject(PackReader& pack, const ObjectPlace& place, const ObjectId& id,
                  std::vector<std::byte>& out);

}  // namespace plumb::store

#endif  // PLUMB_STORE_FRAME_INTERNAL_H_
