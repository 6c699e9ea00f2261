// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "oci/reference.h"
#include "registry/http_error_internal.h"
#include "registry/http_headers_internal.h"
#include "registry/http_remote_internal.h"
#include "registry/referrers_internal.h"

// What all calls share, and those that read. http_push.cc has those that write.
namespace plumb::registry {
namespace {

constexpr std::size_t kTagPageSizeMax = std::size_t{4} << 20;
constexpr std::size_t kTagCountMax = 100'000;
constexpr int kTagPageCountMax = 1'000;
constexpr std::size_t kMediaTypeSizeMax = 255;  // RFC 6838, section 4.2
// A try that brought as much does not count as failed: a long blob may outlive many connections.
constexpr std::uint64_t kGotOnSize = std::uint64_t{1} << 20;
constexpr std::string_view kAccept =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json";

// Drops what the one behind it has already: some registries answer a range with everything.
class SkippingSink final : public ByteSink {
 public:
  explicit SkippingSink(ByteSink& sink) : sink_(sink) {}
  void Skip(std::uint64_t size) { skip_ = size; }
  Status Write(ByteSpan bytes) override {
    const auto dropped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes.size()));
    skip_ -= dropped;
    if (dropped == bytes.size()) return Done{};
    return sink_.Write(bytes.subspan(dropped));
  }

 private:
  ByteSink& sink_;
  std::uint64_t skip_ = 0;
};

bool IsKnownType(std::string_view type) {
  return oci::IsManifestMediaType(type) || oci::IsIndexMediaType(type);
}

// What a registry says, if it says something. Some, and caches before them, leave the type out, or
// call everything JSON: then the document's own word counts, or what it has.
std::string MediaTypeOf(const host::HttpResponse& response, std::string_view bytes) {
  const std::string_view header = response.Header("Content-Type").value_or("");
  const std::string_view type = Trim(header.substr(0, header.find(';')));
  if (IsKnownType(type)) return std::string(type);
  const bool is_unsaid = type.empty() || type.size() > kMediaTypeSizeMax ||
                         type == "application/json" || type == "application/octet-stream" ||
                         type.starts_with("text/");
  if (!is_unsaid) return std::string(type);
  const auto json = ParseJson(bytes);
  if (!json) return std::string(oci::kManifestMediaType);
  std::string own = json->TextOf("mediaType");
  if (IsKnownType(own)) return own;
  const bool is_index = json->Find("manifests") != nullptr && json->Find("layers") == nullptr;
  return std::string(is_index ? oci::kIndexMediaType : oci::kManifestMediaType);
}

}  // namespace

HttpRemote::HttpRemote(std::unique_ptr<RegistryClient> client, std::string repository,
                       Progress& progress)
    : client_(std::move(client)),
      repository_(std::move(repository)),
      pull_scope_("repository:" + repository_ + ":pull"),
      push_scope_("repository:" + repository_ + ":pull,push"),
      progress_(progress) {}

Url HttpRemote::UrlOf(std::string_view path) const {
  return client_->UrlOf(repository_ + "/" + std::string(path));
}

std::string HttpRemote::Named(std::string_view tag, const std::optional<Digest>& digest) const {
  const std::string name = digest ? "@" + digest->ToString() : ":" + std::string(tag);
  return "'" + client_->registry_host() + "/" + repository_ + name + "'";
}

std::string HttpRemote::Named(const oci::Descriptor& blob) const {
  return "blob '" + blob.digest.ToString() + "' of '" + client_->registry_host() + "/" +
         repository_ + "'";
}

Result<host::HttpResponse> HttpRemote::Ask(const char* method, const Url& url,
                                           const std::string& scope) {
  host::HttpRequest request;
  request.method = method;
  request.url = url.ToString();
  return client_->Send(std::move(request), scope, nullptr, progress_);
}

Error HttpRemote::OtherThanAsked(std::string_view what) const {
  return Error{ErrorKind::kCorrupt, "'" + client_->registry_host() + "' has " + std::string(what) +
                                        " than the one asked for"};
}

Error HttpRemote::ErrorOf(const host::HttpResponse& response) const {
  return registry::ErrorOf(response, client_->registry_host());
}

Result<RemoteManifest> HttpRemote::FetchManifest(std::string_view tag,
                                                 const std::optional<Digest>& digest) {
  if (!digest) PLUMB_RETURN_IF_ERROR(oci::CheckTag(tag));
  RemoteManifest manifest;
  const Status status = client_->retrier().Run(progress_, [&]() -> Status {
    PLUMB_TRY(manifest, FetchManifestOnce(tag, digest));
    return Done{};
  });
  // Who asks says what for.
  if (!status) return status.error();
  return manifest;
}

Result<RemoteManifest> HttpRemote::FetchManifestOnce(std::string_view tag,
                                                     const std::optional<Digest>& digest) {
  host::HttpRequest request;
  request.url = UrlOf("manifests/" + (digest ? digest->ToString() : std::string(tag))).ToString();
  request.headers = {{"Accept", std::string(kAccept)}};
  MemorySink sink(oci::kManifestSizeMax);
  request.sink = &sink;
  PLUMB_TRY(const host::HttpResponse response,
            client_->Send(std::move(request), pull_scope_, nullptr, progress_));
  if (!IsSuccess(response)) return ErrorOf(response);
  RemoteManifest manifest;
  manifest.bytes = std::move(sink).TakeText();
  const Digest actual = Sha256(AsBytes(manifest.bytes));
  if (digest && actual != *digest)
    return Error{ErrorKind::kCorrupt, "it came with other bytes: '" + actual.ToString() + "'"};
  PLUMB_RETURN_IF_ERROR(CheckContentDigest(response.Header("Docker-Content-Digest"), actual));
  manifest.descriptor = {MediaTypeOf(response, manifest.bytes), actual, manifest.bytes.size()};
  return manifest;
}

