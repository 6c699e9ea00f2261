// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_SIM_SIMULATED_DISK_H_
#define PLUMB_TESTS_SIM_SIMULATED_DISK_H_

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/object_id.h"
#include "host/files.h"
#include "host/links.h"

// A disk in memory that knows what would be left of it if the power went now.
//
// POSIX promises little, and this disk keeps no more: what was written is on the disk after a
// Sync() of that file, a name is there after a Sync() of its directory. Until then any part of a
// write may be there or not, in any order, whatever became of the names. A Sync() of a file that
// fails leaves nobody knowing: part of it is there, and the rest never will be, though readers see
// it until the power goes. A rename within a directory happens or does not.
//
// Every call that changes or syncs something has a number, and so has each that reads or looks; a
// chosen one can be made to fail.
namespace plumb::host {

enum class Fault : std::uint8_t {
  kPowerCut,  // it is done, but never returns, and no call after it is
  kIoError,   // it alone fails, in the middle
  kFull,      // no room from then on: what writes, creates or renames fails; syncs do again later
  kFullOnce,  // the same, but somebody makes room at once
  kNotRead,   // of the calls that read, look or open, it alone fails
};

enum class Survival : std::uint8_t {
  kSynced,  // what was synced, and nothing else
  kAll,     // everything that was written
  kTorn,    // what was synced, and an arbitrary part of the rest
};

class SimulatedDisk final : public Files {
 public:
  SimulatedDisk();
  ~SimulatedDisk() override;

  Result<std::unique_ptr<Directory>> OpenDirectory(const std::string& path, IfMissing if_missing,
                                                   std::uint32_t mode) override;
  Result<FileState> State(const std::string& path) override;
  Result<std::string> Canonical(const std::string& path) override;

  // The call of that number, counted from now, goes wrong.
  void FailAt(std::int64_t call, Fault fault);
  // Whether it came to that.
  bool HasFailed() const;
  // From now on files and directories take no more than that, in blocks, with one for each of them:
  // a disk that is full until something is removed.
  void LimitTo(std::uint64_t bytes);
  std::uint64_t UsedBytes() const;
  // All is well again (but what the fault has destroyed).
  void Heal();
  // From now on it is as ext4: blocks have one owner.
  void ShareNoBlocks();
  // From now on syncs of files whose name ends so do nothing: a program that forgets them.
  void Forget(std::string name_end);

  // What is found when the power comes back, or (kAll) the same disk once more. `seed` decides
  // what is torn. Nothing of this disk may be in use.
  std::unique_ptr<SimulatedDisk> AfterPowerCut(Survival survival, std::uint64_t seed = 0) const;

  // Of all names and of what the files hold, as readers see it, and as it would be without power.
  // Equal ones tell equal disks, but for times.
  ObjectId Fingerprint() const;

  // Moves with every call; file times come from it.
  std::int64_t now_ns() const;

  struct Node;
  using NodePtr = std::shared_ptr<Node>;

 private:
  friend class SimulatedDirectory;
  friend class SimulatedFile;
  friend class SimulatedLinks;
  friend class SimulatedLock;

  enum class Call : std::uint8_t { kGrow, kShrink, kSync };
  enum class Outcome : std::uint8_t { kWhole, kPartly, kNot };
  struct Verdict {
    Outcome outcome = Outcome::kWhole;
    Status status = Done{};
  };
  // Of a call that changes or syncs; others only fail once the power is gone.
  Verdict Count(Call call, std::string_view path);
  Status CheckPower() const;
  Status CountRead(std::string_view path);
  // How many of `size` bytes from `offset` on there is room for.
  std::size_t RoomFor(const Node& file, std::uint64_t offset, std::size_t size) const;
  std::uint64_t Used() const;

  Result<NodePtr> Find(const NodePtr& start, std::string_view path) const;
  // The directory of the last part of a path, and that part.
  Result<std::pair<NodePtr, std::string>> FindPlace(const NodePtr& start,
                                                    std::string_view path) const;
  Result<NodePtr> Make(const NodePtr& directory, const std::string& name, FileType type,
                       std::uint32_t mode);
  Status SyncNames(Node& directory, std::string_view path);
  NodePtr NewNode(FileType type, std::uint32_t mode);

  mutable std::mutex mutex_;  // guards all that follows, and all nodes
  NodePtr root_;
  std::uint64_t last_number_ = 0;
  std::int64_t now_ns_ = 1'700'000'000'000'000'000;
  std::int64_t calls_left_ = 0;
  bool is_armed_ = false;
  bool has_failed_ = false;
  bool is_full_ = false;
  bool is_off_ = false;
  bool shares_blocks_ = true;
  std::uint64_t size_max_ = std::numeric_limits<std::uint64_t>::max();
  Fault fault_ = Fault::kPowerCut;
  std::vector<std::string> forgotten_;
};

// Second names on such a disk, and copies that share blocks: as if it were xfs.
class SimulatedLinks final : public Links {
 public:
  explicit SimulatedLinks(SimulatedDisk& disk) : disk_(disk) {}

  Status Reflink(const std::string& source, const std::string& target) override;
  Status HardLink(const std::string& source, const std::string& target) override;

 private:
  SimulatedDisk& disk_;
};

}  // namespace plumb::host

#endif  // PLUMB_TESTS_SIM_SIMULATED_DISK_H_
