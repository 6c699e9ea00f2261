// SPDX-License-Identifier: MIT OR Apache-2.0
#include <utility>

#include "archive/tar_reader.h"
#include "base/text.h"
#include "blueprint/modelfile.h"
#include "kit/modelfile_files_internal.h"
#include "kit/modelfile_places_internal.h"

namespace plumb::kit {
namespace {

std::string WithoutSlashesAtEnd(std::string path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  return path;
}

NamedPlace Beside(const NamedPlace& file, const std::string& name) {
  NamedPlace other = file;
  other.machine_path = JoinPath(DirectoryOf(file.machine_path), name);
  other.packed_path = JoinPath(DirectoryOf(file.packed_path), name);
  return other;
}

NamedPlace Within(const NamedPlace& directory, const std::string& name) {
  return {directory.is_inside, false, directory.machine_path + "/" + name,
          JoinPath(directory.packed_path, name)};
}

}  // namespace

Result<std::string> ModelfilePlaces::MachinePath(const std::string& text) {
  if (text == "~" || text.starts_with("~/")) {
    PLUMB_TRY(const std::string home, request_.context.environment.HomeDirectory());
    return home + text.substr(1);
  }
  if (text.starts_with('/')) return text;
  const BlueprintText& blueprint = request_.blueprint;
  std::string directory = request_.context.directory_path;
  if (!blueprint.context_path.empty()) {
    directory += "/" + std::string(DirectoryOf(blueprint.context_path));
  } else if (blueprint.file != "-") {
    directory = host::SplitPath(blueprint.file).directory;
  }
  return directory + "/" + text;
}

Result<std::optional<NamedPlace>> ModelfilePlaces::Locate(const std::string& text) {
  std::optional<NamedPlace> none;
  host::Files& files = request_.context.files;
  PLUMB_TRY(std::string path, MachinePath(text));
  path = WithoutSlashesAtEnd(std::move(path));
  const Result<host::FileState> state = files.State(path);
  if (!state && state.error().kind == ErrorKind::kNotFound) return none;
  if (!state) return state.error();
  if (context_path_.empty()) {
    PLUMB_TRY(context_path_, files.Canonical(request_.context.directory_path));
  }

  NamedPlace place;
  place.is_directory = state->type == host::FileType::kDirectory;
  const host::PathParts parts = host::SplitPath(path);
  if (parts.name.empty() || parts.name == "." || parts.name == "..") {
    PLUMB_TRY(place.machine_path, files.Canonical(path));
  } else {
    // Its own name is kept, even if it is a symlink: it is what the person knows it by.
    PLUMB_TRY(const std::string directory, files.Canonical(parts.directory));
    place.machine_path = directory == "/" ? "/" + parts.name : directory + "/" + parts.name;
  }
  place.is_inside = IsAtOrBeneath(place.machine_path, context_path_);
  if (!place.is_inside) {
    place.packed_path = NameOf(place.machine_path);
    PLUMB_RETURN_IF_ERROR(ClaimTopName(place));
  } else if (place.machine_path != context_path_) {
    place.packed_path = place.machine_path.substr(context_path_.size() + 1);
  }
  return std::optional(std::move(place));
}

// What comes from outside enters the root, where nothing of its name may be.
Status ModelfilePlaces::ClaimTopName(const NamedPlace& place) {
  const std::string& name = place.packed_path;
  const auto [first, added] = top_names_.emplace(name, place.machine_path);
  const Error collision = {ErrorKind::kInvalid, "'" + Printable(place.machine_path) +
                                                    "' enters the context as '" + Printable(name) +
                                                    "', which is there already"};
  if (!added) {
    if (first->second == place.machine_path) return Done{};
    return collision;
  }
  if (name == blueprint::kModelfileName || name.empty() || rules_.IsReserved(name))
    return collision;
  const auto state = request_.context.directory.State(name);
  if (state) return collision;
  if (state.error().kind != ErrorKind::kNotFound) return state.error();
  return Done{};
}

Result<TakenFile> ModelfilePlaces::TakeNamed(const NamedPlace& file) {
  if (file.is_inside && rules_.Ignores(file.packed_path))
    return Error{ErrorKind::kInvalid, "'" + Printable(file.packed_path) + "' is ignored"};
  if (taken_.contains(file.machine_path))
    return Error{ErrorKind::kInvalid, "'" + Printable(file.packed_path) + "' is named twice"};
  return Take(file);
}

Result<std::vector<TakenFile>> ModelfilePlaces::TakeSeries(const NamedPlace& file) {
  std::vector<TakenFile> taken;
  const auto series = SeriesName::Parse(NameOf(file.machine_path));
  if (!series || series->index != 1) return taken;
  for (std::uint32_t index = 2; index <= series->count; ++index) {
    const NamedPlace other = Beside(file, series->At(index));
    if (taken_.contains(other.machine_path)) continue;
    if (!other.is_inside) PLUMB_RETURN_IF_ERROR(ClaimTopName(other));
    Result<TakenFile> next = TakeNamed(other);
    if (!next && next.error().kind == ErrorKind::kNotFound)
      return Error{ErrorKind::kInvalid, "'" + Printable(other.machine_path) +
                                            "' is missing, which belongs to '" +
                                            Printable(file.packed_path) + "'"};
    if (!next) return std::move(next).error();
    taken.push_back(*std::move(next));
  }
  return taken;
}

// The files of a directory, and symlinks that lead to files.
Result<std::vector<std::string>> ModelfilePlaces::FileNames(const NamedPlace& directory) {
  PLUMB_TRY(host::Directory* const opened, DirectoryAt(directory.machine_path));
  PLUMB_TRY(const auto entries, opened->List(""));
  std::vector<std::string> names;
  for (const host::DirectoryEntry& entry : entries) {
    const NamedPlace place = Within(directory, entry.name);
    if (taken_.contains(place.machine_path)) continue;
    const bool is_ignored =
        place.is_inside ? rules_.Ignores(place.packed_path) : rules_.IsReserved(place.packed_path);
    if (is_ignored) continue;
    host::FileType type = entry.type;
    if (type == host::FileType::kSymlink) {
      const auto target = request_.context.files.State(place.machine_path);
      if (target) type = target->type;
    }
    if (type != host::FileType::kDirectory) names.push_back(entry.name);
  }
  return names;
}

Result<std::vector<TakenFile>> ModelfilePlaces::TakeDirectory(const NamedPlace& directory) {
  PLUMB_TRY(const auto names, FileNames(directory));
  const ModelFiles chosen = ChooseModelFiles(names);
  if (chosen.weights.empty())
    return Error{ErrorKind::kInvalid, "no weights in '" + Printable(directory.machine_path) +
                                          "': no .safetensors, .bin, .pth or .gguf"};
  std::vector<TakenFile> taken;
  for (const std::string& name : chosen.weights) {
    PLUMB_TRY(taken.emplace_back(), Take(Within(directory, name)));
  }
  for (const std::string& name : chosen.others) {
    PLUMB_TRY(taken.emplace_back(), Take(Within(directory, name)));
    taken.back().is_weights = false;
  }
  return taken;
}

Result<TakenFile> ModelfilePlaces::Take(const NamedPlace& file) {
  const Result<std::string> checked = archive::CheckEntryName(file.packed_path);
  if (!checked || *checked != file.packed_path)
    return Error{ErrorKind::kInvalid,
                 "'" + Printable(file.packed_path) + "' is a name that cannot be unpacked"};
  PLUMB_TRY(Content content, Open(file));
  taken_.insert(file.machine_path);
  return TakenFile{file.packed_path, std::move(content), true};
}

Result<Content> ModelfilePlaces::Open(const NamedPlace& file) {
  std::string path = file.machine_path;
  PLUMB_TRY(host::Directory * directory, DirectoryAt(std::string(DirectoryOf(path))));
  PLUMB_TRY(host::FileState state, directory->State(NameOf(path)));
  if (state.type == host::FileType::kSymlink) {
    const bool may_follow =
        request_.options.follow_symlinks == FollowSymlinks::kYes || !file.is_inside;
    PLUMB_TRY(path, request_.context.files.Canonical(path));
    if (!may_follow || (file.is_inside && !IsAtOrBeneath(path, context_path_)))
      return Error{ErrorKind::kInvalid,
                   "symlinks cannot be packed: '" + Printable(file.packed_path) + "'",
                   may_follow ? "" : "plumb build --follow-symlinks"};
    PLUMB_TRY(directory, DirectoryAt(std::string(DirectoryOf(path))));
    PLUMB_TRY(state, directory->State(NameOf(path)));
  }
  if (state.type != host::FileType::kRegular)
    return Error{ErrorKind::kInvalid,
                 "only files can be packed here: '" + Printable(file.packed_path) + "'"};
  return Content{directory, std::string(NameOf(path)), state, {}};
}

Result<host::Directory*> ModelfilePlaces::DirectoryAt(const std::string& machine_path) {
  const std::string path = machine_path.empty() ? "/" : machine_path;
  std::unique_ptr<host::Directory>& directory = directories_[path];
  if (!directory) {
    PLUMB_TRY(directory, request_.context.files.OpenDirectory(path, host::IfMissing::kFail));
  }
  return directory.get();
}

std::vector<std::unique_ptr<host::Directory>> ModelfilePlaces::TakeDirectories() && {
  std::vector<std::unique_ptr<host::Directory>> directories;
  directories.reserve(directories_.size());
  for (auto& [path, directory] : directories_)
    directories.push_back(std::move(directory));
  return directories;
}

}  // namespace plumb::kit
