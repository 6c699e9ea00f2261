// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/text.h"
#include "crypto/object_id.h"
#include "kit/plan_internal.h"

namespace plumb::kit {
namespace {

// How far file times of a file system may lag behind the clock (git's "racy" files; the
// coarsest tick of Linux is 10 ms).
constexpr std::int64_t kClockGrainNs = 20'000'000;

constexpr std::uint32_t kDirectoryMode = 0755;
constexpr std::uint32_t kFileMode = 0644;
constexpr std::uint32_t kExecutableBits = 0111;

void AppendText(std::string& out, std::string_view text) {
  AppendVarint(out, text.size());
  out += text;
}

void AppendContent(std::string& out, const Content& content) {
  if (content.directory == nullptr) {
    AppendText(out, "generated");
    AppendText(out, Blake3(AsBytes(content.bytes)).ToHex());
    return;
  }
  AppendText(out, "file");
  const host::FileState& state = content.state;
  for (const std::uint64_t value :
       {state.size, state.device, state.inode, static_cast<std::uint64_t>(state.modified_ns),
        static_cast<std::uint64_t>(state.changed_ns)})
    AppendU64(out, value);
}

bool IsFile(const PlannedEntry& entry) { return entry.tar.type == archive::TarEntryType::kFile; }

Status CheckMcpServer(const PlannedLayer& layer) {
  const std::string path = blueprint::CleanPath(layer.path);
  const auto is_it = [&](const PlannedEntry& entry) {
    return IsFile(entry) && entry.tar.name == path;
  };
  if (std::ranges::any_of(layer.entries(), is_it)) return Done{};
  return Error{ErrorKind::kInvalid,
               "path '" + layer.path + "' of " + layer.label + " is no file: it must be a bundle"};
}

// Directories are nothing of their own there: those without files would be lost silently.
void WarnOfEmptyDirectories(const PlannedLayer& layer, Progress& progress) {
  const auto& entries = layer.entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    // What a directory holds follows it.
    const bool is_empty =
        i + 1 == entries.size() || !IsAtOrBeneath(entries[i + 1].tar.name, entries[i].tar.name);
    if (!IsFile(entries[i]) && is_empty)
      progress.Warn("the empty directory '" + Printable(entries[i].tar.name) +
                    "' is not kept: raw layers hold files only");
  }
}

// A layer for each file, in the order of the archive that they are not put into.
Status SplitIntoFiles(const PlannedLayer& layer, Progress& progress,
                      std::vector<PlannedLayer>& layers) {
  if (!layer.HoldsFiles())
    return Error{
        ErrorKind::kInvalid,
        "path '" + layer.path + "' of " + layer.label + " holds no file, and a raw layer is one",
        "plumb build --layer-format tar"};
  WarnOfEmptyDirectories(layer, progress);
  PlannedLayer empty = layer.WithoutEntries();
  empty.format = LayerFormat::kRaw;
  for (const PlannedEntry& entry : layer.entries())
    if (IsFile(entry)) layers.emplace_back(empty).AddEntry(entry);
  return Done{};
}

Status ChooseFormats(const BuildOptions& options, Progress& progress, BuildPlan& plan) {
  std::vector<PlannedLayer> layers;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    PlannedLayer& layer = plan.layers[i];
    layer.entry_index = i;
    const bool is_bundle = layer.type == oci::LayerType::kMcpServer;
    if (is_bundle) PLUMB_RETURN_IF_ERROR(CheckMcpServer(layer));
    if (is_bundle || options.layer_format == LayerFormat::kRaw) {
      PLUMB_RETURN_IF_ERROR(SplitIntoFiles(layer, progress, layers));
    } else {
      layers.push_back(std::move(layer));
    }
  }
  plan.layers = std::move(layers);
  return Done{};
}

