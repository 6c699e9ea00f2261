// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BASE_PROGRESS_H_
#define PLUMB_BASE_PROGRESS_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace plumb {

// One piece of long work that a person can watch: a layer being hashed, a blob being sent.
// Ends when it is destroyed. Threads: Advance may be called from any thread.
class ProgressTask {
 public:
  virtual ~ProgressTask() = default;

  // `bytes` more are done.
  virtual void Advance(std::uint64_t bytes) = 0;
};

// Where long work tells how far it is and what a person should know, and where it learns
// that the person wants it to stop. Rooms report here; cli/ decides what is shown.
// Threads: every method may be called from any thread.
class Progress {
 public:
  virtual ~Progress() = default;

  // Work begins on `name` ("model layer w.bin"). `bytes_expected` is 0 if nobody knows.
  virtual std::unique_ptr<ProgressTask> Begin(std::string_view name,
                                              std::uint64_t bytes_expected) = 0;

  // Something odd that is not an error: a deprecated parameter, a retry.
  virtual void Warn(std::string_view text) = 0;

  // Talk, for a person who likes to follow: "pulling 'x:1' because it is not here".
  virtual void Note(std::string_view text) = 0;

  // True once the person pressed Ctrl-C. Long loops ask at least every few megabytes and
  // then return Interrupted().
  virtual bool StopRequested() const = 0;
};

// Shows nothing and never stops; for tests and for short work.
class SilentProgress final : public Progress {
 public:
  std::unique_ptr<ProgressTask> Begin(std::string_view name, std::uint64_t bytes_expected) override;
  void Warn(std::string_view text) override;
  void Note(std::string_view text) override;
  bool StopRequested() const override { return false; }
};

// What long work returns once StopRequested() said yes.
Error Interrupted();

}  // namespace plumb

#endif  // PLUMB_BASE_PROGRESS_H_
