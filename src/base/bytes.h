// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BASE_BYTES_H_
#define PLUMB_BASE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// Views of bytes, and arithmetic on lengths that cannot wrap. Every offset and length that
// comes from outside goes through CheckedAdd or CheckedMultiply before anything is allocated.
namespace plumb {

using ByteSpan = std::span<const std::byte>;
using MutableByteSpan = std::span<std::byte>;

inline ByteSpan AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view AsText(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The sum or product, or nothing if it does not fit 64 bits.
inline std::optional<std::uint64_t> CheckedAdd(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}
inline std::optional<std::uint64_t> CheckedMultiply(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

// Little-endian fixed-width integers, the byte order of every format we own.
void AppendU16(std::string& out, std::uint16_t value);
void AppendU32(std::string& out, std::uint32_t value);
void AppendU64(std::string& out, std::uint64_t value);
// Unsigned LEB128, at most 10 bytes.
void AppendVarint(std::string& out, std::uint64_t value);

// Reads the same from the front of some bytes. A read past the end, or a varint that is
// too long or not in its shortest form, gives nothing, and every later read gives nothing
// too, so that a parser may check once at the end of a record.
class ByteReader {
 public:
  explicit ByteReader(ByteSpan bytes) : rest_(bytes) {}

  std::optional<std::uint8_t> U8();
  std::optional<std::uint16_t> U16();
  std::optional<std::uint32_t> U32();
  std::optional<std::uint64_t> U64();
  std::optional<std::uint64_t> Varint();
  std::optional<ByteSpan> Bytes(std::uint64_t size);
  ByteSpan rest() const { return rest_; }
  bool AtEnd() const { return !failed_ && rest_.empty(); }

 private:
  std::optional<std::uint64_t> Fixed(std::size_t size);

  ByteSpan rest_;
  bool failed_ = false;
};

}  // namespace plumb

#endif  // PLUMB_BASE_BYTES_H_
