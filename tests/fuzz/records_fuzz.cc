// SPDX-License-Identifier: MIT OR Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "store/records_internal.h"

// Records of kits and of moves of refs, of any bytes: what is taken for one is written as it was
// read, and can be replayed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb::store;
  const plumb::ByteSpan bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto kit = ParseKitRecord(bytes);
  PLUMB_CHECK(!kit || ToRecord(*kit) == plumb::AsText(bytes));
  const auto move = ParseMoveRecord(bytes);
  PLUMB_CHECK(!move || ToRecord(*move) == plumb::AsText(bytes));
  const auto held = ParseHeldRecord(bytes);
  PLUMB_CHECK(!held || ToRecord(*held) == plumb::AsText(bytes));
  std::vector<KitEvent> kits;
  std::vector<MoveEvent> moves;
  if (kit) kits = {*kit, *kit};
  if (move) moves = {*move, *move};
  std::vector<HeldEvent> all_held;
  if (held) all_held = {*held, *held};
  const History history = Replay(std::move(kits), std::move(moves), std::move(all_held));
  PLUMB_CHECK(history.refs.size() <= history.kits.size());
  return 0;
}
