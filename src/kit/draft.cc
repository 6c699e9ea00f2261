// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/draft.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "base/text.h"
#include "kit/draft_others_internal.h"
#include "kit/entries_internal.h"
#include "kit/modelfile_files_internal.h"
#include "kit/rules_internal.h"
#include "oci/manifest.h"

namespace plumb::kit {
namespace {

// Each costs a line of a list that a person is going to read.
constexpr std::size_t kFileCountMax = 100'000;
// So much of a licence says which it is.
constexpr std::uint64_t kLicenceSizeMax = std::uint64_t{256} << 10;

// Bits, so that what a directory holds is one number.
enum Kind : std::uint8_t {
  kModel = 1,
  kMetadata = 2,
  kDocs = 4,
  kDataset = 8,
  kCode = 16,
  kPrompt = 32
};

struct DraftFile {
  std::string path;
  Kind kind = kCode;
  std::uint64_t size = 0;  // of a model
  std::string skill = {};  // the topmost directory around it that is one
};

constexpr std::array<std::string_view, 17> kModelSuffixes = {
    ".safetensors", ".gguf",  ".ggml", ".onnx", ".pt",     ".pth",  ".bin",      ".pkl",    ".h5",
    ".hdf5",        ".keras", ".npz",  ".npy",  ".tflite", ".ckpt", ".pdparams", ".mlmodel"};
constexpr std::array<std::string_view, 8> kMetadataSuffixes = {
    ".json", ".yaml", ".yml", ".xml", ".txt", ".model", ".jinja", ".toml"};
constexpr std::array<std::string_view, 3> kDocsSuffixes = {".md", ".pdf", ".rst"};
constexpr std::array<std::string_view, 6> kDatasetSuffixes = {".parquet", ".csv",   ".tsv",
                                                              ".jsonl",   ".arrow", ".tar"};
// As later releases of kit have them: what an agent reads, and directories that are a skill.
constexpr std::string_view kSkillName = "skill.md";
constexpr std::array<std::string_view, 3> kPromptNames = {kSkillName, "agents.md", "claude.md"};
constexpr std::string_view kPromptMark = ".prompt";
constexpr std::array<std::string_view, 4> kDocsNames = {"readme", "license", "licence", "copying"};

bool IsLicence(std::string_view path) {
  const std::string name = ToLowerAscii(NameOf(path));
  return name.starts_with("license") || name.starts_with("licence") || name.starts_with("copying");
}

Kind KindOf(std::string_view path) {
  const std::string name = ToLowerAscii(NameOf(path));
  const auto ends = [&](std::span<const std::string_view> suffixes) {
    return std::ranges::any_of(suffixes, [&](std::string_view end) { return name.ends_with(end); });
  };
  if (std::ranges::any_of(kDocsNames, [&](auto word) { return name.starts_with(word); }))
    return kDocs;
  if (std::ranges::find(kPromptNames, name) != kPromptNames.end() ||
      name.find(kPromptMark) != std::string::npos)
    return kPrompt;
  if (ends(kModelSuffixes)) return kModel;
  if (ends(kMetadataSuffixes)) return kMetadata;
  if (ends(kDocsSuffixes)) return kDocs;
  return ends(kDatasetSuffixes) ? kDataset : kCode;
}

// The files of a directory that a build would take, in byte order.
class Survey {
 public:
  Survey(host::Directory& directory, const ContextRules& rules, Progress& progress)
      : directory_(directory), rules_(rules), progress_(progress) {}

  Result<std::vector<DraftFile>> Run() {
    PLUMB_RETURN_IF_ERROR(Walk(""));
    if (left_out_ > 0) {
      progress_.Warn("left out, because only files and directories can be packed: '" +
                     Printable(first_left_out_) + "'" +
                     (left_out_ > 1 ? " and " + std::to_string(left_out_ - 1) + " more" : ""));
    }
    if (files_.empty()) return Error{ErrorKind::kNotFound, "there are no files to pack"};
    std::ranges::sort(files_, {}, &DraftFile::path);
    return std::move(files_);
  }

