// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/build.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "base/parallel.h"
#include "kit/kit_files_internal.h"
#include "kit/layer_writer_internal.h"
#include "kit/lock_internal.h"
#include "kit/modelkit.h"
#include "kit/modelpack_internal.h"
#include "kit/plan_internal.h"
#include "oci/manifest.h"
#include "oci/modelpack.h"

namespace plumb::kit {
namespace {

using blueprint::KitRules;

oci::LayerEncoding EncodingOf(const PlannedLayer& layer, archive::Compression compression) {
  if (layer.format == LayerFormat::kRaw) return oci::LayerEncoding::kRaw;
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

// Whether some file of the model is called as weights are.
bool HasWeights(const BuildPlan& plan) {
  return std::ranges::any_of(plan.layers, [](const PlannedLayer& layer) {
    return layer.type == oci::LayerType::kModel && layer.format == LayerFormat::kRaw &&
           IsWeightsName(layer.file().tar.name);
  });
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
      PLUMB_TRY(const bool is_known, IsKnown(plan.layers[i], i));
      if (!is_known) unknown.push_back(i);
    }
    return unknown;
  }

  Result<bool> IsKnown(const PlannedLayer& planned, std::size_t layer) {
    if (options_.rehash == Rehash::kYes) return false;
    PLUMB_TRY(const auto record, context_.store.FindLayer(keys_[layer]));
    if (!record) return false;
    PLUMB_TRY(const auto blob, context_.store.FindBlob(record->blob));
    const bool is_good = blob && blob->standing == store::Standing::kGood;
    if (!is_good || blob->size != record->size) return false;
    PLUMB_TRY(const bool is_listed, IsListed(planned, record->blob));
    if (!is_listed) return false;
    written_[layer] = {{record->blob, record->size, true}, record->diff_id};
    return true;
  }

  // Whether it is known which files are in it, as far as that matters.
  Result<bool> IsListed(const PlannedLayer& planned, const Digest& blob) {
    if (options_.list_files == ListFiles::kNo || planned.format == LayerFormat::kRaw) return true;
    PLUMB_TRY(const auto files, context_.store.FindFilesOfLayer(blob));
    return files.has_value();
  }

  void Remember(const PlannedLayer& planned, std::size_t layer) {
    const WrittenLayer& written = written_[layer];
    if (!written.states_were_equal || IsRacy(planned, began_ns_)) return;
    session_->RememberLayer(keys_[layer],
                            {written.blob.digest, written.blob.size, written.diff_id});
  }

  Result<BuildReport> Save(BuildPlan& plan) {
    BuildReport report;
    std::vector<oci::Descriptor> layers;
    std::vector<Digest> diff_ids;
    SetDigests(plan);
    const bool has_weights = HasWeights(plan);
    for (std::size_t i = 0; i < plan.layers.size(); ++i) {
      const PlannedLayer& planned = plan.layers[i];
      const store::BlobInfo& blob = written_[i].blob;
      layers.push_back({MediaTypeOf(planned, has_weights).ToString(), blob.digest, blob.size,
                        AnnotationsOf(planned)});
      diff_ids.push_back(written_[i].diff_id);
      const bool is_raw = planned.format == LayerFormat::kRaw;
      report.layers.push_back({planned.type, is_raw ? planned.file().tar.name : planned.path,
                               blob.digest, blob.size, blob.was_known});
    }
    PLUMB_TRY(const std::string config_bytes, ConfigOf(plan.kitfile, std::move(diff_ids)));
    PLUMB_TRY(const auto config, session_->PutBlob(AsBytes(config_bytes)));
    report.config = config.digest;
    report.config_was_known = config.was_known;
    const std::string manifest_bytes = ManifestOf(
        {std::string(IsPack() ? oci::kModelPackConfigMediaType : oci::kModelKitConfigMediaType),
         config.digest, config.size},
        layers, plan.kitfile);
    // What cannot be read again, because it is over some limit, is not written.
    const auto read = ParseModelKit(manifest_bytes, config_bytes);
    if (!read && read.error().kind != ErrorKind::kExhausted)
      return Error(read.error()).While("what was built cannot be read again");
    if (!read || manifest_bytes.size() > oci::kManifestSizeMax) {
      return Error{
          ErrorKind::kExhausted,
          "too much for one ModelKit: " + std::to_string(layers.size()) + " layers, " +
              std::to_string(config_bytes.size()) + " bytes of config",
          options_.layer_format == LayerFormat::kRaw ? "plumb build --layer-format tar" : ""};
    }
    PLUMB_TRY(const auto manifest, session_->PutBlob(AsBytes(manifest_bytes)));
    report.id = manifest.digest;
    report.manifest_was_known = manifest.was_known;
    PLUMB_TRY(store::NewKit kit, WithFiles(*read, plan.bases));
    report.files_root = kit.files_root;
    PLUMB_RETURN_IF_ERROR(Commit(std::move(kit), report, plan.bases));
    return report;
  }

  // The kit, with what is known of its files.
  Result<store::NewKit> WithFiles(const ModelKit& built, const std::vector<ModelKit>& bases) {
    store::NewKit kit = {built.id, {}};
    if (options_.list_files == ListFiles::kNo) return kit;
    KitFiles files(context_.store);
    for (WrittenLayer& written : written_)
      if (written.is_listed) files.Tell({written.blob.digest, std::move(written.files)});
    auto root = FindRoot(built, bases, files);
    if (!root && root.error().kind == ErrorKind::kInterrupted) return std::move(root).error();
    // It is built all the same. Who unpacks it will hear of that, and of names that he refuses the
    // plan has warned.
    if (!root && root.error().kind == ErrorKind::kCorrupt)
      progress_.Warn("the files of a base cannot be listed: " + root.error().message);
    if (root) kit.files_root = *root;
    kit.layer_files = files.News();
    return kit;
  }

