// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CODEC_RANS_INTERNAL_H_
#define PLUMB_CODEC_RANS_INTERNAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"

// rANS with 64 lanes (docs/format.md, "Encodings"): symbol i is coded by lane i mod 64, so that as
// many are under way at once as a processor likes.
namespace plumb::codec {

inline constexpr std::size_t kLanes = 64;
inline constexpr unsigned kFrequencyBits = 12;
inline constexpr std::uint32_t kFrequencySum = 1U << kFrequencyBits;
inline constexpr unsigned kRansWordBits = 16;
inline constexpr std::uint32_t kStateMin = 1U << 15;
inline constexpr std::uint32_t kStateEnd = 1U << 31;  // states are below
inline constexpr std::size_t kRansBitmapSize = 32;
inline constexpr std::size_t kRansStatesSize = kLanes * sizeof(std::uint32_t);
inline constexpr std::size_t kRansLengthSize = sizeof(std::uint32_t);  // of the size of a stream

using Histogram = std::array<std::uint32_t, 256>;
using Frequencies = std::array<std::uint16_t, 256>;
using RansStates = std::array<std::uint32_t, kLanes>;

// Counts symbols, in eight places by turns: a symbol behind its like would wait for the count
// before.
class Counter {
 public:
  void Add(const std::uint8_t* symbols, std::size_t n);
  Histogram Sum() const;

 private:
  std::array<Histogram, 8> counts_ = {};
};

// Frequencies that add up to kFrequencySum, near to how often symbols occur. Nothing if fewer than
// two occur.
std::optional<Frequencies> Normalise(const Histogram& histogram);

// What the symbols cost at best, in 1/256 of a bit.
std::uint64_t EntropyBits256(const Histogram& histogram);

// How many symbols occur.
std::size_t Occurring(const Histogram& histogram);
// That of the symbols that TakeHighBits gives.
Histogram WithoutLowBits(const Histogram& histogram, unsigned low_bits);

// A symbol's bits above the `low_bits` lowest, and these moved to its top; and both together again.
// n symbols, in steps of eight: what is behind them, up to the next multiple, is worked on too.
void TakeHighBits(const std::uint8_t* symbols, std::size_t n, unsigned low_bits,
                  std::uint8_t* high);
void TakeLowBits(const std::uint8_t* symbols, std::size_t n, unsigned low_bits, std::uint8_t* low);
void AddLowBits(const std::uint8_t* low, std::size_t n, unsigned low_bits, std::uint8_t* symbols);

// So few symbols that their tables are vectors, where a processor can look things up in these.
inline constexpr std::size_t kFewSymbols = 32;
inline constexpr std::size_t kFewestSymbols = 8;  // still fewer are looked up no faster
using FewWords = std::array<std::uint32_t, kFewSymbols>;

// What a symbol does to a state, prepared so that nothing is divided: x / frequency is (x *
// reciprocal >> 32) >> shift.
struct RansEncoder {
  std::array<std::uint32_t, 256> reciprocal;
  // start (plus kFrequencySum - 1 where the frequency is 1, whose quotient comes out one too low) |
  // frequency << 13 | shift << 26.
  std::array<std::uint32_t, 256> packed;

  // The same for the symbols that occur, in their order, if they are few; and the place of each
  // symbol.
  std::size_t occurring;
  FewWords few_reciprocals;
  FewWords few_packed;
  std::array<std::uint8_t, 256> places;
};
inline constexpr unsigned kPackedFrequency = 13;
inline constexpr unsigned kPackedShift = 26;
inline constexpr std::uint32_t kPackedMask = (1U << 13) - 1;

void Prepare(const Frequencies& frequencies, RansEncoder& encoder);
void AppendTable(const Frequencies& frequencies, std::string& out);

// A stream that is being read.
struct RansDecoder {
  RansStates states;
  const std::byte* next;  // word
  const std::byte* end;
  // For each slot: symbol | frequency << 8 | (slot - start) << 20.
  std::array<std::uint32_t, kFrequencySum> slots;

  // For each symbol that occurs, if they are few: its first slot (none: above all), and what that
  // says.
  std::size_t occurring;
  FewWords few_starts;
  FewWords few_slots;
};

// Checks and takes in the table and the states of a stream (all behind its size). False if they are
// wrong.
bool OpenRans(ByteSpan stream, RansDecoder& decoder);
// Whether all of a stream was read, and it ends as its encoder began.
bool IsDone(const RansDecoder& decoder);

}  // namespace plumb::codec

#endif  // PLUMB_CODEC_RANS_INTERNAL_H_