 private:
  Status Walk(const std::string& path) {
    if (progress_.StopRequested()) return Interrupted();
    PLUMB_TRY(const auto entries, directory_.List(path));
    for (const host::DirectoryEntry& entry : entries) {
      const std::string name = JoinPath(path, entry.name);
      const bool is_ignored = rules_.Ignores(name);
      if (entry.type == host::FileType::kDirectory) {
        if (!is_ignored || rules_.MayTakeBeneath(name)) PLUMB_RETURN_IF_ERROR(Walk(name));
      } else if (!is_ignored) {
        PLUMB_RETURN_IF_ERROR(Take(name, entry.type));
      }
    }
    return Done{};
  }

  Status Take(const std::string& path, host::FileType type) {
    if (type != host::FileType::kRegular) {
      if (left_out_++ == 0) first_left_out_ = path;
      return Done{};
    }
    if (files_.size() == kFileCountMax)
      return Error{ErrorKind::kExhausted, "there are more than 100000 files"};
    DraftFile file = {path, KindOf(path), 0};
    if (file.kind == kModel) {
      PLUMB_TRY(const host::FileState state, directory_.State(path));
      file.size = state.size;
    }
    files_.push_back(std::move(file));
    return Done{};
  }

  host::Directory& directory_;
  const ContextRules& rules_;
  Progress& progress_;
  std::vector<DraftFile> files_;
  std::size_t left_out_ = 0;
  std::string first_left_out_;
};

// All that lies in a directory with a SKILL.md belongs to the skill, whatever it is.
void MarkSkills(std::vector<DraftFile>& files) {
  std::set<std::string, std::less<>> skills;
  for (const DraftFile& file : files)
    if (ToLowerAscii(NameOf(file.path)) == kSkillName) skills.emplace(DirectoryOf(file.path));
  for (DraftFile& file : files) {
    for (std::string_view folder = file.path; !folder.empty();) {
      folder = DirectoryOf(folder);
      if (skills.contains(folder)) file.skill = folder.empty() ? "." : folder;
    }
    if (!file.skill.empty()) file.kind = kPrompt;
  }
}

Result<std::vector<DraftFile>> Look(host::Directory& directory, const DraftOptions& options,
                                    Progress& progress) {
  PLUMB_TRY(const ContextRules rules, ContextRules::Load(directory, "", options.reserved));
  PLUMB_TRY(std::vector<DraftFile> files, Survey(directory, rules, progress).Run());
  MarkSkills(files);
  return files;
}

// The first of shards, else the largest; of equal ones the first.
const DraftFile* MainModel(const std::vector<DraftFile>& files) {
  const DraftFile* chosen = nullptr;
  for (const DraftFile& file : files) {
    if (file.kind != kModel) continue;
    if (SeriesName::Parse(NameOf(file.path))) return &file;
    if (chosen == nullptr || file.size > chosen->size) chosen = &file;
  }
  return chosen;
}

// What lies beneath each directory, but the root.
std::map<std::string, unsigned, std::less<>> KindsBeneath(const std::vector<DraftFile>& files) {
  std::map<std::string, unsigned, std::less<>> kinds;
  for (const DraftFile& file : files) {
    for (std::string_view folder = DirectoryOf(file.path); !folder.empty();
         folder = DirectoryOf(folder))
      kinds[std::string(folder)] |= static_cast<unsigned>(file.kind);
  }
  return kinds;
}

class KitfileDraft {
 public:
  KitfileDraft(const std::vector<DraftFile>& files, const DraftOptions& options)
      : files_(files), main_(MainModel(files)), kinds_(KindsBeneath(files)) {
    kitfile_.manifest_version = blueprint::kManifestVersion;
    kitfile_.package.name = options.name;
    kitfile_.package.description = options.description;
    kitfile_.package.authors = options.authors;
    if (main_ != nullptr) {
      blueprint::Model& model = kitfile_.model.emplace();
      model.name = options.name;
      model.path = main_->path;
    }
    for (const DraftFile& file : files_)
      if (file.kind == kModel) model_folders_.insert(DirectoryOf(file.path));
  }

