// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CODEC_CHOICES_INTERNAL_H_
#define PLUMB_CODEC_CHOICES_INTERNAL_H_

#include <array>
#include <cstdint>

// Shuffles for processors that cannot gather or spread some of eight bytes, but look up bytes in a
// vector: AVX2 and NEON.
namespace plumb::codec {

inline constexpr std::uint8_t kNowhere = 0x80;  // as an index of a byte; gives 0

// For each of the 256 ways in which some of eight can be chosen: where each of the chosen comes
// from (compress), and the other way round (expand).
struct Choices {
  alignas(64) std::array<std::array<std::uint8_t, 8>, 256> compress = {};
  alignas(64) std::array<std::array<std::uint8_t, 8>, 256> expand = {};
};
constexpr Choices MakeChoices() {
  Choices choices;
  for (unsigned chosen = 0; chosen < 256; ++chosen) {
    std::uint8_t count = 0;
    for (std::uint8_t i = 0; i < 8; ++i) {
      choices.compress[chosen][i] = kNowhere;
      choices.expand[chosen][i] = kNowhere;
      if ((chosen >> i & 1U) == 0) continue;
      choices.compress[chosen][count] = i;
      choices.expand[chosen][i] = count++;
    }
  }
  return choices;
}
inline constexpr Choices kChoices = MakeChoices();

// From its k-th byte on, what moves the first k bytes of a vector to its end.
inline constexpr std::array<std::uint8_t, 32> kToTheEnd = [] {
  std::array<std::uint8_t, 32> index = {};
  for (std::uint8_t i = 0; i < 16; ++i) {
    index[i] = kNowhere;
    index[16U + i] = i;
  }
  return index;
}();

}  // namespace plumb::codec

#endif  // PLUMB_CODEC_CHOICES_INTERNAL_H_
