// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/sim/simulated_disk.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <list>
#include <optional>
#include <random>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/text.h"

namespace plumb::host {

// What a file holds: shared by all disks that were made of one another until one of them writes it.
// Most files of a disk are never written again, and a simulation makes thousands of disks.
class SharedBytes {
 public:
  const std::string& operator*() const { return shared_->bytes; }
  const std::string* operator->() const { return &shared_->bytes; }
  std::string& Own() {
    if (shared_.use_count() > 1) shared_ = std::make_shared<Content>(Content{shared_->bytes, {}});
    shared_->hash.reset();
    return shared_->bytes;
  }
  const ObjectId& Hash() const {
    if (!shared_->hash) shared_->hash = Blake3(AsBytes(shared_->bytes));
    return *shared_->hash;
  }

 private:
  struct Content {
    std::string bytes;
    std::optional<ObjectId> hash;
  };
  std::shared_ptr<Content> shared_ = std::make_shared<Content>();
};

// A file or a directory: what readers see, what is durable, and how the one came from the other.
struct SimulatedDisk::Node {
  // A write, or (without bytes) a truncation.
  struct Change {
    std::uint64_t offset = 0;
    std::string bytes;
  };
  // A name that goes, and a name that comes: a rename has both.
  struct NameChange {
    std::string gone;
    std::string name;
    NodePtr node;
  };
  struct Held {
    const void* file = nullptr;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    LockKind kind = LockKind::kShared;
  };

  FileState state;
  SharedBytes bytes;
  SharedBytes durable_bytes;
  std::vector<Change> changes;
  std::map<std::string, NodePtr> names;
  std::map<std::string, NodePtr> durable_names;
  std::vector<NameChange> name_changes;
  std::list<Held> locks;
};

namespace {

using Node = SimulatedDisk::Node;
using NodePtr = SimulatedDisk::NodePtr;
using Random = std::minstd_rand;

constexpr std::size_t kSectorSize = 512;
constexpr std::uint64_t kBlockSize = 4096;

std::uint64_t BlocksOf(std::uint64_t size) { return (size + kBlockSize - 1) / kBlockSize; }

Error Full(std::string_view path) {
  return Error{ErrorKind::kExhausted, "'" + std::string(path) + "': the disk is full (simulated)"};
}

Error NotFound(std::string_view path) {
  return Error{ErrorKind::kNotFound, "cannot open '" + std::string(path) + "': no such file"};
}
Error Conflict(std::string_view path) {
  return Error{ErrorKind::kConflict, "'" + std::string(path) + "' is in the way"};
}

void Apply(std::string& bytes, const Node::Change& change) {
  if (change.bytes.empty()) {
    bytes.resize(static_cast<std::size_t>(change.offset));
    return;
  }
  const std::size_t end = static_cast<std::size_t>(change.offset) + change.bytes.size();
  if (bytes.size() < end) bytes.resize(end);
  bytes.replace(static_cast<std::size_t>(change.offset), change.bytes.size(), change.bytes);
}

void Apply(std::map<std::string, NodePtr>& names, const Node::NameChange& change) {
  if (!change.gone.empty()) names.erase(change.gone);
  if (!change.name.empty()) names[change.name] = change.node;
}

// Some of the sectors of a write; the file grows all the same, or not.
void ApplyTorn(std::string& bytes, const Node::Change& change, Random& random) {
  if (change.bytes.empty()) {
    if (random() % 2 == 0) Apply(bytes, change);
    return;
  }
  if (random() % 2 == 0) {
    const std::size_t end = static_cast<std::size_t>(change.offset) + change.bytes.size();
    if (bytes.size() < end) bytes.resize(end);
  }
  for (std::size_t at = 0; at < change.bytes.size(); at += kSectorSize) {
    if (random() % 2 == 0) Apply(bytes, {change.offset + at, change.bytes.substr(at, kSectorSize)});
  }
}

// How a disk went about what nobody had synced: an element each of four ways.
enum class Order : std::uint8_t { kNothing, kEverything, kInOrder, kAnyOrder };

template <typename T, typename OnWhole, typename OnTorn>
void Replay(const std::vector<T>& changes, Random& random, const OnWhole& whole,
            const OnTorn& torn) {
  const auto order = static_cast<Order>(random() % 4);
  if (order == Order::kNothing || changes.empty()) return;
  const std::size_t stop = order == Order::kInOrder ? random() % changes.size() : changes.size();
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (i > stop) break;
    if (i == stop) {
      torn(changes[i]);
    } else if (order != Order::kAnyOrder) {
      whole(changes[i]);
    } else if (const auto fate = random() % 3; fate == 0) {
      whole(changes[i]);
    } else if (fate == 1) {
      torn(changes[i]);
    }
  }
}

void TearBytes(const Node& node, Random& random, std::string& bytes) {
  Replay(
      node.changes, random, [&](const Node::Change& change) { Apply(bytes, change); },
      [&](const Node::Change& change) { ApplyTorn(bytes, change, random); });
}

void TearNames(const Node& node, Random& random, std::map<std::string, NodePtr>& names) {
  Replay(
      node.name_changes, random, [&](const Node::NameChange& change) { Apply(names, change); },
      [&](const Node::NameChange& change) {
        if (random() % 2 == 0) Apply(names, change);
      });
}

// Copies what survives.
class Survivors {
 public:
  Survivors(Survival survival, std::uint64_t seed)
      : survival_(survival), random_(static_cast<Random::result_type>(seed * 2 + 1)) {}

