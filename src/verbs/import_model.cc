// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/import_model.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "host/links.h"
#include "kit/build.h"
#include "kit/gathered_files.h"
#include "store/adopter.h"
#include "verbs/kit_name.h"

namespace plumb::verbs {
namespace {

// The home of the user that Ollama's installer makes for its service.
constexpr char kOllamaServicePath[] = "/usr/share/ollama/.ollama/models";

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

// Before anything is read: what is adopted is not written when it is built from.
class FileAdoption {
 public:
  FileAdoption(store::Adopter& adopter, host::Files& files, LinkFiles link_files,
               Progress& progress)
      : adopter_(adopter), files_(files), link_files_(link_files), progress_(progress) {}

  Status Adopt(const std::vector<std::string>& paths, const std::string& store_path) {
    PLUMB_TRY(const host::FileState here, files_.State(store_path));
    for (const std::string& path : paths) {
      auto adopted = adopter_.Adopt(path, store::AdoptHow::kReflink, progress_);
      const bool cannot_share = !adopted && adopted.error().kind == ErrorKind::kUnsupported;
      if (cannot_share && link_files_ == LinkFiles::kYes)
        adopted = adopter_.Adopt(path, store::AdoptHow::kHardLink, progress_);
      if (adopted) {
        bytes_ += *adopted;
        continue;
      }
      if (adopted.error().kind != ErrorKind::kUnsupported) return adopted.error();
      if (link_files_ == LinkFiles::kYes)
        progress_.Warn("copying '" + path + "': " + adopted.error().message);
      PLUMB_TRY(const host::FileState there, files_.State(path));
      if (there.device == here.device) might_be_linked_ += there.size;
    }
    return Done{};
  }

  std::uint64_t bytes() const { return bytes_; }
  // What hard links would have saved.
  std::uint64_t might_be_linked() const {
    return link_files_ == LinkFiles::kNo ? might_be_linked_ : 0;
  }

 private:
  store::Adopter& adopter_;
  host::Files& files_;
  const LinkFiles link_files_;
  Progress& progress_;
  std::uint64_t bytes_ = 0;
  std::uint64_t might_be_linked_ = 0;
};

}  // namespace

Status ImportModel(Workspace& workspace, const kit::ForeignModel& model,
                   const ImportOptions& import, ImportReport& report, Progress& progress) {
  PLUMB_TRY(const std::optional<store::RefName> tag, NameHere(model, import.name));
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(kit::BaseResolver * bases, workspace.Bases());
  const Machine& machine = workspace.machine();
  PLUMB_TRY(const std::string home, workspace.Home());
  kit::BuildOptions options;
  PLUMB_TRY(options.threads, workspace.Threads());
  // Until the kit is there, or a gc in between would take away what it is going to need.
  PLUMB_TRY(const std::unique_ptr<store::Adopter> adopter,
            store::OpenAdopter(machine.files, machine.links, machine.entropy, home + "/store",
                               options.threads));
  FileAdoption adoption(*adopter, machine.files, import.link_files, progress);
  PLUMB_RETURN_IF_ERROR(adoption.Adopt(model.paths, home + "/store"));
  report.bytes_adopted += adoption.bytes();
  PLUMB_TRY(const auto directory,
            model.files->OpenDirectory(kit::kGatheredPath, host::IfMissing::kFail));
  options.message = "import";
  options.file_digests = model.digests;
  if (tag) options.tags.push_back(*tag);
  PLUMB_TRY(const std::vector<store::Ref> before, FindRefs(*store, options.tags));

  const kit::BuildContext context{*model.files,  *directory,          kit::kGatheredPath,
                                  machine.clock, machine.environment, *store,
                                  *bases};
  PLUMB_TRY(const kit::BuildReport built, kit::Build(context, model.blueprint, options, progress));
  NoteMoves(before, built.id, progress);
  std::uint64_t copied = 0;
  for (const kit::BuiltLayer& layer : built.layers) {
    (layer.was_known ? report.bytes_present : report.bytes_moved) += layer.size;
    if (!layer.was_known) copied += layer.size;
  }
  if (const std::uint64_t saved = std::min(copied, adoption.might_be_linked()); saved > 0) {
    progress.Note("--link would have saved " + FormatSize(saved) +
                  ": the files are used where they lie then");
  }
  // Asked for, and not done: nothing was copied either, so nobody would see it.
  const bool was_here = copied == 0 && adoption.bytes() == 0;
  if (import.link_files == LinkFiles::kYes && was_here) {
    progress.Note(
        "nothing was linked: the store has these bytes already (plumb remove what is of them, "
        "plumb gc, and import again)");
  }
  report.kits.push_back({tag ? tag->ToString() : std::string(), built.id});
  return Done{};
}

Result<std::string> OllamaStorePath(host::Environment& environment, host::Files& files) {
  if (auto path = environment.Get("OLLAMA_MODELS")) return *std::move(path);
  PLUMB_TRY(const std::string home, environment.HomeDirectory());
  std::string own = home + "/.ollama/models";
  const bool is_elsewhere = !files.State(own) && files.State(kOllamaServicePath);
  return is_elsewhere ? std::string(kOllamaServicePath) : own;
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
