// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "store/pack_index_internal.h"

// Packs of any bytes: whatever is found in them lies in them, and what cannot be is refused. Seals
// are made right first, or nothing behind them would ever be reached.
namespace {

using plumb::ByteSpan;
using plumb::ErrorKind;
using plumb::MutableByteSpan;

class MemoryPack final : public plumb::store::PackReader {
 public:
  explicit MemoryPack(ByteSpan bytes) : bytes_(bytes) {}
  plumb::store::PackKind kind() const override { return plumb::store::PackKind::kFrames; }
  plumb::Result<std::uint64_t> Size() override { return std::uint64_t{bytes_.size()}; }
  plumb::Result<bool> IsShared() override { return false; }
  plumb::Status ReadAt(std::uint64_t offset, MutableByteSpan buffer) override {
    if (offset > bytes_.size() || buffer.size() > bytes_.size() - offset)
      return plumb::Error{ErrorKind::kCorrupt, "cut short"};
    std::ranges::copy(bytes_.subspan(static_cast<std::size_t>(offset), buffer.size()),
                      buffer.begin());
    return plumb::Done{};
  }

 private:
  const ByteSpan bytes_;
};

void Seal(std::vector<std::byte>& pack, std::size_t at, std::size_t size) {
  if (at > pack.size() || size > pack.size() - at) return;
  const std::size_t sealed = size - 8;
  const plumb::ObjectId hash = plumb::Blake3(ByteSpan(pack).subspan(at, sealed));
  std::copy_n(hash.bytes.begin(), 8, pack.begin() + static_cast<std::ptrdiff_t>(at + sealed));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb::store;
  std::vector<std::byte> pack(size);
  std::transform(data, data + size, pack.begin(), [](std::uint8_t b) { return std::byte{b}; });
  Seal(pack, 0, kPackHeaderSize);
  for (std::size_t at = kPackHeaderSize; at + kFrameHeaderSize <= size; at += 8)
    if (plumb::AsText(ByteSpan(pack).subspan(at, 4)) == "PLFR") Seal(pack, at, kFrameHeaderSize);
  if (size >= kTrailerSize) Seal(pack, size - kTrailerSize, kTrailerSize);
  PackName name;
  if (size >= kPackHeaderSize)
    std::copy_n(pack.begin() + 16, name.bytes.size(), name.bytes.begin());

  MemoryPack reader(pack);
  const auto index = ReadPackIndex(reader, name);
  if (!index) return 0;
  std::uint64_t end = kPackHeaderSize;
  std::vector<std::byte> stored;
  for (const PackFrame& frame : index->frames) {
    PLUMB_CHECK(frame.header_at == end);
    PLUMB_CHECK(frame.PayloadAt() + frame.stored_size <= size);
    end += frame.SizeInPack();
    const auto content = ReadFrame(reader, frame, stored);
    if (content) PLUMB_CHECK(content->stored.size() == frame.stored_size);
  }
  return 0;
}