  NodePtr Take(const NodePtr& node) {
    auto& copy = copies_[node.get()];
    if (copy) return copy;
    copy = std::make_shared<Node>();
    const NodePtr taken = copy;
    taken->state = node->state;
    taken->durable_bytes = survival_ == Survival::kAll ? node->bytes : node->durable_bytes;
    auto names = survival_ == Survival::kAll ? node->names : node->durable_names;
    if (survival_ == Survival::kTorn) {
      if (!node->changes.empty()) TearBytes(*node, random_, taken->durable_bytes.Own());
      TearNames(*node, random_, names);
    }
    taken->bytes = taken->durable_bytes;
    taken->state.names = 0;
    for (const auto& [name, child] : names) {
      const NodePtr found = Take(child);
      ++found->state.names;
      taken->names[name] = found;
    }
    taken->durable_names = taken->names;
    return taken;
  }

 private:
  const Survival survival_;
  Random random_;
  std::unordered_map<const Node*, NodePtr> copies_;
};

}  // namespace

class SimulatedLock final : public FileLock {
 public:
  SimulatedLock(SimulatedDisk& disk, NodePtr node, std::list<Node::Held>::iterator held)
      : disk_(disk), node_(std::move(node)), held_(held) {}
  ~SimulatedLock() override {
    const std::lock_guard lock(disk_.mutex_);
    node_->locks.erase(held_);
  }
  SimulatedLock(const SimulatedLock&) = delete;
  SimulatedLock& operator=(const SimulatedLock&) = delete;

  Status Convert(LockKind kind) override {
    const std::lock_guard lock(disk_.mutex_);
    Node::Held wanted = *held_;
    wanted.kind = kind;
    if (!IsFree(*node_, wanted))
      return Error{ErrorKind::kUnavailable, "cannot lock: others hold it"};
    held_->kind = kind;
    return Done{};
  }

  static bool IsFree(const Node& node, const Node::Held& wanted) {
    return std::ranges::none_of(node.locks, [&](const Node::Held& held) {
      return held.file != wanted.file && held.begin < wanted.end && wanted.begin < held.end &&
             (held.kind == LockKind::kExclusive || wanted.kind == LockKind::kExclusive);
    });
  }

 private:
  SimulatedDisk& disk_;
  const NodePtr node_;
  const std::list<Node::Held>::iterator held_;
};

class SimulatedFile final : public File {
 public:
  SimulatedFile(SimulatedDisk& disk, NodePtr node, std::string path)
      : disk_(disk), node_(std::move(node)), path_(std::move(path)) {}

  Result<std::size_t> ReadAt(std::uint64_t offset, MutableByteSpan buffer) override {
    const std::lock_guard lock(disk_.mutex_);
    PLUMB_RETURN_IF_ERROR(disk_.CountRead(path_));
    const std::size_t begin = std::min<std::uint64_t>(offset, node_->bytes->size());
    const ByteSpan found = AsBytes(*node_->bytes).subspan(begin);
    const std::size_t size = std::min(buffer.size(), found.size());
    std::copy_n(found.begin(), size, buffer.begin());
    return size;
  }

