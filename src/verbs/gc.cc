// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/gc.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "kit/needs.h"
#include "verbs/settings.h"

namespace plumb::verbs {
Result<GcReport> Gc(Workspace& workspace, const GcOptions& options, Progress& progress) {
  store::CollectRequest request;
  request.find_needs = kit::NeedsOf;
  request.dry_run = options.dry_run;
  std::optional<std::int64_t> keep_ns;
  if (!options.keep_untagged.empty()) {
    PLUMB_TRY(keep_ns, ParseAge(options.keep_untagged));
  } else {
    PLUMB_TRY(const Settings* const settings, workspace.Settings());
    keep_ns = settings->keep_untagged_ns;
  }
  // Who says a time means every kit without a tag, however it came to have none.
  request.keep_untagged_ns = keep_ns.value_or(request.keep_untagged_ns);
  request.keep_left_ns = keep_ns.value_or(request.keep_left_ns);
  PLUMB_TRY(store::Upkeep * upkeep, workspace.Upkeep());
  auto collected = upkeep->Collect(request, progress);
  if (!collected) return std::move(collected).error().While("cannot collect");
  return GcReport{options.dry_run, *std::move(collected)};
}

}  // namespace plumb::verbs
