// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_PIECEWISE_UPLOAD_INTERNAL_H_
#define PLUMB_REGISTRY_PIECEWISE_UPLOAD_INTERNAL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "registry/client_internal.h"
#include "registry/remote.h"
#include "registry/uploads.h"
#include "registry/url_internal.h"

namespace plumb::registry {

// Where an upload session may be spoken to, after an answer that names it. kDenied: an answer by
// https leads to http.
Result<Url> SessionOf(const Url& asked, const host::HttpResponse& response);

// Whether registries of that name are known to break uploads in pieces.
bool BreaksOnPieces(std::string_view registry_host);

// Sends one blob in pieces (distribution-spec, "Pushing a blob in chunks"), so that what was taken
// need not be sent again: after a connection broke, and after this program ended.
//
// A piece that was begun is finished, even after Ctrl-C (for at most 30 s): some registries drop a
// session whose connection is cut inside one.
//
// Trust: the registry says how far it is; if what it says cannot be, or it does not take the blob
// in the end, the blob is sent anew, a few times. Credentials go only to its own host (client.h).
class PiecewiseUpload {
 public:
  struct Target {
    RegistryClient& client;
    const std::string& scope;
    Url uploads;  // ".../blobs/uploads/"
    Url blob;     // ".../blobs/sha256:…"
    UploadRecord* record = nullptr;
  };
  PiecewiseUpload(const Target& target, const oci::Descriptor& blob, const Remote::OpenBlob& open,
                  Progress& progress);

  // kUnsupported: it takes no pieces, and nothing was taken.
  Status Run();

 private:
  class Piece;
  // Goes on until the blob is there, or something fails.
  Status GoOn();
  void Resume();
  Status Begin();
  Status AskOffset();
  Result<bool> LookForBlob();
  Status SendPiece(std::uint64_t start);
  Result<host::HttpResponse> Patch(std::uint64_t start, std::uint64_t size);
  Status Taken(const host::HttpResponse& response, std::uint64_t end);
  // Whether the blob is there.
  Result<bool> Complete();
  // The session is of no use any more; a new one begins, unless that happened too often.
  void Lose(const host::HttpResponse& response);
  Status Follow(const host::HttpResponse& response);
  void Adapt(std::int64_t elapsed_ns);
  void Report(std::uint64_t offset);
  Result<host::HttpResponse> Ask(const char* method, const Url& url);

  const Target target_;
  const oci::Descriptor& blob_;
  const Remote::OpenBlob& open_;
  Progress& progress_;
  const std::unique_ptr<ProgressTask> task_;

  Url session_;                          // without a host: none
  std::optional<std::uint64_t> offset_;  // how much the session has; nothing: it must be asked
  int sessions_ = 0;                     // begun
  int disagreements_ = 0;                // with this session about its offset, since it last got on
  std::uint64_t known_ = 0;              // how far it got
  bool is_believed_ = false;             // some of it is there only by what the registry says
  bool may_be_there_ = false;            // the end was sent, and no answer came
  std::uint64_t sent_ = 0;               // in this session, by us
  std::uint64_t reported_ = 0;
  std::uint64_t piece_size_;
  std::uint64_t piece_size_min_ = 0;  // as the registry wants
  Status lost_ = Done{};              // why the last session was

  std::unique_ptr<ByteSource> source_;
  std::uint64_t source_at_ = 0;
};

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_PIECEWISE_UPLOAD_INTERNAL_H_
