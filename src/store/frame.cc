// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "store/frame_internal.h"
#include "store/payload_internal.h"
#include "store/recipe_internal.h"

namespace plumb::store {
namespace {

constexpr std::uint64_t kAlignment = 4096;  // of payloads that are worth it

void AppendBytes(std::string& out, ByteSpan bytes) { out.append(AsText(bytes)); }
void AppendZeros(std::string& out, std::size_t count) { out.append(count, '\0'); }

// Ends a fixed record with the beginning of its own hash.
void AppendHashStub(std::string& record) {
  const ObjectId hash = Blake3(AsBytes(record));
  AppendBytes(record, ByteSpan(hash.bytes).first(kHashStubSize));
}

std::string PackHeader(const PackName& name) {
  std::string header = "PLUMBPAK";
  AppendU32(header, 1);
  AppendU32(header, 0);
  AppendBytes(header, name.bytes);
  AppendZeros(header, 24);
  AppendHashStub(header);
  return header;
}

// Of what is stored. A block needs none: its id is a hash of what it decodes to, not of all.
ObjectId CheckOf(const FrameContent& content) {
  if (content.type == FrameType::kBlock) return {};
  const bool is_hashed = content.type != FrameType::kTree && content.encoding == Encoding::kRaw;
  return is_hashed ? content.id : Blake3(content.stored);
}

std::string FrameHeader(const FrameContent& content, std::uint64_t padding) {
  const ObjectId check = CheckOf(content);
  std::string header = "PLFR";
  header.push_back(static_cast<char>(content.type));
  header.push_back(static_cast<char>(content.encoding));
  AppendZeros(header, 2);
  AppendU64(header, content.stored.size());
  AppendU64(header, content.raw_size);
  AppendU32(header, static_cast<std::uint32_t>(padding));
  AppendU32(header, content.block);
  AppendBytes(header, content.id.bytes);
  AppendBytes(header, ByteSpan(check.bytes).first(kCheckSize));
  AppendZeros(header, 16 + 24);
  AppendHashStub(header);
  PLUMB_CHECK(header.size() == kFrameHeaderSize);
  return header;
}

std::uint64_t UpTo(std::uint64_t offset, std::uint64_t multiple) {
  return (multiple - offset % multiple) % multiple;
}

}  // namespace

std::uint64_t PaddingBehind(FrameType type, std::uint64_t header_end, std::uint64_t stored_size) {
  const bool is_close = type == FrameType::kObject || type == FrameType::kBlock ||
                        type == FrameType::kTree || stored_size < kAlignment;
  return is_close ? 0 : UpTo(header_end, kAlignment);
}

std::uint64_t UnpaddedFrameSize(std::uint64_t stored_size) {
  return kFrameHeaderSize + stored_size + UpTo(stored_size, 8);
}

Result<ObjectPlace> FrameWriter::Append(const FrameContent& content) {
  static constexpr std::array<std::byte, kAlignment> kZeros = {};
  std::string start;
  if (size_ == 0) start = PackHeader(pack_->name());
  const std::uint64_t header_at = size_ + start.size();
  const std::uint64_t header_end = header_at + kFrameHeaderSize;
  const std::uint64_t padding = PaddingBehind(content.type, header_end, content.stored.size());
  start += FrameHeader(content, padding);

  const std::uint64_t payload_at = header_end + padding;
  const std::uint64_t payload_end = payload_at + content.stored.size();
  const std::uint64_t end = payload_end + UpTo(payload_end, 8);
  const std::array<ByteSpan, 4> parts = {
      AsBytes(start), ByteSpan(kZeros).first(padding), content.stored,
      ByteSpan(kZeros).first(static_cast<std::size_t>(end - payload_end))};
  PLUMB_RETURN_IF_ERROR(pack_->Append(parts));
  size_ = end;
  frames_.push_back({content.type, content.id, header_at, content.stored.size()});
  return ObjectPlace{pack_->name(), payload_at, content.stored.size(), content.raw_size,
                     content.encoding};
}

Result<ObjectId> FrameWriter::AppendRecord(FrameType type, std::string_view record) {
  const ObjectId id = Blake3(AsBytes(record));
  PLUMB_TRY([[maybe_unused]] const ObjectPlace place,
            Append({type, id, record.size(), Encoding::kRaw, AsBytes(record)}));
  return id;
}

Status FrameWriter::Finish() {
  const std::vector<Written> frames = std::exchange(frames_, {});
  std::string footer;
  for (const Written& frame : frames) {
    footer.push_back(static_cast<char>(frame.type));
    AppendBytes(footer, frame.id.bytes);
    AppendU64(footer, frame.offset);
    AppendU64(footer, frame.stored_size);
  }
  PLUMB_RETURN_IF_ERROR(AppendRecord(FrameType::kFooter, footer));

  std::string trailer = "PLUMBEND";
  AppendU64(trailer, frames_.back().offset);
  AppendU64(trailer, frames.size());
  AppendHashStub(trailer);
  const std::array<ByteSpan, 1> parts = {AsBytes(trailer)};
  PLUMB_RETURN_IF_ERROR(pack_->Append(parts));
  return pack_->Finish();
}

Error DamagedAt(const PackReader& pack, const ObjectPlace& place) {
  if (pack.kind() == PackKind::kAdopted)
    return Error{ErrorKind::kCorrupt, std::string(kAdoptedFileChanged), "plumb import it again"};
  return Error{ErrorKind::kCorrupt, "pack '" + place.pack.ToString() + "' is damaged at byte " +
                                        std::to_string(place.offset)};
}

Status ReadPayload(PackReader& pack, const ObjectPlace& place, std::vector<std::byte>& out) {
  out.resize(static_cast<std::size_t>(place.raw_size));
  if (place.encoding == Encoding::kRaw) {
    if (place.stored_size != place.raw_size) return DamagedAt(pack, place);
    Status read = pack.ReadAt(place.offset, out);
    const bool is_short = !read && read.error().kind == ErrorKind::kCorrupt;
    if (is_short && pack.kind() == PackKind::kAdopted) return DamagedAt(pack, place);
    return read;
  }
  // Kept by the thread: a new one for each block is cleared, and its pages are asked for, each
  // time.
  thread_local std::vector<std::byte> buffer;
  const auto stored_size = static_cast<std::size_t>(place.stored_size);
  if (buffer.size() < stored_size) buffer.resize(stored_size);
  const auto stored = MutableByteSpan(buffer).first(stored_size);
  PLUMB_RETURN_IF_ERROR(pack.ReadAt(place.offset, stored));
  return DecodePayload(place.encoding, stored, out) ? Done{} : Status(DamagedAt(pack, place));
}

Status ReadObject(PackReader& pack, const ObjectPlace& place, const ObjectId& id,
                  std::vector<std::byte>& out) {
  // The catalog is not believed: what it says decides what is allocated.
  if (place.raw_size == 0 || place.raw_size > kFramedObjectSizeMax ||
      place.stored_size > place.raw_size || place.encoding == Encoding::kTree)
    return DamagedAt(pack, place);
  PLUMB_RETURN_IF_ERROR(ReadPayload(pack, place, out));
  if (Blake3(out) != id) return DamagedAt(pack, place);
  return Done{};
}

}  // namespace plumb::store
