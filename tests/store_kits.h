// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_STORE_KITS_H_
#define PLUMB_TESTS_STORE_KITS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "host/machine.h"
#include "store/upkeep.h"
#include "tests/noise.h"

// Kits for tests of the store, which does not know what a manifest is: here they are the digests of
// layers, and of bases behind "base ", a line each.
namespace plumb::store {

inline constexpr std::size_t kMiB = std::size_t{1} << 20;

inline std::string ManifestOf(const std::vector<std::string>& layers,
                              const std::vector<Digest>& bases = {}) {
  std::string manifest;
  for (const std::string& layer : layers)
    manifest += Sha256(AsBytes(layer)).ToString() + "\n";
  for (const Digest& base : bases)
    manifest += "base " + base.ToString() + "\n";
  return manifest;
}

// FindNeeds of such.
inline Result<KitNeeds> NeedsOf(Store& store, const Digest& manifest) {
  auto text = ReadBlob(store, manifest, kMiB);
  if (!text && text.error().kind == ErrorKind::kNotFound) text.error().kind = ErrorKind::kCorrupt;
  if (!text) return std::move(text).error();
  KitNeeds needs;
  for (std::string_view line : Split(*text, '\n')) {
    if (line.empty()) continue;
    const bool is_base = line.starts_with("base ");
    if (is_base) line.remove_prefix(5);
    const auto digest = Digest::Parse(line);
    if (!digest) return Error{ErrorKind::kCorrupt, digest.error().message};
    (is_base ? needs.bases : needs.blobs).push_back(*digest);
  }
  return needs;
}

// Stands still.
class SetClock final : public host::Clock {
 public:
  std::int64_t NowNs() override { return now_ns; }
  std::int64_t MonotonicNs() override { return now_ns; }
  void SleepMs(std::uint64_t /*duration_ms*/) override {}
  std::int64_t now_ns = 100 * kDayNs;
};

}  // namespace plumb::store

#endif  // PLUMB_TESTS_STORE_KITS_H_
