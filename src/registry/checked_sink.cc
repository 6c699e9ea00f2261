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

CheckedSink::CheckedSink(const oci::Descriptor& blob, std::uint64_t offset, ByteSink& sink,
                         Progress& progress)
    : blob_(blob),
      sink_(sink),
      progress_(progress),
      task_(progress.Begin(blob.digest.ToString().substr(0, 19), blob.size - offset)),
      received_(offset),
      is_whole_(offset == 0) {
  PLUMB_CHECK(offset <= blob.size);
}

Status CheckedSink::Write(ByteSpan bytes) {
  if (bytes.size() > blob_.size - received_) return Corrupt(blob_, "it is too long");
  if (progress_.StopRequested()) return Interrupted();
  if (is_whole_) hasher_.Add(bytes);
  PLUMB_RETURN_IF_ERROR(sink_.Write(bytes));
  received_ += bytes.size();
  task_->Advance(bytes.size());
  return Done{};
}

Status CheckedSink::Finish() {
  if (received_ != blob_.size) return Corrupt(blob_, "it is too short");
  if (is_whole_ && hasher_.Finish() != blob_.digest)
    return Corrupt(blob_, "its bytes have another digest");
  return Done{};
}

}  // namespace plumb::registry
