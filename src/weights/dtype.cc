// SPDX-License-Identifier: MIT OR Apache-2.0
#include "weights/dtype.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>

#include "base/bytes.h"
#include "base/check.h"

namespace plumb::weights {
namespace {

constexpr std::uint32_t kNoNumber = UINT32_MAX;
constexpr auto kSafetensorsCount = static_cast<std::size_t>(Dtype::kU64) + 1;

struct Row {
  Dtype dtype;
  std::string_view name;
  DtypeUnit unit;
  std::uint32_t gguf = kNoNumber;
};

// In the order of the enumeration.
constexpr Row kRows[] = {
    {Dtype::kBool, "BOOL", {1, 1}},
    {Dtype::kF4, "F4", {2, 1}},
    {Dtype::kF6E2M3, "F6_E2M3", {4, 3}},
    {Dtype::kF6E3M2, "F6_E3M2", {4, 3}},
    {Dtype::kU8, "U8", {1, 1}},
    {Dtype::kI8, "I8", {1, 1}, 24},
    {Dtype::kF8E5M2, "F8_E5M2", {1, 1}},
    {Dtype::kF8E4M3, "F8_E4M3", {1, 1}},
    {Dtype::kF8E8M0, "F8_E8M0", {1, 1}},
    {Dtype::kF8E4M3Fnuz, "F8_E4M3FNUZ", {1, 1}},
    {Dtype::kF8E5M2Fnuz, "F8_E5M2FNUZ", {1, 1}},
    {Dtype::kI16, "I16", {1, 2}, 25},
    {Dtype::kU16, "U16", {1, 2}},
    {Dtype::kF16, "F16", {1, 2}, 1},
    {Dtype::kBf16, "BF16", {1, 2}, 30},
    {Dtype::kI32, "I32", {1, 4}, 26},
    {Dtype::kU32, "U32", {1, 4}},
    {Dtype::kF32, "F32", {1, 4}, 0},
    {Dtype::kC64, "C64", {1, 8}},
    {Dtype::kF64, "F64", {1, 8}, 28},
    {Dtype::kI64, "I64", {1, 8}, 27},
    {Dtype::kU64, "U64", {1, 8}},
    {Dtype::kQ1_0, "Q1_0", {128, 18}, 41},
    {Dtype::kQ2_0, "Q2_0", {64, 18}, 42},
    {Dtype::kQ4_0, "Q4_0", {32, 18}, 2},
    {Dtype::kQ4_1, "Q4_1", {32, 20}, 3},
    {Dtype::kQ5_0, "Q5_0", {32, 22}, 6},
    {Dtype::kQ5_1, "Q5_1", {32, 24}, 7},
    {Dtype::kQ8_0, "Q8_0", {32, 34}, 8},
    {Dtype::kQ8_1, "Q8_1", {32, 36}, 9},
    {Dtype::kQ2K, "Q2_K", {256, 84}, 10},
    {Dtype::kQ3K, "Q3_K", {256, 110}, 11},
    {Dtype::kQ4K, "Q4_K", {256, 144}, 12},
    {Dtype::kQ5K, "Q5_K", {256, 176}, 13},
    {Dtype::kQ6K, "Q6_K", {256, 210}, 14},
    {Dtype::kQ8K, "Q8_K", {256, 292}, 15},
    {Dtype::kIq1S, "IQ1_S", {256, 50}, 19},
    {Dtype::kIq1M, "IQ1_M", {256, 56}, 29},
    {Dtype::kIq2Xxs, "IQ2_XXS", {256, 66}, 16},
    {Dtype::kIq2Xs, "IQ2_XS", {256, 74}, 17},
    {Dtype::kIq2S, "IQ2_S", {256, 82}, 22},
    {Dtype::kIq3Xxs, "IQ3_XXS", {256, 98}, 18},
    {Dtype::kIq3S, "IQ3_S", {256, 110}, 21},
    {Dtype::kIq4Nl, "IQ4_NL", {32, 18}, 20},
    {Dtype::kIq4Xs, "IQ4_XS", {256, 136}, 23},
    {Dtype::kTq1_0, "TQ1_0", {256, 54}, 34},
    {Dtype::kTq2_0, "TQ2_0", {256, 66}, 35},
    {Dtype::kMxfp4, "MXFP4", {32, 17}, 39},
    {Dtype::kNvfp4, "NVFP4", {64, 36}, 40},
};

constexpr bool IsInOrder() {
  for (std::size_t i = 0; i < std::size(kRows); ++i)
    if (static_cast<std::size_t>(kRows[i].dtype) != i) return false;
  return true;
}
static_assert(IsInOrder());

const Row& RowOf(Dtype dtype) {
  const auto index = static_cast<std::size_t>(dtype);
  PLUMB_CHECK(index < std::size(kRows));
  return kRows[index];
}

}  // namespace

std::string_view DtypeName(Dtype dtype) { return RowOf(dtype).name; }

DtypeUnit UnitOf(Dtype dtype) { return RowOf(dtype).unit; }

std::optional<std::uint64_t> SizeOf(Dtype dtype, std::uint64_t element_count) {
  const DtypeUnit unit = UnitOf(dtype);
  if (element_count % unit.elements != 0) return std::nullopt;
  return CheckedMultiply(element_count / unit.elements, unit.bytes);
}

std::optional<Dtype> DtypeOfSafetensors(std::string_view name) {
  const auto rows = std::span(kRows).first<kSafetensorsCount>();
  const auto found = std::ranges::find(rows, name, &Row::name);
  if (found == rows.end()) return std::nullopt;
  return found->dtype;
}

std::optional<Dtype> DtypeOfGguf(std::uint32_t number) {
  if (number == kNoNumber) return std::nullopt;
  const auto* const found = std::ranges::find(kRows, number, &Row::gguf);
  if (found == std::end(kRows)) return std::nullopt;
  return found->dtype;
}

}  // namespace plumb::weights
