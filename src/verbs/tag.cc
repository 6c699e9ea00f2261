// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/tag.h"

#include <memory>

#include "verbs/kit_name.h"

namespace plumb::verbs {

Result<TagReport> Tag(Workspace& workspace, const TagOptions& options) {
  PLUMB_RETURN_IF_ERROR(workspace.RequireStore());
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(const KitName source, NameHere(*store, options.source));
  PLUMB_TRY(const KitName target, KitName::Parse(options.target));
  if (target.HasDigest()) {
    return Error{ErrorKind::kInvalid, "'" + options.target + "' names a digest, which is no tag",
                 "plumb tag " + options.source + " NAME:TAG"};
  }
  TagReport report;
  report.source = source.ToString();
  report.target = target.ToString();
  PLUMB_TRY(report.digest, FindKit(*store, source));
  PLUMB_TRY(report.previous, store->FindRef(target.RefName()));
  if (report.previous == report.digest) report.previous.reset();

  const std::unique_ptr<store::Session> session = store->Begin();
  session->MoveRef({target.RefName(), report.digest, options.message});
  PLUMB_RETURN_IF_ERROR(session->Commit());
  return report;
}

}  // namespace plumb::verbs
