// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_RETRY_INTERNAL_H_
#define PLUMB_REGISTRY_RETRY_INTERNAL_H_

#include <atomic>
#include <cstdint>
#include <functional>

#include "base/progress.h"
#include "base/result.h"
#include "host/http.h"
#include "host/machine.h"

namespace plumb::registry {

inline constexpr int kTriesMax = 5;
inline constexpr std::uint64_t kFirstPauseMs = 500;
inline constexpr std::uint64_t kAskedPauseMaxMs = 300'000;

// Does work again that failed in a way that may pass. Threads: any number at once.
class Retrier {
 public:
  // Both must outlive it.
  Retrier(host::Clock& clock, host::Entropy& entropy) : clock_(clock), entropy_(entropy) {}

  // Nobody shall try again before what a failing answer's Retry-After says has passed, or five
  // minutes have.
  void Heed(const host::HttpResponse& response);

  // Calls `work` until it succeeds, fails for good (anything but kUnavailable), or has failed five
  // times in a row. Each pause is about twice the one before. A try after which `got_on` says yes
  // does not count. kInterrupted within a moment once a stop is requested.
  Status Run(Progress& progress, const std::function<Status()>& work,
             const std::function<bool()>& got_on = nullptr);

 private:
  // Between half of `longest_ms` and all of it, so that many clients do not come back at once.
  std::uint64_t PickPause(std::uint64_t longest_ms);
  Status Sleep(std::uint64_t pause_ms, const Progress& progress);

  host::Clock& clock_;
  host::Entropy& entropy_;
  std::atomic<std::int64_t> not_before_ns_ = 0;  // of the monotonic clock
};

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_RETRY_INTERNAL_H_
