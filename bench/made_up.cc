// SPDX-License-Identifier: MIT OR Apache-2.0
#include "bench/made_up.h"

#include <bit>
#include <cmath>
#include <random>

namespace plumb::bench {

std::vector<float> ModelWeights(std::size_t count) {
  constexpr std::size_t kColumns = 1024;
  constexpr std::size_t kRows = 2048;
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  std::student_t_distribution<float> tailed(6);
  std::uniform_real_distribution<float> uniform;
  std::vector<float> weights(count);
  std::vector<float> columns(kColumns);
  float tensor = 0;
  float row = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % (kRows * kColumns) == 0) {
      tensor = 0.01F * std::pow(5.0F, uniform(random));
      for (float& column : columns)
        column = std::exp(0.15F * normal(random));
    }
    if (i % kColumns == 0) row = tensor * std::exp(0.25F * normal(random));
    weights[i] = row * columns[i % kColumns] * tailed(random) * 0.8165F;
  }
  return weights;
}

std::uint16_t ToBf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16U & 1U)) >> 16U);
}

std::uint16_t ToF16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value * 0x1p-112F) + 0x1000;
  return static_cast<std::uint16_t>((bits >> 16U & 0x8000U) | (bits >> 13U & 0x7FFFU));
}

std::uint8_t ToF8(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value * 0x1p-120F) + 0x80000;
  return static_cast<std::uint8_t>((bits >> 24U & 0x80U) | (bits >> 20U & 0x7FU));
}

}  // namespace plumb::bench
