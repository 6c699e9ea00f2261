// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <string>

#include "registry/http_headers_internal.h"
#include "registry/retry_internal.h"

namespace plumb::registry {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kNsPerS = 1'000'000'000;
constexpr std::int64_t kSleepSliceMs = 50;  // how long a person waits for Ctrl-C

}  // namespace

void Retrier::Heed(const host::HttpResponse& response) {
  if (response.status < 400) return;
  const auto seconds =
      ParseRetryAfter(response.Header("Retry-After").value_or(""), clock_.NowNs() / kNsPerS);
  if (!seconds) return;
  const std::uint64_t pause_ms = std::min(*seconds, kAskedPauseMaxMs / 1000) * 1000;
  const std::int64_t wanted_ns =
      clock_.MonotonicNs() + static_cast<std::int64_t>(pause_ms) * kNsPerMs;
  std::int64_t known_ns = not_before_ns_;
  while (known_ns < wanted_ns && !not_before_ns_.compare_exchange_weak(known_ns, wanted_ns)) {
  }
}

std::uint64_t Retrier::PickPause(std::uint64_t longest_ms) {
  std::array<std::byte, 1> random = {};
  entropy_.Fill(random);
  return longest_ms - longest_ms * std::to_integer<std::uint64_t>(random[0]) / 512;
}

Status Retrier::Sleep(std::uint64_t pause_ms, const Progress& progress) {
  std::int64_t until_ns = clock_.MonotonicNs() + static_cast<std::int64_t>(pause_ms) * kNsPerMs;
  if (until_ns < not_before_ns_) {
    // All who were told the same time shall not come at once.
    const std::uint64_t spread_ms = kFirstPauseMs - PickPause(kFirstPauseMs);
    until_ns = not_before_ns_ + static_cast<std::int64_t>(spread_ms) * kNsPerMs;
  }
  while (true) {
    if (progress.StopRequested()) return Interrupted();
    const std::int64_t left_ns = until_ns - clock_.MonotonicNs();
    if (left_ns <= 0) return Done{};
    const std::int64_t left_ms = (left_ns + kNsPerMs - 1) / kNsPerMs;
    clock_.SleepMs(static_cast<std::uint64_t>(std::min(left_ms, kSleepSliceMs)));
  }
}

Status Retrier::Run(Progress& progress, const std::function<Status()>& work,
                    const std::function<bool()>& got_on) {
  for (int failures = 0;;) {
    Status status = work();
    if (status || status.error().kind != ErrorKind::kUnavailable) return status;
    failures = got_on && got_on() ? 1 : failures + 1;
    if (failures == kTriesMax) return status;
    const Error& error = status.error();
    // Saying it each time would bury what it says.
    if (failures == 1) progress.Warn(error.message + "; trying again");
    PLUMB_RETURN_IF_ERROR(Sleep(PickPause(kFirstPauseMs << failures >> 1), progress));
  }
}

}  // namespace plumb::registry
