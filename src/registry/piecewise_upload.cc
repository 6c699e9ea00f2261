// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "registry/http_error_internal.h"
#include "registry/http_headers_internal.h"
#include "registry/piecewise_upload_internal.h"

namespace plumb::registry {
namespace {

constexpr int kSessionsMax = 3;
constexpr int kDisagreementsMax = 3;
constexpr std::uint64_t kPieceSizeMin = std::uint64_t{1} << 20;
constexpr std::int64_t kNsPerS = 1'000'000'000;
// A cut costs at most a piece: one shall not take long.
constexpr std::int64_t kPieceSlowNs = 10 * kNsPerS;
constexpr std::int64_t kPieceFastNs = 2 * kNsPerS;
constexpr std::int64_t kPatienceNs = 30 * kNsPerS;

// Does not stop at once: what was begun is to be finished.
class PatientProgress final : public Progress {
 public:
  PatientProgress(Progress& progress, host::Clock& clock) : progress_(progress), clock_(clock) {}
  std::unique_ptr<ProgressTask> Begin(std::string_view name, std::uint64_t expected) override {
    return progress_.Begin(name, expected);
  }
  void Warn(std::string_view text) override { progress_.Warn(text); }
  void Note(std::string_view text) override { progress_.Note(text); }
  bool StopRequested() const override {
    if (!progress_.StopRequested()) return false;
    const std::int64_t now_ns = clock_.MonotonicNs();
    if (!asked_ns_) asked_ns_ = now_ns;
    return now_ns - *asked_ns_ > kPatienceNs;
  }

 private:
  Progress& progress_;
  host::Clock& clock_;
  mutable std::optional<std::int64_t> asked_ns_;
};

std::optional<std::uint64_t> MinLengthIn(const host::HttpResponse& response) {
  return ParseUint64(response.Header("OCI-Chunk-Min-Length").value_or(""));
}

bool IsGone(int status) { return status == 400 || status == 404 || status == 410 || status == 500; }

}  // namespace

Result<Url> SessionOf(const Url& asked, const host::HttpResponse& response) {
  PLUMB_TRY(Url session, asked.Resolve(response.Header("Location").value_or("")));
  if (asked.scheme == "https" && session.scheme == "http")
    return Error{ErrorKind::kDenied,
                 "the upload is to go on at '" + session.host + "' without encryption: refused"};
  return session;
}

bool BreaksOnPieces(std::string_view registry_host) {
  const std::string_view host = registry_host.substr(0, registry_host.find(':'));
  return host == "ghcr.io" || host.ends_with(".pkg.dev") || host.ends_with("gcr.io") ||
         host.ends_with("amazonaws.com");
}

// The next bytes of the blob, from the source that all pieces share.
class PiecewiseUpload::Piece final : public ByteSource {
 public:
  Piece(PiecewiseUpload& upload, std::uint64_t size) : upload_(upload), left_(size) {}
  Result<ByteSpan> Read(std::size_t size_max) override {
    if (left_ == 0) return ByteSpan();
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(size_max, left_));
    PLUMB_TRY(const ByteSpan bytes, upload_.source_->Read(most));
    left_ -= bytes.size();
    upload_.source_at_ += bytes.size();
    upload_.Report(upload_.source_at_);
    return bytes;
  }

 private:
  PiecewiseUpload& upload_;
  std::uint64_t left_;
};

PiecewiseUpload::PiecewiseUpload(const Target& target, const oci::Descriptor& blob,
                                 const Remote::OpenBlob& open, Progress& progress)
    : target_(target),
      blob_(blob),
      open_(open),
      progress_(progress),
      task_(progress.Begin(blob.digest.ToString().substr(0, 19), blob.size)),
      piece_size_(target.client.options().upload_piece_size) {}

Status PiecewiseUpload::Run() {
  Resume();
  std::uint64_t counted = 0;
  const auto got_on = [&] {
    const bool has_got_on = sent_ > counted;
    counted = sent_;
    return has_got_on;
  };
  return target_.client.retrier().Run(progress_, [&] { return GoOn(); }, got_on);
}

