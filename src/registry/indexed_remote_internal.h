// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_INDEXED_REMOTE_INTERNAL_H_
#define PLUMB_REGISTRY_INDEXED_REMOTE_INTERNAL_H_

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "registry/remote.h"

namespace plumb::registry {

// A layout that is only read, whose index is known: where its blobs are is what its kinds differ
// in.
class IndexedRemote : public Remote {
 public:
  IndexedRemote(std::string label, oci::Index index)
      : label_(std::move(label)), index_(std::move(index)) {}

  Result<RemoteManifest> FetchManifest(std::string_view tag,
                                       const std::optional<Digest>& digest) override {
    const auto entry = std::ranges::find_if(index_.entries, [&](const oci::IndexEntry& candidate) {
      return digest ? candidate.descriptor.digest == *digest : candidate.tag == tag;
    });
    const auto foreign = std::ranges::find(index_.foreign, tag, &oci::ForeignEntry::tag);
    if (entry == index_.entries.end() && !digest && foreign != index_.foreign.end())
      return oci::IsForeign(tag, *foreign);
    if (entry == index_.entries.end()) {
      return Error{ErrorKind::kNotFound, "'" + label_ + "' has no manifest '" +
                                             (digest ? digest->ToString() : Printable(tag)) + "'"};
    }
    RemoteManifest manifest = {entry->descriptor, {}};
    SilentProgress silent;
    PLUMB_TRY(manifest.bytes, FetchWholeBlob(*this, manifest.descriptor, silent));
    return manifest;
  }

  Status FetchBlob(const oci::Descriptor& blob, std::uint64_t offset, ByteSink& sink,
                   Progress& progress) override {
    if (offset > blob.size) {
      return Error{ErrorKind::kInvalid,
                   "cannot read blob '" + blob.digest.ToString() + "' from behind its end"};
    }
    return Fetch(blob, offset, sink, progress);
  }

  Result<bool> MountBlob(const oci::Descriptor& /*blob*/,
                         std::string_view /*repository*/) override {
    return false;
  }
  Status PushBlob(const oci::Descriptor& /*blob*/, const OpenBlob& /*open*/,
                  Progress& /*progress*/) override {
    return IsReadOnly();
  }
  Status PushManifest(const oci::Descriptor& /*descriptor*/, std::string_view /*bytes*/,
                      std::string_view /*tag*/) override {
    return IsReadOnly();
  }

  Result<std::vector<std::string>> ListTags() override {
    std::set<std::string> tags;
    for (const oci::IndexEntry& entry : index_.entries)
      if (oci::CheckTag(entry.tag)) tags.insert(entry.tag);
    return std::vector<std::string>(tags.begin(), tags.end());
  }

 protected:
  virtual Status Fetch(const oci::Descriptor& blob, std::uint64_t offset, ByteSink& sink,
                       Progress& progress) = 0;

  Error NotThere(const oci::Descriptor& blob) const {
    return Error{ErrorKind::kNotFound,
                 "'" + label_ + "' has no blob '" + blob.digest.ToString() + "'"};
  }
  const std::string& label() const { return label_; }

 private:
  Error IsReadOnly() const {
    return Error{ErrorKind::kUnsupported, "'" + label_ + "' can only be read"};
  }

  const std::string label_;
  const oci::Index index_;
};

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_INDEXED_REMOTE_INTERNAL_H_
