// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/rebuild.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "kit/build.h"
#include "kit/layer_tree_internal.h"

namespace plumb::kit {
namespace {

constexpr std::size_t kBufferSize = std::size_t{1} << 20;
constexpr std::string_view kNowhere = "/rebuild";
constexpr int kFastestGzip = 1;
constexpr std::string_view kKitVersion = "1.7.0";  // that KitRules::kKit17 follows

class HashingWriter final : public store::BlobWriter {
 public:
  Status Write(ByteSpan bytes) override {
    hasher_.Add(bytes);
    if (file_hasher_) file_hasher_->Add(bytes);
    size_ += bytes.size();
    return Done{};
  }
  Result<MutableByteSpan> Space() override { return MutableByteSpan(buffer_); }
  Status Filled(std::size_t size) override { return Write(ByteSpan(buffer_).first(size)); }
  Result<store::WrittenBlob> Finish() override {
    return store::WrittenBlob{{hasher_.Finish(), size_, false}, std::move(files_)};
  }
  Result<std::uint64_t> TakeKept() override { return std::uint64_t{0}; }
  void BeginFile() override { file_hasher_.emplace(); }
  void EndFile() override {
    files_.push_back(file_hasher_->Finish());
    file_hasher_.reset();
  }

 private:
  std::vector<std::byte> buffer_ = std::vector<std::byte>(kBufferSize);
  Sha256Hasher hasher_;
  std::optional<Sha256Hasher> file_hasher_;
  std::vector<Digest> files_;
  std::uint64_t size_ = 0;
};

// Tells what things would be called, and keeps nothing.
class HashingSession final : public store::Session {
 public:
  Result<std::unique_ptr<store::BlobWriter>> CreateBlob(const store::BlobPlan& /*plan*/) override {
    return std::unique_ptr<store::BlobWriter>(std::make_unique<HashingWriter>());
  }
  Result<store::BlobInfo> PutBlob(ByteSpan bytes) override {
    return store::BlobInfo{Sha256(bytes), bytes.size(), false};
  }
  void AddKit(store::NewKit /*kit*/) override {}
  void MoveRef(store::RefMove /*move*/) override {}
  void RemoveKit(const Digest& /*manifest*/) override {}
  void RememberLayer(const store::LayerKey& /*key*/,
                     const store::LayerRecord& /*record*/) override {}
  Status Commit() override { return Done{}; }
};

// A store to build into that stays as it is.
class HashingStore final : public store::Store {
 public:
  explicit HashingStore(store::Store& store) : store_(store) {}

  std::unique_ptr<store::Session> Begin() override { return std::make_unique<HashingSession>(); }
  Result<std::optional<store::BlobInfo>> FindBlob(const Digest& digest) override {
    return store_.FindBlob(digest);
  }
  Result<std::unique_ptr<ByteSource>> OpenBlob(const Digest& digest,
                                               std::uint64_t offset) override {
    return store_.OpenBlob(digest, offset);
  }
  Result<std::optional<Digest>> FindRef(const store::RefName& name) override {
    return store_.FindRef(name);
  }
  Result<std::vector<store::Ref>> ListRefs() override { return store_.ListRefs(); }
  Result<std::vector<store::Kit>> ListKits() override { return store_.ListKits(); }
  Result<std::optional<store::LayerRecord>> FindLayer(const store::LayerKey& /*key*/) override {
    return std::optional<store::LayerRecord>();
  }
  Result<std::optional<std::vector<store::FileOfLayer>>> FindFilesOfLayer(
      const Digest& layer) override {
    return store_.FindFilesOfLayer(layer);
  }
  Result<std::optional<Digest>> FindFilesRoot(const Digest& kit) override {
    return store_.FindFilesRoot(kit);
  }

 private:
  store::Store& store_;
};

// Of a rebuild only the outcome matters: what was warned of was warned of when it was built.
class QuietProgress final : public Progress {
 public:
  explicit QuietProgress(Progress& progress) : progress_(progress) {}
  std::unique_ptr<ProgressTask> Begin(std::string_view name, std::uint64_t expected) override {
    return progress_.Begin(name, expected);
  }
  void Warn(std::string_view /*text*/) override {}
  void Note(std::string_view /*text*/) override {}
  bool StopRequested() const override { return progress_.StopRequested(); }

