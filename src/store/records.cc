// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "store/catalog.h"
#include "store/records_internal.h"

namespace plumb::store {
namespace {

void AppendText(std::string& record, std::string_view text) {
  AppendVarint(record, text.size());
  record.append(text);
}

std::optional<std::string> TakeText(ByteReader& reader) {
  const auto size = reader.Varint();
  const auto bytes = size ? reader.Bytes(*size) : std::nullopt;
  if (!bytes) return std::nullopt;
  return std::string(AsText(*bytes));
}

std::optional<Digest> TakeDigest(ByteReader& reader) {
  Digest digest;
  const auto bytes = reader.Bytes(digest.bytes.size());
  if (!bytes) return std::nullopt;
  std::ranges::copy(*bytes, digest.bytes.begin());
  return digest;
}

std::optional<std::int64_t> TakeTime(ByteReader& reader) {
  const auto time = reader.U64();
  if (!time || *time > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return std::nullopt;
  return static_cast<std::int64_t>(*time);
}

// Does what the transactions did that these events were part of.
class Replayer {
 public:
  void Add(const Digest& manifest, std::int64_t time_ns) {
    const auto [kit, is_new] = kits_.emplace(manifest, time_ns);
    if (is_new || uses_.contains(manifest)) return;
    if (kit->second < time_ns - kKitsRenewedAfterNs) kit->second = time_ns;
  }

  void Remove(const Digest& manifest) { kits_.erase(manifest); }

  void Move(MoveEvent event) {
    const auto ref = refs_.find(event.name);
    std::optional<Digest> previous;
    if (ref != refs_.end()) previous = ref->second.manifest;
    if (previous == event.manifest) return;
    if (previous && --uses_[*previous] == 0) uses_.erase(*previous);
    if (event.manifest) {
      ++uses_[*event.manifest];
      refs_[event.name] = {*event.manifest, event.time_ns};
    } else {
      refs_.erase(ref);
    }
    moves_.push_back(
        {std::move(event.name), previous, event.manifest, std::move(event.message), event.time_ns});
  }

  History Finish() && {
    History history;
    for (const auto& [name, target] : refs_) {
      history.refs.push_back({name, target.manifest});
      kits_.emplace(target.manifest, target.time_ns);
    }
    for (const auto& [manifest, added_ns] : kits_)
      history.kits.push_back({manifest, added_ns});
    history.moves = std::move(moves_);
    return history;
  }

 private:
  struct Target {
    Digest manifest;
    std::int64_t time_ns = 0;
  };

  std::map<Digest, std::int64_t> kits_;  // and since when
  std::map<RefName, Target> refs_;
  std::map<Digest, std::uint64_t> uses_;  // how many refs point there
  std::vector<MoveRow> moves_;
};

// Of events of one time.
enum class Turn : std::uint8_t { kAdded, kMoved, kRemoved };

struct Step {
  std::int64_t time_ns;
  Turn turn;
  std::size_t index;  // among the kits, or the moves: the order of the packs

  friend auto operator<=>(const Step&, const Step&) = default;
};

}  // namespace

std::string ToRecord(const KitEvent& event) {
  std::string record(1, static_cast<char>(event.action));
  record.append(AsText(event.manifest.bytes));
  AppendU64(record, static_cast<std::uint64_t>(event.time_ns));
  return record;
}

std::string ToRecord(const MoveEvent& event) {
  std::string record;
  AppendU64(record, static_cast<std::uint64_t>(event.time_ns));
  AppendText(record, event.name.repository);
  AppendText(record, event.name.tag);
  record.push_back(event.manifest ? '\1' : '\0');
  if (event.manifest) record.append(AsText(event.manifest->bytes));
  AppendText(record, event.message);
  return record;
}

std::optional<KitEvent> ParseKitRecord(ByteSpan record) {
  ByteReader reader(record);
  const auto action = reader.U8();
  const auto manifest = TakeDigest(reader);
  const auto time = TakeTime(reader);
  const bool is_known = action == static_cast<std::uint8_t>(KitAction::kAdded) ||
                        action == static_cast<std::uint8_t>(KitAction::kRemoved);
  if (!is_known || !manifest || !time || !reader.rest().empty()) return std::nullopt;
  return KitEvent{static_cast<KitAction>(*action), *manifest, *time};
}

std::optional<MoveEvent> ParseMoveRecord(ByteSpan record) {
  ByteReader reader(record);
  const auto time = TakeTime(reader);
  auto repository = TakeText(reader);
  auto tag = TakeText(reader);
  const auto has_manifest = reader.U8();
  if (!time || !repository || !tag || !has_manifest || *has_manifest > 1) return std::nullopt;
  MoveEvent event = {{*std::move(repository), *std::move(tag)}, std::nullopt, {}, *time};
  if (*has_manifest == 1) {
    event.manifest = TakeDigest(reader);
    if (!event.manifest) return std::nullopt;
  }
  auto message = TakeText(reader);
  if (!message || !reader.rest().empty()) return std::nullopt;
  event.message = *std::move(message);
  return event;
}

History Replay(std::vector<KitEvent> kits, std::vector<MoveEvent> moves) {
  std::vector<Step> steps;
  steps.reserve(kits.size() + moves.size());
  for (std::size_t i = 0; i < kits.size(); ++i) {
    const bool is_added = kits[i].action == KitAction::kAdded;
    steps.push_back({kits[i].time_ns, is_added ? Turn::kAdded : Turn::kRemoved, i});
  }
  for (std::size_t i = 0; i < moves.size(); ++i)
    steps.push_back({moves[i].time_ns, Turn::kMoved, i});
  std::ranges::sort(steps);
  Replayer replayer;
  for (const Step& step : steps) {
    switch (step.turn) {
      case Turn::kAdded:
        replayer.Add(kits[step.index].manifest, step.time_ns);
        break;
      case Turn::kMoved:
        replayer.Move(std::move(moves[step.index]));
        break;
      case Turn::kRemoved:
        replayer.Remove(kits[step.index].manifest);
        break;
    }
  }
  return std::move(replayer).Finish();
}

}  // namespace plumb::store
