// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

#include "archive/tar_writer.h"
#include "base/text.h"
#include "store/cutter_internal.h"
#include "store/recipe_internal.h"

namespace plumb::store {
namespace {

// Smaller files share pieces with their neighbours.
constexpr std::uint64_t kOwnPieceSizeMin = std::uint64_t{1} << 20;
// No tar holds more in the records of one entry.
constexpr std::uint64_t kPaxRecordsSizeMax = std::uint64_t{1} << 20;
// A content so large that adding its padding cannot wrap.
constexpr std::uint64_t kContentSizeMax = std::uint64_t{1} << 62;
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

Cutter::Cutter(Shape shape)
    : state_(shape == Shape::kTar ? State::kHeader : State::kOpaque),
      left_(shape == Shape::kTar ? archive::kTarBlockSize : kEndless) {}

bool Cutter::Take(ByteSpan bytes) {
  PLUMB_CHECK(!bytes.empty() && bytes.size() <= left_);
  if (state_ == State::kOpaque) return false;
  if (state_ == State::kHeader || state_ == State::kPaxRecords) collected_.append(AsText(bytes));
  left_ -= bytes.size();
  if (left_ > 0) return false;
  switch (state_) {
    case State::kHeader:
      return TakeHeader();
    case State::kPaxRecords:
      TakePaxRecords();
      return false;
    case State::kContent:
      return EndContentPiece();
    case State::kRun:
    case State::kOpaque:
      EnterHeader();
      return false;
  }
  return false;
}

bool Cutter::TakeHeader() {
  if (!HasChecksum(collected_)) {
    GiveUp();  // also the two blocks of zeros at the end
    return false;
  }
  const char type = collected_[156];
  const auto octal_size = ParseNumber(std::string_view(collected_).substr(124, 12));
  const std::uint64_t size = pax_size_ != 0 ? pax_size_ : octal_size.value_or(kEndless);
  if (size > kContentSizeMax) {
    GiveUp();
    return false;
  }
  if (type == 'x' && size > 0 && size <= kPaxRecordsSizeMax) {
    collected_.clear();
    state_ = State::kPaxRecords;
    left_ = size;
    return false;
  }
  const bool is_file = type == '0' || type == '\0' || type == '7';
  pax_size_ = 0;
  if (!is_file || size < kOwnPieceSizeMin) {
    EnterRun(size + archive::TarPadding(size));
    return false;
  }
  content_left_ = size;
  content_padding_ = archive::TarPadding(size);
  EnterContentPiece();
  return true;
}

// Records are "LENGTH KEY=VALUE\n"; of interest is only "size".
void Cutter::TakePaxRecords() {
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
  const std::uint64_t padding = archive::TarPadding(collected_.size());
  if (padding == 0) return EnterHeader();
  EnterRun(padding);
}

bool Cutter::EndContentPiece() {
  if (content_left_ > kLiteralSizeMax) {
    EnterContentPiece();
  } else {
    EnterRun(content_left_ + content_padding_);
    content_left_ = 0;
  }
  return true;
}

void Cutter::EnterContentPiece() {
  state_ = State::kContent;
  left_ = std::min<std::uint64_t>(content_left_, kPieceSizeMax);
  content_left_ -= left_;
}

void Cutter::EnterRun(std::uint64_t size) {
  if (size == 0) return EnterHeader();
  state_ = State::kRun;
  left_ = size;
}

void Cutter::EnterHeader() {
  collected_.clear();
  state_ = State::kHeader;
  left_ = archive::kTarBlockSize;
}

void Cutter::GiveUp() {
  state_ = State::kOpaque;
  left_ = kEndless;
}

}  // namespace plumb::store
