// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string>

#include "base/text.h"
#include "kit/lock_internal.h"

namespace plumb::kit {
namespace {

// As many as a person reads in one message.
constexpr std::size_t kDifferencesShown = 20;

// No manifest that was read adds up to more than 2^62.
std::uint64_t SizeOf(const ModelKit& modelkit) {
  std::uint64_t size = modelkit.manifest_bytes.size() + modelkit.manifest.config.size;
  for (const oci::Descriptor& layer : modelkit.manifest.layers)
    size += layer.size;
  return size;
}

std::uint64_t SizeOf(const PlannedLayer& layer) {
  std::uint64_t size = 0;
  for (const PlannedEntry& entry : layer.entries())
    size += entry.tar.size;
  return size;
}

}  // namespace

Result<blueprint::LockFile> MakeLock(const BuildPlan& plan, const BlueprintText& blueprint,
                                     const std::vector<WrittenLayer>& written) {
  blueprint::LockFile lock;
  lock.blueprint = {blueprint.bytes.size(), Sha256(AsBytes(blueprint.bytes))};
  std::optional<oci::Reference> reference = plan.base;
  for (const ModelKit& base : plan.bases) {
    if (!reference) break;
    lock.bases.push_back({reference->ToString(), {SizeOf(base), base.id}});
    PLUMB_TRY(reference, BaseOf(base));
  }
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const PlannedLayer& layer = plan.layers[i];
    const bool is_raw = layer.format == LayerFormat::kRaw;
    lock.inputs.push_back({is_raw ? layer.file().tar.name : blueprint::CleanPath(layer.path),
                           {SizeOf(layer), written[i].diff_id}});
  }
  return lock;
}

Status CheckLock(const blueprint::LockFile& lock, const blueprint::LockFile& built) {
  std::vector<std::string> differences = blueprint::DifferencesFrom(lock, built);
  if (differences.empty()) return Done{};
  const std::size_t count = differences.size();
  if (count > kDifferencesShown) {
    differences.resize(kDifferencesShown);
    differences.push_back("and " + std::to_string(count - kDifferencesShown) + " more");
  }
  return Error{
      ErrorKind::kConflict,
      "what would be built is not what the lock file says:\n  * " + Join(differences, "\n  * "),
      "plumb build --lock, if it is what you mean"};
}

}  // namespace plumb::kit
