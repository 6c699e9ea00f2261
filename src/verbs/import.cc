// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/import.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>

#include "base/text.h"
#include "host/files.h"
#include "kit/foreign_model.h"
#include "oci/ollama.h"
#include "registry/bundle.h"
#include "registry/connect.h"
#include "registry/kit_store.h"
#include "verbs/build.h"
#include "verbs/import_layout.h"
#include "verbs/import_model.h"
#include "verbs/init.h"

namespace plumb::verbs {
namespace {

constexpr std::size_t kTarBlockSize = 512;
// What a directory of files is built from, if it is there.
constexpr std::array kBlueprintNames = {"Kitfile", "kitfile", ".kitfile", "Modelfile"};

// What `hf download` prints: …/models--ORGANIZATION--NAME/snapshots/COMMIT.
struct SnapshotName {
  std::string repository;
  std::string commit;

  static std::optional<SnapshotName> Parse(const std::string& path) {
    const host::PathParts commit = host::SplitPath(path);
    const host::PathParts snapshots = host::SplitPath(commit.directory);
    const bool is_one = snapshots.name == "snapshots" &&
                        host::SplitPath(snapshots.directory).name.starts_with("models--");
    return is_one ? std::optional(SnapshotName{snapshots.directory, commit.name}) : std::nullopt;
  }
};

// Whether the start of a file is that of a tar, or of one that is compressed.
bool LooksLikeArchive(std::string_view start) {
  constexpr std::size_t kMagicOffset = 257;
  return start.starts_with("\x1f\x8b") || start.starts_with("\x28\xb5\x2f\xfd") ||
         (start.size() > kMagicOffset && start.substr(kMagicOffset).starts_with("ustar"));
}

class Importer {
 public:
  Importer(Workspace& workspace, ImportOptions& options, Progress& progress)
      : workspace_(workspace),
        files_(workspace.machine().files),
        environment_(workspace.machine().environment),
        options_(options),
        progress_(progress) {}

  Result<ImportReport> Run() {
    const std::string& source = options_.source;
    if (source == "-") {
      PLUMB_TRY(registry::Layout layout,
                registry::OpenBundle(std::move(options_.input), "standard input", progress_));
      return FromLayout(std::move(layout), ChoiceOf(source));
    }
    if (const auto layout = registry::ParseLayoutName(source)) return FromLayoutDirectory(*layout);
    if (const auto name = Behind("ollama:")) return FromOllama(*name);
    if (const auto name = Behind("hf:")) return FromHuggingFace(*name);
    if (const auto name = Behind("kit:")) return FromKit(*name);
    auto state = files_.State(source);
    if (!state) {
      Error error = std::move(state).error();
      if (error.kind == ErrorKind::kNotFound)
        error.hint = "a path, or oci:DIRECTORY, ollama:MODEL, hf:ORGANIZATION/NAME, kit:REFERENCE";
      return error;
    }
    return state->type == host::FileType::kDirectory ? FromDirectory() : FromFile();
  }

  // Whether there was something whose files can be used where they lie.
  bool HasSeenModel() const { return has_seen_model_; }

 private:
  std::optional<std::string> Behind(std::string_view scheme) const {
    if (!options_.source.starts_with(scheme)) return std::nullopt;
    return options_.source.substr(scheme.size());
  }

  // That another program's place is not where it is looked for is no news of a model.
  Status CheckPlace(const std::string& path, const char* hint) {
    auto state = files_.State(path);
    if (state) return Done{};
    if (state.error().kind == ErrorKind::kNotFound) state.error().hint = hint;
    return std::move(state).error();
  }

  LayoutChoice ChoiceOf(const std::string& label) const {
    LayoutChoice choice;
    choice.label = label;
    choice.name = options_.name;
    return choice;
  }

  Result<ImportReport> FromLayout(registry::Layout layout, const LayoutChoice& choice) {
    return ImportLayout(workspace_, std::move(layout), choice, progress_);
  }

  Result<ImportReport> FromLayoutDirectory(const registry::LayoutName& name) {
    PLUMB_TRY(registry::Layout layout, registry::OpenLayoutToRead(files_, name.directory));
    LayoutChoice choice = ChoiceOf(options_.source);
    choice.tag = name.tag;
    return FromLayout(std::move(layout), choice);
  }

  Result<ImportReport> FromModel(const Result<kit::ForeignModel>& model) {
    if (!model) return model.error();
    ImportReport report;
    PLUMB_RETURN_IF_ERROR(Take(*model, report));
    return report;
  }

  Result<ImportReport> FromOllama(const std::string& name) {
    PLUMB_TRY(const std::string path, OllamaStorePath(environment_, files_));
    PLUMB_RETURN_IF_ERROR(CheckPlace(path, "$OLLAMA_MODELS says where Ollama keeps its models"));
    if (name.empty()) return FromOllamaStore(path);
    PLUMB_TRY(const oci::OllamaName wanted, oci::OllamaName::Parse(name));
    return FromModel(kit::ReadOllamaModel(files_, path, wanted, progress_));
  }

