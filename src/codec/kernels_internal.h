// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CODEC_KERNELS_INTERNAL_H_
#define PLUMB_CODEC_KERNELS_INTERNAL_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "codec/layout_internal.h"
#include "codec/rans_internal.h"

// The loops that decide the speed, once in plain C++ and once for each instruction set that does
// them better. All give the same bytes. They trust their callers: whatever comes from outside was
// checked before.
namespace plumb::codec {

// What kernels may read and write beyond the n symbols of a plane in scratch memory; never beyond
// values, words or anything else that is the caller's caller's.
inline constexpr std::size_t kSlack = 64;

static_assert(std::endian::native == std::endian::little, "words are stored as they are loaded");

template <typename Word>
Word LoadWord(const std::byte* at) {
  Word word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}
template <typename Word>
void StoreWord(Word word, std::byte* at) {
  std::memcpy(at, &word, sizeof(word));
}

// Of the 64 symbols of a word those that there are, with n left.
inline std::uint64_t MaskOf(std::size_t n) {
  return n >= kWordSymbols ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
}

struct LevelWords {
  unsigned width;
  const std::uint8_t* symbols;
  const std::byte* words;
};

struct Kernels {
  // n values into their planes (with slack), and back (planes without).
  void (*split)(Value value, const std::byte* values, std::size_t n, std::uint8_t* const* planes);
  void (*merge)(Value value, const std::uint8_t* const* planes, std::size_t n, std::byte* values);

  // The rank of each symbol, its place among `frequent` or else kRankCount, and those symbols
  // that have no place; returns how many they are.
  std::size_t (*rank)(const std::uint8_t* symbols, std::size_t n, const RankSymbols& frequent,
                      std::uint8_t* ranks, std::uint8_t* escapes);
  // One level: the words of n ranks, and in `next` what is left of those that its codes (one or two
  // bits) do not reach; returns how many. `next` may be `ranks`.
  std::size_t (*reduce)(const std::uint8_t* ranks, std::size_t n, unsigned width, std::byte* words,
                        std::uint8_t* next);
  // How many codes of n symbols say "see the next level".
  std::size_t (*count)(const std::byte* words, std::size_t n, unsigned width);
  // One level back: for each code its symbol, or the next of `next`.
  void (*expand)(const LevelWords& level, std::size_t n, const std::uint8_t* next,
                 std::uint8_t* symbols);

  // The `width` high bits of symbols XOR base as words, and back. 1 <= width <= 8.
  void (*pack)(const std::uint8_t* symbols, std::size_t n, std::uint8_t base, unsigned width,
               std::byte* words);
  void (*unpack)(const std::byte* words, std::size_t n, std::uint8_t base, unsigned width,
                 std::uint8_t* symbols);

  // Codes n symbols, the last first, into words that end at `end`; returns where they begin.
  std::byte* (*rans_encode)(const RansEncoder& encoder, const std::uint8_t* symbols, std::size_t n,
                            RansStates& states, std::byte* end);
  // The next n symbols; n is a multiple of the lanes, but at the plane's end. Whether there were
  // words enough.
  bool (*rans_decode)(RansDecoder& decoder, std::size_t n, std::uint8_t* symbols);
};

enum class Instructions : std::uint8_t { kPlain, kAvx2, kAvx512, kNeon };
// Those of one kind of machine stand from the weakest to the strongest.
inline constexpr Instructions kInstructionsAll[] = {Instructions::kPlain, Instructions::kAvx2,
                                                    Instructions::kAvx512, Instructions::kNeon};
const char* NameOf(Instructions instructions);

// Whether this machine can do it.
bool Has(Instructions instructions);
// CHECKs that it can.
const Kernels& KernelsOf(Instructions instructions);
// The best that this machine can do.
const Kernels& BestKernels();

const Kernels& PlainKernels();
// What is left of n values from i on, by the plain kernels.
void SplitRest(Value value, const std::byte* values, std::size_t i, std::size_t n,
               std::uint8_t* const* planes);
void MergeRest(Value value, const std::uint8_t* const* planes, std::size_t i, std::size_t n,
               std::byte* values);
#if defined(__x86_64__)
const Kernels& Avx2Kernels();
const Kernels& Avx512Kernels();
#elif defined(__aarch64__)
const Kernels& NeonKernels();
#endif

// EncodeBlock and DecodeBlock with kernels of one's choice.
std::optional<Encoded> EncodeBlockWith(const Kernels& kernels, ByteSpan raw, const BlockHint& hint,
                                       Effort effort);
Status DecodeBlockWith(const Kernels& kernels, Method method, ByteSpan stored, MutableByteSpan raw);

}  // namespace plumb::codec

#endif  // PLUMB_CODEC_KERNELS_INTERNAL_H_