Status PiecewiseUpload::GoOn() {
  if (may_be_there_) {
    PLUMB_TRY(const bool is_there, LookForBlob());
    if (is_there) return Done{};
  }
  while (true) {
    if (progress_.StopRequested()) return Interrupted();
    if (session_.host.empty()) {
      PLUMB_RETURN_IF_ERROR(Begin());
    } else if (!offset_) {
      PLUMB_RETURN_IF_ERROR(AskOffset());
    } else if (*offset_ < blob_.size) {
      PLUMB_RETURN_IF_ERROR(SendPiece(*offset_));
    } else {
      PLUMB_TRY(const bool is_there, Complete());
      if (is_there) return Done{};
    }
  }
}

// What the last command left.
void PiecewiseUpload::Resume() {
  if (target_.record == nullptr) return;
  const auto saved = target_.record->SavedSession();
  if (!saved) return;
  const auto session = Url::Parse(*saved);
  if (!session || (target_.uploads.scheme == "https" && session->scheme == "http")) {
    target_.record->Erase();
    return;
  }
  session_ = *session;
}

Result<host::HttpResponse> PiecewiseUpload::Ask(const char* method, const Url& url) {
  host::HttpRequest request;
  request.method = method;
  request.url = url.ToString();
  return target_.client.Send(std::move(request), target_.scope, nullptr, progress_);
}

Status PiecewiseUpload::Begin() {
  if (sessions_ == kSessionsMax) return lost_;
  PLUMB_TRY(const host::HttpResponse response, Ask("POST", target_.uploads));
  if (response.status != 202) return ErrorOf(response, target_.client.registry_host());
  PLUMB_TRY(session_, SessionOf(target_.uploads, response));
  piece_size_min_ = MinLengthIn(response).value_or(0);
  ++sessions_;
  offset_ = 0;
  sent_ = 0;
  known_ = 0;
  disagreements_ = 0;
  is_believed_ = false;
  if (target_.record != nullptr) target_.record->Save(session_.ToString());
  return Done{};
}

// A session's newest address is the only good one on some registries.
Status PiecewiseUpload::Follow(const host::HttpResponse& response) {
  piece_size_min_ = MinLengthIn(response).value_or(piece_size_min_);
  if (response.Header("Location").value_or("").empty()) return Done{};
  PLUMB_TRY(session_, SessionOf(session_, response));
  if (target_.record != nullptr) target_.record->Save(session_.ToString());
  return Done{};
}

// distribution-spec, "Pushing a blob in chunks": GET tells how far a session is.
Status PiecewiseUpload::AskOffset() {
  PLUMB_TRY(const host::HttpResponse response, Ask("GET", session_));
  if (!IsSuccess(response)) {
    Error error = ErrorOf(response, target_.client.registry_host());
    if (!IsGone(response.status) && error.kind == ErrorKind::kUnavailable) return error;
    Lose(response);
    return Done{};
  }
  PLUMB_RETURN_IF_ERROR(Follow(response));
  const auto end = ParseUploadRange(response.Header("Range").value_or(""));
  const bool is_ours = sessions_ > 0;
  const bool can_be =
      end && *end <= blob_.size && (!is_ours || *end <= std::max<std::uint64_t>(sent_, 1));
  if (can_be && *end > known_) disagreements_ = 0;
  // Who says the same again after a piece that was refused for now does not disagree.
  if (can_be && *end < known_) ++disagreements_;
  if (!can_be || disagreements_ > kDisagreementsMax) {
    Lose(response);
    return Done{};
  }
  known_ = std::max(known_, *end);
  // "0-0" is what registries say of nothing at all, too: one byte is sent twice, at worst, and
  // refused.
  const std::uint64_t offset = *end == 1 ? 0 : *end;
  offset_ = offset;
  is_believed_ = is_believed_ || offset > 0;
  Report(offset);
  return Done{};
}

Result<host::HttpResponse> PiecewiseUpload::Patch(std::uint64_t start, std::uint64_t size) {
  host::HttpRequest request;
  request.method = "PATCH";
  request.url = session_.ToString();
  request.headers = {
      {"Content-Type", "application/octet-stream"},
      {"Content-Range", std::to_string(start) + "-" + std::to_string(start + size - 1)}};
  request.body_size = size;
  const auto open_body = [&]() -> Result<std::unique_ptr<ByteSource>> {
    if (source_ == nullptr || source_at_ != start) {
      PLUMB_TRY(source_, open_(start));
      source_at_ = start;
    }
    return std::unique_ptr<ByteSource>(std::make_unique<Piece>(*this, size));
  };
  PatientProgress patient(progress_, target_.client.clock());
  return target_.client.Send(std::move(request), target_.scope, open_body, patient);
}