Status HttpRemote::FetchBlob(const oci::Descriptor& blob, std::uint64_t offset, ByteSink& sink,
                             Progress& progress) {
  if (offset > blob.size)
    return Error{ErrorKind::kInvalid, "cannot fetch " + Named(blob) + " from behind its end"};
  CheckedSink checked(blob, offset, Hashing::kNo, sink, progress);
  std::uint64_t counted = offset;
  const auto got_on = [&] {
    const bool has_got_on = checked.received() - counted >= kGotOnSize;
    counted = checked.received();
    return has_got_on;
  };
  auto status =
      client_->retrier().Run(progress, [&] { return FetchRest(blob, checked, progress); }, got_on);
  if (!status) return std::move(status).error().While("cannot fetch " + Named(blob));
  return checked.Finish();
}

Status HttpRemote::FetchRest(const oci::Descriptor& blob, CheckedSink& sink, Progress& progress) {
  const std::uint64_t start = sink.received();
  if (start == blob.size && start > 0) return Done{};
  host::HttpRequest request;
  request.url = UrlOf("blobs/" + blob.digest.ToString()).ToString();
  // An answer is looked at for 206, never for Accept-Ranges, which not all that do ranges send.
  if (start > 0) request.headers.emplace_back("Range", "bytes=" + std::to_string(start) + "-");
  SkippingSink rest(sink);
  request.sink = &rest;
  request.before_body = [&](int status, const std::vector<host::HttpHeader>& headers) -> Status {
    const host::HttpResponse head = {status, headers, {}};
    std::optional<std::uint64_t> whole_size;
    if (status == 200) {
      rest.Skip(start);
      whole_size = ParseUint64(head.Header("Content-Length").value_or(""));
    } else if (status == 206) {
      const auto range = ParseContentRange(head.Header("Content-Range").value_or(""));
      if (!range || range->start != start) return OtherThanAsked("another part");
      whole_size = range->whole_size;
    } else if (status >= 200 && status < 300) {
      return Error{ErrorKind::kCorrupt, "'" + client_->registry_host() + "' answers " +
                                            std::to_string(status) + ", which is no blob"};
    }
    if (whole_size.value_or(blob.size) != blob.size) return OtherThanAsked("another size");
    return Done{};
  };
  PLUMB_TRY(const host::HttpResponse response,
            client_->Send(std::move(request), pull_scope_, nullptr, progress));
  if (!IsSuccess(response)) return ErrorOf(response);
  // Who sent something may send the rest when asked for it; who sent nothing has no more.
  if (sink.received() < blob.size && sink.received() > start)
    return Error{ErrorKind::kUnavailable, "'" + client_->registry_host() + "' sent only a part"};
  return Done{};
}

Result<bool> HttpRemote::HasBlob(const oci::Descriptor& blob) {
  bool is_there = false;
  auto status = client_->retrier().Run(progress_, [&]() -> Status {
    PLUMB_TRY(const host::HttpResponse response,
              Ask("HEAD", UrlOf("blobs/" + blob.digest.ToString()), push_scope_));
    is_there = IsSuccess(response);
    if (is_there || response.status == 404) return Done{};
    return ErrorOf(response);
  });
  if (!status) return std::move(status).error().While("cannot look for " + Named(blob));
  return is_there;
}

Result<std::vector<std::string>> HttpRemote::ListTags() {
  const std::string doing =
      "cannot list the tags of '" + client_->registry_host() + "/" + repository_ + "'";
  std::vector<std::string> tags;
  std::optional<Url> next = UrlOf("tags/list");
  for (int pages = 0; next; ++pages) {
    if (pages == kTagPageCountMax || tags.size() > kTagCountMax)
      return Error{ErrorKind::kExhausted, doing + ": there is no end to them"};
    const Url url = *next;
    auto status = client_->retrier().Run(progress_, [&]() -> Status {
      PLUMB_TRY(next, FetchTags(url, tags));
      return Done{};
    });
    if (!status) return std::move(status).error().While(doing);
  }
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  return tags;
}

Result<std::optional<Url>> HttpRemote::FetchTags(const Url& url, std::vector<std::string>& tags) {
  host::HttpRequest request;
  request.url = url.ToString();
  MemorySink sink(kTagPageSizeMax);
  request.sink = &sink;
  PLUMB_TRY(const host::HttpResponse response,
            client_->Send(std::move(request), pull_scope_, nullptr, progress_));
  if (!IsSuccess(response)) return ErrorOf(response);
  PLUMB_TRY(const Json page, ParseJson(sink.text()));
  const Json* names = page.Find("tags");
  if (names != nullptr && names->IfArray() != nullptr) {
    // A tag that breaks the grammar cannot be asked for.
    for (const Json& name : *names->IfArray())
      if (name.IfString() != nullptr && oci::CheckTag(*name.IfString()) &&
          !IsReferrersTag(*name.IfString()))
        tags.push_back(*name.IfString());
  }
  return NextPage(url, response);
}

Result<std::optional<Url>> HttpRemote::NextPage(const Url& url,
                                                const host::HttpResponse& response) {
  const auto link = ParseNextLink(response.Header("Link").value_or(""));
  if (!link) return std::optional<Url>();
  PLUMB_TRY(Url next, url.Resolve(*link));
  if (next.SharesOrigin(url)) return std::optional<Url>(std::move(next));
  return Error{ErrorKind::kInvalid, "the list goes on at another host, '" + next.host + "'"};
}

}  // namespace plumb::registry
