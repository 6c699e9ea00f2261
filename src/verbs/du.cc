// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/du.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "kit/needs.h"
#include "verbs/kit_name.h"

namespace plumb::verbs {

Result<DuReport> Du(Workspace& workspace, const DuOptions& options, Progress& progress) {
  PLUMB_RETURN_IF_ERROR(workspace.RequireStore());
  PLUMB_TRY(store::Store * store, workspace.Store());
  std::set<Digest> wanted;
  for (const std::string& text : options.names) {
    PLUMB_TRY(const KitName name, NameHere(*store, text));
    PLUMB_TRY(const Digest id, FindKit(*store, name));
    wanted.insert(id);
  }
  PLUMB_TRY(store::Upkeep * upkeep, workspace.Upkeep());
  DuReport report;
  store::MeasureRequest request;
  request.find_needs = kit::NeedsOf;
  auto measured = upkeep->Measure(request, progress);
  if (!measured) return std::move(measured).error().While("cannot measure the store");
  report.measured = *std::move(measured);

  PLUMB_TRY(const std::vector<store::Ref> refs, store->ListRefs());
  std::map<Digest, std::vector<std::string>> tags;
  for (const store::Ref& ref : refs)
    tags[ref.manifest].push_back(ref.name.ToString());
  for (const store::KitUse& use : report.measured.kits) {
    if (!wanted.empty() && !wanted.contains(use.manifest)) continue;
    report.rows.push_back({tags[use.manifest], use});
  }
  std::ranges::sort(report.rows, [](const DuReport::Row& a, const DuReport::Row& b) {
    return std::tuple(a.tags.empty(), a.tags, a.use.manifest) <
           std::tuple(b.tags.empty(), b.tags, b.use.manifest);
  });
  return report;
}

}  // namespace plumb::verbs
