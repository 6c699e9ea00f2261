// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "registry/checked_sink_internal.h"
#include "registry/client_internal.h"
#include "registry/connect.h"

namespace plumb::registry {
namespace {

constexpr std::size_t kTagPageSizeMax = std::size_t{4} << 20;
constexpr std::size_t kTagCountMax = 100'000;
constexpr std::string_view kAccept =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json";

// Reads a blob that is being sent, and tells how far it is.
class ReportingSource final : public ByteSource {
 public:
  ReportingSource(std::unique_ptr<ByteSource> source, ProgressTask& task)
      : source_(std::move(source)), task_(task) {}
  Result<ByteSpan> Read(std::size_t size_max) override {
    PLUMB_TRY(const ByteSpan bytes, source_->Read(size_max));
    task_.Advance(bytes.size());
    return bytes;
  }

 private:
  const std::unique_ptr<ByteSource> source_;
  ProgressTask& task_;
};

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

std::string Named(const oci::Descriptor& blob) { return "blob '" + blob.digest.ToString() + "'"; }

bool IsSuccess(const host::HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

// A repository of a registry that speaks distribution-spec 1.1.
class HttpRemote final : public Remote {
 public:
  HttpRemote(const Network& network, const std::string& registry_host,
             const std::string& repository, const ConnectOptions& options)
      : reader_(network, registry_host, options, "repository:" + repository + ":pull"),
        writer_(network, registry_host, options, "repository:" + repository + ":pull,push"),
        repository_(repository) {}

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

 private:
  Url UrlOf(std::string_view path) const {
    return reader_.UrlOf(repository_ + "/" + std::string(path));
  }
  Result<RemoteManifest> FetchManifestOnce(const std::string& name,
                                           const std::optional<Digest>& digest);
  Status FetchRest(const oci::Descriptor& blob, CheckedSink& sink, Progress& progress);
  Result<Url> BeginUpload(const std::string& query, bool& is_mounted);
  Status UploadOnce(const oci::Descriptor& blob, const OpenBlob& open, Progress& progress);
  // One page of tags; sets `next` to the address of the one behind it, or to nothing.
  Status FetchTags(const Url& url, std::vector<std::string>& tags, std::optional<Url>& next);

  RegistryClient reader_;  // asks for no right to push, which who pulls may not have
  RegistryClient writer_;
  const std::string repository_;
  SilentProgress silent_;
};

Result<RemoteManifest> HttpRemote::FetchManifest(std::string_view tag,
                                                 const std::optional<Digest>& digest) {
  const std::string name = digest ? digest->ToString() : std::string(tag);
  std::optional<RemoteManifest> manifest;
  PLUMB_RETURN_IF_ERROR(reader_.Retry(silent_, [&]() -> Status {
    PLUMB_TRY(manifest, FetchManifestOnce(name, digest));
    return Done{};
  }));
  return *std::move(manifest);
}

Result<RemoteManifest> HttpRemote::FetchManifestOnce(const std::string& name,
                                                     const std::optional<Digest>& digest) {
  host::HttpRequest request;
  request.url = UrlOf("manifests/" + name).ToString();
  request.headers = {{"Accept", std::string(kAccept)}};
  MemorySink sink(oci::kManifestSizeMax);
  request.sink = &sink;
  PLUMB_TRY(const host::HttpResponse response, reader_.Send(request, nullptr, silent_));
  if (!IsSuccess(response))
    return reader_.ErrorOf(response, "find '" + repository_ + (digest ? "@" : ":") + name + "'");
  RemoteManifest manifest;
  manifest.bytes = std::move(sink).TakeText();
  const Digest actual = Sha256(AsBytes(manifest.bytes));
  if (digest && actual != *digest)
    return Error{ErrorKind::kCorrupt, "the manifest '" + name + "' came with other bytes: " +
                                          actual.ToString()};
  std::string media_type(response.Header("Content-Type").value_or(oci::kManifestMediaType));
  media_type = std::string(Trim(media_type.substr(0, media_type.find(';'))));
  manifest.descriptor = {media_type, actual, manifest.bytes.size()};
  return manifest;
}

Status HttpRemote::FetchBlob(const oci::Descriptor& blob, std::uint64_t offset, ByteSink& sink,
                             Progress& progress) {
  CheckedSink checked(blob, offset, sink, progress);
  // A connection that breaks costs only what had not come yet.
  PLUMB_RETURN_IF_ERROR(
      reader_.Retry(progress, [&] { return FetchRest(blob, checked, progress); }));
  return checked.Finish();
}

Status HttpRemote::FetchRest(const oci::Descriptor& blob, CheckedSink& sink, Progress& progress) {
  const std::uint64_t start = sink.received();
  if (start == blob.size && start > 0) return Done{};
  host::HttpRequest request;
  request.url = UrlOf("blobs/" + blob.digest.ToString()).ToString();
  if (start > 0)
    request.headers.emplace_back("Range", "bytes=" + std::to_string(start) + "-");
  SkippingSink rest(sink);
  request.sink = &rest;
  request.before_body = [&](int status, const std::vector<host::HttpHeader>& headers) -> Status {
    if (start == 0 || (status != 200 && status != 206)) return Done{};
    host::HttpResponse head;
    head.headers = headers;
    const auto range_start = ParseContentRangeStart(head.Header("Content-Range").value_or(""));
    if (status == 200) rest.Skip(start);
    if (status == 200 || range_start == start) return Done{};
    return Error{ErrorKind::kUnavailable,
                 "'" + reader_.registry_host() + "' sent another part of " + Named(blob)};
  };
  PLUMB_TRY(const host::HttpResponse response, reader_.Send(request, nullptr, progress));
  if (!IsSuccess(response)) return reader_.ErrorOf(response, "fetch " + Named(blob));
  if (sink.received() < blob.size && sink.received() > start)
    return Error{ErrorKind::kUnavailable, Named(blob) + " came only in part"};
  return Done{};
}

Result<bool> HttpRemote::HasBlob(const oci::Descriptor& blob) {
  host::HttpRequest request;
  request.method = "HEAD";
  request.url = UrlOf("blobs/" + blob.digest.ToString()).ToString();
  bool is_there = false;
  PLUMB_RETURN_IF_ERROR(writer_.Retry(silent_, [&]() -> Status {
    PLUMB_TRY(const host::HttpResponse response, writer_.Send(request, nullptr, silent_));
    is_there = IsSuccess(response);
    if (is_there || response.status == 404) return Done{};
    return writer_.ErrorOf(response, "look for " + Named(blob));
  }));
  return is_there;
}

// distribution-spec, "Mounting a blob from another repository": 201 if it was, else 202 and an
// upload that may be used.
Result<Url> HttpRemote::BeginUpload(const std::string& query, bool& is_mounted) {
  host::HttpRequest request;
  request.method = "POST";
  const Url url = UrlOf("blobs/uploads/" + query);
  request.url = url.ToString();
  PLUMB_TRY(const host::HttpResponse response, writer_.Send(request, nullptr, silent_));
  is_mounted = response.status == 201;
  if (is_mounted) return url;
  if (response.status != 202) return writer_.ErrorOf(response, "push to '" + repository_ + "'");
  return url.Resolve(response.Header("Location").value_or(""));
}

Result<bool> HttpRemote::MountBlob(const oci::Descriptor& blob, std::string_view repository) {
  const std::string query = "?mount=" + EncodeQueryValue(blob.digest.ToString()) +
                            "&from=" + EncodeQueryValue(repository);
  bool is_mounted = false;
  auto upload = BeginUpload(query, is_mounted);
  if (!upload) {
    // A sibling that we may not read is no reason not to send the bytes.
    const ErrorKind kind = upload.error().kind;
    if (kind == ErrorKind::kDenied || kind == ErrorKind::kNotFound ||
        kind == ErrorKind::kInvalid || kind == ErrorKind::kUnsupported)
      return false;
    return std::move(upload).error();
  }
  if (is_mounted) return true;
  host::HttpRequest cancel;
  cancel.method = "DELETE";
  cancel.url = upload->ToString();
  // The registry forgets an upload that nobody uses, cancelled or not.
  if (upload->host == UrlOf("").host) [[maybe_unused]]
    const auto cancelled = writer_.Send(cancel, nullptr, silent_);
  return false;
}

Status HttpRemote::PushBlob(const oci::Descriptor& blob, const OpenBlob& open,
                            Progress& progress) {
  return writer_.Retry(progress, [&] { return UploadOnce(blob, open, progress); });
}

Status HttpRemote::UploadOnce(const oci::Descriptor& blob, const OpenBlob& open,
                              Progress& progress) {
  bool is_mounted = false;
  PLUMB_TRY(const Url upload, BeginUpload("", is_mounted));
  if (is_mounted) return Done{};
  if (upload.host != UrlOf("").host)
    return Error{ErrorKind::kUnsupported, "'" + writer_.registry_host() +
                                              "' wants blobs to be sent to '" +
                                              Printable(upload.host) + "': not done"};
  const auto task = progress.Begin(blob.digest.ToString().substr(0, 19), blob.size);
  host::HttpRequest request;
  request.method = "PUT";
  request.url = upload.ToString() + (upload.rest.find('?') == std::string::npos ? "?" : "&") +
                "digest=" + EncodeQueryValue(blob.digest.ToString());
  request.headers = {{"Content-Type", "application/octet-stream"}};
  request.body_size = blob.size;
  const auto open_body = [&]() -> Result<std::unique_ptr<ByteSource>> {
    PLUMB_TRY(auto source, open(0));
    return std::unique_ptr<ByteSource>(
        std::make_unique<ReportingSource>(std::move(source), *task));
  };
  PLUMB_TRY(const host::HttpResponse response, writer_.Send(request, open_body, progress));
  if (response.status == 201) return Done{};
  return writer_.ErrorOf(response, "push " + Named(blob));
}

Status HttpRemote::PushManifest(const oci::Descriptor& descriptor, std::string_view bytes,
                                std::string_view tag) {
  const std::string name = tag.empty() ? descriptor.digest.ToString() : std::string(tag);
  host::HttpRequest request;
  request.method = "PUT";
  request.url = UrlOf("manifests/" + name).ToString();
  request.headers = {{"Content-Type", descriptor.media_type}};
  request.body_size = bytes.size();
  const auto open_body = [&]() -> Result<std::unique_ptr<ByteSource>> {
    return std::unique_ptr<ByteSource>(std::make_unique<MemorySource>(AsBytes(bytes)));
  };
  return writer_.Retry(silent_, [&]() -> Status {
    PLUMB_TRY(const host::HttpResponse response, writer_.Send(request, open_body, silent_));
    if (!IsSuccess(response))
      return writer_.ErrorOf(response, "push manifest '" + repository_ + ":" + name + "'");
    const auto said = response.Header("Docker-Content-Digest");
    if (!said || *said == descriptor.digest.ToString()) return Done{};
    return Error{ErrorKind::kCorrupt, "'" + writer_.registry_host() +
                                          "' took the manifest as another: " + Printable(*said)};
  });
}

Result<std::vector<std::string>> HttpRemote::ListTags() {
  std::vector<std::string> tags;
  std::optional<Url> next = UrlOf("tags/list");
  while (next) {
    const Url url = *next;
    PLUMB_RETURN_IF_ERROR(
        reader_.Retry(silent_, [&] { return FetchTags(url, tags, next); }));
    if (tags.size() > kTagCountMax)
      return Error{ErrorKind::kExhausted, "'" + repository_ + "' has more than 100000 tags"};
    if (next == url) break;  // a registry that would keep us here for ever
  }
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  return tags;
}

Status HttpRemote::FetchTags(const Url& url, std::vector<std::string>& tags,
                             std::optional<Url>& next) {
  host::HttpRequest request;
  request.url = url.ToString();
  MemorySink sink(kTagPageSizeMax);
  request.sink = &sink;
  PLUMB_TRY(const host::HttpResponse response, reader_.Send(request, nullptr, silent_));
  if (!IsSuccess(response)) return reader_.ErrorOf(response, "list the tags of '" + repository_ + "'");
  PLUMB_TRY(const Json json, ParseJson(sink.text()));
  const Json* names = json.Find("tags");
  if (names != nullptr && names->IfArray() != nullptr) {
    for (const Json& name : *names->IfArray())
      if (name.IfString() != nullptr) tags.push_back(*name.IfString());
  }
  next.reset();
  // RFC 8288: <…>; rel="next"
  const std::string_view link = response.Header("Link").value_or("");
  const std::size_t end = link.find('>');
  if (!link.starts_with('<') || end == std::string_view::npos) return Done{};
  PLUMB_TRY(const Url resolved, url.Resolve(link.substr(1, end - 1)));
  if (resolved.host == url.host) next = resolved;
  return Done{};
}

}  // namespace

Result<std::unique_ptr<Remote>> ConnectRegistry(const Network& network,
                                                const std::string& registry_host,
                                                const std::string& repository,
                                                const ConnectOptions& options) {
  return std::unique_ptr<Remote>(
      std::make_unique<HttpRemote>(network, registry_host, repository, options));
}

Status CheckLogin(const Network& network, const std::string& registry_host,
                  const Credential& credential, const ConnectOptions& options) {
  RegistryClient client(network, registry_host, options, "");
  client.UseCredential(credential);
  SilentProgress silent;
  host::HttpRequest request;
  request.url = client.UrlOf("").ToString();
  PLUMB_TRY(const host::HttpResponse response, client.Send(request, nullptr, silent));
  if (IsSuccess(response)) return Done{};
  Error error = client.ErrorOf(response, "log in");
  error.hint.clear();
  return error;
}

}  // namespace plumb::registry
