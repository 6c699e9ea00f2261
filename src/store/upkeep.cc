// SPDX-License-Identifier: MIT OR Apache-2.0
#include "store/upkeep.h"

#include <utility>

#include "store/checker_internal.h"
#include "store/collector_internal.h"
#include "store/measurer_internal.h"
#include "store/optimizer_internal.h"
#include "store/rebuild.h"
#include "store/record_keeper_internal.h"
#include "store/store_parts_internal.h"

namespace plumb::store {
namespace {

constexpr std::uint64_t kLockTimeoutMs = 30'000;

class StoreUpkeep final : public Upkeep {
 public:
  StoreUpkeep(std::shared_ptr<const StoreParts> parts, std::unique_ptr<host::File> gc_lock,
              host::Clock& clock)
      : parts_(std::move(parts)),
        gc_lock_(std::move(gc_lock)),
        clock_(clock),
        store_(MakeStore(parts_, clock, ReaderLeases::kNone)) {}

  Result<CollectReport> Collect(const CollectRequest& request, Progress& progress) override {
    const bool is_dry = request.dry_run == DryRun::kYes;
    PLUMB_TRY(const auto lock, Lock(is_dry ? host::LockKind::kShared : host::LockKind::kExclusive));
    Collector collector(*parts_, *store_, clock_.NowNs(), request, progress);
    auto collected = collector.Run();
    if (is_dry) return collected;
    RemoveUnfinishedCatalog(*parts_->directory);
    const Status kept = KeepRecords(*parts_);
    // On a full disk other things are more urgent.
    if (!kept && kept.error().kind != ErrorKind::kExhausted) return kept.error();
    if (!collected && collected.error().kind == ErrorKind::kExhausted) {
      PLUMB_TRY(const bool has_room, parts_->reserve->GiveBack());
      if (has_room) collected = collector.Run();
    }
    parts_->reserve->Fill();
    return collected;
  }

  Result<CheckReport> Check(const CheckRequest& request, Progress& progress) override {
    PLUMB_TRY(const auto lock, Lock(host::LockKind::kShared));
    return Checker(*parts_, *store_, request, progress).Run();
  }

  Result<bool> GiveRoom() override { return parts_->reserve->GiveBack(); }

  Result<MeasureReport> Measure(const MeasureRequest& request, Progress& progress) override {
    PLUMB_TRY(const auto lock, Lock(host::LockKind::kShared));
    const auto store = MakeStore(parts_, clock_, ReaderLeases::kNone, request.domain);
    return store::Measure({*parts_, *store, clock_.NowNs()}, request, progress);
  }

  Result<OptimizeReport> Optimize(const OptimizeRequest& request, Progress& progress) override {
    // Nobody takes away meanwhile what was looked at.
    PLUMB_TRY(const auto lock, Lock(host::LockKind::kShared));
    return Optimizer(*parts_, request, progress).Run();
  }

  Result<std::vector<BlobPart>> Describe(const Digest& blob) override {
    return DescribeBlob(*parts_, blob);
  }

 private:
  // One gc at a time, and none beneath those who look at all there is.
  Result<std::unique_ptr<host::FileLock>> Lock(host::LockKind kind) {
    auto lock = gc_lock_->Lock(kind, kLockTimeoutMs);
    if (!lock && lock.error().kind == ErrorKind::kUnavailable)
      return Error{ErrorKind::kUnavailable, "another gc or fsck is at work in this store"};
    return lock;
  }

  const std::shared_ptr<const StoreParts> parts_;
  const std::unique_ptr<host::File> gc_lock_;
  host::Clock& clock_;
  const std::unique_ptr<Store> store_;
};

}  // namespace

Result<std::unique_ptr<Upkeep>> OpenUpkeep(host::Files& files, host::Clock& clock,
                                           host::Entropy& entropy, const std::string& path) {
  auto parts = OpenStoreParts(files, entropy, path);
  if (!parts) return std::move(parts).error().While("cannot open the store '" + path + "'");
  PLUMB_TRY(auto gc_lock, parts->directory->Open("gc.lock", host::OpenHow::kCreate, 0600));
  return std::unique_ptr<Upkeep>(std::make_unique<StoreUpkeep>(
      std::make_shared<const StoreParts>(*std::move(parts)), std::move(gc_lock), clock));
}

}  // namespace plumb::store
