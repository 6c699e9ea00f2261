// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_WEIGHTS_DEQUANTISE_H_
#define PLUMB_WEIGHTS_DEQUANTISE_H_

#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "weights/dtype.h"

namespace plumb::weights {

// Whether ToFloats knows the type: the numbers of 8 bits and more (complex ones excepted), and of
// GGUF's blocks Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, and Q2_K to Q6_K.
bool HasFloats(Dtype dtype);

// The elements that lie in `bytes`, as binary32, into all of `out`. Blocks become what ggml's
// dequantize_row_* makes of them, the same bits on every machine; integers and F64 are rounded to
// the nearest, ties to even; a BOOL that is not 0 is 1. NaN stays NaN.
//
// Trust: any bytes are elements. kInvalid if `bytes` are not as many as that many elements take;
// kUnsupported if HasFloats does not hold.
Status ToFloats(Dtype dtype, ByteSpan bytes, std::span<float> out);

}  // namespace plumb::weights

#endif  // PLUMB_WEIGHTS_DEQUANTISE_H_
