// SPDX-License-Identifier: MIT OR Apache-2.0
#include "registry/transfer.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "base/text.h"
#include "oci/manifest.h"

namespace plumb::registry {
namespace {

// The layers of a manifest, equal ones once, without one that is its config.
Result<std::vector<oci::Descriptor>> LayersOf(const oci::Manifest& manifest) {
  std::map<Digest, std::uint64_t> sizes = {{manifest.config.digest, manifest.config.size}};
  std::vector<oci::Descriptor> layers;
  for (const oci::Descriptor& layer : manifest.layers) {
    const auto [known, is_new] = sizes.emplace(layer.digest, layer.size);
    if (known->second != layer.size) {
      return Error{ErrorKind::kInvalid,
                   "a manifest gives blob '" + layer.digest.ToString() + "' two sizes"};
    }
    if (is_new) layers.push_back(layer);
  }
  return layers;
}

// The store has counted and hashed what it has; the other side has not been believed.
Status CheckSame(const store::BlobInfo& info, const oci::Descriptor& blob) {
  if (info.digest == blob.digest && info.size == blob.size) return Done{};
  return Error{ErrorKind::kCorrupt,
               "blob '" + blob.digest.ToString() + "' is not as its manifest says: '" +
                   info.digest.ToString() + "' of " + std::to_string(info.size) + " bytes"};
}

// Whether the other side does not give a part of a blob that it may well give whole.
bool IsRefusal(const Error& error) {
  return error.kind == ErrorKind::kInvalid || error.kind == ErrorKind::kCorrupt;
}

class CountingSink final : public ByteSink {
 public:
  explicit CountingSink(ByteSink& sink) : sink_(sink) {}
  Status Write(ByteSpan bytes) override {
    size_ += bytes.size();
    return sink_.Write(bytes);
  }
  std::uint64_t size() const { return size_; }

 private:
  ByteSink& sink_;
  std::uint64_t size_ = 0;
};

class Pusher {
 public:
  Pusher(store::Store& store, Remote& target, const PushRequest& request, Progress& progress)
      : store_(store), target_(target), request_(request), progress_(progress) {}

  Result<TransferReport> Run() {
    PLUMB_TRY(const std::string bytes,
              store::ReadBlob(store_, request_.manifest, oci::kManifestSizeMax));
    PLUMB_TRY(const oci::Manifest manifest, oci::Manifest::Parse(bytes));
    PLUMB_TRY(const auto layers, LayersOf(manifest));
    // Who finds a manifest shall find all it names: blobs, config, manifest, tags.
    PLUMB_RETURN_IF_ERROR(RunParallel(request_.connections, layers.size(),
                                      [&](std::size_t i) { return PushBlob(layers[i]); }));
    PLUMB_RETURN_IF_ERROR(PushBlob(manifest.config));
    if (progress_.StopRequested()) return Interrupted();

    oci::Descriptor descriptor = {manifest.media_type, request_.manifest, bytes.size()};
    if (descriptor.media_type.empty()) descriptor.media_type = oci::kManifestMediaType;
    if (request_.tags.empty()) PLUMB_RETURN_IF_ERROR(target_.PushManifest(descriptor, bytes, ""));
    for (const std::string& tag : request_.tags)
      PLUMB_RETURN_IF_ERROR(target_.PushManifest(descriptor, bytes, tag));
    return TransferReport{request_.manifest, moved_, present_, mounted_};
  }

 private:
  Status PushBlob(const oci::Descriptor& blob) {
    if (progress_.StopRequested()) return Interrupted();
    PLUMB_TRY(const bool is_there, target_.HasBlob(blob));
    if (is_there) {
      present_ += blob.size;
      return Done{};
    }
    for (const std::string& sibling : request_.mount_from) {
      PLUMB_TRY(const bool is_mounted, target_.MountBlob(blob, sibling));
      if (!is_mounted) continue;
      mounted_ += blob.size;
      return Done{};
    }
    // An upload that goes on begins where an earlier one ended.
    std::optional<std::uint64_t> start;
    const auto open = [&](std::uint64_t offset) {
      if (!start) start = offset;
      return store_.OpenBlob(blob.digest, offset);
    };
    PLUMB_RETURN_IF_ERROR(target_.PushBlob(blob, open, progress_));
    const std::uint64_t present = std::min(start.value_or(blob.size), blob.size);
    moved_ += blob.size - present;
    present_ += present;
    return Done{};
  }

  store::Store& store_;
  Remote& target_;
  const PushRequest& request_;
  Progress& progress_;
  std::atomic<std::uint64_t> moved_ = 0;
  std::atomic<std::uint64_t> present_ = 0;
  std::atomic<std::uint64_t> mounted_ = 0;
};

class Puller {
 public:
  Puller(store::Store& store, Remote& source, const PullRequest& request, Progress& progress)
      : store_(store),
        source_(source),
        request_(request),
        progress_(progress),
        session_(store.Begin()) {}

