// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_KNOWN_PLACES_H_
#define PLUMB_REGISTRY_KNOWN_PLACES_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/digest.h"
#include "host/files.h"

namespace plumb::registry {

struct KnownPlace {
  std::string repository;
  Digest manifest;
  friend bool operator==(const KnownPlace&, const KnownPlace&) = default;
};

// Remembers which kits are in which repositories of a registry, so that a sibling need not be sent
// what the registry has. A hint, and best effort: what is forgotten or wrong costs bytes. Format:
// docs/format.md, "Known places". Threads: any number at once; of two processes that remember at
// once one may be forgotten.
class KnownPlaces {
 public:
  virtual ~KnownPlaces() = default;
  // The newest first, at most 256.
  virtual std::vector<KnownPlace> Of(const std::string& registry_host) = 0;
  virtual void Remember(const std::string& registry_host, const KnownPlace& place) = 0;
};

// `directory` is made when there is something to keep. `files` must outlive it.
std::unique_ptr<KnownPlaces> MakeKnownPlaces(host::Files& files, std::string directory);

// The places in the text of a record, as they stand there.
std::vector<KnownPlace> ParseKnownPlaces(std::string_view text);

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_KNOWN_PLACES_H_
