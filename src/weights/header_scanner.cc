// SPDX-License-Identifier: MIT OR Apache-2.0
#include "weights/header_scanner.h"

#include <array>
#include <string_view>

#include "base/check.h"

namespace plumb::weights {
namespace {

constexpr std::string_view kGgufMagic = "GGUF";
constexpr std::size_t kStartSize = 9;         // tells which format it is
constexpr std::uint64_t kGgufStartSize = 24;  // magic, version, two counts
constexpr std::uint64_t kSizeSize = 8;        // of the length of a text, or a count
constexpr std::uint64_t kTypeSize = 4;
constexpr std::uint64_t kStringType = 8;
constexpr std::uint64_t kArrayType = 9;
// Of GGUF's types of values; strings and arrays have none.
constexpr std::array<std::uint64_t, 13> kTypeSizes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
constexpr std::uint64_t kDimensionCountMax = 8;
// An entry: length of its key, type, and one byte at least. A tensor: length of its name, number of
// dimensions, type, offset.
constexpr std::uint64_t kEntrySizeMin = kSizeSize + kTypeSize + 1;
constexpr std::uint64_t kTensorSizeMin = kSizeSize + 4 + kTypeSize + 8;

}  // namespace

void HeaderScanner::Take(ByteSpan bytes) {
  PLUMB_CHECK(!bytes.empty() && bytes.size() <= needs_);
  header_.append(AsText(bytes));
  while (Advance()) {
  }
  if (is_over_) {
    needs_ = 0;
    return;
  }
  // What must follow, even if every text is empty. Each number is at most kScannedHeaderSizeMax: no
  // sum wraps.
  std::uint64_t size = at_ + want_;
  if (texts_left_ > 1) size += (texts_left_ - 1) * kSizeSize;
  if (entries_left_ > 1) size += (entries_left_ - 1) * kEntrySizeMin;
  size += (tensors_left_ - (entries_left_ == 0 && tensors_left_ > 0 ? 1 : 0)) * kTensorSizeMin;
  if (size > kScannedHeaderSizeMax) {
    GiveUp();
    needs_ = 0;
    return;
  }
  needs_ = size - header_.size();
}

bool HeaderScanner::Advance() {
  if (is_over_) return false;
  if (!has_begun_) return Start();
  if (texts_left_ > 0) {
    std::uint64_t size = 0;
    if (!Read(0, kSizeSize, size) || !TakeWhole(kSizeSize + size)) return false;
    if (--texts_left_ == 0) --entries_left_;
    return true;
  }
  if (entries_left_ > 0) return TakeEntry();
  if (tensors_left_ > 0) return TakeTensor();
  is_over_ = true;
  return false;
}

bool HeaderScanner::Start() {
  want_ = kStartSize;
  if (header_.size() < kStartSize) return false;
  if (std::string_view(header_).starts_with(kGgufMagic)) {
    if (!Read(8, kSizeSize, tensors_left_) || !Read(16, kSizeSize, entries_left_)) return false;
    has_begun_ = true;
    return TakeWhole(kGgufStartSize);
  }
  // safetensors: a length, and as much JSON.
  std::uint64_t size = 0;
  if (!Read(0, kSizeSize, size)) return false;
  if (header_[kSizeSize] != '{') return GiveUp();
  has_begun_ = TakeWhole(kSizeSize + size);
  return has_begun_;
}

bool HeaderScanner::TakeEntry() {
  std::uint64_t key_size = 0;
  if (!Read(0, kSizeSize, key_size)) return false;
  std::uint64_t at = kSizeSize + key_size;
  std::uint64_t type = 0;
  if (!Read(at, kTypeSize, type)) return false;
  at += kTypeSize;
  std::uint64_t count = 1;
  const bool is_array = type == kArrayType;
  if (is_array) {
    if (!Read(at, kTypeSize, type) || !Read(at + kTypeSize, kSizeSize, count)) return false;
    at += kTypeSize + kSizeSize;
  }
  if (type >= kTypeSizes.size() || type == kArrayType) return GiveUp();
  if (type == kStringType && count > 0) {
    if (!TakeWhole(at)) return false;
    texts_left_ = count;
    return true;
  }
  if (!TakeWhole(at + count * kTypeSizes[type])) return false;
  --entries_left_;
  return true;
}

bool HeaderScanner::TakeTensor() {
  std::uint64_t name_size = 0;
  std::uint64_t dimensions = 0;
  if (!Read(0, kSizeSize, name_size) || !Read(kSizeSize + name_size, 4, dimensions)) return false;
  if (dimensions > kDimensionCountMax) return GiveUp();
  if (!TakeWhole(name_size + kTensorSizeMin + dimensions * 8)) return false;
  --tensors_left_;
  return true;
}

bool HeaderScanner::TakeWhole(std::uint64_t size) {
  want_ = size;
  if (size > kScannedHeaderSizeMax) return GiveUp();
  if (header_.size() - at_ < size) return false;
  at_ += static_cast<std::size_t>(size);
  want_ = 0;
  return true;
}

bool HeaderScanner::Read(std::uint64_t offset, std::size_t size, std::uint64_t& number) {
  want_ = offset + size;
  if (want_ > kScannedHeaderSizeMax) return GiveUp();
  if (header_.size() - at_ < want_) return false;
  number = 0;
  const ByteSpan bytes = AsBytes(header_).subspan(at_ + static_cast<std::size_t>(offset), size);
  for (std::size_t i = size; i-- > 0;)
    number = number << 8U | std::to_integer<std::uint64_t>(bytes[i]);
  // A length or a count that cannot be: nothing that is computed with it shall wrap.
  return number <= kScannedHeaderSizeMax || GiveUp();
}

bool HeaderScanner::GiveUp() {
  is_over_ = true;
  header_.clear();
  at_ = 0;
  return false;
}

}  // namespace plumb::weights