 private:
  Progress& progress_;
};

// Of the kit that made it; empty if none says so.
std::string_view KitVersionOf(const ModelKit& modelkit) {
  return oci::FindAnnotation(modelkit.manifest.annotations, oci::kKitVersionAnnotation);
}

BuildOptions OptionsFor(const ModelKit& modelkit, const std::vector<PackedEntry>& layers,
                        unsigned threads) {
  BuildOptions options;
  options.threads = threads;
  options.list_files = ListFiles::kNo;
  if (!KitVersionOf(modelkit).empty()) options.rules = blueprint::KitRules::kKit17;
  options.format = modelkit.format;
  // The first tells how all were written, but that MCP servers are always raw.
  const auto first = std::ranges::find_if(layers, [](const PackedEntry& layer) {
    return layer.media_type.type != oci::LayerType::kMcpServer;
  });
  if (first == layers.end()) return options;
  const oci::LayerEncoding encoding = first->media_type.encoding;
  if (oci::IsRaw(encoding)) options.layer_format = LayerFormat::kRaw;
  if (encoding == oci::LayerEncoding::kTarGzip) options.compression = archive::Compression::kGzip;
  if (encoding == oci::LayerEncoding::kTarZstd) options.compression = archive::Compression::kZstd;
  return options;
}

std::string NameOfLayer(const PackedEntry& layer) {
  return std::string(oci::LayerTypeName(layer.media_type.type)) + " layer '" + layer.path + "'";
}

// What the layer is uncompressed, as far as anybody has told.
std::optional<Digest> DiffIdOf(const PackedEntry& layer) {
  const oci::LayerEncoding encoding = layer.media_type.encoding;
  const bool is_plain =
      encoding == oci::LayerEncoding::kTar || encoding == oci::LayerEncoding::kRaw;
  return is_plain ? layer.layer.digest : layer.diff_id;
}

// Which of the layers that came out each layer is: the one of its digest, else of its content, else
// the next that is left. There are as many of both.
std::vector<std::size_t> Counterparts(const std::vector<PackedEntry>& layers,
                                      const BuildReport& built) {
  constexpr std::size_t kNone = SIZE_MAX;
  std::vector<std::size_t> counterparts(layers.size(), kNone);
  std::vector<bool> is_taken(layers.size());
  const auto pair = [&](const auto& key_of, const auto& key_of_built) {
    std::multimap<std::optional<Digest>, std::size_t> left;
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (!is_taken[i]) left.emplace(key_of_built(i), i);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (counterparts[i] != kNone) continue;
      const auto found = left.lower_bound(key_of(i));
      if (found == left.end() || found->first != key_of(i)) continue;
      counterparts[i] = found->second;
      is_taken[found->second] = true;
      left.erase(found);
    }
  };
  using Key = std::optional<Digest>;
  pair([&](std::size_t i) { return Key(layers[i].layer.digest); },
       [&](std::size_t i) { return Key(built.layers[i].digest); });
  pair([&](std::size_t i) { return DiffIdOf(layers[i]); },
       [&](std::size_t i) { return Key(built.lock.inputs[i].content.digest); });
  pair([](std::size_t) { return Key(); }, [](std::size_t) { return Key(); });
  return counterparts;
}

RebuildReport Compare(const ModelKit& modelkit, const std::vector<PackedEntry>& layers,
                      const BuildReport& built) {
  RebuildReport report{built.id};
  if (built.id == modelkit.id) {
    report.is_same_content = true;
    return report;
  }
  report.is_same_content = layers.size() == built.layers.size();
  if (!report.is_same_content) {
    report.differences.push_back("it has " + std::to_string(layers.size()) + " layers, and " +
                                 std::to_string(built.layers.size()) + " come out");
    return report;
  }
  const std::vector<std::size_t> counterparts = Counterparts(layers, built);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::size_t other = counterparts[i];
    if (built.layers[other].digest == layers[i].layer.digest) continue;
    const bool is_same = DiffIdOf(layers[i]) == built.lock.inputs[other].content.digest;
    report.is_same_content = report.is_same_content && is_same;
    report.differences.push_back(
        NameOfLayer(layers[i]) +
        (is_same ? ": the same content, compressed in another way"
                 : ": other content, " + built.layers[other].digest.ToString()));
  }
  if (report.is_same_content && !std::ranges::is_sorted(counterparts))
    report.differences.emplace_back("the layers: in another order");
  if (report.differences.empty() && built.config != modelkit.manifest.config.digest)
    report.differences.push_back("the config: " + built.config.ToString());
  if (report.differences.empty())
    report.differences.emplace_back("the manifest: another program wrote it");
  return report;
}

}  // namespace

Result<RebuildReport> Rebuild(const RebuildContext& context, const ModelKit& modelkit,
                              Progress& progress) {
  PLUMB_TRY(const std::vector<PackedEntry> layers, PairLayers(modelkit));
  PLUMB_TRY(const auto tree, LayerTree::Make(context.store, layers, progress));
  LayerTreeFiles files(*tree, std::string(kNowhere));
  HashingStore nowhere(context.store);
  QuietProgress quiet(progress);
  BuildOptions options = OptionsFor(modelkit, layers, context.threads);
  const bool is_kit17 = options.rules == blueprint::KitRules::kKit17;
  BygoneContext bygone;
  if (is_kit17) bygone.no_entries = tree->ImpliedDirectories();
  const BuildContext build{
      files,   *tree,         std::string(kNowhere),       context.clock, context.environment,
      nowhere, context.bases, is_kit17 ? &bygone : nullptr};
  const BlueprintText blueprint{
      BlueprintKind::kKitfile, "Kitfile", {}, blueprint::PrintKitfile(modelkit.kitfile)};
  PLUMB_TRY(BuildReport built, Build(build, blueprint, options, quiet));
  RebuildReport report = Compare(modelkit, layers, built);
  if (is_kit17 && KitVersionOf(modelkit) != kKitVersion) report.other_kit = KitVersionOf(modelkit);
  const bool may_be_fastest =
      options.compression == archive::Compression::kGzip && report.is_same_content;
  if (built.id == modelkit.id || !may_be_fastest) return report;
  options.compression_level = kFastestGzip;
  PLUMB_TRY(built, Build(build, blueprint, options, quiet));
  if (built.id == modelkit.id) return RebuildReport{built.id, {}, true};
  return report;
}

}  // namespace plumb::kit
