// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
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

bool PlannedLayer::HoldsFiles() const {
  return std::ranges::any_of(entries_, [](const PlannedEntry& entry) {
    return entry.tar.type == archive::TarEntryType::kFile;
  });
}

store::LayerKey KeyOf(const PlannedLayer& layer, const BuildOptions& options) {
  std::string text = "plumb layer 1";
  AppendU32(text, static_cast<std::uint32_t>(options.compression));
  AppendU32(text, static_cast<std::uint32_t>(options.compression_level));
  AppendU64(text, layer.entries().size());
  for (const PlannedEntry& entry : layer.entries()) {
    AppendText(text, entry.tar.name);
    AppendU32(text, static_cast<std::uint32_t>(entry.tar.type));
    AppendU32(text, entry.tar.mode);
    if (entry.tar.type == archive::TarEntryType::kFile) AppendContent(text, entry.content);
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
  return plan;
}

}  // namespace plumb::kit
