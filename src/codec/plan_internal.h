// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CODEC_PLAN_INTERNAL_H_
#define PLUMB_CODEC_PLAN_INTERNAL_H_

#include <cstddef>
#include <cstdint>

#include "codec/layout_internal.h"
#include "codec/rans_internal.h"

// How an encoder chooses the mode of a plane: from a sample, with integers only. Whether it is
// entropy-coded is decided by what all of it takes.
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
    PlaneMode mode;      // without entropy coding
    bool may_be_coded;   // it seems to gain by that
    std::uint64_t bits;  // what all of the plane would take, of so many symbols
  };
  Plan Choose(std::uint64_t symbols, Effort effort) const;

 private:
  Counter counter_;
  std::uint64_t size_ = 0;
  std::uint64_t bits_of_groups_ = 0;  // as kBits, with base 0
  std::uint8_t last_ = 0;
};

// What entropy coding would take of a plane of `symbols` symbols, by a sample of `size` (or all) of
// them that `histogram` counts: all bytes of its field, and the descriptor. Nothing if no two
// symbols differ.
struct EntropyPlan {
  std::uint8_t low_bits;
  std::uint64_t bits;
};
std::optional<EntropyPlan> PlanEntropy(const Histogram& histogram, std::uint64_t size,
                                       std::uint64_t symbols);
// Whether coding is worth its time, of a plane that is `raw` large: in one unit.
bool IsWorthCoding(std::uint64_t coded, std::uint64_t otherwise, std::uint64_t raw);

// The widths of the groups of a piece, and whether they are one width.
struct GroupWidths {
  std::array<std::uint8_t, kStripeSize / kGroupSize + 1> widths;  // 0 behind the last
  bool all_equal;
};
GroupWidths WidthsOf(const std::uint8_t* symbols, std::size_t n, std::uint8_t base);

// Bytes: of n symbols of a width, and of a mode's descriptor.
inline std::size_t SizeOfWidth(unsigned width, std::size_t n) {
  return width == 8 ? n : WordsFor(n) * width * kWordSize;
}
std::size_t DescriptorSize(const PlaneMode& mode);

// What a plane takes in a mode that has no stream, descriptor and all; stripe by stripe.
class PlaneSize {
 public:
  explicit PlaneSize(const PlaneMode& mode) : mode_(mode), bytes_(DescriptorSize(mode)) {}

  void AddStripe(const std::uint8_t* symbols, std::size_t n);
  std::size_t bytes() const { return bytes_; }
  const Histogram& histogram() const { return histogram_; }

 private:
  PlaneMode mode_;
  std::size_t bytes_;
  Histogram histogram_ = {};
};

}  // namespace plumb::codec

#endif  // PLUMB_CODEC_PLAN_INTERNAL_H_
