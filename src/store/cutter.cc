// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "archive/tar_writer.h"
#include "base/text.h"
#include "store/cutter_internal.h"
#include "store/recipe_internal.h"
#include "weights/tensor_file.h"

namespace plumb::store {
namespace {

// Smaller files share pieces with their neighbours, tensors excepted.
constexpr std::uint64_t kOwnPieceSizeMin = std::uint64_t{1} << 20;
// In a smaller file there is no tensor that would not be a literal, or nearly.
constexpr std::uint64_t kScannedSizeMin = 1024;
// No tar holds more in the records of one entry.
constexpr std::uint64_t kPaxRecordsSizeMax = std::uint64_t{1} << 20;
// A content so large that adding its padding cannot wrap.
constexpr std::uint64_t kContentSizeMax = std::uint64_t{1} << 62;
// What is cut by its content comes in small parts: what stands behind a cut is copied.
constexpr std::size_t kChunkedStretchMax = std::size_t{64} << 10;
constexpr std::uint64_t kEndless = std::numeric_limits<std::uint64_t>::max();

// An octal field, or GNU's base-256 one.
std::optional<std::uint64_t> ParseNumber(std::string_view field) {
  const auto first = static_cast<unsigned char>(field[0]);
  std::uint64_t value = 0;
  if (first == 0x80) {
    for (const char c : field.substr(1)) {
      if (value >> 55U != 0) return std::nullopt;
      value = value << 8U | static_cast<unsigned char>(c);
    }
    return value;
  }
  const std::size_t end = std::min(field.find_first_of(std::string_view(" \0", 2)), field.size());
  for (const char c : field.substr(0, end)) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value << 3U | static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

bool HasChecksum(std::string_view header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < header.size(); ++i)
    sum += i >= 148 && i < 156 ? std::uint64_t{' '} : static_cast<unsigned char>(header[i]);
  return ParseNumber(header.substr(148, 8)) == sum;
}

}  // namespace

bool PieceRole::IsBlock() const { return tensor_size > kBlockSizeMax; }

Cutter::Cutter(Shape shape, std::uint64_t size) : shape_(shape) {
  if (shape == Shape::kTar) {
    EnterTarHeader();
  } else if (size > 0 && size <= kContentSizeMax) {
    EnterFile(size, 0);
  } else {
    GiveUp();
  }
}

std::size_t Cutter::Stretch() const {
  const std::size_t room = state_ == State::kTensor ? kBlockSizeMax - block_size_
                                                    : std::min(chunker_.Room(), kChunkedStretchMax);
  return static_cast<std::size_t>(std::min<std::uint64_t>(room, left_));
}

Chunker::Taken Cutter::Take(ByteSpan bytes) {
  PLUMB_CHECK(!bytes.empty() && bytes.size() <= Stretch());
  Chunker::Taken taken = {bytes.size(), false};
  if (state_ == State::kTensor) {
    block_size_ += bytes.size();
    taken.is_cut = block_size_ == kBlockSizeMax;
  } else {
    taken = chunker_.Take(bytes);
    const ByteSpan known = bytes.first(taken.size);
    if (state_ == State::kTarHeader || state_ == State::kPaxRecords) collected_ += AsText(known);
    if (state_ == State::kScan) scanner_->Take(known);
  }
  left_ -= taken.size;
  // What the scanner needs may be less by now: it may have given up.
  if (state_ == State::kScan) file_left_ += std::exchange(left_, 0);
  if (taken.is_cut) role_.offset += std::exchange(block_size_, 0);
  if (left_ == 0 && EndStretch()) {
    chunker_.Restart();
    taken.is_cut = true;
  }
  return taken;
}

bool Cutter::EndStretch() {
  switch (state_) {
    case State::kTarHeader:
      return EndTarHeader();
    case State::kPaxRecords:
      return EndPaxRecords();
    case State::kPadding:
      return EnterTarHeader();
    case State::kScan:
      return GoOnScanning();
    case State::kGap:
    case State::kTensor:
      return GoOnInFile();
    case State::kRest:
      return EndFile();
    case State::kEndless:
      return GiveUp();
  }
  return false;
}

bool Cutter::EndTarHeader() {
  if (!HasChecksum(collected_)) return GiveUp();  // also the two blocks of zeros at the end
  const char type = collected_[156];
  const auto octal_size = ParseNumber(std::string_view(collected_).substr(124, 12));
  const std::uint64_t size = pax_size_ != 0 ? pax_size_ : octal_size.value_or(kEndless);
  if (size > kContentSizeMax) return GiveUp();
  if (type == 'x' && size > 0 && size <= kPaxRecordsSizeMax) {
    collected_.clear();
    Enter(State::kPaxRecords, size);
    return false;
  }
  pax_size_ = 0;
  const bool is_file = type == '0' || type == '\0' || type == '7';
  const std::uint64_t padding = archive::TarPadding(size);
  return is_file && size > 0 ? EnterFile(size, padding) : EnterPadding(size + padding);
}

// Records are "LENGTH KEY=VALUE\n"; of interest is only "size".
bool Cutter::EndPaxRecords() {
  std::string_view rest = collected_;
  while (!rest.empty()) {
    const std::size_t space = rest.find(' ');
    if (space == std::string_view::npos) break;
    const auto length = ParseUint64(rest.substr(0, space));
    if (!length || *length <= space + 1 || *length > rest.size()) break;
    std::string_view record = rest.substr(space + 1, static_cast<std::size_t>(*length) - space - 2);
    rest.remove_prefix(static_cast<std::size_t>(*length));
    constexpr std::string_view kKey = "size=";
    if (!record.starts_with(kKey)) continue;
    record.remove_prefix(kKey.size());
    pax_size_ = ParseUint64(record).value_or(0);
  }
  return EnterPadding(archive::TarPadding(collected_.size()));
}

bool Cutter::EnterTarHeader() {
  collected_.clear();
  Enter(State::kTarHeader, archive::kTarBlockSize);
  return false;
}

bool Cutter::EnterPadding(std::uint64_t size) {
  if (size == 0) return EnterTarHeader();
  Enter(State::kPadding, size);
  return false;
}

bool Cutter::EnterFile(std::uint64_t size, std::uint64_t padding) {
  file_size_ = file_left_ = size;
  file_padding_ = padding;
  scanner_.reset();
  if (size >= kScannedSizeMin) {
    scanner_.emplace();
    GoOnScanning();
  } else {
    EnterInFile(State::kRest, file_left_);
  }
  return size >= kOwnPieceSizeMin;
}

bool Cutter::GoOnScanning() {
  const std::uint64_t needs = scanner_->Needs();
  if (needs > 0 && file_left_ > 0) {
    EnterInFile(State::kScan, std::min(needs, file_left_));
    return false;
  }
  if (needs == 0) tensors_ = FindTensors(std::move(*scanner_).TakeHeader());
  scanner_.reset();
  return GoOnInFile();
}

// Behind a header, a gap or a tensor.
bool Cutter::GoOnInFile() {
  const bool was_tensor = std::exchange(role_, {}).tensor_size > 0;
  block_size_ = 0;
  if (tensors_.empty()) {
    if (file_left_ == 0) return EndFile() || was_tensor;
    EnterInFile(State::kRest, file_left_);
    return was_tensor;
  }
  const std::uint64_t gap = tensors_.back().offset - (file_size_ - file_left_);
  if (gap > 0) {
    EnterInFile(State::kGap, gap);
    return was_tensor;
  }
  role_ = tensors_.back().role;
  tensors_.pop_back();
  EnterInFile(State::kTensor, role_.tensor_size);
  return true;
}

bool Cutter::EndFile() {
  if (shape_ == Shape::kTar) {
    EnterPadding(file_padding_);
  } else {
    GiveUp();
  }
  return file_size_ >= kOwnPieceSizeMin;
}

bool Cutter::GiveUp() {
  Enter(State::kEndless, kEndless);
  return false;
}

void Cutter::Enter(State state, std::uint64_t size) {
  state_ = state;
  left_ = size;
}

void Cutter::EnterInFile(State state, std::uint64_t size) {
  Enter(state, size);
  file_left_ -= size;
}

std::vector<Cutter::Range> Cutter::FindTensors(const std::string& header) const {
  std::vector<Range> ranges;
  if (header.empty()) return ranges;
  const auto read = weights::ReadTensorHeader(AsBytes(header), file_size_);
  if (!read || !*read) return ranges;
  const std::vector<weights::TensorPlace>& tensors = (*read)->tensors;
  for (auto tensor = tensors.rbegin(); tensor != tensors.rend(); ++tensor) {
    if (tensor->size < kTensorSizeMin || tensor->size > kObjectSizeMax) continue;
    const std::uint64_t row = tensor->shape.empty() ? 1 : tensor->shape.back();
    ranges.push_back({tensor->offset,
                      {tensor->size, 0, tensor->dtype,
                       weights::SizeOf(tensor->dtype, row).value_or(tensor->size)}});
  }
  return ranges;
}

}  // namespace plumb::store
