// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/gc.h"

#include <utility>

#include "base/text.h"
#include "kit/needs.h"

namespace plumb::verbs {
namespace {

// A hundred years: a thousand would not fit.
constexpr std::uint64_t kDaysMax = 36'500;
constexpr std::int64_t kMinuteNs = std::int64_t{60} * 1'000'000'000;

Result<std::int64_t> ParseTime(std::string_view text) {
  std::string_view number = text;
  std::int64_t unit = 0;  // of a bare 0 there is no need of one
  if (text.ends_with('d')) unit = store::kDayNs;
  if (text.ends_with('h')) unit = 60 * kMinuteNs;
  if (text.ends_with('m')) unit = kMinuteNs;
  if (unit != 0) number.remove_suffix(1);
  const auto count = ParseUint64(number);
  const std::uint64_t count_max =
      unit == 0 ? 0 : kDaysMax * static_cast<std::uint64_t>(store::kDayNs / unit);
  if (!count || *count > count_max)
    return Error{ErrorKind::kInvalid,
                 "'" + Printable(text) + "' is no time such as 14d, 12h, 30m or 0"};
  return static_cast<std::int64_t>(*count) * unit;
}

}  // namespace

Result<GcReport> Gc(Workspace& workspace, const GcOptions& options, Progress& progress) {
  store::CollectRequest request;
  request.find_needs = kit::NeedsOf;
  request.dry_run = options.dry_run;
  if (!options.keep_untagged.empty()) {
    PLUMB_TRY(request.keep_untagged_ns, ParseTime(options.keep_untagged));
  }
  PLUMB_TRY(store::Upkeep * upkeep, workspace.Upkeep());
  auto collected = upkeep->Collect(request, progress);
  if (!collected) return std::move(collected).error().While("cannot collect");
  return GcReport{options.dry_run, *std::move(collected)};
}

}  // namespace plumb::verbs
