// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/check.h"
#include "codec/kernels_internal.h"

namespace plumb::codec {
namespace {

// Nothing if this machine cannot do it.
const Kernels* Find(Instructions instructions) {
  switch (instructions) {
    case Instructions::kPlain:
      return &PlainKernels();
#if defined(__x86_64__)
    case Instructions::kAvx2:
      return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi2") != 0 &&
                     __builtin_cpu_supports("popcnt") != 0
                 ? &Avx2Kernels()
                 : nullptr;
    case Instructions::kAvx512:
      return Has(Instructions::kAvx2) && __builtin_cpu_supports("avx512bw") != 0 &&
                     __builtin_cpu_supports("avx512vl") != 0 &&
                     __builtin_cpu_supports("avx512vbmi") != 0 &&
                     __builtin_cpu_supports("avx512vbmi2") != 0
                 ? &Avx512Kernels()
                 : nullptr;
#elif defined(__aarch64__)
    case Instructions::kNeon:
      return &NeonKernels();  // each has it
#endif
    default:
      return nullptr;
  }
}

}  // namespace

const char* NameOf(Instructions instructions) {
  switch (instructions) {
    case Instructions::kPlain:
      return "plain";
    case Instructions::kAvx2:
      return "avx2";
    case Instructions::kAvx512:
      return "avx512";
    case Instructions::kNeon:
      return "neon";
  }
  return "";
}

bool Has(Instructions instructions) { return Find(instructions) != nullptr; }

const Kernels& KernelsOf(Instructions instructions) {
  const Kernels* kernels = Find(instructions);
  PLUMB_CHECK(kernels != nullptr);
  return *kernels;
}

const Kernels& BestKernels() {
  static const Kernels& best = []() -> const Kernels& {
    Instructions strongest = Instructions::kPlain;
    for (const Instructions instructions : kInstructionsAll)
      if (Has(instructions)) strongest = instructions;
    return KernelsOf(strongest);
  }();
  return best;
}

}  // namespace plumb::codec
