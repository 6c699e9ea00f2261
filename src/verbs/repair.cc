// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/repair.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "base/parallel.h"
#include "base/streams.h"
#include "kit/needs.h"
#include "oci/manifest.h"
#include "registry/bundle.h"
#include "registry/remote.h"

namespace plumb::verbs {
namespace {

// A directory, a registry or a file, by what it looks like.
Result<std::unique_ptr<registry::Remote>> OpenBundleFile(Workspace& workspace,
                                                         const std::string& path,
                                                         Progress& progress) {
  const host::PathParts parts = host::SplitPath(path);
  PLUMB_TRY(const auto directory,
            workspace.machine().files.OpenDirectory(parts.directory, host::IfMissing::kFail));
  PLUMB_TRY(auto file, directory->Open(parts.name, host::OpenHow::kReadFollow));
  PLUMB_TRY(registry::Layout layout, registry::OpenBundle(std::move(file), path, progress));
  if (layout.order != registry::BlobOrder::kAny)
    return Error{ErrorKind::kUnsupported, "'" + path + "' is compressed",
                 "save it as a file that is not compressed"};
  return std::move(layout.remote);
}

Result<std::unique_ptr<registry::Remote>> OpenSource(Workspace& workspace,
                                                     const RepairOptions& options,
                                                     Progress& progress) {
  const auto state = workspace.machine().files.State(options.source);
  if (state && state->type == host::FileType::kRegular)
    return OpenBundleFile(workspace, options.source, progress);
  // No registry is called so: it is a path, and why it is none of a file is the answer.
  if (!state && options.source.find_first_of("/.~") == 0) return state.error();
  PLUMB_TRY(const PlaceName place, PlaceName::Parse(options.source));
  if (!place.reference.tag.empty() || place.reference.digest) {
    PlaceName whole = place;
    whole.reference.tag.clear();
    whole.reference.digest.reset();
    return Error{ErrorKind::kInvalid, "'" + options.source + "' names one kit",
                 "plumb fsck --repair " + whole.ToString()};
  }
  // Of a registry nothing is asked yet.
  if (place.IsLayout())
    PLUMB_RETURN_IF_ERROR(
        workspace.machine().files.OpenDirectory(place.directory, host::IfMissing::kFail));
  PLUMB_TRY(auto remote, Connect(workspace, place, options.network, progress));
  return std::unique_ptr<registry::Remote>(std::move(remote));
}

// Of a blob, not of the way there: the next blob may do better.
bool IsOfBlob(ErrorKind kind) {
  return kind == ErrorKind::kNotFound || kind == ErrorKind::kCorrupt ||
         kind == ErrorKind::kInvalid || kind == ErrorKind::kExhausted;
}

class Repairer {
 public:
  Repairer(Workspace& workspace, store::Store& store, registry::Remote& remote,
           unsigned connections, Progress& progress)
      : workspace_(workspace),
        store_(store),
        remote_(remote),
        connections_(connections),
        progress_(progress) {}

  // Tries each once, in rounds: a manifest that is there again tells what else is missing.
  Status Run(FsckReport found) {
    while (true) {
      PLUMB_RETURN_IF_ERROR(LookAtKits());
      const std::vector<Digest> wanted = NextOf(found);
      if (wanted.empty()) return Done{};
      PLUMB_RETURN_IF_ERROR(MendAll(wanted));
      // What is damaged is noted by now.
      PLUMB_TRY(found, Fsck(workspace_, {store::Depth::kStructure}, progress_));
    }
  }

  RepairReport TakeReport() && {
    std::ranges::sort(report_.mended);
    std::ranges::sort(report_.failures, {}, &RepairReport::Failure::blob);
    return std::move(report_);
  }

