// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CODEC_EIGHT_INTERNAL_H_
#define PLUMB_CODEC_EIGHT_INTERNAL_H_

#include <cstdint>
#include <cstring>

// Eight symbols at once, as the bytes of a number: what a processor without vectors can do.
namespace plumb::codec {

using Eight = std::uint64_t;

constexpr Eight InEach(std::uint64_t byte) { return byte * 0x0101010101010101; }
inline Eight LoadEight(const std::uint8_t* symbols) {
  Eight eight;
  std::memcpy(&eight, symbols, sizeof(eight));
  return eight;
}
inline void StoreEight(Eight eight, std::uint8_t* symbols) {
  std::memcpy(symbols, &eight, sizeof(eight));
}

}  // namespace plumb::codec

#endif  // PLUMB_CODEC_EIGHT_INTERNAL_H_