  Result<TransferReport> Run() {
    PLUMB_TRY(const RemoteManifest fetched,
              source_.FetchManifest(request_.digest ? "" : request_.tag, request_.digest));
    PLUMB_RETURN_IF_ERROR(CheckFetched(fetched));
    PLUMB_TRY(const oci::Manifest manifest, oci::Manifest::Parse(fetched.bytes));
    PLUMB_TRY(const auto layers, LayersOf(manifest));
    if (manifest.config.size > oci::kManifestSizeMax)
      return Error{ErrorKind::kExhausted, "the config of this manifest is longer than 4 MiB"};
    // The config first: it is small, and tells early if the other side does not hold what it
    // names.
    PLUMB_RETURN_IF_ERROR(PullBlob(manifest.config));
    PLUMB_RETURN_IF_ERROR(RunParallel(request_.connections, layers.size(),
                                      [&](std::size_t i) { return PullBlob(layers[i]); }));
    if (progress_.StopRequested()) return Interrupted();

    PLUMB_TRY(const store::BlobInfo info, session_->PutBlob(AsBytes(fetched.bytes)));
    std::vector<Digest> needs = {manifest.config.digest};
    for (const oci::Descriptor& layer : layers)
      needs.push_back(layer.digest);
    session_->AddKit({info.digest, needs});
    for (const store::RefName& name : request_.names)
      session_->MoveRef({name, info.digest, request_.message});
    PLUMB_RETURN_IF_ERROR(session_->Commit());
    return TransferReport{info.digest, moved_, present_, 0};
  }

 private:
  Status CheckFetched(const RemoteManifest& fetched) const {
    const std::string& type = fetched.descriptor.media_type;
    if (type != oci::kManifestMediaType && type != oci::kDockerManifestMediaType) {
      return Error{ErrorKind::kUnsupported, "what is named so is no manifest of a kit, but a '" +
                                                Printable(type.substr(0, 128)) + "'"};
    }
    const Digest digest = Sha256(AsBytes(fetched.bytes));
    if (digest != fetched.descriptor.digest || digest != request_.digest.value_or(digest)) {
      return Error{ErrorKind::kCorrupt,
                   "another manifest came than was asked for: '" + digest.ToString() + "'"};
    }
    return Done{};
  }

  Status PullBlob(const oci::Descriptor& blob) {
    if (progress_.StopRequested()) return Interrupted();
    PLUMB_TRY(const auto known, store_.FindBlob(blob.digest));
    if (known && known->standing == store::Standing::kGood) {
      PLUMB_RETURN_IF_ERROR(CheckSame(*known, blob));
      present_ += blob.size;
      return Done{};
    }
    Kept kept;
    Status taken = TakeBlob(blob, WhatIsKept::kTake, kept);
    // What was kept may have been of another blob, whoever wrote that down.
    if (!taken && (kept.is_suspect || kept.is_refused)) {
      progress_.Warn(taken.error().message + "; fetching all of it again");
      taken = TakeBlob(blob, kept.is_refused ? WhatIsKept::kLeave : WhatIsKept::kTake, kept);
    }
    return taken;
  }

  // Of a blob, since an earlier pull.
  struct Kept {
    std::uint64_t size = 0;
    bool is_suspect = false;  // some was taken, and the whole is another blob
    bool is_refused = false;  // some was taken, and the other side does not give the rest
  };
  // Who does not give a part when it is asked for one cannot make us lose the other.
  enum class WhatIsKept : std::uint8_t { kTake, kLeave };
  Status TakeBlob(const oci::Descriptor& blob, WhatIsKept what_is_kept, Kept& kept) {
    kept = {};
    const bool is_tar = blob.media_type.ends_with(".tar");
    store::BlobPlan plan = is_tar ? store::Shape::kTar : store::Shape::kOpaque;
    plan.expected_size = blob.size;
    if (what_is_kept == WhatIsKept::kTake) plan.expected = blob.digest;
    PLUMB_TRY(const auto writer, session_->CreateBlob(plan));
    while (true) {
      if (progress_.StopRequested()) return Interrupted();
      PLUMB_TRY(const std::uint64_t size, writer->TakeKept());
      if (size == 0) break;
      kept.size += size;
    }
    if (kept.size > 0)
      progress_.Note("going on with blob '" + blob.digest.ToString() + "' at " +
                     FormatSize(kept.size) + " of " + FormatSize(blob.size));
    CountingSink sink(*writer);
    Status fetched = source_.FetchBlob(blob, kept.size, sink, progress_);
    kept.is_refused = !fetched && kept.size > 0 && sink.size() == 0 && IsRefusal(fetched.error());
    // A manifest names it: that it is not there is damage, not absence.
    if (!fetched && fetched.error().kind == ErrorKind::kNotFound)
      fetched.error().kind = ErrorKind::kCorrupt;
    PLUMB_RETURN_IF_ERROR(fetched);
    const auto info = writer->Finish();
    kept.is_suspect = !info && info.error().kind == ErrorKind::kCorrupt && kept.size > 0;
    if (!info) return info.error();
    PLUMB_RETURN_IF_ERROR(CheckSame(*info, blob));
    moved_ += blob.size - kept.size;
    present_ += kept.size;
    return Done{};
  }

  store::Store& store_;
  Remote& source_;
  const PullRequest& request_;
  Progress& progress_;
  const std::unique_ptr<store::Session> session_;
  std::atomic<std::uint64_t> moved_ = 0;
  std::atomic<std::uint64_t> present_ = 0;
};

}  // namespace

Result<TransferReport> Push(store::Store& store, Remote& target, const PushRequest& request,
                            Progress& progress) {
  return Pusher(store, target, request, progress).Run();
}

Result<TransferReport> Pull(store::Store& store, Remote& source, const PullRequest& request,
                            Progress& progress) {
  return Puller(store, source, request, progress).Run();
}

}  // namespace plumb::registry
