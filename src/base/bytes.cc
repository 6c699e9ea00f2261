// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/bytes.h"

namespace plumb {
namespace {

constexpr int kVarintBytesMax = 10;

void AppendFixed(std::string& out, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i)
    out += static_cast<char>(value >> (8 * i) & 0xff);
}

}  // namespace

void AppendU16(std::string& out, std::uint16_t value) { AppendFixed(out, value, 2); }
void AppendU32(std::string& out, std::uint32_t value) { AppendFixed(out, value, 4); }
void AppendU64(std::string& out, std::uint64_t value) { AppendFixed(out, value, 8); }

void AppendVarint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>((value & 0x7f) | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

std::optional<ByteSpan> ByteReader::Bytes(std::uint64_t size) {
  if (failed_ || size > rest_.size()) {
    failed_ = true;
    return std::nullopt;
  }
  const ByteSpan taken = rest_.first(static_cast<std::size_t>(size));
  rest_ = rest_.subspan(taken.size());
  return taken;
}

std::optional<std::uint64_t> ByteReader::Fixed(std::size_t size) {
  const auto bytes = Bytes(size);
  if (!bytes) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = size; i > 0; --i)
    value = value << 8 | std::to_integer<std::uint64_t>((*bytes)[i - 1]);
  return value;
}

std::optional<std::uint8_t> ByteReader::U8() {
  const auto value = Fixed(1);
  if (!value) return std::nullopt;
  return static_cast<std::uint8_t>(*value);
}
std::optional<std::uint16_t> ByteReader::U16() {
  const auto value = Fixed(2);
  if (!value) return std::nullopt;
  return static_cast<std::uint16_t>(*value);
}
std::optional<std::uint32_t> ByteReader::U32() {
  const auto value = Fixed(4);
  if (!value) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}
std::optional<std::uint64_t> ByteReader::U64() { return Fixed(8); }

std::optional<std::uint64_t> ByteReader::Varint() {
  std::uint64_t value = 0;
  for (int i = 0; i < kVarintBytesMax; ++i) {
    const auto byte = U8();
    if (!byte) return std::nullopt;
    const std::uint64_t bits = *byte & 0x7fU;
    const bool overflows = i == kVarintBytesMax - 1 && bits > 1;
    const bool padded = i > 0 && *byte == 0;
    if (overflows || padded) break;
    value |= bits << (7 * i);
    if ((*byte & 0x80U) == 0) return value;
  }
  failed_ = true;
  return std::nullopt;
}

}  // namespace plumb