 private:
  // Manifests first: they tell how long, and of what kind, the others are.
  std::vector<Digest> NextOf(const FsckReport& found) {
    std::set<Digest> manifests;
    std::set<Digest> others;
    for (const FsckReport::Line& line : found.damages)
      for (const Digest& blob : line.blobs)
        if (!tried_.contains(blob)) (manifests_.contains(blob) ? manifests : others).insert(blob);
    const std::set<Digest>& wanted = manifests.empty() ? others : manifests;
    tried_.insert(wanted.begin(), wanted.end());
    return {wanted.begin(), wanted.end()};
  }

  // What is known of blobs: from manifests, which are checked, before the catalog, which is not.
  Status LookAtKits() {
    PLUMB_TRY(const auto kits, store_.ListKits());
    for (const store::Kit& kit : kits) {
      if (progress_.StopRequested()) return Interrupted();
      manifests_.insert(kit.manifest);
      LookAtManifest(kit.manifest);
    }
    return Done{};
  }

  void LookAtManifest(const Digest& kit) {
    const auto bytes = store::ReadBlob(store_, kit, oci::kManifestSizeMax);
    if (!bytes) return;  // it is among what is wanted
    const auto manifest = oci::Manifest::Parse(*bytes);
    if (!manifest) return;
    descriptors_.emplace(manifest->config.digest, manifest->config);
    for (const oci::Descriptor& layer : manifest->layers)
      descriptors_.emplace(layer.digest, layer);
  }

  Status MendAll(const std::vector<Digest>& wanted) {
    const auto session = store_.Begin();
    const std::size_t mended_before = report_.mended.size();
    Status done = RunParallel(connections_, wanted.size(),
                              [&](std::size_t i) { return Mend(*session, wanted[i]); });
    // What is here by now is worth keeping, whatever went wrong with another.
    if (report_.mended.size() > mended_before) PLUMB_RETURN_IF_ERROR(session->Commit());
    return done;
  }

  Status Mend(store::Session& session, const Digest& blob) {
    if (progress_.StopRequested()) return Interrupted();
    Status mended = TakeFromHere(session, blob);
    if (!mended && IsOfBlob(mended.error().kind)) {
      mended = manifests_.contains(blob) ? FetchManifest(session, blob) : FetchBlob(session, blob);
      // What is the manifest of a base, but no kit here.
      if (!mended && mended.error().kind == ErrorKind::kNotFound && !manifests_.contains(blob)) {
        const Status fetched = FetchManifest(session, blob);
        if (fetched) mended = fetched;
      }
    }
    const std::lock_guard lock(mutex_);
    if (mended) {
      report_.mended.push_back(blob);
      return Done{};
    }
    if (!IsOfBlob(mended.error().kind)) return mended;
    report_.failures.push_back({blob, mended.error().message});
    return Done{};
  }

  // A copy of what is damaged on one side only: of a small blob there is one in the catalog too.
  Status TakeFromHere(store::Session& session, const Digest& blob) {
    PLUMB_TRY(const auto source, store_.OpenBlob(blob, 0));
    PLUMB_TRY(const auto known, store_.FindBlob(blob));
    store::BlobPlan plan = ShapeOf(blob);
    if (known) plan.expected_size = known->size;
    PLUMB_TRY(const auto writer, session.CreateBlob(plan));
    PLUMB_RETURN_IF_ERROR(CopyAll(*source, *writer));
    return CheckDigest(blob, writer->Finish());
  }

  Status FetchManifest(store::Session& session, const Digest& blob) {
    PLUMB_TRY(const auto fetched, remote_.FetchManifest("", blob));
    CountMoved(fetched.bytes.size());
    return CheckDigest(blob, session.PutBlob(AsBytes(fetched.bytes)));
  }

  Status FetchBlob(store::Session& session, const Digest& blob) {
    PLUMB_TRY(const oci::Descriptor descriptor, DescriptorOf(blob));
    store::BlobPlan plan = ShapeOf(blob);
    plan.expected = blob;
    plan.expected_size = descriptor.size;
    PLUMB_TRY(const auto writer, session.CreateBlob(plan));
    PLUMB_RETURN_IF_ERROR(remote_.FetchBlob(descriptor, 0, *writer, progress_));
    CountMoved(descriptor.size);
    return CheckDigest(blob, writer->Finish());
  }

