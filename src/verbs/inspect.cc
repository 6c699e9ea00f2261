// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/inspect.h"

#include <memory>
#include <string_view>

#include "blueprint/kitfile.h"
#include "kit/kit_files.h"

namespace plumb::verbs {
Result<InspectReport> Inspect(Workspace& workspace, const InspectOptions& options,
                              Progress& progress) {
  const bool with_referrers = options.with_referrers == WithReferrers::kYes;
  if (with_referrers && options.kit.where == Where::kHere) {
    return Error{ErrorKind::kInvalid, "referrers are looked for only with '--remote'",
                 "plumb inspect " + options.kit.name + " --remote --referrers"};
  }
  PLUMB_TRY(const kit::ModelKit modelkit, ReadKit(workspace, options.kit, progress));
  InspectReport report;
  if (with_referrers) {
    PLUMB_TRY(const PlaceName place, PlaceName::Parse(options.kit.name));
    PLUMB_TRY(const std::unique_ptr<registry::Repository> repository,
              Connect(workspace, place, options.kit.network, progress));
    PLUMB_TRY(report.referrers, repository->ListReferrers(modelkit.id, ""));
  }
  report.digest = modelkit.id;
  if (options.kit.where == Where::kHere) {
    PLUMB_TRY(store::Store * store, workspace.Store());
    PLUMB_TRY(report.files_root, kit::FindFilesRoot(*store, modelkit));
  }
  report.cli_version = "unknown";
  for (const auto& [name, value] : modelkit.manifest.annotations) {
    if (name == oci::kKitVersionAnnotation) report.cli_version = value;
  }
  if (modelkit.format == oci::KitFormat::kModelPack) {
    report.kitfile = blueprint::KitfileToJson(modelkit.kitfile);
    PLUMB_TRY(report.config, ParseJson(modelkit.config_bytes));
  } else {
    PLUMB_TRY(report.kitfile, ParseJson(modelkit.config_bytes));
  }
  PLUMB_TRY(report.manifest, ParseJson(modelkit.manifest_bytes));
  return report;
}

}  // namespace plumb::verbs
