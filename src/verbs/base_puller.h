// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_BASE_PULLER_H_
#define PLUMB_VERBS_BASE_PULLER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "kit/base_resolver.h"
#include "verbs/place.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

// What is wanted of a base. A build looks at its manifest and config only.
enum class BaseParts : std::uint8_t { kConfig, kAll };

// Who says what a tag of a registry means: this store if it knows the tag, or always the registry.
enum class AskRegistry : std::uint8_t { kIfMissing, kAlways };

// What to do with a tag that is not among the pins.
enum class Unpinned : std::uint8_t { kResolve, kRefuse };

// Who wrote the first reference that is resolved: whoever made the kit that is looked at, or the
// person, into a blueprint of their own.
enum class FirstWrittenBy : std::uint8_t { kOthers, kPerson };

struct BaseOptions {
  BaseParts parts = BaseParts::kAll;
  AskRegistry ask = AskRegistry::kIfMissing;
  // References as they are written, and the ModelKitIDs that they shall mean here.
  std::map<std::string, Digest> pins = {};
  Unpinned unpinned = Unpinned::kResolve;
  // For the host alone that the person named, but that connections and proxy are for all.
  NetworkOptions network = {};
  // The host that the person named. Empty: none, or the one in the first reference that is
  // resolved, if that is the person's.
  std::string host = {};
  FirstWrittenBy first = FirstWrittenBy::kOthers;
};

// Finds bases in the store, and those that are not there in the registry which their name says;
// that is said (Note). A name without a tag and a digest is not looked for elsewhere: more likely
// it is a path with a slip in it. With kConfig only manifest and config are kept, with kAll the
// whole kit.
//
// kConflict for a tag that is not pinned and must be.
// kNotFound if the store, or the registry, says that it is not there; kUnavailable if the
// registry does not answer: never one for the other. With kConfig, kInvalid for the digest of an
// index.
//
// Trust: a kit names its base, and that its own, so that whoever made it decides which host is
// asked next. Plain HTTP, unchecked certificates, and certificates that were named are only for the
// host that the person named; how to reach another is said in the settings. The hint says so.
// `workspace` and `progress` must outlive it. Threads: one at a time.
Result<std::unique_ptr<kit::BaseResolver>> MakeBasePuller(Workspace& workspace, BaseOptions options,
                                                          Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_BASE_PULLER_H_
