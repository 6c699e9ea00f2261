// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/check.h"
#include "codec/kernels_internal.h"

namespace plumb::codec {

bool HasLevel(Level level) {
#if defined(__x86_64__)
  switch (level) {
    case Level::kPlain:
      return true;
    case Level::kAvx2:
      return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi2") != 0 &&
             __builtin_cpu_supports("popcnt") != 0;
    case Level::kAvx512:
      return HasLevel(Level::kAvx2) && __builtin_cpu_supports("avx512bw") != 0 &&
             __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512vbmi") != 0 &&
             __builtin_cpu_supports("avx512vbmi2") != 0;
  }
  return false;
#else
  return level == Level::kPlain;
#endif
}

const Kernels& KernelsOf(Level level) {
  PLUMB_CHECK(HasLevel(level));
#if defined(__x86_64__)
  if (level == Level::kAvx512) return kAvx512Kernels;
  if (level == Level::kAvx2) return kAvx2Kernels;
#endif
  return kPlainKernels;
}

const Kernels& BestKernels() {
  static const Kernels& best = HasLevel(Level::kAvx512) ? KernelsOf(Level::kAvx512)
                               : HasLevel(Level::kAvx2) ? KernelsOf(Level::kAvx2)
                                                        : KernelsOf(Level::kPlain);
  return best;
}

}  // namespace plumb::codec
