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

// Whether a blob's bytes are hashed here; not where whoever takes them names them himself.
enum class Hashing : std::uint8_t { kNo, kYes };

// Hands a blob on while it is counted and, if nobody behind does, hashed: it need not be believed.
class CheckedSink final : public ByteSink {
 public:
  // All must outlive it. Only a blob that comes from its start can be hashed.
  CheckedSink(const oci::Descriptor& blob, std::uint64_t offset, Hashing hashing, ByteSink& sink,
              Progress& progress);

  // kCorrupt as soon as there are more bytes than the descriptor says.
  Status Write(ByteSpan bytes) override;
  // kCorrupt if there were fewer, or (hashed) others.
  Status Finish();
  // How many bytes of the blob are there, those before the first offset included.
  std::uint64_t received() const { return received_; }

 private:
  const oci::Descriptor& blob_;
  ByteSink& sink_;
  Progress& progress_;
  const std::unique_ptr<ProgressTask> task_;
  std::uint64_t received_;
  const Hashing hashing_;
  Sha256Hasher hasher_;
};

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_CHECKED_SINK_INTERNAL_H_
