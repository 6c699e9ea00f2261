// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <iterator>
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

// Does what the transactions did that these events were part of. The device is a domain like
// others, but that it takes a kit from all, and that any ref is one of its.
class Replayer {
 public:
  void Add(const HeldEvent& event) {
    const auto [kit, is_new] = kits_[event.digest].emplace(event.domain, event.time_ns);
    if (is_new || IsTagged(event)) return;
    if (kit->second < event.time_ns - kKitsRenewedAfterNs) kit->second = event.time_ns;
  }

  void Remove(const HeldEvent& event) {
    const auto kit = kits_.find(event.digest);
    if (kit == kits_.end()) return;
    kit->second.erase(event.domain);
    if (event.domain.IsDevice() || kit->second.empty()) kits_.erase(kit);
  }

  void Move(MoveEvent event) {
    const auto ref = refs_.find(event.name);
    std::optional<Digest> previous;
    if (ref != refs_.end()) previous = ref->second.manifest;
    if (previous == event.manifest) return;
    if (previous) uses_[*previous].erase(event.name);
    if (event.manifest) {
      uses_[*event.manifest].insert(event.name);
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
      auto& holders = kits_[target.manifest];
      const bool is_held = std::ranges::any_of(
          holders, [&](const auto& holder) { return holder.first.name() == name.repository; });
      if (!is_held) holders.emplace(Domain::Device(), target.time_ns);
    }
    for (const auto& [manifest, holders] : kits_)
      AddKit(manifest, holders, history);
    history.moves = std::move(moves_);
    return history;
  }

 private:
  struct Target {
    Digest manifest;
    std::int64_t time_ns = 0;
  };
  using Holders = std::map<Domain, std::int64_t>;  // and since when

  bool IsTagged(const HeldEvent& event) const {
    const auto uses = uses_.find(event.digest);
    return uses != uses_.end() && std::ranges::any_of(uses->second, [&](const RefName& name) {
             return event.domain.IsDevice() || name.repository == event.domain.name();
           });
  }

  static void AddKit(const Digest& manifest, const Holders& holders, History& history) {
    std::int64_t first_ns = std::numeric_limits<std::int64_t>::max();
    const bool is_devices = holders.size() == 1 && holders.begin()->first.IsDevice();
    for (const auto& [domain, time_ns] : holders) {
      first_ns = std::min(first_ns, time_ns);
      if (!is_devices) history.held.push_back({domain, {manifest, time_ns}});
    }
    history.kits.push_back({manifest, first_ns});
  }

  std::map<Digest, Holders> kits_;
  std::map<RefName, Target> refs_;
  std::map<Digest, std::set<RefName>> uses_;
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

std::string ToRecord(const HeldEvent& event) {
  std::string record(1, static_cast<char>(event.action));
  record.append(AsText(event.digest.bytes));
  AppendU64(record, static_cast<std::uint64_t>(event.time_ns));
  AppendText(record, event.domain.name());
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

std::optional<HeldEvent> ParseHeldRecord(ByteSpan record) {
  ByteReader reader(record);
  const auto action = reader.U8();
  const auto digest = TakeDigest(reader);
  const auto time = TakeTime(reader);
  const auto name = TakeText(reader);
  const auto domain = Domain::Parse(name.value_or(""));
  const bool is_known = action && *action >= static_cast<std::uint8_t>(HeldAction::kBlob) &&
                        *action <= static_cast<std::uint8_t>(HeldAction::kKitRemoved);
  if (!is_known || !digest || !time || !domain || !reader.rest().empty()) return std::nullopt;
  const auto held = static_cast<HeldAction>(*action);
  if (held == HeldAction::kBlob && *time != 0) return std::nullopt;
  return HeldEvent{held, *digest, *time, *domain};
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

History Replay(const std::vector<KitEvent>& kits, std::vector<MoveEvent> moves,
               std::vector<HeldEvent> held) {
  std::vector<HeldEvent> all;
  all.reserve(kits.size() + held.size());
  for (const KitEvent& kit : kits)
    all.push_back(
        {kit.action == KitAction::kAdded ? HeldAction::kKitAdded : HeldAction::kKitRemoved,
         kit.manifest, kit.time_ns, Domain::Device()});
  std::ranges::move(held, std::back_inserter(all));
  std::vector<Step> steps;
  steps.reserve(all.size() + moves.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].action == HeldAction::kBlob) continue;
    const bool is_added = all[i].action == HeldAction::kKitAdded;
    steps.push_back({all[i].time_ns, is_added ? Turn::kAdded : Turn::kRemoved, i});
  }
  for (std::size_t i = 0; i < moves.size(); ++i)
    steps.push_back({moves[i].time_ns, Turn::kMoved, i});
  std::ranges::sort(steps);
  Replayer replayer;
  for (const Step& step : steps) {
    switch (step.turn) {
      case Turn::kAdded:
        replayer.Add(all[step.index]);
        break;
      case Turn::kMoved:
        replayer.Move(std::move(moves[step.index]));
        break;
      case Turn::kRemoved:
        replayer.Remove(all[step.index]);
        break;
    }
  }
  return std::move(replayer).Finish();
}

}  // namespace plumb::store