  Status WriteAt(std::uint64_t offset, ByteSpan bytes) override {
    if (bytes.empty()) return Done{};
    const std::lock_guard lock(disk_.mutex_);
    // A full disk has room for what takes the place of something.
    const bool grows = offset + bytes.size() > node_->bytes->size();
    const auto verdict =
        disk_.Count(grows ? SimulatedDisk::Call::kGrow : SimulatedDisk::Call::kShrink, path_);
    if (verdict.outcome == SimulatedDisk::Outcome::kPartly) bytes = bytes.first(bytes.size() / 2);
    const std::size_t room = disk_.RoomFor(*node_, offset, bytes.size());
    const bool has_room = room == bytes.size();
    bytes = bytes.first(room);
    if (verdict.outcome != SimulatedDisk::Outcome::kNot && !bytes.empty())
      Change({offset, std::string(AsText(bytes))});
    if (verdict.status && !has_room) return Full(path_);
    return verdict.status;
  }

  Status Truncate(std::uint64_t size) override {
    const std::lock_guard lock(disk_.mutex_);
    const bool grows = size > node_->bytes->size();
    const auto verdict =
        disk_.Count(grows ? SimulatedDisk::Call::kGrow : SimulatedDisk::Call::kShrink, path_);
    const std::uint64_t old_size = node_->bytes->size();
    if (grows && disk_.RoomFor(*node_, old_size, size - old_size) < size - old_size)
      return Full(path_);
    if (verdict.outcome == SimulatedDisk::Outcome::kWhole) Change({size, {}});
    return verdict.status;
  }

  void WillSync() override {}

  Status Sync() override {
    const std::lock_guard lock(disk_.mutex_);
    if (std::ranges::any_of(disk_.forgotten_,
                            [&](const std::string& end) { return path_.ends_with(end); }))
      return Done{};
    const auto verdict = disk_.Count(SimulatedDisk::Call::kSync, path_);
    if (verdict.outcome == SimulatedDisk::Outcome::kWhole) {
      for (const Node::Change& change : node_->changes)
        Apply(node_->durable_bytes.Own(), change);
    }
    if (verdict.outcome == SimulatedDisk::Outcome::kPartly) {
      Random random(static_cast<Random::result_type>(disk_.now_ns_ % 1'000'003));
      TearBytes(*node_, random, node_->durable_bytes.Own());
    }
    if (verdict.outcome != SimulatedDisk::Outcome::kNot) node_->changes.clear();
    return verdict.status;
  }

  Result<FileState> State() override {
    const std::lock_guard lock(disk_.mutex_);
    PLUMB_RETURN_IF_ERROR(disk_.CountRead(path_));
    FileState state = node_->state;
    state.size = node_->bytes->size();
    return state;
  }

