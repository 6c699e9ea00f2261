// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "store/reserve_internal.h"

namespace plumb::store {
namespace {

constexpr std::string_view kReserveFile = "reserve";
constexpr std::uint64_t kStep = std::uint64_t{256} << 10;
constexpr std::uint64_t kPieceSize = std::uint64_t{64} << 10;
constexpr std::uint64_t kReserveMin = 2 * kStep;

// A journal may become as long as the catalog, and somewhat longer.
std::uint64_t WantedFor(std::uint64_t catalog_size) {
  return std::max(kReserveMin, (catalog_size + kStep - 1) / kStep * kStep + kStep);
}

}  // namespace

void Reserve::Fill() {
  const auto catalog = directory_.State("catalog.sqlite");
  const std::uint64_t wanted = WantedFor(catalog ? catalog->size : 0);
  const auto state = directory_.State(kReserveFile);
  if (!state && state.error().kind != ErrorKind::kNotFound) return;
  const std::uint64_t size = state ? state->size : 0;
  if (size >= wanted) return;
  const auto file = directory_.Open(kReserveFile, host::OpenHow::kCreate, 0600);
  if (!file) return;
  // Best effort: less is better than nothing.
  [[maybe_unused]] const Status lengthened = Lengthen(**file, size, wanted);
}

// Synced, so that the room is known to be there; else a disk may find only later that it is full.
Status Reserve::Lengthen(host::File& file, std::uint64_t size, std::uint64_t wanted) {
  std::vector<std::byte> noise(kPieceSize);
  while (size < wanted) {
    const auto part =
        MutableByteSpan(noise).first(static_cast<std::size_t>(std::min(kPieceSize, wanted - size)));
    entropy_.Fill(part);
    PLUMB_RETURN_IF_ERROR(file.WriteAt(size, part));
    size += part.size();
  }
  PLUMB_RETURN_IF_ERROR(file.Sync());
  return directory_.Sync("");
}

Result<bool> Reserve::GiveBack() {
  const Status removed = directory_.Remove(kReserveFile);
  if (removed) return true;
  if (removed.error().kind == ErrorKind::kNotFound) return false;
  return removed.error();
}

}  // namespace plumb::store
