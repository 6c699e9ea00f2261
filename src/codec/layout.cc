// SPDX-License-Identifier: MIT OR Apache-2.0
#include "codec/layout_internal.h"

namespace plumb::codec {
namespace {

// Floats alone, one field each.
constexpr Field kBf16[] = {{Value::kBf16, 0, 2}};
constexpr Field kF16[] = {{Value::kF16, 0, 2}};
constexpr Field kF32[] = {{Value::kF32, 0, 4}};
constexpr Field kF64[] = {{Value::kF64, 0, 8}};
constexpr Field kF8E4M3[] = {{Value::kF8E4M3, 0, 1}};
constexpr Field kF8E5M2[] = {{Value::kF8E5M2, 0, 1}};
constexpr Field kI8[] = {{Value::kBytes, 0, 1}};

// Units of GGUF, as ggml's block_q4_0 and so on lay them out: d (and m) are scales, qs and ql
// quants, qh their high bits.
constexpr Field kQ40[] = {{Value::kF16, 0, 2}, {Value::kBytes, 2, 16}};
constexpr Field kQ41[] = {{Value::kF16, 0, 2}, {Value::kF16, 2, 2}, {Value::kBytes, 4, 16}};
constexpr Field kQ50[] = {{Value::kF16, 0, 2}, {Value::kBytes, 2, 4}, {Value::kBytes, 6, 16}};
constexpr Field kQ51[] = {
    {Value::kF16, 0, 2}, {Value::kF16, 2, 2}, {Value::kBytes, 4, 4}, {Value::kBytes, 8, 16}};
constexpr Field kQ80[] = {{Value::kF16, 0, 2}, {Value::kBytes, 2, 32}};
constexpr Field kQ2K[] = {
    {Value::kBytes, 0, 16}, {Value::kBytes, 16, 64}, {Value::kF16, 80, 2}, {Value::kF16, 82, 2}};
constexpr Field kQ3K[] = {{Value::kBytes, 0, 32},
                          {Value::kBytes, 32, 64},
                          {Value::kBytes, 96, 8},
                          {Value::kBytes, 104, 4},
                          {Value::kF16, 108, 2}};
// The twelve bytes of six-bit scales are three times four that mean something else each.
constexpr Field kQ4K[] = {{Value::kF16, 0, 2},   {Value::kF16, 2, 2},    {Value::kBytes, 4, 4},
                          {Value::kBytes, 8, 4}, {Value::kBytes, 12, 4}, {Value::kBytes, 16, 128}};
constexpr Field kQ5K[] = {{Value::kF16, 0, 2},     {Value::kF16, 2, 2},    {Value::kBytes, 4, 4},
                          {Value::kBytes, 8, 4},   {Value::kBytes, 12, 4}, {Value::kBytes, 16, 32},
                          {Value::kBytes, 48, 128}};
constexpr Field kQ6K[] = {{Value::kBytes, 0, 128},
                          {Value::kBytes, 128, 64},
                          {Value::kBytes, 192, 16},
                          {Value::kF16, 208, 2}};

constexpr std::size_t UnitSize(std::span<const Field> fields) {
  return std::size_t{fields.back().at} + fields.back().size;
}
static_assert(UnitSize(kQ40) == 18 && UnitSize(kQ41) == 20 && UnitSize(kQ50) == 22 &&
              UnitSize(kQ51) == 24 && UnitSize(kQ80) == 34 && UnitSize(kQ2K) == 84 &&
              UnitSize(kQ3K) == 110 && UnitSize(kQ4K) == 144 && UnitSize(kQ5K) == 176 &&
              UnitSize(kQ6K) == 210);

std::span<const Field> FieldsOf(Element element) {
  switch (element) {
    case Element::kBytes:
      return {};
    case Element::kBf16:
      return kBf16;
    case Element::kF16:
      return kF16;
    case Element::kF32:
      return kF32;
    case Element::kF64:
      return kF64;
    case Element::kF8E4M3:
      return kF8E4M3;
    case Element::kF8E5M2:
      return kF8E5M2;
    case Element::kI8:
      return kI8;
    case Element::kQ4_0:
      return kQ40;
    case Element::kQ4_1:
      return kQ41;
    case Element::kQ5_0:
      return kQ50;
    case Element::kQ5_1:
      return kQ51;
    case Element::kQ8_0:
      return kQ80;
    case Element::kQ2K:
      return kQ2K;
    case Element::kQ3K:
      return kQ3K;
    case Element::kQ4K:
      return kQ4K;
    case Element::kQ5K:
      return kQ5K;
    case Element::kQ6K:
      return kQ6K;
  }
  return {};
}

}  // namespace

Layout LayoutOf(Element element) {
  const std::span<const Field> fields = FieldsOf(element);
  return {fields.empty() ? 0 : UnitSize(fields), fields};
}

std::optional<Levels> LevelsOf(std::uint8_t narrow) {
  Levels levels = {};
  std::size_t first = 0;
  while (levels.count < kLevelsMax && first < kRankCount) {
    Level& level = levels.levels[levels.count];
    level = {(unsigned{narrow} >> levels.count & 1U) != 0 ? 1U : 2U, first};
    first += level.symbols();
    ++levels.count;
  }
  if (first != kRankCount || unsigned{narrow} >> levels.count != 0) return std::nullopt;
  return levels;
}

std::size_t SizeOf(Value value) {
  switch (value) {
    case Value::kBytes:
    case Value::kF8E4M3:
    case Value::kF8E5M2:
      return 1;
    case Value::kBf16:
    case Value::kF16:
      return 2;
    case Value::kF32:
      return 4;
    case Value::kF64:
      return 8;
  }
  return 0;
}

std::size_t PlanesOf(Value value) {
  switch (value) {
    case Value::kBytes:
      return 1;
    case Value::kBf16:
    case Value::kF8E4M3:
    case Value::kF8E5M2:
      return 2;
    case Value::kF16:
      return 3;
    case Value::kF32:
      return 4;
    case Value::kF64:
      return kFieldPlanesMax;
  }
  return 0;
}

std::size_t PlanesOf(const Layout& layout) {
  std::size_t planes = 0;
  for (const Field& field : layout.fields)
    planes += PlanesOf(field);
  return planes;
}

}  // namespace plumb::codec
