// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_TRANSFER_H_
#define PLUMB_REGISTRY_TRANSFER_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "registry/remote.h"
#include "store/store.h"

namespace plumb::registry {

struct TransferReport {
  Digest manifest;
  std::uint64_t bytes_moved = 0;    // of blobs, on the wire
  std::uint64_t bytes_present = 0;  // of blobs, or parts of them, that were there already
  std::uint64_t bytes_mounted = 0;  // of blobs that the registry took from a sibling
};

struct PushRequest {
  Digest manifest;
  std::vector<std::string> tags;             // of the target; empty: only by digest
  std::vector<std::string> mount_from = {};  // sibling repositories of the same registry
  unsigned connections = 4;
};

// Sends a kit of the store: blobs, several at once, then config, manifest and tags, so that nothing
// is named before it is whole. Blobs that are there are not sent.
Result<TransferReport> Push(store::Store& store, Remote& target, const PushRequest& request,
                            Progress& progress);

struct PullRequest {
  std::string tag;               // or
  std::optional<Digest> digest;  // which decides if both are given
  // What the kit shall be called here; without a name it is only a kit.
  std::vector<store::RefName> names;
  std::string message = "pull";  // for the log of those names
  unsigned connections = 4;
};

// Fetches a kit into the store in one session: nothing is visible until all of it is here and
// checked. Blobs that are here already are not fetched.
Result<TransferReport> Pull(store::Store& store, Remote& source, const PullRequest& request,
                            Progress& progress);

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_TRANSFER_H_
