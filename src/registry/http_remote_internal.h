// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_HTTP_REMOTE_INTERNAL_H_
#define PLUMB_REGISTRY_HTTP_REMOTE_INTERNAL_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/checked_sink_internal.h"
#include "registry/client_internal.h"
#include "registry/remote.h"

namespace plumb::registry {

// A repository of a registry that speaks distribution-spec 1.1.
class HttpRemote final : public Repository {
 public:
  // `repository` must obey the grammar. `progress`, which must outlive it, is asked whether to stop
  // by calls that are given none.
  HttpRemote(std::unique_ptr<RegistryClient> client, std::string repository, Progress& progress);

  Result<RemoteManifest> FetchManifest(std::string_view tag,
                                       const std::optional<Digest>& digest) override;
  Status FetchBlob(const oci::Descriptor& blob, std::uint64_t offset, ByteSink& sink,
                   Progress& progress) override;
  Result<bool> HasBlob(const oci::Descriptor& blob) override;
  Result<bool> MountBlob(const oci::Descriptor& blob, std::string_view repository) override;
  Status PushBlob(const oci::Descriptor& blob, const OpenBlob& open, Progress& progress) override;
  Status PushManifest(const oci::Descriptor& descriptor, std::string_view bytes,
                      std::string_view tag) override;
  Result<std::vector<std::string>> ListTags() override;
  Result<std::vector<Referrer>> ListReferrers(const Digest& subject,
                                              std::string_view artifact_type) override;
  Status PushReferrer(const oci::Descriptor& descriptor, std::string_view bytes) override;

 private:
  Url UrlOf(std::string_view path) const;
  // "HOST/REPOSITORY:TAG" or "HOST/REPOSITORY@sha256:…", in quotes.
  std::string Named(std::string_view tag, const std::optional<Digest>& digest) const;
  std::string Named(const oci::Descriptor& blob) const;
  // Sends a request that has no body and whose answer has none of use.
  Result<host::HttpResponse> Ask(const char* method, const Url& url, const std::string& scope);
  Error OtherThanAsked(std::string_view what) const;
  Error ErrorOf(const host::HttpResponse& response) const;

  Result<RemoteManifest> FetchManifestOnce(std::string_view tag,
                                           const std::optional<Digest>& digest);
  // What `sink` has not yet of the blob.
  Status FetchRest(const oci::Descriptor& blob, CheckedSink& sink, Progress& progress);
  // Where a list goes on, of which `response` was a page.
  static Result<std::optional<Url>> NextPage(const Url& url, const host::HttpResponse& response);
  // Adds a page of tags; gives the address of the next one.
  Result<std::optional<Url>> FetchTags(const Url& url, std::vector<std::string>& tags);

  Result<bool> MountOnce(const oci::Descriptor& blob, std::string_view repository);
  Status PushPieces(const oci::Descriptor& blob, const OpenBlob& open, Progress& progress);
  Status UploadOnce(const oci::Descriptor& blob, const OpenBlob& open, Progress& progress);
  // Sends the whole blob to an upload session, which ends it.
  Status UploadWhole(const oci::Descriptor& blob, const Url& session, const OpenBlob& open,
                     Progress& progress);
  Result<host::HttpResponse> PushManifestOnce(const oci::Descriptor& descriptor,
                                              std::string_view bytes, std::string_view tag);
  // A page of the list that the registry keeps, added to `index`; gives the address of the next
  // one. kUnsupported if it keeps none.
  Result<std::optional<Url>> FetchReferrers(const Url& url, oci::Index& index);
  Result<oci::Index> FetchReferrersTag(const Digest& subject);
  Status AddToReferrersTag(const Referrer& referrer, const Digest& subject);

  const std::unique_ptr<RegistryClient> client_;
  const std::string repository_;
  const std::string pull_scope_;  // who only pulls may have no right to push
  const std::string push_scope_;
  Progress& progress_;
};

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_HTTP_REMOTE_INTERNAL_H_
