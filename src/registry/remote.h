// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_REMOTE_H_
#define PLUMB_REGISTRY_REMOTE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "base/streams.h"
#include "crypto/digest.h"
#include "oci/manifest.h"

namespace plumb::registry {

// A manifest as it was served, checked against its digest.
struct RemoteManifest {
  oci::Descriptor descriptor;
  std::string bytes;
};

// One repository somewhere else: in a registry (distribution-spec 1.1) or in a layout
// directory (image-spec image-layout.md).
//
// Promises, checked by tests/conformance/remote_suite.h on every implementation:
//   - A manifest that is read is what its digest says, and a blob has the size that its
//     descriptor says, or the call fails with kCorrupt. Who takes a blob compares its digest.
//   - A blob or manifest is there whole once its Push returns, and never in part.
//   - kNotFound only if the other side said so; no answer is kUnavailable; a refusal kDenied.
//
// Trust: the other side is not trusted for bytes, only for which manifest a tag means.
// Threads: any number at once.
class Remote {
 public:
  virtual ~Remote() = default;

  // Exactly one of `tag` (non-empty) and `digest` names it.
  virtual Result<RemoteManifest> FetchManifest(std::string_view tag,
                                               const std::optional<Digest>& digest) = 0;

  // The blob's bytes from `offset` on: as many as its descriptor says, but not hashed, because
  // who keeps blobs must name them himself and who resumes has the beginning. Compare what
  // comes (store::BlobWriter::Finish tells its digest), or use FetchWholeBlob. The sink may
  // have been given some of them when this fails.
  virtual Status FetchBlob(const oci::Descriptor& blob, std::uint64_t offset, ByteSink& sink,
                           Progress& progress) = 0;

  virtual Result<bool> HasBlob(const oci::Descriptor& blob) = 0;

  // Takes the blob from a sibling repository of the same registry without moving bytes.
  // False if the other side will not.
  virtual Result<bool> MountBlob(const oci::Descriptor& blob, std::string_view repository) = 0;

  // `open` gives the blob's bytes from an offset on; it is called again for each try. The first
  // offset is over 0 where an earlier upload, also one of another process, goes on.
  using OpenBlob = std::function<Result<std::unique_ptr<ByteSource>>(std::uint64_t offset)>;
  virtual Status PushBlob(const oci::Descriptor& blob, const OpenBlob& open,
                          Progress& progress) = 0;

  // Under a tag, or (empty) only under its digest.
  virtual Status PushManifest(const oci::Descriptor& descriptor, std::string_view bytes,
                              std::string_view tag) = 0;

  // Sorted, without those that only list referrers.
  virtual Result<std::vector<std::string>> ListTags() = 0;
};

// A manifest that names another as its subject: a signature, evidence, a delta.
struct Referrer {
  oci::Descriptor descriptor;
  std::string artifact_type;  // may be empty

  friend bool operator==(const Referrer&, const Referrer&) = default;
};

// What is said of the manifests of a repository (distribution-spec 1.1, "Listing Referrers").
//
// Where the other side keeps no list of its own (docker-registry, distribution, any layout), it is
// kept as an index under the tag "sha256-HEX" of the subject ("Referrers Tag Schema"), which other
// people's programs read and write too.
//
// Trust: anybody who may push can say anything of anything. A list is only what the other side
// shows: it may leave out, and name what is no referrer. Fetch one and look at its subject.
// Threads: any number at once.
class Referrers {
 public:
  virtual ~Referrers() = default;

  // Of that type, or (empty) all; in the order the other side gives them. None is an empty list,
  // also if there is no such manifest. Over 1000: kExhausted.
  virtual Result<std::vector<Referrer>> ListReferrers(const Digest& subject,
                                                      std::string_view artifact_type) = 0;

  // Pushes a manifest that has a subject (else kInvalid), whose blobs are there already, and has it
  // listed. Who pushes referrers of one subject at the same time may make each other's disappear
  // where there is only the tag: each looks whether its own is there, and repairs the list; else
  // kConflict.
  virtual Status PushReferrer(const oci::Descriptor& descriptor, std::string_view bytes) = 0;
};

// A remote that also lists what is said of its manifests: all are.
class Repository : public Remote, public Referrers {};

// A small blob, whole, its digest checked: kCorrupt if it is another. kExhausted over 4 MiB.
Result<std::string> FetchWholeBlob(Remote& remote, const oci::Descriptor& blob, Progress& progress);

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_REMOTE_H_
