// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_SIM_WORLD_H_
#define PLUMB_TESTS_SIM_WORLD_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "host/http.h"
#include "host/machine.h"
#include "tests/sim/simulated_disk.h"
#include "verbs/workspace.h"

// One process on a simulated disk, and what a person would find there afterwards.
namespace plumb::sim {

class DiskClock final : public host::Clock {
 public:
  explicit DiskClock(const host::SimulatedDisk& disk) : disk_(disk) {}
  // Late enough that no file is as young as the clock's grain.
  std::int64_t NowNs() override { return disk_.now_ns() + 60'000'000'000; }
  std::int64_t MonotonicNs() override { return disk_.now_ns(); }
  void SleepMs(std::uint64_t /*duration_ms*/) override {}

 private:
  const host::SimulatedDisk& disk_;
};

const store::Domain& SharedDomain();

// Others in each process, the same in each run.
class SeededEntropy final : public host::Entropy {
 public:
  explicit SeededEntropy(std::int64_t seed) : state_(static_cast<std::uint64_t>(seed)) {}
  void Fill(MutableByteSpan out) override;

 private:
  std::mutex mutex_;
  std::uint64_t state_;
};

class OnlyHome final : public host::Environment {
 public:
  explicit OnlyHome(std::string home) : home_(std::move(home)) {}
  std::optional<std::string> Get(const std::string& name) override {
    if (name == "PLUMB_HOME") return home_;
    return std::nullopt;
  }
  Result<std::string> HomeDirectory() override { return home_; }
  std::string WorkingDirectory() override { return "/"; }
  unsigned ProcessorCount() override { return 1; }

 private:
  const std::string home_;
};

// A file of weights: a tensor of two blocks, of which planes take half, and one that is small.
std::string TensorFile(char seed);

class World {
 public:
  explicit World(host::SimulatedDisk& disk, const std::string& home = "/person/plumb");

  host::SimulatedDisk& disk() { return disk_; }
  verbs::Workspace& workspace() { return workspace_; }
  Progress& progress() { return progress_; }

  // The same store, as SharedDomain() sees it.
  Result<std::unique_ptr<store::Store>> OpenShared();

  // A file of the person's, durable; replaced if it is there.
  Status Write(const std::string& path, std::string_view text);

 private:
  host::SimulatedDisk& disk_;
  DiskClock clock_;
  SeededEntropy entropy_;
  OnlyHome environment_;
  const std::unique_ptr<host::Http> http_;
  const std::unique_ptr<host::Processes> processes_;
  host::SimulatedLinks links_;
  SilentProgress progress_;
  verbs::Workspace workspace_;
};

// Where kits may be besides the store.
struct Shelves {
  std::vector<std::string> layouts = {};
  std::vector<std::string> bundles = {};
};

// What the disk means: each tag and kit of the store, and each tag of the shelves, and what it
// points at. Fails if any of it is not whole: every blob of every kit is read and hashed, and so
// is every file of a layout that has a blob's name.
using Contents = std::map<std::string, std::string>;
Result<Contents> Inspect(host::SimulatedDisk& disk, const Shelves& shelves);

}  // namespace plumb::sim

#endif  // PLUMB_TESTS_SIM_WORLD_H_
