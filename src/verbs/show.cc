// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/show.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "blueprint/kitfile.h"
#include "blueprint/modctl.h"
#include "blueprint/modelfile.h"
#include "kit/base_resolver.h"
#include "oci/reference.h"
#include "verbs/read_kit.h"

namespace plumb::verbs {
namespace {

Result<ShowReport> ShowModctl(const kit::BlueprintText& blueprint) {
  PLUMB_TRY(const blueprint::ModctlModelfile modelfile,
            blueprint::ParseModctl(blueprint.bytes, blueprint.file));
  ShowReport report;
  report.text = blueprint::PrintModctl(modelfile);
  report.json = blueprint::ModctlToJson(modelfile, report.text);
  return report;
}

Result<ShowReport> ShowModelfile(const kit::BlueprintText& blueprint, ModelfileReading reading) {
  const bool compatible = reading == ModelfileReading::kCompatible;
  if (!compatible && blueprint::LooksLikeModctl(blueprint.bytes)) return ShowModctl(blueprint);
  PLUMB_TRY(const blueprint::Modelfile modelfile,
            compatible ? blueprint::ParseModelfileCompat(blueprint.bytes)
                       : blueprint::ParseModelfile(blueprint.bytes, blueprint.file));
  ShowReport report;
  PLUMB_TRY(report.text, compatible ? blueprint::PrintModelfileCompat(modelfile)
                                    : blueprint::PrintModelfile(modelfile));
  PLUMB_TRY(report.json, blueprint::ModelfileToJson(modelfile, report.text));
  return report;
}

// Without the directory it belongs to nobody can know what a model path names, so that what
// reads as a reference with a tag or digest is taken for one.
blueprint::ModelPath GuessModelPath(const blueprint::Kitfile& kitfile) {
  if (!kitfile.model) return blueprint::ModelPath::kFile;
  const auto reference = oci::Reference::Parse(kitfile.model->path);
  const bool named = reference && (!reference->tag.empty() || reference->digest);
  return named ? blueprint::ModelPath::kReference : blueprint::ModelPath::kFile;
}

Result<ShowReport> ShowKitfile(const kit::BlueprintText& blueprint) {
  constexpr auto kRules = blueprint::KitRules::kOurs;
  PLUMB_TRY(const blueprint::Kitfile kitfile,
            blueprint::ParseKitfile(blueprint.bytes, blueprint.file, kRules));
  PLUMB_RETURN_IF_ERROR(blueprint::ValidateKitfile(kitfile, GuessModelPath(kitfile), kRules));
  ShowReport report;
  report.text = blueprint::PrintKitfile(kitfile);
  report.json = Json::MakeObject();
  report.json.Append("kind", Json::String("kitfile"));
  report.json.Append("kitfile", blueprint::KitfileToJson(kitfile));
  return report;
}

// The parts of a layer's blob, by where they begin.
using PartsByOffset = std::map<std::uint64_t, store::BlobPart>;

TensorKept KeptAs(const weights::TensorPlace& tensor, std::uint64_t file_at,
                  const PartsByOffset& parts) {
  const auto found = parts.find(file_at + tensor.offset);
  if (found == parts.end()) return {};
  const store::BlobPart& part = found->second;
  const bool is_whole = part.object && part.size == tensor.size && part.object_size == tensor.size;
  return is_whole ? TensorKept{part.object, part.stored, part.encodings} : TensorKept{};
}

Result<std::vector<std::vector<TensorKept>>> FindKept(store::Upkeep& upkeep,
                                                      const std::vector<kit::WeightsFile>& files) {
  std::map<Digest, PartsByOffset> layers;
  std::vector<std::vector<TensorKept>> kept;
  for (const kit::WeightsFile& file : files) {
    const auto [layer, is_new] = layers.try_emplace(file.layer);
    if (is_new && file.blob_offset) {
      PLUMB_TRY(const std::vector<store::BlobPart> parts, upkeep.Describe(file.layer));
      for (const store::BlobPart& part : parts)
        layer->second.emplace(part.offset, part);
    }
    std::vector<TensorKept>& of_file = kept.emplace_back();
    for (const weights::TensorPlace& tensor : file.header.tensors)
      of_file.push_back(file.blob_offset ? KeptAs(tensor, *file.blob_offset, layer->second)
                                         : TensorKept{});
  }
  return kept;
}

}  // namespace

Result<ShowReport> Show(Workspace& workspace, const ShowOptions& options) {
  PLUMB_TRY(const kit::BlueprintText blueprint,
            ReadBlueprint(workspace.machine().files, options.blueprint));
  if (options.reading == ModelfileReading::kCompatible ||
      blueprint.kind == kit::BlueprintKind::kModelfile) {
    return ShowModelfile(blueprint, options.reading);
  }
  return ShowKitfile(blueprint);
}

Result<TensorsReport> ShowTensors(Workspace& workspace, const std::string& name,
                                  Progress& progress) {
  PLUMB_TRY(const kit::ModelKit modelkit, ReadKit(workspace, {name}, progress));
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(kit::BaseResolver * resolver, workspace.Bases());
  std::vector<kit::ModelKit> chain;
  PLUMB_TRY(const auto base, kit::BaseOf(modelkit));
  if (base) {
    PLUMB_TRY(chain, kit::ResolveBases(*base, *resolver));
    std::ranges::reverse(chain);
  }
  TensorsReport report;
  report.kit = modelkit.id;
  chain.push_back(modelkit);
  for (const kit::ModelKit& one : chain) {
    PLUMB_TRY(kit::Weights weights, kit::ListWeights(*store, one, progress));
    std::ranges::move(weights.files, std::back_inserter(report.weights.files));
    std::ranges::move(weights.maps, std::back_inserter(report.weights.maps));
    std::ranges::move(weights.unread, std::back_inserter(report.weights.unread));
  }
  kit::WarnOfFaults(report.weights, progress);
  if (report.weights.files.empty())
    return Error{ErrorKind::kUnsupported,
                 "'" + name + "' has no weights that can be read: no safetensors, no GGUF",
                 "plumb info " + name};
  PLUMB_TRY(store::Upkeep * upkeep, workspace.Upkeep());
  PLUMB_TRY(report.kept, FindKept(*upkeep, report.weights.files));
  return report;
}

}  // namespace plumb::verbs
