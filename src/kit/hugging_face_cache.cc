// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "blueprint/kitfile.h"
#include "kit/draft.h"
#include "kit/foreign_model.h"
#include "kit/gathered_files.h"
#include "oci/reference.h"

namespace plumb::kit {
namespace {

constexpr std::string_view kRepositoryPrefix = "models--";
constexpr std::uint64_t kRefSizeMax = 256;
constexpr std::size_t kFileCountMax = 100'000;
// More than anybody's disk has.
constexpr std::size_t kModelCountMax = 100'000;
constexpr std::size_t kCommitSizeMax = 128;

bool IsSha256(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// What a snapshot is called: a commit of git's, as a rule, but mirrors and tests have others. One
// part of a path, which leads nowhere else.
bool IsCommit(std::string_view text) {
  return !text.empty() && text.size() <= kCommitSizeMax && text.front() != '.' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '.' || c == '_' || c == '-';
         });
}

// A branch or a tag of git: no part of it may leave refs/.
bool IsRevision(std::string_view text) {
  const std::vector<std::string_view> parts = Split(text, '/');
  return text.size() <= kRefSizeMax && std::ranges::all_of(parts, [](std::string_view part) {
           return !part.empty() && part != "." && part != ".." &&
                  part.find('\0') == std::string_view::npos;
         });
}

Result<std::vector<std::string>> ListSnapshots(host::Directory& repository) {
  const auto entries = repository.List("snapshots");
  if (!entries && entries.error().kind != ErrorKind::kNotFound) return entries.error();
  std::vector<std::string> names;
  if (!entries) return names;
  for (const host::DirectoryEntry& entry : *entries)
    if (entry.type == host::FileType::kDirectory && IsCommit(entry.name))
      names.push_back(entry.name);
  return names;
}

Result<std::string> FindCommit(host::Directory& repository, std::string_view revision) {
  if (!IsRevision(revision))
    return Error{ErrorKind::kInvalid, "'" + Printable(revision) + "' is no revision"};
  const auto text = host::ReadFile(repository, "refs/" + std::string(revision), kRefSizeMax);
  if (!text && text.error().kind != ErrorKind::kNotFound) return text.error();
  if (text) {
    if (IsCommit(Trim(*text))) return std::string(Trim(*text));
    return Error{ErrorKind::kCorrupt,
                 "the revision '" + Printable(revision) + "' of this cache names no commit"};
  }
  PLUMB_TRY(const std::vector<std::string> snapshots, ListSnapshots(repository));
  if (std::ranges::find(snapshots, revision) != snapshots.end()) return std::string(revision);
  if (revision == kMainRevision && snapshots.size() == 1) return snapshots.front();
  return Error{ErrorKind::kNotFound,
               "this cache has no revision '" + Printable(revision) + "' of the model"};
}

class Snapshot {
 public:
  Snapshot(host::Files& files, std::string path, std::shared_ptr<host::Directory> repository,
           std::string root)
      : files_(files),
        path_(std::move(path)),
        repository_(std::move(repository)),
        root_(std::move(root)) {}

  Status Run() {
    PLUMB_TRY(blobs_, files_.Canonical(path_));
    blobs_ += "/blobs/";
    return Walk("");
  }

  std::vector<GatheredFile> TakeFiles() { return std::move(gathered_); }
  FileDigests TakeDigests() { return std::move(digests_); }

 private:
  Status Walk(const std::string& folder) {
    PLUMB_TRY(const auto entries, repository_->List(root_ + folder));
    for (const host::DirectoryEntry& entry : entries) {
      const std::string name = folder + "/" + entry.name;
      if (entry.type == host::FileType::kDirectory) {
        PLUMB_RETURN_IF_ERROR(Walk(name));
      } else {
        PLUMB_RETURN_IF_ERROR(Take(name));
      }
    }
    return Done{};
  }