  template <typename Info>
  static Status CheckDigest(const Digest& blob, const Result<Info>& info) {
    if (!info) return info.error();
    if (info->digest == blob) return Done{};
    return Error{ErrorKind::kCorrupt, "other bytes came: '" + info->digest.ToString() + "'"};
  }

  // As pulls do it, so that the same pieces come of it.
  store::Shape ShapeOf(const Digest& blob) const {
    const auto known = descriptors_.find(blob);
    const bool is_tar = known != descriptors_.end() && known->second.media_type.ends_with(".tar");
    return is_tar ? store::Shape::kTar : store::Shape::kOpaque;
  }

  Result<oci::Descriptor> DescriptorOf(const Digest& blob) {
    const auto known = descriptors_.find(blob);
    if (known != descriptors_.end()) return known->second;
    PLUMB_TRY(const auto info, store_.FindBlob(blob));
    if (!info) return Error{ErrorKind::kNotFound, "nobody knows how long it is"};
    return oci::Descriptor{"application/octet-stream", blob, info->size};
  }

  void CountMoved(std::uint64_t size) {
    const std::lock_guard lock(mutex_);
    report_.bytes_moved += size;
  }

  Workspace& workspace_;
  store::Store& store_;
  registry::Remote& remote_;
  const unsigned connections_;
  Progress& progress_;
  std::set<Digest> tried_;
  std::set<Digest> manifests_;
  std::map<Digest, oci::Descriptor> descriptors_;
  std::mutex mutex_;  // of what follows
  RepairReport report_;
};

// What a gc does with packs that are not as they were written, and with what nobody needs; no kit
// goes.
Status WriteAnew(Workspace& workspace, Progress& progress) {
  store::CollectRequest request;
  request.find_needs = kit::NeedsOf;
  request.keep_untagged_ns = std::numeric_limits<std::int64_t>::max();
  request.keep_left_ns = request.keep_untagged_ns;
  PLUMB_TRY(store::Upkeep* const upkeep, workspace.Upkeep());
  return Status(upkeep->Collect(request, progress).transform([](const auto&) { return Done{}; }));
}

}  // namespace

Result<RepairReport> Repair(Workspace& workspace, const RepairOptions& options,
                            Progress& progress) {
  // Before hours are spent on reading: a slip in its name is found now.
  PLUMB_TRY(const auto remote, OpenSource(workspace, options, progress));
  PLUMB_TRY(const unsigned connections, ConcurrencyFor(workspace, options.network));
  PLUMB_TRY(FsckReport found, Fsck(workspace, {store::Depth::kContent, options.rebuild}, progress));
  RepairReport report;
  report.source = options.source;
  auto rebuilt = std::move(found.rebuilt);
  if (found.damages.empty() || found.checked.is_catalog_damaged) {
    report.left = std::move(found);
  } else {
    PLUMB_TRY(store::Store* const store, workspace.Store());
    Repairer repairer(workspace, *store, *remote, connections, progress);
    Status done = repairer.Run(std::move(found));
    if (!done) return std::move(done).error().While("cannot repair from '" + options.source + "'");
    report = std::move(repairer).TakeReport();
    report.source = options.source;
    PLUMB_TRY(report.left, Fsck(workspace, {store::Depth::kContent}, progress));
  }
  if (report.left.damages.empty() && report.left.checked.worn_packs > 0) {
    PLUMB_RETURN_IF_ERROR(WriteAnew(workspace, progress));
    PLUMB_TRY(report.left, Fsck(workspace, {store::Depth::kContent}, progress));
  }
  report.left.rebuilt = std::move(rebuilt);
  return report;
}

}  // namespace plumb::verbs