// What model-spec has no place for.
Status CheckModelPack(const BuildPlan& plan) {
  const auto refuse = [](std::string what) {
    return Error{ErrorKind::kInvalid, "a ModelPack " + std::move(what),
                 "plumb build --format modelkit"};
  };
  const bool has_base = plan.kitfile.model && !plan.kitfile.model->path.empty() &&
                        plan.model_layer == ModelLayer::kNo;
  if (has_base) return refuse("cannot stand on another kit: who reads it would miss the model");
  if (!plan.kitfile.mcp_servers.empty()) return refuse("has no place for mcpServers");
  if (plan.layers.empty()) return refuse("has at least one layer; this blueprint names no file");
  return Done{};
}

}  // namespace

void PlannedLayer::AddDirectory(const std::string& name) {
  if (name.empty() || !directories_.insert(name).second) return;
  AddDirectory(std::string(DirectoryOf(name)));
  entries_.push_back({{name, archive::TarEntryType::kDirectory, kDirectoryMode, 0}, {}});
}

void PlannedLayer::AddFile(const std::string& name, Content content) {
  AddDirectory(std::string(DirectoryOf(name)));
  const bool generated = content.directory == nullptr;
  const std::uint64_t size = generated ? content.bytes.size() : content.state.size;
  const bool executable = !generated && (content.state.mode & kExecutableBits) != 0;
  entries_.push_back(
      {{name, archive::TarEntryType::kFile, executable ? kDirectoryMode : kFileMode, size},
       std::move(content)});
}

bool PlannedLayer::HoldsFiles() const { return std::ranges::any_of(entries_, IsFile); }

PlannedLayer PlannedLayer::WithoutEntries() const {
  PlannedLayer other(*this);
  other.entries_.clear();
  other.directories_.clear();
  return other;
}

store::LayerKey KeyOf(const PlannedLayer& layer, const BuildOptions& options) {
  std::string text = layer.format == LayerFormat::kRaw ? "plumb raw layer 1" : "plumb layer 1";
  AppendU32(text, static_cast<std::uint32_t>(options.compression));
  AppendU32(text, static_cast<std::uint32_t>(options.compression_level));
  AppendU64(text, layer.entries().size());
  for (const PlannedEntry& entry : layer.entries()) {
    AppendText(text, entry.tar.name);
    AppendU32(text, static_cast<std::uint32_t>(entry.tar.type));
    AppendU32(text, entry.tar.mode);
    if (!IsFile(entry)) continue;
    AppendContent(text, entry.content);
    // Nobody compared it when the layer was built without.
    if (const auto expected = options.file_digests.find(entry.tar.name);
        expected != options.file_digests.end())
      AppendText(text, expected->second.ToString());
  }
  return store::LayerKey{Blake3(AsBytes(text)).bytes};
}

bool IsRacy(const PlannedLayer& layer, std::int64_t read_ns) {
  return std::ranges::any_of(layer.entries(), [&](const PlannedEntry& entry) {
    const host::FileState& state = entry.content.state;
    return entry.content.directory != nullptr &&
           std::max(state.modified_ns, state.changed_ns) > read_ns - kClockGrainNs;
  });
}

Result<BuildPlan> PlanBuild(const PlanRequest& request) {
  const bool is_modelfile = request.blueprint.kind == BlueprintKind::kModelfile;
  PLUMB_TRY(ReadBlueprint read,
            is_modelfile ? ReadModelfileBlueprint(request) : ReadKitfileBlueprint(request));
  BuildPlan plan;
  if (request.options.rules == blueprint::KitRules::kKit17) {
    PLUMB_TRY(plan.layers, PlanKit17Layers(request, read));
  } else {
    PLUMB_TRY(plan.layers, PlanLayers(request, read));
  }
  plan.kitfile = std::move(read.kitfile);
  plan.model_layer = read.model_layer;
  plan.base = std::move(read.base);
  plan.bases = std::move(read.bases);
  plan.directories = std::move(read.directories);
  PLUMB_RETURN_IF_ERROR(ChooseFormats(request.options, request.progress, plan));
  if (request.options.format == oci::KitFormat::kModelPack)
    PLUMB_RETURN_IF_ERROR(CheckModelPack(plan));
  return plan;
}

}  // namespace plumb::kit
