// SPDX-License-Identifier: MIT OR Apache-2.0
#include "host/machine.h"

#include <pwd.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <thread>

namespace plumb::host {
namespace {

template <typename TimePoint>
std::int64_t Nanoseconds(TimePoint time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

class SystemClock final : public Clock {
 public:
  std::int64_t NowNs() override { return Nanoseconds(std::chrono::system_clock::now()); }
  std::int64_t MonotonicNs() override { return Nanoseconds(std::chrono::steady_clock::now()); }
  void SleepMs(std::uint64_t duration_ms) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(duration_ms));
  }
};

class SystemEntropy final : public Entropy {
 public:
  void Fill(MutableByteSpan out) override {
    while (!out.empty()) {
      const ssize_t got = ::getrandom(out.data(), out.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      PLUMB_CHECK(got > 0);  // cannot fail on a kernel that has openat2
      out = out.subspan(static_cast<std::size_t>(got));
    }
  }
};

class SystemEnvironment final : public Environment {
 public:
  std::optional<std::string> Get(const std::string& name) override {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody in this program calls setenv.
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string(value);
  }

  Result<std::string> HomeDirectory() override {
    if (auto home = Get("HOME"); home && home->starts_with('/')) return *std::move(home);
    std::array<char, 4096> buffer = {};
    passwd entry = {};
    passwd* found = nullptr;
    const int problem = ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found);
    if (problem != 0 || found == nullptr || *found->pw_dir != '/') {
      return Error{ErrorKind::kNotFound, "no home directory is known", "set HOME or PLUMB_HOME"};
    }
    return std::string(found->pw_dir);
  }

  std::string WorkingDirectory() override {
    std::array<char, PATH_MAX> path = {};
    // If it was removed, every use of it will say so.
    if (::getcwd(path.data(), path.size()) == nullptr) return ".";
    return path.data();
  }

  unsigned ProcessorCount() override { return std::max(1U, std::thread::hardware_concurrency()); }
};

}  // namespace

std::unique_ptr<Clock> MakeClock() { return std::make_unique<SystemClock>(); }
std::unique_ptr<Entropy> MakeEntropy() { return std::make_unique<SystemEntropy>(); }
std::unique_ptr<Environment> MakeEnvironment() { return std::make_unique<SystemEnvironment>(); }

}  // namespace plumb::host
