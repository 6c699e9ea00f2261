// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BENCH_MADE_UP_H_
#define PLUMB_BENCH_MADE_UP_H_

#include <cstddef>
#include <cstdint>
#include <vector>

// Weights as a language model has them, made up: the same on every run.
namespace plumb::bench {

// Tensors of 2048 x 1024, one after the other, each with a width of its own, rows and columns with
// theirs, and tails of Student's t with six degrees of freedom.
std::vector<float> ModelWeights(std::size_t count);

std::uint16_t ToBf16(float value);
// Of small values, to the nearest or its neighbour.
std::uint16_t ToF16(float value);
std::uint8_t ToF8(float value);

}  // namespace plumb::bench

#endif  // PLUMB_BENCH_MADE_UP_H_