Status PiecewiseUpload::SendPiece(std::uint64_t start) {
  const std::uint64_t size = std::min(blob_.size - start, std::max(piece_size_, piece_size_min_));
  const std::int64_t began_ns = target_.client.clock().MonotonicNs();
  sent_ = std::max(sent_, start + size);
  // Until an answer says more nobody knows how much arrived.
  offset_.reset();
  const auto answer = Patch(start, size);
  if (!answer) {
    Adapt(kPieceSlowNs + 1);  // shorter pieces survive where long ones do not
    return answer.error();
  }
  const host::HttpResponse& response = *answer;
  if (response.status == 202) {
    Adapt(target_.client.clock().MonotonicNs() - began_ns);
    return Taken(response, start + size);
  }
  if (response.status == 416) {
    if (++disagreements_ > kDisagreementsMax) {
      Lose(response);
      return Done{};
    }
    return Follow(response);
  }
  if (IsGone(response.status) && response.status != 500) {
    Lose(response);
    return Done{};
  }
  Error error = ErrorOf(response, target_.client.registry_host());
  // Only before anything was taken there is another way.
  if (error.kind == ErrorKind::kUnsupported && start > 0) error.kind = ErrorKind::kInvalid;
  return error;
}

// A piece was taken, or the part of it that the answer names.
Status PiecewiseUpload::Taken(const host::HttpResponse& response, std::uint64_t end) {
  PLUMB_RETURN_IF_ERROR(Follow(response));
  const auto header = response.Header("Range");
  const std::uint64_t told = header ? ParseUploadRange(*header).value_or(0) : end;
  if (told == end) {
    offset_ = known_ = end;
    disagreements_ = 0;
    return Done{};
  }
  if (++disagreements_ > kDisagreementsMax) Lose(response);
  return Done{};
}

Result<bool> PiecewiseUpload::Complete() {
  const auto answer = Ask("PUT", session_.WithQuery("digest", blob_.digest.ToString()));
  may_be_there_ = !answer;
  if (!answer) {
    offset_.reset();
    return answer.error();
  }
  const host::HttpResponse& response = *answer;
  if (response.status == 201) {
    if (target_.record != nullptr) target_.record->Erase();
    PLUMB_RETURN_IF_ERROR(
        CheckContentDigest(response.Header("Docker-Content-Digest"), blob_.digest));
    return true;
  }
  Error error = ErrorOf(response, target_.client.registry_host());
  if (error.kind == ErrorKind::kUnavailable) {
    // It may have been done all the same; the session then is gone.
    may_be_there_ = true;
    offset_.reset();
    return error;
  }
  const bool may_pass = is_believed_ || response.status == 404 || response.status == 416;
  if (!may_pass) return error;
  Lose(response);
  return false;
}

Result<bool> PiecewiseUpload::LookForBlob() {
  PLUMB_TRY(const host::HttpResponse response, Ask("HEAD", target_.blob));
  Error error = ErrorOf(response, target_.client.registry_host());
  if (!IsSuccess(response) && error.kind == ErrorKind::kUnavailable) return error;
  may_be_there_ = false;
  if (IsSuccess(response) && target_.record != nullptr) target_.record->Erase();
  return IsSuccess(response);
}

void PiecewiseUpload::Lose(const host::HttpResponse& response) {
  lost_ = ErrorOf(response, target_.client.registry_host())
              .While("the upload was begun anew too often");
  if (target_.record != nullptr) target_.record->Erase();
  session_ = {};
  offset_.reset();
  progress_.Note("the registry lost an upload; beginning anew");
}

void PiecewiseUpload::Adapt(std::int64_t elapsed_ns) {
  const std::uint64_t most = target_.client.options().upload_piece_size;
  const std::uint64_t least = std::min(kPieceSizeMin, most);
  if (elapsed_ns > kPieceSlowNs) piece_size_ = std::max(piece_size_ / 2, least);
  if (elapsed_ns < kPieceFastNs) piece_size_ = std::min(piece_size_ * 2, most);
}

void PiecewiseUpload::Report(std::uint64_t offset) {
  if (offset <= reported_) return;
  task_->Advance(offset - reported_);
  reported_ = offset;
}

}  // namespace plumb::registry
