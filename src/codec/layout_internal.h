// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CODEC_LAYOUT_INTERNAL_H_
#define PLUMB_CODEC_LAYOUT_INTERNAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "codec/block_codec.h"

// What a block is made of: docs/format.md, "Encodings".
namespace plumb::codec {

inline constexpr std::uint8_t kFormatVersion = 1;
inline constexpr std::size_t kStripeSize =
    16384;                                      // symbols; what is worked on fits the first cache
inline constexpr std::size_t kGroupSize = 128;  // symbols of one width
inline constexpr std::size_t kWordSymbols = 64;
inline constexpr std::size_t kWordSize = 8;
inline constexpr std::size_t kFieldPlanesMax = 9;  // of f64
inline constexpr std::size_t kRankCount = 12;      // symbols that have a code as ranks
inline constexpr std::size_t kLevelsMax = 8;       // of these codes

enum class Mode : std::uint8_t { kRaw, kBits, kRanks, kRans };
inline constexpr std::uint8_t kLowBitsMax = 7;
inline constexpr std::uint8_t kWidthPerGroup = 255;  // in place of the width of a piece

using RankSymbols = std::array<std::uint8_t, kRankCount>;

// A plane's descriptor.
struct PlaneMode {
  Mode mode = Mode::kRaw;
  std::uint8_t base = 0;      // of kBits
  RankSymbols symbols = {};   // of kRanks
  std::uint8_t narrow = 0;    // of kRanks: bit k says that codes of level k have one bit, not two
  std::uint8_t low_bits = 0;  // of kRans: how many are not coded, but packed
};

// A level of ranks: its codes stand for `symbols` symbols, and the highest for "see the next
// level".
struct Level {
  unsigned width;     // bits of a code
  std::size_t first;  // its first symbol among RankSymbols
  std::size_t symbols() const { return (std::size_t{1} << width) - 1; }
};
struct Levels {
  std::array<Level, kLevelsMax> levels;
  std::size_t count;
};
// Nothing if they do not come to kRankCount symbols.
std::optional<Levels> LevelsOf(std::uint8_t narrow);

// Whether it has a piece in each stripe.
inline bool HasPieces(const PlaneMode& mode) {
  return mode.mode != Mode::kRans || mode.low_bits > 0;
}

// What a field holds: bytes, or one float.
enum class Value : std::uint8_t { kBytes, kBf16, kF16, kF32, kF64, kF8E4M3, kF8E5M2 };

struct Field {
  Value value;
  std::uint8_t at;    // bytes before it in the unit
  std::uint8_t size;  // bytes
};

struct Layout {
  std::size_t unit_size;
  std::span<const Field> fields;
};

// Nothing in it for kBytes, and for a number that is no element.
Layout LayoutOf(Element element);

// In bytes; 1 for kBytes, whose values are its symbols.
std::size_t SizeOf(Value value);
std::size_t PlanesOf(Value value);
inline std::size_t PlanesOf(const Field& field) { return PlanesOf(field.value); }
std::size_t PlanesOf(const Layout& layout);
// In each of the field's planes.
inline std::size_t SymbolsPerUnit(const Field& field) {
  return field.value == Value::kBytes ? field.size : 1;
}

inline std::size_t WordsFor(std::size_t symbols) {
  return (symbols + kWordSymbols - 1) / kWordSymbols;
}

}  // namespace plumb::codec

#endif  // PLUMB_CODEC_LAYOUT_INTERNAL_H_
