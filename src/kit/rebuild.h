// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_REBUILD_H_
#define PLUMB_KIT_REBUILD_H_

#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "host/machine.h"
#include "kit/base_resolver.h"
#include "kit/modelkit.h"
#include "store/store.h"

namespace plumb::kit {

// All of it must outlive the call.
struct RebuildContext {
  store::Store& store;
  BaseResolver& bases;
  host::Clock& clock;
  host::Environment& environment;
  unsigned threads = 2;
};

struct RebuildReport {
  Digest id;  // that came out
  // What is not as in the ModelKit; empty if the id is the same.
  std::vector<std::string> differences = {};
  // Every layer has the same content: what differs is how some are compressed, or what is written
  // around them.
  bool is_same_content = false;
  // The version of kit that made it, if it is not the one whose rules are known: then what differs
  // tells nothing.
  std::string other_kit = {};
};

// Builds a ModelKit of the store again, from its own Kitfile and the files in its layers, with the
// compression that these have and, if kit 1.7 made it, by the rules of that. Nothing is unpacked to
// a disk and nothing is put into the store. What gzip and zstd make of a layer depends on the
// library: who used another gives the same content, but not the same id. Two things that only kit
// 1.7 packs do not survive and come out otherwise: setuid, setgid and sticky bits, and texts that
// are not UTF-8.
//
// The failures are those of Build and of reading layers; a base that is not here is kNotFound or
// kUnavailable. kExhausted: layers that no build wrote, in which files would be looked for again
// and again.
Result<RebuildReport> Rebuild(const RebuildContext& context, const ModelKit& modelkit,
                              Progress& progress);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_REBUILD_H_
