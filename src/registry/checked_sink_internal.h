// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_CHECKED_SINK_INTERNAL_H_
#define PLUMB_REGISTRY_CHECKED_SINK_INTERNAL_H_

#include <cstdint>
#include <memory>

#include "base/progress.h"
#include "base/streams.h"
#include "crypto/digest.h"
#include "oci/manifest.h"

namespace plumb::registry {

// Hands a blob on while it is counted and hashed, so that it need not be believed.
class CheckedSink final : public ByteSink {
 public:
  // All must outlive it. A blob that is taken from an offset on is counted, not hashed.
  CheckedSink(const oci::Descriptor& blob, std::uint64_t offset, ByteSink& sink,
              Progress& progress);

  // kCorrupt as soon as there are more bytes than the descriptor says.
  Status Write(ByteSpan bytes) override;
  // kCorrupt if there were fewer, or others.
  Status Finish();
  // How many bytes of the blob are there, those before the first offset included.
  std::uint64_t received() const { return received_; }

 private:
  const oci::Descriptor& blob_;
  ByteSink& sink_;
  Progress& progress_;
  const std::unique_ptr<ProgressTask> task_;
  std::uint64_t received_;
  const bool is_whole_;
  Sha256Hasher hasher_;
};

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_CHECKED_SINK_INTERNAL_H_