  blueprint::Kitfile Run() {
    for (const DraftFile& file : files_)
      Add(file);
    if (needs_rest_) kitfile_.code.push_back({".", {}, {}, {}});
    return std::move(kitfile_);
  }

 private:
  void Add(const DraftFile& file) {
    const bool is_part = main_ != nullptr && (file.kind == kModel || IsBesideModel(file));
    if (&file == main_) return;
    if (is_part) {
      blueprint::ModelPart part;
      part.path = file.path;
      kitfile_.model->parts.push_back(std::move(part));
    } else if (!file.skill.empty()) {
      AddPrompt(file.skill);
    } else if (const auto prompts = FolderOfOnly(file.path, kPrompt | kMetadata, kPrompt)) {
      AddPrompt(*prompts);
    } else if (file.kind == kPrompt) {
      AddPrompt(file.path);
    } else if (const auto data = FolderOfOnly(file.path, kDataset | kMetadata, kDataset)) {
      if (folders_.insert(*data).second) AddDataset(*data);
    } else if (file.kind == kDataset) {
      AddDataset(file.path);
    } else if (const auto docs = FolderOfOnly(file.path, kDocs, kDocs)) {
      if (folders_.insert(*docs).second) kitfile_.docs.push_back({*docs, {}, {}});
    } else if (file.kind == kDocs) {
      kitfile_.docs.push_back({file.path, {}, {}});
    } else if (const auto code = FolderOfOnly(file.path, kCode | kMetadata | kDocs, kCode)) {
      if (folders_.insert(*code).second) kitfile_.code.push_back({*code, {}, {}, {}});
    } else {
      needs_rest_ = true;
    }
  }

  bool IsBesideModel(const DraftFile& file) const {
    return file.kind == kMetadata && model_folders_.contains(DirectoryOf(file.path));
  }

  void AddPrompt(const std::string& path) {
    if (folders_.insert(path).second) kitfile_.prompts.push_back({{}, path, {}, {}});
  }

  void AddDataset(const std::string& path) {
    blueprint::Dataset dataset;
    dataset.name = NameOf(path);
    dataset.path = path;
    kitfile_.datasets.push_back(std::move(dataset));
  }

  // The topmost directory around `path` that holds nothing but `allowed`, and some `needed`.
  std::optional<std::string> FolderOfOnly(std::string_view path, unsigned allowed,
                                          unsigned needed) const {
    std::optional<std::string> found;
    for (std::string_view folder = DirectoryOf(path); !folder.empty();
         folder = DirectoryOf(folder)) {
      const unsigned kinds = kinds_.find(folder)->second;
      if ((kinds & ~allowed) == 0 && (kinds & needed) != 0) found = std::string(folder);
    }
    return found;
  }

