// SPDX-License-Identifier: MIT OR Apache-2.0
#include "registry/transfer.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "base/parallel.h"
#include "oci/manifest.h"

namespace plumb::registry {
namespace {

// The blobs a manifest names, each once, its config last.
std::vector<oci::Descriptor> BlobsOf(const oci::Manifest& manifest) {
  std::vector<oci::Descriptor> blobs;
  const auto add = [&](const oci::Descriptor& blob) {
    const bool is_there = std::any_of(blobs.begin(), blobs.end(), [&](const auto& other) {
      return other.digest == blob.digest;
    });
    if (!is_there) blobs.push_back(blob);
  };
  for (const oci::Descriptor& layer : manifest.layers)
    add(layer);
  add(manifest.config);
  return blobs;
}

class Pusher {
 public:
  Pusher(store::Store& store, Remote& target, const PushRequest& request, Progress& progress)
      : store_(store), target_(target), request_(request), progress_(progress) {}

  Result<TransferReport> Run() {
    PLUMB_TRY(const std::string bytes,
              store::ReadBlob(store_, request_.manifest, oci::kManifestSizeMax));
    PLUMB_TRY(const oci::Manifest manifest, oci::Manifest::Parse(bytes));
    std::vector<oci::Descriptor> blobs = BlobsOf(manifest);
    const oci::Descriptor config = blobs.back();
    blobs.pop_back();
    // Who finds a manifest shall find all it names: blobs, config, manifest, tags.
    PLUMB_RETURN_IF_ERROR(RunParallel(request_.connections, blobs.size(),
                                      [&](std::size_t i) { return PushBlob(blobs[i]); }));
    PLUMB_RETURN_IF_ERROR(PushBlob(config));
    if (progress_.StopRequested()) return Interrupted();

    oci::Descriptor descriptor = {manifest.media_type, request_.manifest, bytes.size()};
    if (descriptor.media_type.empty()) descriptor.media_type = oci::kManifestMediaType;
    if (request_.tags.empty())
      PLUMB_RETURN_IF_ERROR(target_.PushManifest(descriptor, bytes, ""));
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
    const auto open = [&](std::uint64_t offset) { return store_.OpenBlob(blob.digest, offset); };
    PLUMB_RETURN_IF_ERROR(target_.PushBlob(blob, open, progress_));
    moved_ += blob.size;
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
    PLUMB_TRY(const oci::Manifest manifest, oci::Manifest::Parse(fetched.bytes));
    const std::vector<oci::Descriptor> blobs = BlobsOf(manifest);
    if (blobs.back().size > oci::kManifestSizeMax)
      return Error{ErrorKind::kExhausted, "the config of this manifest is longer than 4 MiB"};
    // The config first: it is small, and what is refused for its sake need not be fetched.
    PLUMB_RETURN_IF_ERROR(PullBlob(blobs.back()));
    PLUMB_RETURN_IF_ERROR(RunParallel(request_.connections, blobs.size() - 1,
                                      [&](std::size_t i) { return PullBlob(blobs[i]); }));
    if (progress_.StopRequested()) return Interrupted();

    PLUMB_TRY(const store::BlobInfo info, session_->PutBlob(AsBytes(fetched.bytes)));
    std::vector<Digest> needs;
    for (const oci::Descriptor& blob : blobs)
      needs.push_back(blob.digest);
    session_->AddKit(info.digest, needs);
    if (request_.name) session_->MoveRef(*request_.name, info.digest, "pull");
    PLUMB_RETURN_IF_ERROR(session_->Commit());
    return TransferReport{info.digest, moved_, present_, 0};
  }

 private:
  Status PullBlob(const oci::Descriptor& blob) {
    if (progress_.StopRequested()) return Interrupted();
    PLUMB_TRY(const auto known, store_.FindBlob(blob.digest));
    if (known) {
      present_ += blob.size;
      return Done{};
    }
    const bool is_tar = blob.media_type.ends_with(".tar");
    PLUMB_TRY(const auto writer,
              session_->CreateBlob(is_tar ? store::Shape::kTar : store::Shape::kOpaque));
    PLUMB_RETURN_IF_ERROR(source_.FetchBlob(blob, 0, *writer, progress_));
    PLUMB_TRY(const store::BlobInfo info, writer->Finish());
    if (info.digest != blob.digest)
      return Error{ErrorKind::kCorrupt, "blob '" + blob.digest.ToString() +
                                            "' came with other bytes: " + info.digest.ToString()};
    moved_ += blob.size;
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
