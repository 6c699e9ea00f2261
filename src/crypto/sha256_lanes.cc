// SPDX-License-Identifier: MIT OR Apache-2.0
#include <atomic>

#include "base/check.h"
#include "crypto/sha256_lanes_internal.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

// Intel's SHA extensions ("Intel SHA Extensions", 2013). Their instructions keep the state as two
// vectors, ABEF and CDGH, and do two rounds at a time.
#define PLUMB_SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))

namespace plumb {
namespace {

// How many WithoutLanes there are.
std::atomic<int> lanes_forbidden = 0;

constexpr int kRoundGroups = 16;     // of four rounds
constexpr int kScheduleGroups = 12;  // that also make the words for later ones

alignas(16) constexpr std::uint32_t kRoundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

struct Vectors {
  __m128i abef;
  __m128i cdgh;
  __m128i words[4];  // of the message schedule, the last sixteen
};

PLUMB_SHA_TARGET inline void Load(const Sha256Lane& lane, Vectors& v) {
  const auto* state = reinterpret_cast<const __m128i*>(lane.state);
  const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(state), 0xB1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(state + 1), 0x1B);
  v.abef = _mm_alignr_epi8(badc, hgfe, 8);
  v.cdgh = _mm_blend_epi16(hgfe, badc, 0xF0);
}

PLUMB_SHA_TARGET inline void Store(const Vectors& v, const Sha256Lane& lane) {
  auto* state = reinterpret_cast<__m128i*>(lane.state);
  const __m128i feba = _mm_shuffle_epi32(v.abef, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(v.cdgh, 0xB1);
  _mm_storeu_si128(state, _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(state + 1, _mm_alignr_epi8(dchg, feba, 8));
}

PLUMB_SHA_TARGET inline void ReadBlock(const std::byte* block, Vectors& v) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const auto* words = reinterpret_cast<const __m128i*>(block);
  for (int i = 0; i < 4; ++i)
    v.words[i] = _mm_shuffle_epi8(_mm_loadu_si128(words + i), big_endian);
}

PLUMB_SHA_TARGET inline void Rounds(__m128i sum, __m128i upper_sum, Vectors& v) {
  v.cdgh = _mm_sha256rnds2_epu32(v.cdgh, v.abef, sum);
  v.abef = _mm_sha256rnds2_epu32(v.abef, v.cdgh, upper_sum);
}

// The four words that are needed sixteen rounds later.
PLUMB_SHA_TARGET inline void Schedule(int group, Vectors& v) {
  if (group >= kScheduleGroups) return;
  __m128i& words = v.words[group & 3];
  const __m128i last = v.words[(group + 3) & 3];
  const __m128i mixed = _mm_add_epi32(_mm_sha256msg1_epu32(words, v.words[(group + 1) & 3]),
                                      _mm_alignr_epi8(last, v.words[(group + 2) & 3], 4));
  words = _mm_sha256msg2_epu32(mixed, last);
}

PLUMB_SHA_TARGET inline void FourRounds(int group, __m128i constants, Vectors& v) {
  const __m128i sum = _mm_add_epi32(v.words[group & 3], constants);
  Rounds(sum, _mm_shuffle_epi32(sum, 0x0E), v);
  Schedule(group, v);
}

PLUMB_SHA_TARGET inline void AddState(const Vectors& before, Vectors& v) {
  v.abef = _mm_add_epi32(v.abef, before.abef);
  v.cdgh = _mm_add_epi32(v.cdgh, before.cdgh);
}

// Two states over the same data: of the words there is one schedule. That is a quarter of the work.
PLUMB_SHA_TARGET void HashSameData(const Sha256Lane& first, const Sha256Lane& second,
                                   std::size_t blocks) {
  Vectors a;
  Vectors b;
  Load(first, a);
  Load(second, b);
  for (std::size_t block = 0; block < blocks; ++block) {
    const Vectors a_before = a;
    const Vectors b_before = b;
    ReadBlock(first.data + block * kSha256BlockSize, a);
#pragma GCC unroll 16
    for (int group = 0; group < kRoundGroups; ++group) {
      const __m128i constants =
          _mm_load_si128(reinterpret_cast<const __m128i*>(kRoundConstants) + group);
      const __m128i sum = _mm_add_epi32(a.words[group & 3], constants);
      const __m128i upper_sum = _mm_shuffle_epi32(sum, 0x0E);
      Rounds(sum, upper_sum, a);
      Rounds(sum, upper_sum, b);
      Schedule(group, a);
    }
    AddState(a_before, a);
    AddState(b_before, b);
  }
  Store(a, first);
  Store(b, second);
}

}  // namespace

bool CanHashTwoLanes() {
  static const bool can = [] {
    constexpr unsigned kShaBit = 1U << 29;  // of EBX in leaf 7
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx & kShaBit) != 0 &&
           __builtin_cpu_supports("sse4.1") != 0;
  }();
  return can && lanes_forbidden.load(std::memory_order_relaxed) == 0;
}

WithoutLanes::WithoutLanes() { ++lanes_forbidden; }
WithoutLanes::~WithoutLanes() { --lanes_forbidden; }

PLUMB_SHA_TARGET void HashTwoLanes(const Sha256Lane& first, const Sha256Lane& second,
                                   std::size_t blocks) {
  if (first.data == second.data) return HashSameData(first, second, blocks);
  Vectors a;
  Vectors b;
  Load(first, a);
  Load(second, b);
  for (std::size_t block = 0; block < blocks; ++block) {
    const Vectors a_before = a;
    const Vectors b_before = b;
    ReadBlock(first.data + block * kSha256BlockSize, a);
    ReadBlock(second.data + block * kSha256BlockSize, b);
#pragma GCC unroll 16
    for (int group = 0; group < kRoundGroups; ++group) {
      const __m128i constants =
          _mm_load_si128(reinterpret_cast<const __m128i*>(kRoundConstants) + group);
      FourRounds(group, constants, a);
      FourRounds(group, constants, b);
    }
    AddState(a_before, a);
    AddState(b_before, b);
  }
  Store(a, first);
  Store(b, second);
}

}  // namespace plumb

#else

namespace plumb {

bool CanHashTwoLanes() { return false; }
WithoutLanes::WithoutLanes() = default;
WithoutLanes::~WithoutLanes() = default;
void HashTwoLanes(const Sha256Lane&, const Sha256Lane&, std::size_t) { PLUMB_CHECK(false); }

}  // namespace plumb

#endif
