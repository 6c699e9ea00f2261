// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_INSPECT_H_
#define PLUMB_VERBS_INSPECT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "registry/remote.h"
#include "verbs/read_kit.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

enum class WithReferrers : std::uint8_t { kNo, kYes };

struct InspectOptions {
  KitSource kit;
  WithReferrers with_referrers = WithReferrers::kNo;  // only of a kit that is elsewhere
};

// All that a ModelKitID stands for, as it was received.
struct InspectReport {
  Digest digest;
  // docs/format.md, "Files"; nothing if it is not known here, or the kit is elsewhere.
  std::optional<Digest> files_root;
  std::string cli_version;  // of the kit that made it, if it says so; else "unknown"
  Json kitfile;             // of a ModelPack: as `info` shows it, with digests
  Json manifest;
  // What others say of it; nothing if that was not asked.
  std::optional<std::vector<registry::Referrer>> referrers;
  Json config;  // of a ModelPack; else null: it is the Kitfile
};

// kInvalid if the referrers of a kit are asked that is here: this store keeps none.
Result<InspectReport> Inspect(Workspace& workspace, const InspectOptions& options,
                              Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_INSPECT_H_