  // Every model of a place that holds several. One that cannot be imported, because of what it is
  // or for such a reason, is none to leave the others behind.
  using ReadModel = std::function<Result<kit::ForeignModel>(std::size_t)>;
  Result<ImportReport> FromEach(const std::vector<std::string>& names, const ReadModel& read,
                                const std::vector<ErrorKind>& passed_over) {
    if (names.empty()) return Error{ErrorKind::kNotFound, "there is no model in it"};
    PLUMB_RETURN_IF_ERROR(CheckName(names.size(), "models"));
    ImportReport report;
    std::optional<Error> first;
    for (std::size_t i = 0; i < names.size(); ++i) {
      auto model = read(i);
      const Status taken = model ? Take(*model, report) : Status(model.error());
      if (taken) continue;
      Error error = taken.error();
      if (!IsOfModel(error) && (model || std::ranges::count(passed_over, error.kind) == 0))
        return std::move(error).While("'" + Printable(names[i]) + "'");
      if (names.size() > 1)
        progress_.Warn("passing over '" + Printable(names[i]) + "': " + error.message);
      if (!first) first = std::move(error).While("'" + Printable(names[i]) + "'");
    }
    if (report.kits.empty() && first) return *std::move(first);
    return report;
  }

  Status CheckName(std::size_t count, std::string_view what) const {
    if (count <= 1 || options_.name.empty()) return Done{};
    return Error{ErrorKind::kInvalid, "it holds " + std::to_string(count) + " " +
                                          std::string(what) + ", which cannot all be called '" +
                                          options_.name + "'"};
  }

  static bool IsOfModel(const Error& error) {
    return error.kind == ErrorKind::kInvalid || error.kind == ErrorKind::kUnsupported;
  }

  Status Take(const kit::ForeignModel& model, ImportReport& report) {
    has_seen_model_ = true;
    return ImportModel(workspace_, model, options_, report, progress_);
  }

  Result<ImportReport> FromOllamaStore(const std::string& path) {
    PLUMB_TRY(const auto models, kit::ListOllamaModels(files_, path));
    std::vector<std::string> names;
    names.reserve(models.size());
    for (const oci::OllamaName& model : models)
      names.push_back(model.ToString());
    const auto read = [&](std::size_t i) {
      return kit::ReadOllamaModel(files_, path, models[i], progress_);
    };
    return FromEach(names, read, {});
  }

  // Of some models a cache has only a part, or what is left of one.
  Result<ImportReport> FromHuggingFaceCache(const std::string& path,
                                            const std::vector<std::string>& folders) {
    const auto read = [&](std::size_t i) {
      return kit::ReadHuggingFaceModel(files_, path + "/" + folders[i], kit::kMainRevision,
                                       progress_);
    };
    return FromEach(folders, read, {ErrorKind::kNotFound, ErrorKind::kCorrupt});
  }

  Result<ImportReport> FromHuggingFace(const std::string& text) {
    PLUMB_TRY(const std::string cache, HuggingFaceCachePath(environment_));
    PLUMB_RETURN_IF_ERROR(
        CheckPlace(cache, "$HF_HUB_CACHE or $HF_HOME says where the cache of Hugging Face is"));
    if (text.empty()) {
      PLUMB_TRY(const auto folders, kit::ListHuggingFaceModels(files_, cache));
      return FromHuggingFaceCache(cache, folders);
    }
    const std::size_t at = text.find('@');
    const std::string name = text.substr(0, at);
    const std::string revision(at == std::string::npos ? kit::kMainRevision : text.substr(at + 1));
    std::string folder = "models--" + name;
    if (const std::size_t slash = folder.find('/'); slash != std::string::npos)
      folder.replace(slash, 1, "--");
    if (name.empty() || folder.find('/') != std::string::npos)
      return Error{ErrorKind::kInvalid, "'" + name + "' is no name of a model",
                   "write hf:ORGANIZATION/NAME[@REVISION]"};
    return FromModel(kit::ReadHuggingFaceModel(files_, cache + "/" + folder, revision, progress_));
  }

  // One kit of kit's store, or (empty) all.
  Result<ImportReport> FromKit(const std::string& name) {
    PLUMB_TRY(const std::string path, KitStorePath(environment_));
    PLUMB_RETURN_IF_ERROR(CheckPlace(path, "$KITOPS_HOME says where kit keeps its things"));
    return FromKitStore(path, name);
  }

