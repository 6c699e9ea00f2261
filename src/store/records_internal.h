// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_RECORDS_INTERNAL_H_
#define PLUMB_STORE_RECORDS_INTERNAL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "store/catalog_upkeep.h"
#include "store/store.h"

// What packs say of kits and refs: docs/format.md, "Packs", and what that amounts to.
namespace plumb::store {

// Two names of at most a few hundred bytes, and a message.
inline constexpr std::uint64_t kRecordSizeMax = std::uint64_t{64} << 10;

enum class KitAction : std::uint8_t { kAdded = 1, kRemoved = 2 };

struct KitEvent {
  KitAction action = KitAction::kAdded;
  Digest manifest;
  std::int64_t time_ns = 0;

  friend bool operator==(const KitEvent&, const KitEvent&) = default;
};

struct MoveEvent {
  RefName name;
  std::optional<Digest> manifest;  // nothing: the ref went
  std::string message;
  std::int64_t time_ns = 0;

  friend bool operator==(const MoveEvent&, const MoveEvent&) = default;
};

// Of a named domain ("Domains").
enum class HeldAction : std::uint8_t { kBlob = 1, kKitAdded = 2, kKitRemoved = 3 };

struct HeldEvent {
  HeldAction action = HeldAction::kBlob;
  Digest digest;
  std::int64_t time_ns = 0;  // of a blob 0
  Domain domain;

  friend bool operator==(const HeldEvent&, const HeldEvent&) = default;
};

std::string ToRecord(const KitEvent& event);
std::string ToRecord(const HeldEvent& event);
std::string ToRecord(const MoveEvent& event);

// Nothing for bytes that are no such record: a time before 1970 is none either.
std::optional<KitEvent> ParseKitRecord(ByteSpan record);
std::optional<HeldEvent> ParseHeldRecord(ByteSpan record);
std::optional<MoveEvent> ParseMoveRecord(ByteSpan record);

struct History {
  std::vector<Kit> kits;       // in order of their manifests
  std::vector<Ref> refs;       // in order of their names
  std::vector<MoveRow> moves;  // in order of time
  // Who has which of the kits, of those that a named domain has; by kits.
  std::vector<HeldKit> held = {};

  friend bool operator==(const History&, const History&) = default;
};

// What events amount to, which are given in the order of the packs and of their places there
// (docs/format.md, "Making the catalog again").
History Replay(const std::vector<KitEvent>& kits, std::vector<MoveEvent> moves,
               std::vector<HeldEvent> held = {});

}  // namespace plumb::store

#endif  // PLUMB_STORE_RECORDS_INTERNAL_H_