  // Nothing if a base is here without its layers.
  Result<std::optional<Digest>> FindRoot(const ModelKit& built, const std::vector<ModelKit>& bases,
                                         KitFiles& files) {
    PLUMB_TRY(const auto layers, UnpackedEntries(bases, built));
    PLUMB_TRY(const auto unknown, files.FindUnknown(layers));
    for (const PackedEntry& layer : unknown) {
      PLUMB_TRY(const auto blob, context_.store.FindBlob(layer.layer.digest));
      if (!blob) return std::optional<Digest>();
    }
    PLUMB_RETURN_IF_ERROR(files.Read(unknown, options_.threads, progress_));
    PLUMB_TRY(const FileList list, files.List(layers, built.kitfile));
    return std::optional<Digest>(list.Root());
  }

  Status Commit(store::NewKit kit, const BuildReport& report, const std::vector<ModelKit>& bases) {
    // Of equal files there is one blob.
    std::set<Digest> needs = {report.config};
    for (const BuiltLayer& layer : report.layers)
      needs.insert(layer.digest);
    // A gc may have found meanwhile that nothing needs them. Of some there is only what was read.
    for (const ModelKit& base : bases) {
      PLUMB_TRY(const auto manifest, context_.store.FindBlob(base.id));
      if (manifest) needs.insert(base.id);
    }
    kit.needs = {needs.begin(), needs.end()};
    session_->AddKit(std::move(kit));
    for (const store::RefName& tag : options_.tags)
      session_->MoveRef({tag, report.id, options_.message});
    return session_->Commit();
  }

  bool IsPack() const { return options_.format == oci::KitFormat::kModelPack; }

  // An entry with several layers has no digest of its own.
  void SetDigests(BuildPlan& plan) const {
    std::vector<EntryView> entries = EntriesOf(plan.kitfile, plan.model_layer);
    for (std::size_t i = 0; i < plan.layers.size(); ++i) {
      const std::size_t entry = plan.layers[i].entry_index;
      const bool follows = i > 0 && plan.layers[i - 1].entry_index == entry;
      const bool is_followed =
          i + 1 < plan.layers.size() && plan.layers[i + 1].entry_index == entry;
      if (!follows && !is_followed)
        *entries[entry].layer =
            blueprint::LayerDigests{written_[i].blob.digest, written_[i].diff_id};
    }
  }

  oci::LayerMediaType MediaTypeOf(const PlannedLayer& layer, bool has_weights) const {
    oci::LayerMediaType media_type = {layer.type, EncodingOf(layer, options_.compression),
                                      options_.format};
    if (!IsPack()) return media_type;
    const bool is_raw = layer.format == LayerFormat::kRaw;
    const std::string_view path = is_raw ? layer.file().tar.name : layer.path;
    if (layer.type == oci::LayerType::kModelPart)
      media_type.type = ModelPackTypeOfPart(layer.part_type, path);
    // Beside weights, what is none configures them.
    if (layer.type == oci::LayerType::kModel && is_raw && has_weights && !IsWeightsName(path))
      media_type.type = oci::LayerType::kModelPart;
    return media_type;
  }

  oci::Annotations AnnotationsOf(const PlannedLayer& layer) const {
    oci::Annotations annotations;
    if (layer.type == oci::LayerType::kPrompt)
      annotations.emplace_back(oci::kSubtypeAnnotation, oci::kPromptSubtype);
    if (layer.format == LayerFormat::kRaw) {
      const archive::TarEntry& file = layer.file().tar;
      std::ranges::move(oci::WriteFileAnnotations(file.name, file.mode, file.size),
                        std::back_inserter(annotations));
    } else if (IsPack()) {
      annotations.emplace_back(oci::kFilePathAnnotation, blueprint::CleanPath(layer.path));
    }
    return annotations;
  }

  Result<std::string> ConfigOf(const blueprint::Kitfile& kitfile,
                               std::vector<Digest> diff_ids) const {
    if (!IsPack()) return blueprint::WriteConfig(kitfile);
    oci::ModelPackConfig config = ModelPackConfigOf(kitfile);
    config.diff_ids = std::move(diff_ids);
    // What a Kitfile says for it stands in its parameters, in any form.
    if (const Status checked = oci::CheckModelPackConfig(config); !checked)
      return Error(checked.error()).While("model.parameters.modelpack");
    return oci::WriteModelPackConfig(config);
  }

  std::string ManifestOf(const oci::Descriptor& config, const std::vector<oci::Descriptor>& layers,
                         const blueprint::Kitfile& kitfile) const {
    if (IsPack())
      return oci::WriteModelPackManifest(config, layers, blueprint::WriteConfig(kitfile));
    return options_.rules == KitRules::kKit17 ? oci::WriteKit17Manifest(config, layers)
                                              : oci::WriteManifest(config, layers);
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
  const bool is_raw = options.layer_format == LayerFormat::kRaw;
  if (is_kit17 && (is_raw || options.format == oci::KitFormat::kModelPack))
    return Error{ErrorKind::kInvalid, "kit 1.7 knows neither ModelPacks nor raw layers"};
  if (is_raw && options.compression != archive::Compression::kNone)
    return Error{ErrorKind::kInvalid, "raw layers are not compressed",
                 "plumb build --layer-format tar"};
  const std::int64_t began_ns = context.clock.NowNs();
  const PlanRequest request{context, blueprint, options, progress};
  PLUMB_TRY(BuildPlan plan, PlanBuild(request));
  return Builder(request, began_ns).Run(std::move(plan));
}

}  // namespace plumb::kit
