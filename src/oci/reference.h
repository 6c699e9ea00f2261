// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_OCI_REFERENCE_H_
#define PLUMB_OCI_REFERENCE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"

namespace plumb::oci {

inline constexpr std::string_view kDefaultTag = "latest";

// [host[:port]/]repository[:tag][@sha256:…], as a person writes it. The first component is
// a host only if it contains '.' or ':' or is "localhost"; otherwise the name is local.
// Grammar: ModelKit specification, "Repository" and "Tag"; distribution-spec 1.1, "Pulling
// manifests". At most 255 bytes of host and repository, 128 of tag.
struct Reference {
  std::string host;        // lower case, with its port; empty for a local name
  std::string repository;  // lower-case components with '/' between
  std::string tag;         // empty if none was written
  std::optional<Digest> digest;

  // kInvalid, saying what is wrong with which part; kUnsupported for a digest of another
  // algorithm than SHA-256.
  static Result<Reference> Parse(std::string_view text);
  // The same, for names after which a list of tags may stand ("m:v1,v2"), as `build -t` takes
  // them. All share host and repository; a digest is kInvalid. Without a tag: "latest".
  static Result<std::vector<Reference>> ParseTags(std::string_view text);

  // "host/repository" or "repository": what a store files its tags under.
  std::string Name() const;
  // As it would be written; a missing tag stays missing.
  std::string ToString() const;
  // The tag, or "latest".
  std::string TagOrDefault() const;

  friend bool operator==(const Reference&, const Reference&) = default;
};

// kInvalid, saying why, if it breaks the grammar or is too long.
Status CheckRepository(std::string_view repository);
Status CheckTag(std::string_view tag);

}  // namespace plumb::oci

#endif  // PLUMB_OCI_REFERENCE_H_
