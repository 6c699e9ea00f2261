// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <optional>

#include "store/pack_index_internal.h"
#include "store/recipe_internal.h"

namespace plumb::store {
namespace {

constexpr std::uint32_t kVersion = 1;
// No pack is so long: what follows cannot wrap.
constexpr std::uint64_t kStoredSizeMax = std::uint64_t{1} << 48;
// Twice as many as there can be headers in a pack that is closed behind kPackSizeMax. A file with
// holes may be as long as it likes: this bounds what is allocated for it.
constexpr std::uint64_t kFramesMax = std::uint64_t{4} << 20;

Error Torn(const PackName& name) {
  return Error{ErrorKind::kCorrupt, "pack '" + name.ToString() + "' is not whole"};
}

Error DamagedFrame(const PackFrame& frame) {
  return Error{ErrorKind::kCorrupt,
               "a frame is damaged at byte " + std::to_string(frame.header_at)};
}

// Whether a fixed record ends with the beginning of its own hash.
bool IsSealed(ByteSpan record) {
  const std::size_t size = record.size() - kHashStubSize;
  const ObjectId hash = Blake3(record.first(size));
  return std::ranges::equal(record.subspan(size), ByteSpan(hash.bytes).first(kHashStubSize));
}

bool Begins(ByteSpan record, std::string_view magic) {
  return AsText(record.first(magic.size())) == magic;
}

Status CheckPackHeader(PackReader& pack, const PackName& name) {
  std::array<std::byte, kPackHeaderSize> header = {};
  PLUMB_RETURN_IF_ERROR(pack.ReadAt(0, header));
  if (!Begins(header, "PLUMBPAK") || !IsSealed(header)) return Torn(name);
  ByteReader reader(ByteSpan(header).subspan(8));
  const auto version = reader.U32();
  const auto features = reader.U32();
  if (version != kVersion || features != 0U)
    return Error{ErrorKind::kUnsupported,
                 "pack '" + name.ToString() + "' was written by a newer plumb"};
  if (!std::ranges::equal(ByteSpan(header).subspan(16, name.bytes.size()), name.bytes))
    return Torn(name);
  return Done{};
}

// The frames that a footer names. Nothing if it is malformed.
std::optional<std::vector<PackFrame>> ParseFooter(ByteSpan footer, std::uint64_t footer_at) {
  std::vector<PackFrame> frames;
  frames.reserve(footer.size() / kFooterEntrySize);
  ByteReader reader(footer);
  std::uint64_t end = kPackHeaderSize;  // of the frame before
  while (!reader.rest().empty()) {
    PackFrame frame;
    const auto type = reader.U8();
    const auto id = reader.Bytes(frame.id.bytes.size());
    const auto header_at = reader.U64();
    const auto stored_size = reader.U64();
    if (!type || !id || !header_at || !stored_size) return std::nullopt;
    frame.type = static_cast<FrameType>(*type);
    std::ranges::copy(*id, frame.id.bytes.begin());
    frame.header_at = *header_at;
    frame.stored_size = *stored_size;
    // They lie one behind the other: what follows can count on that.
    if (frame.header_at != end || frame.stored_size > footer_at - end) return std::nullopt;
    end += frame.SizeInPack();
    if (end > footer_at) return std::nullopt;
    frames.push_back(frame);
  }
  if (end != footer_at) return std::nullopt;
  return frames;
}

// A frame's header, whatever it says.
struct Header {
  PackFrame frame;
  FrameContent content;
};
Result<Header> ReadHeaderAt(PackReader& pack, std::uint64_t header_at) {
  Header header;
  header.frame.header_at = header_at;
  std::array<std::byte, kFrameHeaderSize> bytes = {};
  PLUMB_RETURN_IF_ERROR(pack.ReadAt(header_at, bytes));
  if (!Begins(bytes, "PLFR") || !IsSealed(bytes)) return DamagedFrame(header.frame);
  ByteReader reader(ByteSpan(bytes).subspan(4));
  const auto type = reader.U8();
  const auto encoding = reader.U8();
  const auto flags_and_slot = reader.U16();
  const auto stored_size = reader.U64();
  const auto raw_size = reader.U64();
  const auto padding = reader.U32();
  const auto block = reader.U32();
  if (!type || !encoding || !stored_size || !raw_size || !padding || !block)
    return DamagedFrame(header.frame);
  if (*encoding >= static_cast<std::uint8_t>(Encoding::kTree) || flags_and_slot != 0U)
    return Error{ErrorKind::kUnsupported, "a frame was written by a newer plumb"};
  header.frame.type = static_cast<FrameType>(*type);
  header.frame.stored_size = *stored_size;
  std::ranges::copy(ByteSpan(bytes).subspan(32, header.frame.id.bytes.size()),
                    header.frame.id.bytes.begin());
  if (*stored_size > kStoredSizeMax ||
      header_at + kFrameHeaderSize + *padding != header.frame.PayloadAt())
    return DamagedFrame(header.frame);
  header.content = {
      header.frame.type, header.frame.id, *raw_size, static_cast<Encoding>(*encoding), {}, *block};
  std::ranges::copy(ByteSpan(bytes).subspan(64, kCheckSize), header.content.check.begin());
  return header;
}

// The frames of a torn pack.
Result<std::vector<PackFrame>> WalkFrames(PackReader& pack, std::uint64_t size) {
  std::vector<PackFrame> frames;
  for (std::uint64_t at = kPackHeaderSize; size - at >= kFrameHeaderSize;) {
    const auto header = ReadHeaderAt(pack, at);
    if (!header && header.error().kind == ErrorKind::kCorrupt) break;
    if (!header) return header.error();
    const PackFrame& frame = header->frame;
    if (frame.type == FrameType::kFooter || frame.PayloadAt() > size ||
        frame.stored_size > size - frame.PayloadAt())
      break;
    frames.push_back(frame);
    at += frame.SizeInPack();
    if (at > size) break;  // only the zeros behind it are missing
  }
  return frames;
}

// Where the trailer says that the footer begins; nothing if there is no trailer.
Result<std::optional<std::uint64_t>> FooterAt(PackReader& pack, std::uint64_t size) {
  std::optional<std::uint64_t> footer_at;
  if (size < kPackHeaderSize + kFrameHeaderSize + kTrailerSize) return footer_at;
  std::array<std::byte, kTrailerSize> trailer = {};
  PLUMB_RETURN_IF_ERROR(pack.ReadAt(size - kTrailerSize, trailer));
  if (Begins(trailer, "PLUMBEND") && IsSealed(trailer))
    footer_at = ByteReader(ByteSpan(trailer).subspan(8)).U64();
  return footer_at;
}

// What the footer says; kCorrupt if there is none.
Result<std::vector<PackFrame>> ReadFooter(PackReader& pack, const PackName& name,
                                          std::uint64_t size) {
  if (size < kPackHeaderSize + kFrameHeaderSize + kTrailerSize) return Torn(name);
  const std::uint64_t trailer_at = size - kTrailerSize;
  std::array<std::byte, kTrailerSize> trailer = {};
  PLUMB_RETURN_IF_ERROR(pack.ReadAt(trailer_at, trailer));
  if (!Begins(trailer, "PLUMBEND") || !IsSealed(trailer)) return Torn(name);
  ByteReader reader(ByteSpan(trailer).subspan(8));
  const std::uint64_t footer_at = reader.U64().value_or(0);
  const std::uint64_t count = reader.U64().value_or(0);
  // A frame takes at least its header: this bounds what is allocated by what is there.
  if (count > kFramesMax) return Torn(name);
  if (footer_at < kPackHeaderSize || footer_at > trailer_at - kFrameHeaderSize ||
      count > footer_at / kFrameHeaderSize)
    return Torn(name);
  PLUMB_TRY(const Header footer, ReadHeaderAt(pack, footer_at));
  const PackFrame& frame = footer.frame;
  if (frame.type != FrameType::kFooter || frame.stored_size != count * kFooterEntrySize ||
      footer_at + frame.SizeInPack() != trailer_at)
    return Torn(name);
  std::vector<std::byte> bytes(static_cast<std::size_t>(frame.stored_size));
  PLUMB_RETURN_IF_ERROR(pack.ReadAt(frame.PayloadAt(), bytes));
  if (Blake3(bytes) != frame.id) return Torn(name);
  auto frames = ParseFooter(bytes, footer_at);
  if (!frames) return Torn(name);
  return *std::move(frames);
}

std::uint64_t PayloadSizeMax(FrameType type) {
  if (type == FrameType::kBlock) return kBlockSizeMax;
  return IsWholeObject(type) ? kFramedObjectSizeMax : kRecipeSizeMax;
}

}  // namespace

std::uint64_t PackFrame::PayloadAt() const {
  const std::uint64_t header_end = header_at + kFrameHeaderSize;
  return header_end + PaddingBehind(type, header_end, stored_size);
}

std::uint64_t PackFrame::SizeInPack() const {
  const std::uint64_t end = PayloadAt() + stored_size;
  return (end + 7) / 8 * 8 - header_at;
}

const PackFrame* PackIndex::FrameAt(std::uint64_t offset) const {
  const auto found = std::ranges::lower_bound(frames, offset, {}, &PackFrame::PayloadAt);
  if (found == frames.end() || found->PayloadAt() != offset) return nullptr;
  return &*found;
}

Result<PackIndex> ReadPackIndex(PackReader& pack, const PackName& name) {
  PLUMB_RETURN_IF_ERROR(CheckPackHeader(pack, name));
  return ReadFramesOf(pack, name);
}

Result<PackIndex> ReadFramesOf(PackReader& pack, const PackName& name) {
  PackIndex index;
  PLUMB_TRY(index.size, pack.Size());
  if (index.size < kPackHeaderSize) return Torn(name);
  auto frames = ReadFooter(pack, name, index.size);
  if (!frames && frames.error().kind == ErrorKind::kCorrupt) {
    index.is_torn = true;
    frames = WalkFrames(pack, index.size);
  }
  if (!frames) return std::move(frames).error();
  index.frames = *std::move(frames);
  if (!index.is_torn) return index;
  PLUMB_TRY(const auto footer_at, FooterAt(pack, index.size));
  const std::uint64_t end = index.frames.empty()
                                ? kPackHeaderSize
                                : index.frames.back().header_at + index.frames.back().SizeInPack();
  if (footer_at && *footer_at > end) index.unread = std::min(*footer_at, index.size) - end;
  return index;
}

Result<FrameContent> ReadFrameHeader(PackReader& pack, const PackFrame& frame) {
  PLUMB_TRY(Header header, ReadHeaderAt(pack, frame.header_at));
  if (header.frame != frame) return DamagedFrame(frame);
  return header.content;
}

Result<FrameContent> ReadFrame(PackReader& pack, const PackFrame& frame,
                               std::vector<std::byte>& stored) {
  PLUMB_TRY(FrameContent content, ReadFrameHeader(pack, frame));
  if (frame.stored_size > PayloadSizeMax(frame.type)) return DamagedFrame(frame);
  stored.resize(static_cast<std::size_t>(frame.stored_size));
  PLUMB_RETURN_IF_ERROR(pack.ReadAt(frame.PayloadAt(), stored));
  if (frame.type != FrameType::kBlock) {
    const ObjectId hash = Blake3(stored);
    if (!std::ranges::equal(ByteSpan(hash.bytes).first(kCheckSize), content.check))
      return DamagedFrame(frame);
  }
  content.stored = stored;
  return content;
}

}  // namespace plumb::store
