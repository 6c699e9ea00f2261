// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_NOISE_H_
#define PLUMB_TESTS_NOISE_H_

#include <cstdint>
#include <random>
#include <string>

namespace plumb {

// Bytes that do not shrink, the same for the same seed.
inline std::string Noise(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string noise;
  while (noise.size() < size) {
    const std::uint64_t word = random();
    noise.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  noise.resize(size);
  return noise;
}

}  // namespace plumb

#endif  // PLUMB_TESTS_NOISE_H_
