// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/check.h"
#include "codec/kernels_internal.h"

namespace plumb::codec {

bool Has(Instructions instructions) {
#if defined(__x86_64__)
  switch (instructions) {
    case Instructions::kPlain:
      return true;
    case Instructions::kAvx2:
      return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi2") != 0 &&
             __builtin_cpu_supports("popcnt") != 0;
    case Instructions::kAvx512:
      return Has(Instructions::kAvx2) && __builtin_cpu_supports("avx512bw") != 0 &&
             __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512vbmi") != 0 &&
             __builtin_cpu_supports("avx512vbmi2") != 0;
  }
  return false;
#else
  return instructions == Instructions::kPlain;
#endif
}

const Kernels& KernelsOf(Instructions instructions) {
  PLUMB_CHECK(Has(instructions));
#if defined(__x86_64__)
  if (instructions == Instructions::kAvx512) return Avx512Kernels();
  if (instructions == Instructions::kAvx2) return Avx2Kernels();
#endif
  return PlainKernels();
}

const Kernels& BestKernels() {
  static const Kernels& best = Has(Instructions::kAvx512) ? KernelsOf(Instructions::kAvx512)
                               : Has(Instructions::kAvx2) ? KernelsOf(Instructions::kAvx2)
                                                          : KernelsOf(Instructions::kPlain);
  return best;
}

}  // namespace plumb::codec