  // Held in memory: given also when the power is gone, so that nobody waits for it.
  Result<std::unique_ptr<FileLock>> Lock(LockKind kind, std::uint64_t timeout_ms,
                                         LockRange range) override {
    const std::uint64_t end =
        range.size == 0 ? std::numeric_limits<std::uint64_t>::max() : range.offset + range.size;
    const Node::Held wanted = {this, range.offset, end, kind};
    for (std::uint64_t waited_ms = 0;; ++waited_ms) {
      {
        const std::lock_guard lock(disk_.mutex_);
        if (SimulatedLock::IsFree(*node_, wanted)) {
          node_->locks.push_back(wanted);
          return std::unique_ptr<FileLock>(
              std::make_unique<SimulatedLock>(disk_, node_, std::prev(node_->locks.end())));
        }
      }
      if (waited_ms >= timeout_ms)
        return Error{ErrorKind::kUnavailable, "cannot lock '" + path_ + "': others hold it"};
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

 private:
  void Change(Node::Change change) {
    Apply(node_->bytes.Own(), change);
    node_->changes.push_back(std::move(change));
    node_->state.modified_ns = disk_.now_ns_;
    node_->state.changed_ns = disk_.now_ns_;
  }

  SimulatedDisk& disk_;
  const NodePtr node_;
  const std::string path_;
};

class SimulatedDirectory final : public Directory {
 public:
  SimulatedDirectory(SimulatedDisk& disk, NodePtr node) : disk_(disk), node_(std::move(node)) {}

  Result<std::unique_ptr<File>> Open(std::string_view path, OpenHow how,
                                     std::uint32_t mode) override {
    const std::lock_guard lock(disk_.mutex_);
    PLUMB_RETURN_IF_ERROR(disk_.CountRead(path));
    auto found = disk_.Find(node_, path);
    const bool creates = how == OpenHow::kCreate || how == OpenHow::kCreateNew;
    if (found && how == OpenHow::kCreateNew) return Conflict(path);
    if (!found && creates && found.error().kind == ErrorKind::kNotFound) {
      PLUMB_TRY(const auto place, disk_.FindPlace(node_, path));
      found = disk_.Make(place.first, place.second, FileType::kRegular, mode == 0 ? 0644 : mode);
    }
    if (!found) return std::move(found).error();
    if ((*found)->state.type != FileType::kRegular)
      return Error{ErrorKind::kDenied, "'" + std::string(path) + "' is not a regular file"};
    return std::unique_ptr<File>(std::make_unique<SimulatedFile>(disk_, *found, std::string(path)));
  }

  Result<FileState> State(std::string_view path) override {
    const std::lock_guard lock(disk_.mutex_);
    PLUMB_RETURN_IF_ERROR(disk_.CountRead(path));
    PLUMB_TRY(const NodePtr node, disk_.Find(node_, path));
    FileState state = node->state;
    state.size = node->bytes->size();
    return state;
  }

  Result<std::vector<DirectoryEntry>> List(std::string_view path) override {
    const std::lock_guard lock(disk_.mutex_);
    PLUMB_RETURN_IF_ERROR(disk_.CountRead(path));
    PLUMB_TRY(const NodePtr node, disk_.Find(node_, path));
    std::vector<DirectoryEntry> entries;
    for (const auto& [name, child] : node->names)
      entries.push_back({name, child->state.type});
    return entries;
  }

  Status MakeDirectory(std::string_view path, std::uint32_t mode) override {
    const std::lock_guard lock(disk_.mutex_);
    PLUMB_RETURN_IF_ERROR(disk_.CheckPower());
    PLUMB_TRY(const auto place, disk_.FindPlace(node_, path));
    if (place.first->names.contains(place.second)) return Conflict(path);
    PLUMB_TRY([[maybe_unused]] const NodePtr made,
              disk_.Make(place.first, place.second, FileType::kDirectory, mode == 0 ? 0755 : mode));
    return Done{};
  }

  Status Rename(std::string_view source, std::string_view target, Overwrite overwrite) override {
    const std::lock_guard lock(disk_.mutex_);
    PLUMB_RETURN_IF_ERROR(disk_.CheckPower());
    PLUMB_TRY(const auto from, disk_.FindPlace(node_, source));
    PLUMB_TRY(const auto to, disk_.FindPlace(node_, target));
    const auto moved = from.first->names.find(from.second);
    if (moved == from.first->names.end()) return NotFound(source);
    const auto there = to.first->names.find(to.second);
    if (there != to.first->names.end() &&
        (overwrite == Overwrite::kNo || there->second->state.type == FileType::kDirectory))
      return Conflict(target);
    const auto verdict = disk_.Count(SimulatedDisk::Call::kGrow, target);
    if (verdict.outcome != SimulatedDisk::Outcome::kWhole) return verdict.status;
    const NodePtr node = moved->second;
    if (from.first == to.first) {
      ChangeNames(*from.first, {from.second, to.second, node});
    } else {
      ChangeNames(*to.first, {{}, to.second, node});
      ChangeNames(*from.first, {from.second, {}, nullptr});
    }
    return verdict.status;
  }

  Status Remove(std::string_view path) override {
    const std::lock_guard lock(disk_.mutex_);
    PLUMB_RETURN_IF_ERROR(disk_.CheckPower());
    PLUMB_TRY(const auto place, disk_.FindPlace(node_, path));
    const auto found = place.first->names.find(place.second);
    if (found == place.first->names.end()) return NotFound(path);
    if (!found->second->names.empty()) return Conflict(path);
    const auto verdict = disk_.Count(SimulatedDisk::Call::kShrink, path);
    if (verdict.outcome == SimulatedDisk::Outcome::kWhole) {
      --found->second->state.names;
      ChangeNames(*place.first, {place.second, {}, nullptr});
    }
    return verdict.status;
  }

  Status Sync(std::string_view path) override {
    const std::lock_guard lock(disk_.mutex_);
    PLUMB_TRY(const NodePtr node, disk_.Find(node_, path));
    return disk_.SyncNames(*node, path);
  }

 private:
  static void ChangeNames(Node& directory, Node::NameChange change) {
    Apply(directory.names, change);
    directory.name_changes.push_back(std::move(change));
  }

  SimulatedDisk& disk_;
  const NodePtr node_;
};

SimulatedDisk::SimulatedDisk() : root_(NewNode(FileType::kDirectory, 0755)) {}
SimulatedDisk::~SimulatedDisk() = default;

Result<std::unique_ptr<Directory>> SimulatedDisk::OpenDirectory(const std::string& path,
                                                                IfMissing if_missing,
                                                                std::uint32_t mode) {
  const std::lock_guard lock(mutex_);
  PLUMB_RETURN_IF_ERROR(CountRead(path));
  NodePtr node = root_;
  for (const std::string_view part : Split(path, '/')) {
    if (part.empty() || part == ".") continue;
    auto found = Find(node, part);
    if (!found && if_missing == IfMissing::kCreate) {
      found = Make(node, std::string(part), FileType::kDirectory, mode == 0 ? 0755 : mode);
      if (found) PLUMB_RETURN_IF_ERROR(SyncNames(*node, path));
    }
    if (!found) return std::move(found).error();
    node = *found;
  }
  if (node->state.type != FileType::kDirectory) return NotFound(path);
  return std::unique_ptr<Directory>(std::make_unique<SimulatedDirectory>(*this, node));
}

Result<FileState> SimulatedDisk::State(const std::string& path) {
  const PathParts parts = SplitPath(path);
  PLUMB_TRY(const auto directory, OpenDirectory(parts.directory, IfMissing::kFail, 0));
  return directory->State(parts.name == "/" ? "" : parts.name);
}

Result<std::string> SimulatedDisk::Canonical(const std::string& path) {
  std::string canonical;
  for (const std::string_view part : Split(path, '/'))
    if (!part.empty() && part != ".") canonical += "/" + std::string(part);
  if (canonical.empty()) return std::string("/");
  PLUMB_RETURN_IF_ERROR(State(canonical));
  return canonical;
}

void SimulatedDisk::FailAt(std::int64_t call, Fault fault) {
  const std::lock_guard lock(mutex_);
  calls_left_ = call;
  fault_ = fault;
  is_armed_ = true;
  has_failed_ = false;
}

bool SimulatedDisk::HasFailed() const {
  const std::lock_guard lock(mutex_);
  return has_failed_;
}

void SimulatedDisk::LimitTo(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  size_max_ = bytes;
}

std::uint64_t SimulatedDisk::UsedBytes() const {
  const std::lock_guard lock(mutex_);
  return Used();
}

std::uint64_t SimulatedDisk::Used() const {
  std::set<const Node*> seen;
  std::vector<const Node*> left = {root_.get()};
  std::uint64_t blocks = 0;
  while (!left.empty()) {
    const Node* const node = left.back();
    left.pop_back();
    if (!seen.insert(node).second) continue;
    blocks += 1 + BlocksOf(node->bytes->size());
    for (const auto& [name, child] : node->names)
      left.push_back(child.get());
  }
  return blocks * kBlockSize;
}

std::size_t SimulatedDisk::RoomFor(const Node& file, std::uint64_t offset, std::size_t size) const {
  if (size_max_ == std::numeric_limits<std::uint64_t>::max()) return size;
  const std::uint64_t used = Used();
  const std::uint64_t free = (size_max_ - std::min(size_max_, used)) / kBlockSize;
  const std::uint64_t end_max = (BlocksOf(file.bytes->size()) + free) * kBlockSize;
  const std::uint64_t end = std::min<std::uint64_t>(offset + size, end_max);
  return static_cast<std::size_t>(end - std::min(end, offset));
}

void SimulatedDisk::Heal() {
  const std::lock_guard lock(mutex_);
  is_armed_ = false;
  is_full_ = false;
}

void SimulatedDisk::ShareNoBlocks() {
  const std::lock_guard lock(mutex_);
  shares_blocks_ = false;
}

void SimulatedDisk::Forget(std::string name_end) {
  const std::lock_guard lock(mutex_);
  forgotten_.push_back(std::move(name_end));
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::AfterPowerCut(Survival survival,
                                                            std::uint64_t seed) const {
  const std::lock_guard lock(mutex_);
  auto disk = std::make_unique<SimulatedDisk>();
  disk->root_ = Survivors(survival, seed).Take(root_);
  disk->last_number_ = last_number_;
  disk->now_ns_ = now_ns_;
  disk->forgotten_ = forgotten_;
  disk->shares_blocks_ = shares_blocks_;
  return disk;
}

ObjectId SimulatedDisk::Fingerprint() const {
  const std::lock_guard lock(mutex_);
  std::unordered_map<const Node*, std::size_t> seen;
  std::string text;
  const auto add = [&](const auto& self, const std::string& name, const Node& node) -> void {
    const auto [number, is_new] = seen.try_emplace(&node, seen.size());
    text += name + '/' + std::to_string(number->second) + ' ';
    if (!is_new) return;
    text += std::to_string(static_cast<int>(node.state.type)) + node.bytes.Hash().ToHex() +
            node.durable_bytes.Hash().ToHex() + ' ' + std::to_string(node.changes.size()) + ' ' +
            std::to_string(node.name_changes.size()) + '\n';
    for (const auto* const names : {&node.names, &node.durable_names}) {
      for (const auto& [child_name, child] : *names)
        self(self, child_name, *child);
      text += "..\n";
    }
  };
  add(add, "", *root_);
  return Blake3(AsBytes(text));
}

std::int64_t SimulatedDisk::now_ns() const {
  const std::lock_guard lock(mutex_);
  return now_ns_;
}

SimulatedDisk::Verdict SimulatedDisk::Count(Call call, std::string_view path) {
  if (Status power = CheckPower(); !power) return {Outcome::kNot, std::move(power)};
  now_ns_ += 1'000;
  const bool is_chosen = is_armed_ && fault_ != Fault::kNotRead && calls_left_-- == 0;
  if (is_chosen) {
    is_armed_ = false;
    has_failed_ = true;
    is_full_ = fault_ == Fault::kFull;
  }
  if (is_chosen && fault_ == Fault::kPowerCut) {
    is_off_ = true;
    return {Outcome::kWhole, CheckPower()};
  }
  if (is_chosen && fault_ == Fault::kIoError) {
    return {Outcome::kPartly, Error{ErrorKind::kUnavailable,
                                    "'" + std::string(path) + "': input/output error (simulated)"}};
  }
  // A full disk still takes what is there away. Room for what was written may turn out to be
  // missing when it is synced, but only once.
  if (is_chosen ? call != Call::kShrink : is_full_ && call == Call::kGrow) {
    return {Outcome::kPartly, Full(path)};
  }
  return {};
}

Status SimulatedDisk::CountRead(std::string_view path) {
  PLUMB_RETURN_IF_ERROR(CheckPower());
  if (!is_armed_ || fault_ != Fault::kNotRead || calls_left_-- != 0) return Done{};
  is_armed_ = false;
  has_failed_ = true;
  return Error{ErrorKind::kUnavailable,
               "'" + std::string(path) + "': input/output error (simulated)"};
}

Status SimulatedDisk::CheckPower() const {
  if (!is_off_) return Done{};
  return Error{ErrorKind::kUnavailable, "the power is gone (simulated)"};
}

Result<NodePtr> SimulatedDisk::Find(const NodePtr& start, std::string_view path) const {
  NodePtr node = start;
  if (path.empty()) return node;
  for (const std::string_view part : Split(path, '/')) {
    if (part.empty() || part == "." || part == "..")
      return Error{ErrorKind::kInvalid, "'" + std::string(path) + "' is no path"};
    const auto found = node->names.find(std::string(part));
    if (found == node->names.end()) return NotFound(path);
    node = found->second;
  }
  return node;
}

Result<std::pair<NodePtr, std::string>> SimulatedDisk::FindPlace(const NodePtr& start,
                                                                 std::string_view path) const {
  const std::size_t slash = path.rfind('/');
  const bool is_deep = slash != std::string_view::npos;
  PLUMB_TRY(NodePtr directory, Find(start, is_deep ? path.substr(0, slash) : std::string_view()));
  if (directory->state.type != FileType::kDirectory) return NotFound(path);
  return std::pair(std::move(directory), std::string(is_deep ? path.substr(slash + 1) : path));
}

Result<NodePtr> SimulatedDisk::Make(const NodePtr& directory, const std::string& name,
                                    FileType type, std::uint32_t mode) {
  const Verdict verdict = Count(Call::kGrow, name);
  if (verdict.outcome != Outcome::kWhole) return verdict.status.error();
  if (verdict.status && Used() > size_max_ - std::min(size_max_, kBlockSize)) return Full(name);
  NodePtr node = NewNode(type, mode);
  directory->names[name] = node;
  directory->name_changes.push_back({{}, name, node});
  if (!verdict.status) return verdict.status.error();
  return node;
}

Status SimulatedDisk::SyncNames(Node& directory, std::string_view path) {
  const Verdict verdict = Count(Call::kSync, path);
  if (verdict.outcome == Outcome::kWhole) directory.durable_names = directory.names;
  if (verdict.outcome == Outcome::kPartly) {
    Random random(static_cast<Random::result_type>(now_ns_ % 1'000'003));
    TearNames(directory, random, directory.durable_names);
  }
  if (verdict.outcome != Outcome::kNot) directory.name_changes.clear();
  return verdict.status;
}

NodePtr SimulatedDisk::NewNode(FileType type, std::uint32_t mode) {
  auto node = std::make_shared<Node>();
  node->state.type = type;
  node->state.mode = mode;
  node->state.device = 1;
  node->state.inode = ++last_number_;
  node->state.modified_ns = now_ns_;
  node->state.changed_ns = now_ns_;
  return node;
}

Status SimulatedLinks::HardLink(const std::string& source, const std::string& target) {
  const std::lock_guard lock(disk_.mutex_);
  PLUMB_TRY(const NodePtr node, disk_.Find(disk_.root_, std::string_view(source).substr(1)));
  PLUMB_TRY(const auto place, disk_.FindPlace(disk_.root_, std::string_view(target).substr(1)));
  if (place.first->names.contains(place.second)) return Conflict(target);
  const auto verdict = disk_.Count(SimulatedDisk::Call::kGrow, target);
  if (verdict.outcome != SimulatedDisk::Outcome::kWhole) return verdict.status;
  ++node->state.names;
  place.first->names[place.second] = node;
  place.first->name_changes.push_back({{}, place.second, node});
  return verdict.status;
}

// A new file, and then at once all that is in the other.
Status SimulatedLinks::Reflink(const std::string& source, const std::string& target) {
  const std::lock_guard lock(disk_.mutex_);
  if (!disk_.shares_blocks_)
    return Error{ErrorKind::kUnsupported, "'" + source + "': blocks are not shared (simulated)"};
  PLUMB_TRY(const NodePtr node, disk_.Find(disk_.root_, std::string_view(source).substr(1)));
  PLUMB_TRY(const auto place, disk_.FindPlace(disk_.root_, std::string_view(target).substr(1)));
  if (place.first->names.contains(place.second)) return Conflict(target);
  PLUMB_TRY(const NodePtr copy, disk_.Make(place.first, place.second, FileType::kRegular, 0600));
  const auto verdict = disk_.Count(SimulatedDisk::Call::kGrow, target);
  if (verdict.outcome == SimulatedDisk::Outcome::kWhole) {
    copy->bytes = node->bytes;
    copy->changes.push_back({0, *node->bytes});
    return verdict.status;
  }
  place.first->names.erase(place.second);
  place.first->name_changes.push_back({place.second, {}, nullptr});
  return verdict.status;
}

}  // namespace plumb::host
