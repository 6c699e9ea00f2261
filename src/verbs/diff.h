// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_DIFF_H_
#define PLUMB_VERBS_DIFF_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "verbs/read_kit.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct DiffOptions {
  KitSource before;
  KitSource after;
};

struct DiffLayer {
  std::string type;  // "model"; of a kit of other layers its media type
  std::string path;  // of the entry of the Kitfile; empty if nobody says
  Digest digest;
  std::uint64_t size = 0;
};

// A field of the Kitfile. Entries of a list are known by their path: "datasets[a.csv].license".
struct DiffField {
  std::string path;
  std::optional<Json> before;  // nothing: it came
  std::optional<Json> after;   // nothing: it went
};

struct DiffReport {
  std::string before_name, after_name;
  Digest before, after;
  bool same_config = false;
  bool same_annotations = false;
  std::vector<DiffLayer> shared, only_before, only_after;  // in the order of the manifests
  std::vector<DiffField> fields;                           // without digests
};

// In what two kits differ: layers by digest, and the Kitfile field by field.
Result<DiffReport> Diff(Workspace& workspace, const DiffOptions& options, Progress& progress);

// The fields in which two values differ, `path` being what they are called.
void DiffJson(const std::string& path, const Json& before, const Json& after,
              std::vector<DiffField>& fields);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_DIFF_H_
