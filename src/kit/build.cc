// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/build.h"

#include <algorithm>
#include <utility>

#include "base/parallel.h"
#include "kit/layer_writer_internal.h"
#include "kit/lock_internal.h"
#include "kit/modelkit.h"
#include "kit/plan_internal.h"
#include "oci/manifest.h"

namespace plumb::kit {
namespace {

using blueprint::KitRules;

oci::LayerEncoding EncodingOf(archive::Compression compression) {
  switch (compression) {
    case archive::Compression::kGzip:
      return oci::LayerEncoding::kTarGzip;
    case archive::Compression::kZstd:
      return oci::LayerEncoding::kTarZstd;
    case archive::Compression::kNone:
      break;
  }
  return oci::LayerEncoding::kTar;
}

// From a plan to a ModelKit in the store.
class Builder {
 public:
  Builder(const PlanRequest& request, std::int64_t began_ns)
      : context_(request.context),
        blueprint_(request.blueprint),
        options_(request.options),
        progress_(request.progress),
        began_ns_(began_ns),
        session_(context_.store.Begin()) {}

  Result<BuildReport> Run(BuildPlan plan) {
    written_.resize(plan.layers.size());
    keys_.resize(plan.layers.size());
    PLUMB_TRY(const auto unknown, FindUnknown(plan));
    PLUMB_RETURN_IF_ERROR(
        RunParallel(options_.threads, unknown.size(), [&](std::size_t i) -> Status {
          const std::size_t layer = unknown[i];
          PLUMB_TRY(written_[layer],
                    WriteLayer(plan.layers[layer], options_, *session_, progress_));
          return Done{};
        }));
    for (const std::size_t layer : unknown)
      Remember(plan.layers[layer], layer);
    PLUMB_TRY(blueprint::LockFile lock, MakeLock(plan, blueprint_, written_));
    if (options_.locked) PLUMB_RETURN_IF_ERROR(CheckLock(*options_.locked, lock));
    PLUMB_TRY(BuildReport report, Save(plan));
    report.lock = std::move(lock);
    return report;
  }

 private:
  // The layers that must be read, because a file may differ from what an earlier build saw.
  Result<std::vector<std::size_t>> FindUnknown(const BuildPlan& plan) {
    std::vector<std::size_t> unknown;
    for (std::size_t i = 0; i < plan.layers.size(); ++i) {
      keys_[i] = KeyOf(plan.layers[i], options_);
      PLUMB_TRY(const bool is_known, IsKnown(i));
      if (!is_known) unknown.push_back(i);
    }
    return unknown;
  }

  Result<bool> IsKnown(std::size_t layer) {
    if (options_.rehash == Rehash::kYes) return false;
    PLUMB_TRY(const auto record, context_.store.FindLayer(keys_[layer]));
    if (!record) return false;
    PLUMB_TRY(const auto blob, context_.store.FindBlob(record->blob));
    if (!blob || blob->size != record->size) return false;
    written_[layer] = {{record->blob, record->size, true}, record->diff_id};
    return true;
  }

  void Remember(const PlannedLayer& planned, std::size_t layer) {
    const WrittenLayer& written = written_[layer];
    if (!written.states_were_equal || IsRacy(planned, began_ns_)) return;
    session_->RememberLayer(keys_[layer],
                            {written.blob.digest, written.blob.size, written.diff_id});
  }

  Result<BuildReport> Save(BuildPlan& plan) {
    const oci::LayerEncoding encoding = EncodingOf(options_.compression);
    BuildReport report;
    std::vector<oci::Descriptor> layers;
    std::vector<Digest> needs;
    std::vector<EntryView> entries = EntriesOf(plan.kitfile, plan.model_layer);
    for (std::size_t i = 0; i < plan.layers.size(); ++i) {
      const PlannedLayer& planned = plan.layers[i];
      const auto& [blob, diff_id, states_were_equal] = written_[i];
      *entries[i].layer = blueprint::LayerDigests{blob.digest, diff_id};
      const oci::LayerMediaType media_type{planned.type, encoding};
      layers.push_back({media_type.ToString(), blob.digest, blob.size});
      needs.push_back(blob.digest);
      report.layers.push_back({planned.type, planned.path, blob.digest, blob.size, blob.was_known});
    }

    const std::string config_bytes = blueprint::WriteConfig(plan.kitfile);
    PLUMB_TRY(const auto config, session_->PutBlob(AsBytes(config_bytes)));
    report.config = config.digest;
    report.config_was_known = config.was_known;
    needs.push_back(config.digest);

    const oci::Descriptor named = {std::string(oci::kModelKitConfigMediaType), config.digest,
                                   config.size};
    const std::string manifest_bytes = options_.rules == KitRules::kKit17
                                           ? oci::WriteKit17Manifest(named, layers)
                                           : oci::WriteManifest(named, layers);
    // What cannot be read again, because it is over some limit, is not written.
    if (const auto read = ParseModelKit(manifest_bytes, config_bytes);
        !read || manifest_bytes.size() > oci::kManifestSizeMax) {
      return Error{ErrorKind::kExhausted,
                   "too much for one ModelKit: " + std::to_string(layers.size()) + " layers, " +
                       std::to_string(config_bytes.size()) + " bytes of config"};
    }
    PLUMB_TRY(const auto manifest, session_->PutBlob(AsBytes(manifest_bytes)));
    report.id = manifest.digest;
    report.manifest_was_known = manifest.was_known;

    session_->AddKit(manifest.digest, needs);
    for (const store::RefName& tag : options_.tags)
      session_->MoveRef({tag, manifest.digest, options_.message});
    PLUMB_RETURN_IF_ERROR(session_->Commit());
    return report;
  }

  const BuildContext& context_;
  const BlueprintText& blueprint_;
  const BuildOptions& options_;
  Progress& progress_;
  const std::int64_t began_ns_;  // before anything was looked at
  std::unique_ptr<store::Session> session_;
  std::vector<store::LayerKey> keys_;
  std::vector<WrittenLayer> written_;
};

}  // namespace

Result<BuildReport> Build(const BuildContext& context, const BlueprintText& blueprint,
                          const BuildOptions& options, Progress& progress) {
  const bool is_kit17 = options.rules == KitRules::kKit17;
  if (is_kit17 && options.compression == archive::Compression::kZstd)
    return Error{ErrorKind::kInvalid, "kit 1.7 cannot read layers compressed with zstd"};
  const std::int64_t began_ns = context.clock.NowNs();
  const PlanRequest request{context, blueprint, options, progress};
  PLUMB_TRY(BuildPlan plan, PlanBuild(request));
  return Builder(request, began_ns).Run(std::move(plan));
}

}  // namespace plumb::kit
