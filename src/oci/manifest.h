// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_OCI_MANIFEST_H_
#define PLUMB_OCI_MANIFEST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "crypto/digest.h"

// OCI manifests (image-spec 1.1). Bytes that were received are kept and handed on as they
// came: what is parsed here is only ever read, and what we write is written once.
namespace plumb::oci {

using Annotations = std::vector<std::pair<std::string, std::string>>;

// "Content descriptor", image-spec descriptor.md.
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  Annotations annotations = {};  // in the order written

  friend bool operator==(const Descriptor&, const Descriptor&) = default;
};

// The value of that name, or empty.
std::string_view FindAnnotation(const Annotations& annotations, std::string_view name);

inline constexpr std::string_view kManifestMediaType = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kIndexMediaType = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kDockerManifestMediaType =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerIndexMediaType =
    "application/vnd.docker.distribution.manifest.list.v2+json";

bool IsManifestMediaType(std::string_view media_type);  // of either kind
bool IsIndexMediaType(std::string_view media_type);

// What registries accept (distribution, zot). Longer manifests and indexes are kExhausted.
inline constexpr std::uint64_t kManifestSizeMax = std::uint64_t{4} << 20;
// More layers are kExhausted. With media types like ours 4 MiB hold about as many.
inline constexpr std::size_t kLayerCountMax = 20000;

// An image manifest.
struct Manifest {
  std::string media_type;     // may be empty: kit 1.7 writes none
  std::string artifact_type;  // may be empty
  Descriptor config;
  std::vector<Descriptor> layers;
  Annotations annotations;
  std::optional<Descriptor> subject;  // what this is said of: it is a referrer of that

  // kInvalid: no manifest of schemaVersion 2; a member of a wrong type; a size that is
  // negative, no whole number or over 2^62, or sizes that add up to more; and what two readers
  // could read as two things: a media type that says otherwise, members of an index beside
  // those of a manifest, members that differ in case only. kUnsupported: an index, or a digest
  // of another algorithm. "layers":null is no layers (kit 1.7); unknown members are ignored.
  static Result<Manifest> Parse(std::string_view bytes);
};

// The bytes of our own manifests (docs/format.md, "ModelKit"): schemaVersion,
// mediaType, config, layers in this order, without spaces, and nothing that changes with tool,
// time or host. No layers: [].
std::string WriteManifest(const Descriptor& config, const std::vector<Descriptor>& layers);

// The bytes kit 1.7.0 writes: no mediaType, one annotation with its version. No layers: null.
std::string WriteKit17Manifest(const Descriptor& config, const std::vector<Descriptor>& layers);

// A manifest named by an image index or by the index.json of a layout directory.
struct IndexEntry {
  Descriptor descriptor;
  std::string tag = {};  // annotation org.opencontainers.image.ref.name; may be empty
  Json received = {};    // as it was read; null for one of ours

  friend bool operator==(const IndexEntry&, const IndexEntry&) = default;
};

// An entry whose digest is of another algorithm than ours ("sha512:…"): nobody can ask for it here.
struct ForeignEntry {
  std::string digest;  // as it was read
  std::string tag = {};
  Json received = {};

  friend bool operator==(const ForeignEntry&, const ForeignEntry&) = default;
};

// image-spec image-index.md and image-layout.md, and docker's manifest list. What is of no use to
// us (entries of other media types or digests, platforms, annotations) is kept, so that rewriting
// an index loses nothing.
struct Index {
  std::vector<IndexEntry> entries;
  std::vector<ForeignEntry> foreign = {};
  Json received = {};  // the whole, as it was read

  // kInvalid and kExhausted as Manifest::Parse; at most 20000 entries of both kinds.
  // "manifests":null is no entries.
  static Result<Index> Parse(std::string_view bytes);
};

// That what was asked for is `entry`: kUnsupported, with its digest.
Error IsForeign(std::string_view asked, const ForeignEntry& entry);

// The bytes of an index with those entries, the foreign ones last, each with its `tag` as the
// annotation.
std::string WriteIndex(const Index& index);

// The content of a layout directory's file oci-layout.
std::string WriteLayoutMarker();
// kUnsupported if it is of a version we do not know, kInvalid if it is no such file.
Status CheckLayoutMarker(std::string_view bytes);

Json DescriptorToJson(const Descriptor& descriptor);

}  // namespace plumb::oci

#endif  // PLUMB_OCI_MANIFEST_H_
