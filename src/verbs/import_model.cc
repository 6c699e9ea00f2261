// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/import_model.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "kit/build.h"
#include "kit/gathered_files.h"
#include "verbs/kit_name.h"

namespace plumb::verbs {
namespace {

// What people call their models need not be a name of ours.
Result<std::optional<store::RefName>> NameHere(const kit::ForeignModel& model,
                                               const std::string& name) {
  if (!name.empty()) {
    PLUMB_TRY(const KitName wanted, KitName::Parse(name));
    if (wanted.HasDigest())
      return Error{ErrorKind::kInvalid, "a kit cannot be named '" + name + "'"};
    return std::optional(wanted.RefName());
  }
  const auto there = KitName::Parse(model.name);
  if (!there || there->HasDigest()) return std::optional<store::RefName>();
  return std::optional(there->RefName());
}

}  // namespace

Status ImportModel(Workspace& workspace, const kit::ForeignModel& model, const std::string& name,
                   ImportReport& report, Progress& progress) {
  PLUMB_TRY(const std::optional<store::RefName> tag, NameHere(model, name));
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(kit::BaseResolver * bases, workspace.Bases());
  PLUMB_TRY(const auto directory,
            model.files->OpenDirectory(kit::kGatheredPath, host::IfMissing::kFail));
  kit::BuildOptions options;
  options.threads = workspace.threads();
  options.message = "import";
  if (tag) options.tags.push_back(*tag);
  PLUMB_TRY(const std::vector<store::Ref> before, FindRefs(*store, options.tags));

  const Machine& machine = workspace.machine();
  const kit::BuildContext context{*model.files,       *directory, kit::kGatheredPath, machine.clock,
                                  machine.environment, *store,     *bases};
  PLUMB_TRY(const kit::BuildReport built, kit::Build(context, model.blueprint, options, progress));
  NoteMoves(before, built.id, progress);
  for (const kit::BuiltLayer& layer : built.layers)
    (layer.was_known ? report.bytes_present : report.bytes_moved) += layer.size;
  report.kits.push_back({tag ? tag->ToString() : std::string(), built.id});
  return Done{};
}

Result<std::string> OllamaStorePath(host::Environment& environment) {
  if (auto path = environment.Get("OLLAMA_MODELS")) return *std::move(path);
  PLUMB_TRY(const std::string home, environment.HomeDirectory());
  return home + "/.ollama/models";
}

Result<std::string> HuggingFaceCachePath(host::Environment& environment) {
  if (auto path = environment.Get("HF_HUB_CACHE")) return *std::move(path);
  if (const auto path = environment.Get("HF_HOME")) return *path + "/hub";
  if (const auto path = environment.Get("XDG_CACHE_HOME")) return *path + "/huggingface/hub";
  PLUMB_TRY(const std::string home, environment.HomeDirectory());
  return home + "/.cache/huggingface/hub";
}

Result<std::string> KitStorePath(host::Environment& environment) {
  if (const auto path = environment.Get("KITOPS_HOME")) return *path + "/storage";
  if (const auto path = environment.Get("XDG_DATA_HOME")) return *path + "/kitops/storage";
  PLUMB_TRY(const std::string home, environment.HomeDirectory());
  return home + "/.local/share/kitops/storage";
}

}  // namespace plumb::verbs
