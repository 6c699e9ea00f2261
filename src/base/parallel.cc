// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/parallel.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace plumb {
namespace {

// Hands out indices and keeps the failure of the lowest one.
class Queue {
 public:
  explicit Queue(std::size_t count) : count_(count) {}

  std::optional<std::size_t> Take() {
    const std::lock_guard lock(mutex_);
    if (failure_ || next_ == count_) return std::nullopt;
    return next_++;
  }
  void Fail(std::size_t index, Error error) {
    const std::lock_guard lock(mutex_);
    if (failure_ && failed_index_ < index) return;
    failed_index_ = index;
    failure_ = std::move(error);
  }
  std::optional<Error> TakeFailure() { return std::move(failure_); }

 private:
  std::mutex mutex_;
  const std::size_t count_;
  std::size_t next_ = 0;
  std::size_t failed_index_ = 0;
  std::optional<Error> failure_;
};

}  // namespace

Status RunParallel(unsigned threads, std::size_t count,
                   const std::function<Status(std::size_t)>& work) {
  Queue queue(count);
  const auto drain = [&] {
    while (const auto index = queue.Take()) {
      if (Status status = work(*index); !status) queue.Fail(*index, std::move(status).error());
    }
  };
  const std::size_t helper_count = std::min<std::size_t>(std::max(threads, 1U), count);
  std::vector<std::thread> helpers;
  for (std::size_t i = 1; i < helper_count; ++i)
    helpers.emplace_back(drain);
  drain();
  for (std::thread& helper : helpers)
    helper.join();
  if (auto failure = queue.TakeFailure()) return *std::move(failure);
  return Done{};
}

}  // namespace plumb
