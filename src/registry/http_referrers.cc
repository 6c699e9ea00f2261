// SPDX-License-Identifier: MIT OR Apache-2.0
#include <utility>

#include "base/text.h"
#include "registry/http_error_internal.h"
#include "registry/http_headers_internal.h"
#include "registry/http_remote_internal.h"
#include "registry/referrers_internal.h"

namespace plumb::registry {
namespace {

constexpr int kPageCountMax = 100;
constexpr int kTagTriesMax = 5;  // against others who change the same list

// Answers of registries that know nothing of referrers; 404 is what the specification says.
bool KeepsNoList(int status) { return status == 404 || status == 405 || status == 501; }

bool IsIndexAnswer(const host::HttpResponse& response) {
  const std::string_view header = response.Header("Content-Type").value_or("");
  return Trim(header.substr(0, header.find(';'))) == oci::kIndexMediaType;
}

}  // namespace

Result<std::vector<Referrer>> HttpRemote::ListReferrers(const Digest& subject,
                                                        std::string_view artifact_type) {
  const std::string doing = "cannot list the referrers of " + Named("", subject);
  const Url list = UrlOf("referrers/" + subject.ToString());
  // The registry may leave the others out, or may not.
  std::optional<Url> next =
      artifact_type.empty() ? list : list.WithQuery("artifactType", artifact_type);
  oci::Index index;
  for (int pages = 0; next; ++pages) {
    if (pages == kPageCountMax)
      return Error{ErrorKind::kExhausted, doing + ": there is no end to them"};
    const Url url = *next;
    auto status = client_->retrier().Run(progress_, [&]() -> Status {
      PLUMB_TRY(next, FetchReferrers(url, index));
      return Done{};
    });
    if (!status && status.error().kind == ErrorKind::kUnsupported && pages == 0) {
      auto tagged = FetchReferrersTag(subject);
      if (!tagged) return std::move(tagged).error().While(doing);
      return ReferrersIn(*tagged, artifact_type);
    }
    if (!status) return std::move(status).error().While(doing);
  }
  return ReferrersIn(index, artifact_type);
}

Result<std::optional<Url>> HttpRemote::FetchReferrers(const Url& url, oci::Index& index) {
  host::HttpRequest request;
  request.url = url.ToString();
  request.headers = {{"Accept", std::string(oci::kIndexMediaType)}};
  MemorySink sink(oci::kManifestSizeMax);
  request.sink = &sink;
  PLUMB_TRY(const host::HttpResponse response,
            client_->Send(std::move(request), pull_scope_, nullptr, progress_));
  const bool is_no_list =
      KeepsNoList(response.status) || (IsSuccess(response) && !IsIndexAnswer(response));
  if (is_no_list)
    return Error{ErrorKind::kUnsupported,
                 "'" + client_->registry_host() + "' keeps no list of referrers"};
  if (!IsSuccess(response)) return ErrorOf(response);
  PLUMB_TRY(oci::Index page, oci::Index::Parse(sink.text()));
  for (oci::IndexEntry& entry : page.entries)
    index.entries.push_back(std::move(entry));
  // Not only counted when all are there: who sends the same page for ever is stopped in time.
  PLUMB_RETURN_IF_ERROR(ReferrersIn(index, ""));
  return NextPage(url, response);
}

// Empty if there is no such tag.
Result<oci::Index> HttpRemote::FetchReferrersTag(const Digest& subject) {
  const std::string tag = ReferrersTag(subject);
  const auto tagged = FetchManifest(tag, std::nullopt);
  if (!tagged && tagged.error().kind == ErrorKind::kNotFound) return oci::Index();
  if (!tagged) return tagged.error();
  if (!oci::IsIndexMediaType(tagged->descriptor.media_type))
    return Error{ErrorKind::kConflict, "the tag '" + tag + "' is no list, but a '" +
                                           Printable(tagged->descriptor.media_type) + "'"};
  return oci::Index::Parse(tagged->bytes);
}

Status HttpRemote::PushReferrer(const oci::Descriptor& descriptor, std::string_view bytes) {
  PLUMB_TRY(const ListedManifest listed, ParseReferrer(descriptor, bytes));
  const std::string doing = "cannot push referrer " + Named("", descriptor.digest);
  bool is_listed = false;
  auto status = client_->retrier().Run(progress_, [&]() -> Status {
    PLUMB_TRY(const host::HttpResponse response, PushManifestOnce(descriptor, bytes, ""));
    // distribution-spec, "Pushing Manifests with Subject": so it says that it keeps the list.
    is_listed = response.Header("OCI-Subject") == listed.subject.ToString();
    return Done{};
  });
  if (status && !is_listed) status = AddToReferrersTag(listed.referrer, listed.subject);
  if (!status) return std::move(status).error().While(doing);
  return Done{};
}

// Nothing guards a tag: what another wrote meanwhile may be lost, or ours; then it is done again.
Status HttpRemote::AddToReferrersTag(const Referrer& referrer, const Digest& subject) {
  for (int tries = 0; tries < kTagTriesMax; ++tries) {
    PLUMB_TRY(oci::Index index, FetchReferrersTag(subject));
    if (HasReferrer(index, referrer.descriptor.digest)) return Done{};
    AddReferrer(index, referrer);
    const std::string text = oci::WriteIndex(index);
    const oci::Descriptor descriptor = {std::string(oci::kIndexMediaType), Sha256(AsBytes(text)),
                                        text.size()};
    PLUMB_RETURN_IF_ERROR(PushManifest(descriptor, text, ReferrersTag(subject)));
  }
  PLUMB_TRY(const oci::Index index, FetchReferrersTag(subject));
  if (HasReferrer(index, referrer.descriptor.digest)) return Done{};
  return Error{ErrorKind::kConflict,
               "others change the tag '" + ReferrersTag(subject) + "' at the same time"};
}

}  // namespace plumb::registry
