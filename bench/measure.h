// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BENCH_MEASURE_H_
#define PLUMB_BENCH_MEASURE_H_

#include <time.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace plumb::bench {

inline double SecondsOf(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}
// What the calling thread has worked: another that takes its core away does not count.
inline double ThreadSeconds() { return SecondsOf(CLOCK_THREAD_CPUTIME_ID); }
inline double WallSeconds() { return SecondsOf(CLOCK_MONOTONIC); }

inline double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// The speed that half of the bytes reached.
class Speeds {
 public:
  void Add(std::size_t size, double seconds) {
    const auto bytes = static_cast<double>(size);
    samples_.push_back({bytes / 1e9 / std::max(seconds, 1e-9), bytes});
    bytes_ += bytes;
  }
  bool empty() const { return samples_.empty(); }
  double Median() {
    std::sort(samples_.begin(), samples_.end(),
              [](const Sample& a, const Sample& b) { return a.speed < b.speed; });
    double below = 0;
    for (const Sample& sample : samples_) {
      below += sample.bytes;
      if (2 * below >= bytes_) return sample.speed;
    }
    return 0;
  }

 private:
  struct Sample {
    double speed;  // GB/s
    double bytes;
  };
  std::vector<Sample> samples_;
  double bytes_ = 0;
};

inline std::string Verdict(bool is_met) { return is_met ? "meets" : "MISSES"; }

}  // namespace plumb::bench

#endif  // PLUMB_BENCH_MEASURE_H_
