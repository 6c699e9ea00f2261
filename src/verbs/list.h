// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_LIST_H_
#define PLUMB_VERBS_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "verbs/place.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct ListOptions {
  // Empty: everything here. A local repository: its kits, with a tag only that one; kNotFound
  // if there are none. A place: the tags it has there.
  std::string repository = {};
  NetworkOptions network = {};
};

// A kit under one of its repositories.
struct ListedKit {
  std::string repository;  // empty if the kit has no tag anywhere
  Digest digest;
  std::vector<std::string> tags;  // sorted
  std::string name;               // of the package; may be empty, like the author
  std::string author;
  std::uint64_t size = 0;  // of all layers
};

struct ListReport {
  std::vector<ListedKit> kits;  // by repository, first tag and digest; untagged ones first
};

// A kit whose manifest or config is damaged is listed by digest and tags, with a warning.
Result<ListReport> List(Workspace& workspace, const ListOptions& options, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_LIST_H_