  // A symlink to a blob, as a rule; it is followed within the repository and never out of it.
  Status Take(const std::string& name) {
    if (gathered_.size() == kFileCountMax)
      return Error{ErrorKind::kExhausted, "a snapshot has more than 100000 files"};
    GatheredFile file = {name.substr(1), repository_, root_ + name, host::OpenHow::kReadFollow};
    const auto opened = repository_->Open(file.path, file.how);
    if (!opened && opened.error().kind == ErrorKind::kNotFound) {
      return Error{ErrorKind::kCorrupt,
                   "'" + Printable(file.name) + "' leads to a blob that is not in this cache"};
    }
    if (!opened) return opened.error();
    PLUMB_TRY(const std::string real, files_.Canonical(path_ + "/" + file.path));
    // Large files are kept by their SHA-256, small ones by git's SHA-1, which tells nobody much.
    if (real.starts_with(blobs_) && IsSha256(real.substr(blobs_.size()))) {
      PLUMB_TRY(digests_[file.name], Digest::Parse("sha256:" + real.substr(blobs_.size())));
    }
    gathered_.push_back(std::move(file));
    return Done{};
  }

  host::Files& files_;
  const std::string path_;
  const std::shared_ptr<host::Directory> repository_;
  const std::string root_;
  std::string blobs_;
  std::vector<GatheredFile> gathered_;
  FileDigests digests_;
};

// "models--Org--Name" is "Org/Name".
std::string NameOf(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.remove_suffix(1);
  std::string name = host::SplitPath(path).name;
  if (!name.starts_with(kRepositoryPrefix)) return name;
  name.erase(0, kRepositoryPrefix.size());
  if (const std::size_t dashes = name.find("--"); dashes != std::string::npos)
    name.replace(dashes, 2, "/");
  return name;
}

// What a kit of that revision is called: by the first digits of a commit, as people write them; by
// the default tag if it is the main one.
std::string TagOf(std::string_view revision) {
  constexpr std::size_t kCommitDigits = 40;
  constexpr std::size_t kShownDigits = 12;
  if (revision == kMainRevision) return std::string(oci::kDefaultTag);
  const bool is_commit = revision.size() == kCommitDigits &&
                         revision.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  std::string tag(is_commit ? revision.substr(0, kShownDigits) : revision);
  std::ranges::replace(tag, '/', '-');
  return oci::CheckTag(tag) ? tag : std::string();
}

}  // namespace

Result<ForeignModel> ReadHuggingFaceModel(host::Files& files, const std::string& path,
                                          std::string_view revision, Progress& progress) {
  PLUMB_TRY(auto directory, files.OpenDirectory(path, host::IfMissing::kFail));
  const std::shared_ptr<host::Directory> repository = std::move(directory);
  PLUMB_TRY(const std::string commit, FindCommit(*repository, revision));
  Snapshot snapshot(files, path, repository, "snapshots/" + commit);
  PLUMB_RETURN_IF_ERROR(snapshot.Run());
  std::vector<GatheredFile> gathered = snapshot.TakeFiles();
  ForeignModel model;
  model.digests = snapshot.TakeDigests();
  for (const GatheredFile& file : gathered)
    model.paths.push_back(path + "/" + file.path);
  PLUMB_TRY(model.files, GatherFiles(std::move(gathered)));
  PLUMB_TRY(const auto context, model.files->OpenDirectory(kGatheredPath, host::IfMissing::kFail));
  model.name = NameOf(path);
  DraftOptions about;
  about.name = model.name.substr(model.name.rfind('/') + 1);
  PLUMB_TRY(blueprint::Kitfile kitfile, DraftKitfile(*context, about, progress));
  kitfile.package.version = commit;
  model.blueprint = {BlueprintKind::kKitfile, "-", {}, blueprint::PrintKitfile(kitfile)};
  const std::string tag = TagOf(revision);
  model.name = tag.empty() ? std::string() : ToLowerAscii(model.name) + ":" + tag;
  return model;
}

Result<std::vector<std::string>> ListHuggingFaceModels(host::Files& files,
                                                       const std::string& path) {
  PLUMB_TRY(const auto cache, files.OpenDirectory(path, host::IfMissing::kFail));
  PLUMB_TRY(const auto entries, cache->List(""));
  std::vector<std::string> names;
  for (const host::DirectoryEntry& entry : entries) {
    const bool is_model = entry.type == host::FileType::kDirectory &&
                          entry.name.starts_with(kRepositoryPrefix) &&
                          entry.name.size() > kRepositoryPrefix.size();
    if (is_model) names.push_back(entry.name);
  }
  if (names.size() > kModelCountMax)
    return Error{ErrorKind::kExhausted, "'" + path + "' has more than 100000 models"};
  std::ranges::sort(names);
  return names;
}

}  // namespace plumb::kit
