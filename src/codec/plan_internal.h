// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CODEC_PLAN_INTERNAL_H_
#define PLUMB_CODEC_PLAN_INTERNAL_H_

#include <cstddef>
#include <cstdint>

#include "codec/layout_internal.h"
#include "codec/rans_internal.h"

// How an encoder chooses the mode of a plane: from a sample, with integers only.
namespace plumb::codec {

// Of each stripe, its first symbols: 1/16.
inline constexpr std::size_t kSampleSize = kStripeSize / 16;

// Bits of (symbol XOR base) down to the lowest that is not 0, in any of n symbols.
unsigned WidthOf(const std::uint8_t* symbols, std::size_t n, std::uint8_t base);

// What is known of a plane from its sample.
class PlaneSample {
 public:
  // At most kStripeSize symbols, which follow each other.
  void Add(const std::uint8_t* symbols, std::size_t n);

  struct Plan {
    PlaneMode mode;
    std::uint64_t sample_bits;  // what the sample would take
  };
  Plan Choose(Effort effort) const;
  std::uint64_t size() const { return size_; }

 private:
  static Plan EntropyPlan(Histogram histogram, std::uint64_t size);

  Counter counter_;
  std::uint64_t size_ = 0;
  std::uint64_t bits_of_groups_ = 0;  // as kBits, with base 0
  std::uint8_t last_ = 0;
};

}  // namespace plumb::codec

#endif  // PLUMB_CODEC_PLAN_INTERNAL_H_
