// SPDX-License-Identifier: MIT OR Apache-2.0
#include <string>

#include "registry/checked_sink_internal.h"

namespace plumb::registry {
namespace {

Error Corrupt(const oci::Descriptor& blob, std::string_view why) {
  return Error{ErrorKind::kCorrupt, "blob '" + blob.digest.ToString() +
                                        "' is not what was asked for: " + std::string(why)};
}

}  // namespace

CheckedSink::CheckedSink(const oci::Descriptor& blob, std::uint64_t offset, Hashing hashing,
                         ByteSink& sink, Progress& progress)
    : blob_(blob),
      sink_(sink),
      progress_(progress),
      task_(progress.Begin(blob.digest.ToString().substr(0, 19), blob.size - offset)),
      received_(offset),
      hashing_(hashing) {
  PLUMB_CHECK(offset <= blob.size);
  PLUMB_CHECK(hashing == Hashing::kNo || offset == 0);
}

Status CheckedSink::Write(ByteSpan bytes) {
  if (bytes.size() > blob_.size - received_) return Corrupt(blob_, "it is too long");
  if (progress_.StopRequested()) return Interrupted();
  if (hashing_ == Hashing::kYes) hasher_.Add(bytes);
  PLUMB_RETURN_IF_ERROR(sink_.Write(bytes));
  received_ += bytes.size();
  task_->Advance(bytes.size());
  return Done{};
}

Status CheckedSink::Finish() {
  if (received_ != blob_.size) return Corrupt(blob_, "it is too short");
  if (hashing_ == Hashing::kYes && hasher_.Finish() != blob_.digest)
    return Corrupt(blob_, "its bytes have another digest");
  return Done{};
}

}  // namespace plumb::registry
