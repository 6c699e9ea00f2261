// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CRYPTO_SHA256_LANES_INTERNAL_H_
#define PLUMB_CRYPTO_SHA256_LANES_INTERNAL_H_

#include <cstddef>
#include <cstdint>

namespace plumb {

inline constexpr std::size_t kSha256BlockSize = 64;

// One stream of two: its chaining value (FIPS 180-4, section 6.2, a to h), and where it reads.
struct Sha256Lane {
  std::uint32_t* state;
  const std::byte* data;
};

// Whether this processor can do the next.
bool CanHashTwoLanes();

// As on a processor that cannot, for as long as it lives: so that every machine can test it.
class WithoutLanes {
 public:
  WithoutLanes();
  ~WithoutLanes();
  WithoutLanes(const WithoutLanes&) = delete;
  WithoutLanes& operator=(const WithoutLanes&) = delete;
};

// Compresses `blocks` blocks of each lane into its state. The rounds of one stream wait for each
// other, and those of another fit between them: two take little more time than one.
void HashTwoLanes(const Sha256Lane& first, const Sha256Lane& second, std::size_t blocks);

}  // namespace plumb

#endif  // PLUMB_CRYPTO_SHA256_LANES_INTERNAL_H_
