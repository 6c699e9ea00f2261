// SPDX-License-Identifier: MIT OR Apache-2.0
#include <utility>

#include "oci/reference.h"
#include "registry/http_error_internal.h"
#include "registry/http_headers_internal.h"
#include "registry/http_remote_internal.h"
#include "registry/piecewise_upload_internal.h"

namespace plumb::registry {
namespace {

// Reads a blob that is being sent, and tells how far it is.
class ReportingSource final : public ByteSource {
 public:
  ReportingSource(std::unique_ptr<ByteSource> source, std::unique_ptr<ProgressTask> task)
      : source_(std::move(source)), task_(std::move(task)) {}
  Result<ByteSpan> Read(std::size_t size_max) override {
    PLUMB_TRY(const ByteSpan bytes, source_->Read(size_max));
    task_->Advance(bytes.size());
    return bytes;
  }

 private:
  const std::unique_ptr<ByteSource> source_;
  const std::unique_ptr<ProgressTask> task_;
};

// A refusal to mount is no reason not to send the bytes.
bool IsRefusal(ErrorKind kind) {
  return kind == ErrorKind::kDenied || kind == ErrorKind::kNotFound ||
         kind == ErrorKind::kInvalid || kind == ErrorKind::kUnsupported;
}

}  // namespace

Result<bool> HttpRemote::MountBlob(const oci::Descriptor& blob, std::string_view repository) {
  bool is_mounted = false;
  auto status = client_->retrier().Run(progress_, [&]() -> Status {
    PLUMB_TRY(is_mounted, MountOnce(blob, repository));
    return Done{};
  });
  if (status) return is_mounted;
  if (IsRefusal(status.error().kind)) return false;
  return std::move(status).error().While("cannot mount " + Named(blob));
}

// distribution-spec, "Mounting a blob from another repository": 201 if it was done, else 202 and an
// upload session that nobody wants.
Result<bool> HttpRemote::MountOnce(const oci::Descriptor& blob, std::string_view repository) {
  const Url uploads = UrlOf("blobs/uploads/");
  const Url mount =
      uploads.WithQuery("mount", blob.digest.ToString()).WithQuery("from", repository);
  const std::string scope = push_scope_ + " repository:" + std::string(repository) + ":pull";
  PLUMB_TRY(const host::HttpResponse response, Ask("POST", mount, scope));
  if (response.status == 201) return true;
  if (response.status != 202) return ErrorOf(response);
  // A registry forgets in time what nobody uses: whether this worked does not matter.
  if (const auto session = SessionOf(uploads, response); session && session->SharesOrigin(uploads))
      [[maybe_unused]]
    const auto cancelled = Ask("DELETE", *session, push_scope_);
  return false;
}

Status HttpRemote::PushBlob(const oci::Descriptor& blob, const OpenBlob& open, Progress& progress) {
  const bool may_be_cut =
      blob.size > client_->options().upload_whole_max && !BreaksOnPieces(client_->registry_host());
  Status status = Error{ErrorKind::kUnsupported, ""};
  if (may_be_cut) status = PushPieces(blob, open, progress);
  if (!status && status.error().kind == ErrorKind::kUnsupported)
    status = client_->retrier().Run(progress, [&] { return UploadOnce(blob, open, progress); });
  if (!status) return std::move(status).error().While("cannot push " + Named(blob));
  return Done{};
}

Status HttpRemote::PushPieces(const oci::Descriptor& blob, const OpenBlob& open,
                              Progress& progress) {
  std::unique_ptr<UploadRecord> record;
  if (client_->uploads() != nullptr)
    record = client_->uploads()->Open({client_->registry_host(), repository_, blob.digest});
  const PiecewiseUpload::Target target = {*client_, push_scope_, UrlOf("blobs/uploads/"),
                                          UrlOf("blobs/" + blob.digest.ToString()), record.get()};
  Status pushed = PiecewiseUpload(target, blob, open, progress).Run();
  // It is sent whole then: nobody goes on with that session.
  if (!pushed && pushed.error().kind == ErrorKind::kUnsupported && record != nullptr)
    record->Erase();
  return pushed;
}

// Every try opens a session of its own: what the last one left is unknown.
Status HttpRemote::UploadOnce(const oci::Descriptor& blob, const OpenBlob& open,
                              Progress& progress) {
  const Url uploads = UrlOf("blobs/uploads/");
  PLUMB_TRY(const host::HttpResponse response, Ask("POST", uploads, push_scope_));
  if (response.status != 202) return ErrorOf(response);
  PLUMB_TRY(const Url session, SessionOf(uploads, response));
  return UploadWhole(blob, session, open, progress);
}

// distribution-spec, "POST then PUT".
Status HttpRemote::UploadWhole(const oci::Descriptor& blob, const Url& session,
                               const OpenBlob& open, Progress& progress) {
  host::HttpRequest request;
  request.method = "PUT";
  request.url = session.WithQuery("digest", blob.digest.ToString()).ToString();
  request.headers = {{"Content-Type", "application/octet-stream"}};
  request.body_size = blob.size;
  const auto open_body = [&]() -> Result<std::unique_ptr<ByteSource>> {
    PLUMB_TRY(auto source, open(0));
    auto task = progress.Begin(blob.digest.ToString().substr(0, 19), blob.size);
    return std::unique_ptr<ByteSource>(
        std::make_unique<ReportingSource>(std::move(source), std::move(task)));
  };
  PLUMB_TRY(const host::HttpResponse response,
            client_->Send(std::move(request), push_scope_, open_body, progress));
  if (response.status != 201) {
    Error error = ErrorOf(response);
    // It was there a moment ago: a registry that forgot it may remember the next.
    if (response.status == 404) error.kind = ErrorKind::kUnavailable;
    return error;
  }
  return CheckContentDigest(response.Header("Docker-Content-Digest"), blob.digest);
}

Status HttpRemote::PushManifest(const oci::Descriptor& descriptor, std::string_view bytes,
                                std::string_view tag) {
  if (!tag.empty()) PLUMB_RETURN_IF_ERROR(oci::CheckTag(tag));
  // Not left to the registry, which would move the tag before it says what it took.
  if (Sha256(AsBytes(bytes)) != descriptor.digest)
    return Error{ErrorKind::kInvalid, "a manifest cannot be pushed as '" +
                                          descriptor.digest.ToString() +
                                          "': its bytes have another digest"};
  auto status = client_->retrier().Run(progress_, [&]() -> Status {
    return PushManifestOnce(descriptor, bytes, tag).map([](const auto&) { return Done{}; });
  });
  if (status) return Done{};
  const std::optional<Digest> digest =
      tag.empty() ? std::optional(descriptor.digest) : std::nullopt;
  return std::move(status).error().While("cannot push " + Named(tag, digest));
}

Result<host::HttpResponse> HttpRemote::PushManifestOnce(const oci::Descriptor& descriptor,
                                                        std::string_view bytes,
                                                        std::string_view tag) {
  host::HttpRequest request;
  request.method = "PUT";
  request.url =
      UrlOf("manifests/" + (tag.empty() ? descriptor.digest.ToString() : std::string(tag)))
          .ToString();
  request.headers = {{"Content-Type", descriptor.media_type}};
  request.body_size = bytes.size();
  const auto open_body = [&]() -> Result<std::unique_ptr<ByteSource>> {
    return std::unique_ptr<ByteSource>(std::make_unique<MemorySource>(AsBytes(bytes)));
  };
  PLUMB_TRY(const host::HttpResponse response,
            client_->Send(std::move(request), push_scope_, open_body, progress_));
  if (response.status != 201) return ErrorOf(response);
  PLUMB_RETURN_IF_ERROR(
      CheckContentDigest(response.Header("Docker-Content-Digest"), descriptor.digest));
  return response;
}

}  // namespace plumb::registry
