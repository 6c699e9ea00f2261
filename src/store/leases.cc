// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "store/leases_internal.h"

namespace plumb::store {
namespace {

constexpr std::size_t kEpochTextMax = 24;  // 20 digits and a line end
constexpr int kTriesMax = 8;
// A gc that tries a lease holds its lock for the time of one Remove.
constexpr std::uint64_t kLockTimeoutMs = 10'000;

// What cannot be read is older than everything: a lease is written after it is locked.
Epoch ReadEpochOf(host::File& file) {
  std::array<std::byte, kEpochTextMax> bytes = {};
  const auto size = file.ReadAt(0, bytes);
  if (!size) return 0;
  const std::string_view text = AsText(ByteSpan(bytes).first(*size));
  if (!text.ends_with('\n')) return 0;
  return ParseUint64(text.substr(0, text.size() - 1)).value_or(0);
}

}  // namespace

Result<std::unique_ptr<Lease>> Leases::Take() {
  for (int i = 0; i < kTriesMax; ++i) {
    PLUMB_TRY(auto lease, TryTake());
    if (lease) return lease;
  }
  return Error{ErrorKind::kUnavailable, "others take away what is put into 'leases'"};
}

// Nothing if a gc took it for one that was left behind, before it was locked.
Result<std::unique_ptr<Lease>> Leases::TryTake() {
  std::array<std::byte, 16> random = {};
  entropy_.Fill(random);
  const std::string name = EncodeHex(random);
  PLUMB_TRY(const auto file, directory_.Open(name, host::OpenHow::kCreateNew, 0600));
  auto lease = std::unique_ptr<Lease>();
  {
    auto lock = file->Lock(host::LockKind::kExclusive, kLockTimeoutMs);
    if (!lock) {
      [[maybe_unused]] const Status removed = directory_.Remove(name);
      return std::move(lock).error();
    }
    lease = std::make_unique<Lease>(directory_, name, *std::move(lock));
  }
  const auto state = directory_.State(name);
  if (!state && state.error().kind == ErrorKind::kNotFound) return std::unique_ptr<Lease>();
  if (!state) return state.error();
  // Read only now, so that whoever marked before this moment is seen, and whoever marks after it
  // sees the lease.
  PLUMB_TRY(const Epoch epoch, catalog_.CurrentEpoch());
  PLUMB_RETURN_IF_ERROR(file->WriteAt(0, AsBytes(std::to_string(epoch) + "\n")));
  return lease;
}

Result<std::optional<Epoch>> OldestLease(host::Directory& directory) {
  PLUMB_TRY(const auto entries, directory.List(""));
  std::optional<Epoch> oldest;
  for (const host::DirectoryEntry& entry : entries) {
    auto opened = directory.Open(entry.name, host::OpenHow::kReadWrite);
    if (!opened && opened.error().kind == ErrorKind::kNotFound) continue;  // just ended
    PLUMB_TRY(const auto file, std::move(opened));
    if (const auto lock = file->Lock(host::LockKind::kExclusive, 0)) {
      const Status removed = directory.Remove(entry.name);
      if (!removed && removed.error().kind != ErrorKind::kNotFound) return removed.error();
      continue;
    }
    oldest = std::min(oldest.value_or(~Epoch{0}), ReadEpochOf(*file));
  }
  return oldest;
}

}  // namespace plumb::store