  const std::vector<DraftFile>& files_;
  const DraftFile* const main_;
  const std::map<std::string, unsigned, std::less<>> kinds_;
  std::set<std::string_view> model_folders_;
  std::set<std::string> folders_;
  bool needs_rest_ = false;
  blueprint::Kitfile kitfile_;
};

std::string LicenceOf(host::Directory& directory, const std::vector<DraftFile>& files) {
  for (const DraftFile& file : files) {
    if (!DirectoryOf(file.path).empty() || !IsLicence(file.path)) continue;
    const auto text = host::ReadFile(directory, file.path, kLicenceSizeMax);
    if (text) return std::string(DetectLicense(*text));
  }
  return {};
}

FilesBeside FilesBesideModel(const std::vector<DraftFile>& files) {
  FilesBeside beside;
  for (const DraftFile& file : files) {
    beside.all.push_back(file.path);
    if (file.path.find('/') == std::string::npos && IsLicence(file.path))
      beside.licences.push_back(file.path);
  }
  return beside;
}

// A Kitfile is of use only if a build takes it.
Status CheckSize(blueprint::Kitfile& kitfile) {
  const std::size_t count = EntriesOf(kitfile, ModelLayer::kYes).size();
  const auto read = blueprint::ParseKitfile(blueprint::PrintKitfile(kitfile), "Kitfile",
                                            blueprint::KitRules::kOurs);
  if (count <= oci::kLayerCountMax && read) return Done{};
  return Error{ErrorKind::kExhausted,
               std::to_string(count) + " entries would be more than a Kitfile may have",
               "a directory that holds only data, or only code, is one entry"};
}

// What a FROM that is a directory takes for weights, but GGUF.
bool IsTakenFromDirectories(const DraftFile& file) {
  constexpr std::array<std::string_view, 3> kSuffixes = {".safetensors", ".bin", ".pth"};
  return std::ranges::any_of(kSuffixes, [&](auto suffix) { return file.path.ends_with(suffix); });
}

bool HasSuffix(const DraftFile& file, std::string_view suffix) {
  return ToLowerAscii(file.path).ends_with(suffix);
}

}  // namespace

Result<blueprint::Kitfile> DraftKitfile(host::Directory& directory, const DraftOptions& options,
                                        Progress& progress) {
  PLUMB_TRY(const std::vector<DraftFile> files, Look(directory, options, progress));
  WarnOfSecrets(FilesBesideModel(files).all, progress);
  blueprint::Kitfile kitfile = KitfileDraft(files, options).Run();
  PLUMB_RETURN_IF_ERROR(CheckSize(kitfile));
  kitfile.package.license = LicenceOf(directory, files);
  return kitfile;
}

Result<blueprint::Modelfile> DraftModelfile(host::Directory& directory, const DraftOptions& options,
                                            Progress& progress) {
  PLUMB_TRY(std::vector<DraftFile> files, Look(directory, options, progress));
  FilesBeside beside = FilesBesideModel(files);
  std::erase_if(files, [](const DraftFile& file) {
    return file.kind != kModel || !(HasSuffix(file, ".gguf") || IsTakenFromDirectories(file));
  });
  const bool has_tensors = std::ranges::any_of(
      files, [](const DraftFile& file) { return HasSuffix(file, ".safetensors"); });
  std::vector<DraftFile> projectors;
  if (!has_tensors) {
    // Of llama.cpp's files the projector is one by its name.
    const auto is_projector = [](const DraftFile& file) {
      return HasSuffix(file, ".gguf") &&
             ToLowerAscii(file.path).find("mmproj") != std::string::npos;
    };
    std::ranges::copy_if(files, std::back_inserter(projectors), is_projector);
    std::erase_if(files, is_projector);
    std::erase_if(files, [&](const DraftFile& file) {
      const bool is_adapter = IsAdapter(directory, file.path);
      if (is_adapter) beside.adapters.push_back(file.path);
      return is_adapter;
    });
  }
  const DraftFile* const main = MainModel(files);
  if (main == nullptr) {
    return Error{ErrorKind::kNotFound, "there is no model to begin a Modelfile with",
                 "plumb init writes a Kitfile"};
  }
  blueprint::Modelfile modelfile;
  if (HasSuffix(*main, ".gguf")) {
    modelfile.commands.push_back({"model", "./" + main->path});
    for (const DraftFile& projector : projectors)
      modelfile.commands.push_back({"model", "./" + projector.path});
  } else {
    // A directory stands for its tensors, with what describes them.
    const std::string_view folder = DirectoryOf(main->path);
    modelfile.commands.push_back(
        {"model", folder.empty() ? std::string(".") : "./" + std::string(folder)});
  }
  AddFilesBeside(directory, beside, modelfile, progress);
  return modelfile;
}

}  // namespace plumb::kit
