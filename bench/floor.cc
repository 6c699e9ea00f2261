// SPDX-License-Identifier: MIT OR Apache-2.0
#include "bench/floor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "codec/kernels_internal.h"

namespace plumb::bench {
namespace {

using codec::Field;
using codec::kSlack;
using codec::Layout;

double EntropyBytes(const std::uint8_t* symbols, std::size_t n) {
  std::array<std::uint64_t, 256> counts = {};
  for (std::size_t i = 0; i < n; ++i)
    ++counts[symbols[i]];
  double bits = 0;
  for (const std::uint64_t count : counts) {
    if (count == 0) continue;
    const auto times = static_cast<double>(count);
    bits += times * std::log2(static_cast<double>(n) / times);
  }
  return bits / 8;
}

// What the units have of one field, one behind the other.
std::vector<std::byte> Gather(ByteSpan units, const Layout& layout, const Field& field) {
  std::vector<std::byte> bytes;
  for (std::size_t at = field.at; at < units.size(); at += layout.unit_size) {
    const ByteSpan part = units.subspan(at, field.size);
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  return bytes;
}

double FieldBytes(const std::vector<std::byte>& values, const Field& field) {
  const std::size_t n = values.size() / codec::SizeOf(field.value);
  std::array<std::vector<std::uint8_t>, codec::kFieldPlanesMax> planes;
  std::array<std::uint8_t*, codec::kFieldPlanesMax> starts = {};
  const std::size_t count = codec::PlanesOf(field);
  for (std::size_t i = 0; i < count; ++i) {
    planes[i].resize(n + kSlack);
    starts[i] = planes[i].data();
  }
  codec::PlainKernels().split(field.value, values.data(), n, starts.data());
  double bytes = 0;
  for (std::size_t i = 0; i < count; ++i)
    bytes += EntropyBytes(starts[i], n);
  return bytes;
}

}  // namespace

double FloorOf(ByteSpan block, codec::Element element, std::uint32_t phase) {
  const Layout layout = codec::LayoutOf(element);
  const auto size = static_cast<double>(block.size());
  if (layout.fields.empty() || block.size() < phase) return size;
  const std::size_t whole = (block.size() - phase) / layout.unit_size * layout.unit_size;
  const ByteSpan units = block.subspan(phase, whole);
  double bytes = static_cast<double>(block.size() - whole);
  for (const Field& field : layout.fields)
    bytes += FieldBytes(Gather(units, layout, field), field);
  return std::min(bytes, size);
}

}  // namespace plumb::bench
