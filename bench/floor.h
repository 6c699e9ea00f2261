// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BENCH_FLOOR_H_
#define PLUMB_BENCH_FLOOR_H_

#include <cstdint>

#include "base/bytes.h"
#include "codec/block_codec.h"

namespace plumb::bench {

// The order-0 floor of a block, in bytes: each value is taken apart as the codec does it (of bf16
// into its exponent, and its sign with its mantissa), and each plane counts as many bits a symbol
// as its entropy in this block is. No coder of symbols that ignores their neighbours gets below it,
// and it would still have to say how often each occurs.
double FloorOf(ByteSpan block, codec::Element element, std::uint32_t phase);

}  // namespace plumb::bench

#endif  // PLUMB_BENCH_FLOOR_H_