  Result<ImportReport> FromKitStore(const std::string& path, const std::string& name) {
    PLUMB_TRY(auto repositories, registry::OpenKitStore(files_, path));
    std::optional<oci::Reference> wanted;
    if (!name.empty()) {
      PLUMB_TRY(wanted, oci::Reference::Parse(name));
      std::erase_if(repositories,
                    [&](const auto& repository) { return repository.name != wanted->Name(); });
      if (repositories.empty())
        return Error{ErrorKind::kNotFound, "'" + name + "' is not in kit's store", "kit list"};
    }
    PLUMB_RETURN_IF_ERROR(CheckName(repositories.size(), "repositories"));
    ImportReport report;
    std::optional<Error> first;
    for (registry::KitRepository& repository : repositories) {
      // Of a repository whose kits were all removed kit may leave the index.
      if (!wanted && repository.layout.index.entries.empty()) continue;
      LayoutChoice choice = ChoiceOf(repository.name);
      choice.repository = repository.name;
      // With a digest, that decides.
      if (wanted && wanted->digest) choice.digest = wanted->digest;
      if (wanted && !wanted->digest) choice.tag = wanted->TagOrDefault();
      auto part = FromLayout(std::move(repository.layout), choice);
      if (!part) {
        if (repositories.size() == 1 || !IsOfModel(part.error())) return part.error();
        progress_.Warn("passing over '" + repository.name + "': " + part.error().message);
        if (!first) first = part.error();
        continue;
      }
      std::ranges::move(part->kits, std::back_inserter(report.kits));
      report.bytes_moved += part->bytes_moved;
      report.bytes_present += part->bytes_present;
    }
    if (report.kits.empty() && first) return *std::move(first);
    if (report.kits.empty()) return Error{ErrorKind::kNotFound, "there is no kit in it"};
    return report;
  }

  Result<ImportReport> FromDirectory() {
    const std::string& path = options_.source;
    PLUMB_TRY(const std::string real, files_.Canonical(path));
    if (const auto snapshot = SnapshotName::Parse(real)) {
      return FromModel(
          kit::ReadHuggingFaceModel(files_, snapshot->repository, snapshot->commit, progress_));
    }
    const auto has = [&](const char* name) { return files_.State(path + "/" + name).has_value(); };
    if (has("oci-layout") && has("index.json")) return FromLayoutDirectory({path, {}});
    if (has("snapshots") && has("blobs"))
      return FromModel(kit::ReadHuggingFaceModel(files_, path, kit::kMainRevision, progress_));
    if (has("manifests") && has("blobs")) return FromOllamaStore(path);
    if (has("storage/blobs")) return FromKitStore(path + "/storage", {});
    if (std::ranges::none_of(kBlueprintNames, has)) {
      PLUMB_TRY(const auto folders, kit::ListHuggingFaceModels(files_, path));
      if (!folders.empty()) return FromHuggingFaceCache(path, folders);
    }
    return FromFiles();
  }

  // A directory of files, with a blueprint or without.
  Result<ImportReport> FromFiles() {
    BuildOptions build;
    build.directory = options_.source;
    build.message = "import";
    if (!options_.name.empty()) build.tags.push_back(options_.name);
    const auto has = [&](const char* name) {
      return files_.State(build.directory + "/" + name).has_value();
    };
    if (std::ranges::none_of(kBlueprintNames, has)) {
      InitOptions init;
      init.directory = options_.source;
      build.blueprint.file = "-";
      PLUMB_TRY(build.blueprint.input, DraftBlueprint(workspace_, init, progress_));
    }
    PLUMB_TRY(const BuildReport built, Build(workspace_, build, progress_));
    ImportReport report;
    for (const kit::BuiltLayer& layer : built.built.layers)
      (layer.was_known ? report.bytes_present : report.bytes_moved) += layer.size;
    report.kits.push_back(
        {built.tags.empty() ? std::string() : built.tags.front(), built.built.id});
    return report;
  }

  Result<ImportReport> FromFile() {
    const auto model = kit::ReadModelFile(files_, options_.source);
    if (model || model.error().kind != ErrorKind::kUnsupported) return FromModel(model);
    const host::PathParts parts = host::SplitPath(options_.source);
    PLUMB_TRY(const auto directory, files_.OpenDirectory(parts.directory, host::IfMissing::kFail));
    PLUMB_TRY(auto file, directory->Open(parts.name, host::OpenHow::kReadFollow));
    std::array<std::byte, kTarBlockSize> start = {};
    PLUMB_TRY(const std::size_t size, file->ReadAt(0, start));
    if (!LooksLikeArchive(AsText(ByteSpan(start).first(size)))) {
      return Error{ErrorKind::kUnsupported, "it is no bundle, no GGUF and no safetensors file"};
    }
    PLUMB_TRY(registry::Layout layout,
              registry::OpenBundle(std::move(file), options_.source, progress_));
    return FromLayout(std::move(layout), ChoiceOf(options_.source));
  }

  Workspace& workspace_;
  host::Files& files_;
  host::Environment& environment_;
  ImportOptions& options_;
  Progress& progress_;
  bool has_seen_model_ = false;
};

}  // namespace

Result<ImportReport> Import(Workspace& workspace, ImportOptions options, Progress& progress) {
  Importer importer(workspace, options, progress);
  auto report = importer.Run();
  if (!report) return std::move(report).error().While("cannot import '" + options.source + "'");
  report->source = options.source;
  if (options.link_files == LinkFiles::kYes && !importer.HasSeenModel())
    progress.Warn("--link is for files of models: this was copied");
  for (const ImportedKit& kit : report->kits) {
    if (!kit.name.empty()) continue;
    progress.Note("it has no name here yet: plumb tag " + kit.digest.ToString() + " NAME:TAG");
  }
  return report;
}

}  // namespace plumb::verbs
