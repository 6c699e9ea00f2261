// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CODEC_TEST_WEIGHTS_INTERNAL_H_
#define PLUMB_CODEC_TEST_WEIGHTS_INTERNAL_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "codec/kernels_internal.h"

// Made-up weights for tests, the same on every machine: sums of uniform integers, scaled by powers
// of two.
namespace plumb::codec {

class TestWeights {
 public:
  explicit TestWeights(std::uint32_t seed) : random_(seed) {}

  std::uint64_t Bits() { return random_(); }

  // Nearly normal, about 0.02 wide.
  float Next() {
    std::int64_t sum = 0;
    for (int i = 0; i < 3; ++i)
      for (std::uint64_t bits = random_(); bits != 0; bits >>= 16U)
        sum += static_cast<std::int64_t>(bits & 0xFFFFU) - 0x8000;
    return static_cast<float>(sum) * 0x1.2E7B15p-22F;  // no power of two: all mantissa bits in use
  }

  template <typename Word>
  static void Append(std::vector<std::byte>& out, Word word) {
    const std::size_t size = out.size();
    out.resize(size + sizeof(word));
    StoreWord(word, out.data() + size);
  }

  // A value of a kind, in its bits. Halves and eighths are cut off, not rounded, and scaled into
  // their range.
  void AppendValue(Value value, std::vector<std::byte>& out) {
    const float weight = Next();
    const auto bits = std::bit_cast<std::uint32_t>(weight);
    const std::uint32_t sign = bits >> 31U;
    const std::uint32_t exponent = bits >> 23U & 0xFFU;
    const std::uint32_t mantissa = bits & 0x7FFFFFU;
    switch (value) {
      case Value::kBytes:
        return Append(out, static_cast<std::uint8_t>(static_cast<int>(weight * 1024.0F)));
      case Value::kBf16:
        return Append(out, static_cast<std::uint16_t>(bits >> 16U));
      case Value::kF32:
        return Append(out, bits);
      case Value::kF64:
        return Append(out, double{weight} * 1.1);
      case Value::kF16: {
        const std::uint32_t small = exponent > 112 ? exponent - 112 : 0;
        return Append(out,
                      static_cast<std::uint16_t>(sign << 15U | small << 10U | mantissa >> 13U));
      }
      case Value::kF8E4M3: {
        const std::uint32_t small = exponent > 110 ? exponent - 110 : 0;
        return Append(
            out, static_cast<std::uint8_t>(sign << 7U | (small & 15U) << 3U | mantissa >> 20U));
      }
      case Value::kF8E5M2: {
        const std::uint32_t small = exponent > 100 ? exponent - 100 : 0;
        return Append(
            out, static_cast<std::uint8_t>(sign << 7U | (small & 31U) << 2U | mantissa >> 21U));
      }
    }
  }

  // `size` bytes as a block of a tensor has them: cut anywhere.
  std::vector<std::byte> Block(Element element, std::size_t size, std::size_t phase = 0) {
    const Layout layout = LayoutOf(element);
    std::vector<std::byte> out;
    while (out.size() < size + layout.unit_size)
      for (const Field& field : layout.fields)
        for (std::size_t i = 0; i < SymbolsPerUnit(field); ++i)
          AppendValue(field.value, out);
    const std::size_t begin = (layout.unit_size - phase) % layout.unit_size;
    return {out.begin() + static_cast<std::ptrdiff_t>(begin),
            out.begin() + static_cast<std::ptrdiff_t>(begin + size)};
  }

 private:
  std::mt19937_64 random_;
};

inline constexpr Element kElements[] = {
    Element::kBf16,   Element::kF16,  Element::kF32,  Element::kF64,  Element::kF8E4M3,
    Element::kF8E5M2, Element::kI8,   Element::kQ4_0, Element::kQ4_1, Element::kQ5_0,
    Element::kQ5_1,   Element::kQ8_0, Element::kQ2K,  Element::kQ3K,  Element::kQ4K,
    Element::kQ5K,    Element::kQ6K};

inline std::vector<Instructions> InstructionsHere() {
  std::vector<Instructions> all;
  for (const Instructions instructions : kInstructionsAll)
    if (Has(instructions)) all.push_back(instructions);
  return all;
}

}  // namespace plumb::codec

#endif  // PLUMB_CODEC_TEST_WEIGHTS_INTERNAL_H_
