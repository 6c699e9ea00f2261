// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_HOST_MACHINE_H_
#define PLUMB_HOST_MACHINE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

// The rest of the machine: clock, randomness, environment.
namespace plumb::host {

// Threads: any number at once.
class Clock {
 public:
  virtual ~Clock() = default;

  // Nanoseconds since 1970 of the wall clock: what file times are compared with.
  virtual std::int64_t NowNs() = 0;
  // Of a clock that never jumps: for rates and timeouts.
  virtual std::int64_t MonotonicNs() = 0;
  virtual void SleepMs(std::uint64_t duration_ms) = 0;
};

// Bytes nobody can guess (getrandom). Threads: any number at once.
class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void Fill(MutableByteSpan out) = 0;
};

// Environment variables and where a person's files are. Threads: any number at once.
class Environment {
 public:
  virtual ~Environment() = default;

  // An empty variable counts as unset.
  virtual std::optional<std::string> Get(const std::string& name) = 0;
  // Of the person, absolute; kNotFound if the machine does not say.
  virtual Result<std::string> HomeDirectory() = 0;
  virtual std::string WorkingDirectory() = 0;
  virtual unsigned ProcessorCount() = 0;
};

std::unique_ptr<Clock> MakeClock();
std::unique_ptr<Entropy> MakeEntropy();
std::unique_ptr<Environment> MakeEnvironment();

}  // namespace plumb::host

#endif  // PLUMB_HOST_MACHINE_H_
