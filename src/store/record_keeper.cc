// SPDX-License-Identifier: MIT OR Apache-2.0
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/frame_internal.h"
#include "store/inventory_internal.h"
#include "store/record_keeper_internal.h"
#include "store/records_internal.h"

namespace plumb::store {
namespace {

struct Record {
  FrameType type = FrameType::kKit;
  std::string bytes;
};
using Records = std::unordered_map<ObjectId, Record, HashOfHash>;

void Add(Records& records, FrameType type, std::string bytes) {
  const ObjectId id = Blake3(AsBytes(bytes));
  records.emplace(id, Record{type, std::move(bytes)});
}

void AddKit(Records& records, const Kit& kit) {
  const KitEvent event = {KitAction::kAdded, kit.manifest, kit.added_ns};
  Add(records, FrameType::kKit, ToRecord(event));
}

// Takes out what a pack has. One that cannot be read has nothing.
Status TakeOut(Records& records, PackStore& packs, const PackName& name) {
  const auto pack = packs.Open(name);
  if (!pack && pack.error().kind == ErrorKind::kNotFound) return Done{};
  if (!pack) return pack.error();
  if ((*pack)->kind() == PackKind::kAdopted) return Done{};
  const auto index = ReadPackIndex(**pack, name);
  if (!index && index.error().kind == ErrorKind::kCorrupt) return Done{};
  if (!index) return index.error();
  std::vector<std::byte> bytes;
  for (const PackFrame& frame : index->frames) {
    const bool is_record = frame.type == FrameType::kKit || frame.type == FrameType::kRefMove ||
                           frame.type == FrameType::kHeld;
    if (!is_record || frame.stored_size > kRecordSizeMax || !records.contains(frame.id)) continue;
    const auto content = ReadFrame(**pack, frame, bytes);
    if (!content && content.error().kind != ErrorKind::kCorrupt) return content.error();
    if (content) records.erase(frame.id);
  }
  return Done{};
}

}  // namespace

Status KeepRecords(const StoreParts& parts) {
  Records lost;
  std::vector<PackName> packs;
  std::set<Digest> held;  // kits that named domains have
  std::vector<Kit> kits;
  CatalogVisitor visitor;
  visitor.on_kit = [&](const KitState& state) -> Status {
    if (state.unneeded_since == 0) kits.push_back(state.kit);
    return Done{};
  };
  visitor.on_holding = [&](const Holding& holding) -> Status {
    const auto& [domain, kind, name] = holding.key;
    if (kind == HoldingKind::kKit) held.insert(Digest{name});
    if (domain.IsDevice()) AddKit(lost, {Digest{name}, holding.added_ns});
    if (domain.IsDevice() || kind == HoldingKind::kObject || holding.unneeded_since != 0)
      return Done{};
    const HeldAction action =
        kind == HoldingKind::kBlob ? HeldAction::kBlob : HeldAction::kKitAdded;
    Add(lost, FrameType::kHeld,
        ToRecord(HeldEvent{action, Digest{name}, holding.added_ns, domain}));
    return Done{};
  };
  visitor.on_move_row = [&](const MoveRow& move) -> Status {
    const MoveEvent event = {move.name, move.manifest, move.message, move.moved_ns};
    Add(lost, FrameType::kRefMove, ToRecord(event));
    return Done{};
  };
  visitor.on_pack = [&](const PackRecord& pack) -> Status {
    if (pack.unneeded_since == 0) packs.push_back(pack.name);
    return Done{};
  };
  PLUMB_RETURN_IF_ERROR(parts.catalog->Visit(visitor));
  // Those that only the device has.
  for (const Kit& kit : kits)
    if (!held.contains(kit.manifest)) AddKit(lost, kit);
  for (const PackName& pack : packs)
    PLUMB_RETURN_IF_ERROR(TakeOut(lost, *parts.packs, pack));
  if (lost.empty()) return Done{};
  // As a session does it: durable first, then named.
  PLUMB_TRY(auto pack, parts.packs->Create());
  FrameWriter writer(std::move(pack));
  for (const auto& [id, record] : lost)
    PLUMB_RETURN_IF_ERROR(writer.AppendRecord(record.type, record.bytes));
  PLUMB_RETURN_IF_ERROR(writer.Finish());
  UpkeepChange change;
  change.new_packs.push_back(writer.name());
  return Status(parts.catalog->Apply(change).transform([](const auto&) { return Done{}; }));
}

}  // namespace plumb::store
