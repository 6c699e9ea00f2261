// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/blueprint_file.h"

#include <array>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "blueprint/modelfile.h"

namespace plumb::verbs {
namespace {

using blueprint::kModelfileName;

constexpr std::array<std::string_view, 3> kKitfileNames = {"Kitfile", "kitfile", ".kitfile"};

// "Modelfile", "Modelfile.small", "small.modelfile", and the same for Kitfiles.
bool NameSays(std::string_view path, std::string_view word) {
  const std::string name = ToLowerAscii(host::SplitPath(path).name);
  const std::string suffix = "." + std::string(word);
  return name == word || name.starts_with(std::string(word) + ".") || name.ends_with(suffix);
}

kit::BlueprintKind KindOf(std::string_view path, std::string_view bytes) {
  if (NameSays(path, "kitfile")) return kit::BlueprintKind::kKitfile;
  if (NameSays(path, "modelfile")) return kit::BlueprintKind::kModelfile;
  return blueprint::LooksLikeModelfile(bytes) ? kit::BlueprintKind::kModelfile
                                              : kit::BlueprintKind::kKitfile;
}

std::string JoinPath(const std::string& directory, std::string_view path) {
  if (path.starts_with('/') || directory == ".") return std::string(path);
  return directory + (directory.ends_with('/') ? "" : "/") + std::string(path);
}

Result<bool> Exists(host::Files& files, const std::string& path) {
  auto state = files.State(path);
  if (state) return true;
  if (state.error().kind == ErrorKind::kNotFound) return false;
  return std::move(state).error();
}

// The path beneath `directory`, or empty if the file lies elsewhere.
Result<std::string> PathInside(host::Files& files, const std::string& directory,
                               const std::string& path) {
  PLUMB_TRY(std::string outer, files.Canonical(directory));
  PLUMB_TRY(const std::string inner, files.Canonical(path));
  if (!outer.ends_with('/')) outer += '/';
  return inner.starts_with(outer) ? inner.substr(outer.size()) : std::string();
}

kit::BlueprintText FromInput(const std::string& input) {
  return {KindOf("", input), "-", {}, input};
}

Result<kit::BlueprintText> Read(host::Files& files, const std::string& path) {
  PLUMB_TRY(const std::string behind_symlinks, files.Canonical(path));
  PLUMB_TRY(std::string bytes,
            host::ReadFile(files, behind_symlinks, blueprint::kBlueprintSizeMax));
  kit::BlueprintText text;
  text.kind = KindOf(path, bytes);
  text.file = path;
  text.bytes = std::move(bytes);
  return text;
}

Result<std::string> LookFor(host::Files& files, const std::string& directory, Progress& progress) {
  PLUMB_TRY(const bool has_modelfile, Exists(files, JoinPath(directory, kModelfileName)));
  for (const std::string_view name : kKitfileNames) {
    std::string path = JoinPath(directory, name);
    PLUMB_TRY(const bool here, Exists(files, path));
    if (!here) continue;
    if (has_modelfile) {
      progress.Note("building from '" + path +
                    "', not from the Modelfile beside it (--file Modelfile chooses that)");
    }
    return path;
  }
  if (has_modelfile) return JoinPath(directory, kModelfileName);
  return Error{ErrorKind::kNotFound, "no Kitfile and no Modelfile in '" + directory + "'",
               "plumb build " + directory + " --file BLUEPRINT"};
}

}  // namespace

Result<kit::BlueprintText> FindBlueprint(host::Files& files, const std::string& directory,
                                         const BlueprintChoice& choice, Progress& progress) {
  if (choice.file == "-") return FromInput(choice.input);
  std::string path;
  if (choice.file.empty()) {
    PLUMB_TRY(path, LookFor(files, directory, progress));
  } else {
    path = JoinPath(directory, choice.file);
    PLUMB_TRY(const bool here, Exists(files, path));
    if (!here) path = choice.file;
  }
  PLUMB_TRY(kit::BlueprintText text, Read(files, path));
  PLUMB_TRY(text.context_path, PathInside(files, directory, path));
  return text;
}

Result<kit::BlueprintText> ReadBlueprint(host::Files& files, const BlueprintChoice& choice) {
  if (choice.file == "-") return FromInput(choice.input);
  return Read(files, choice.file);
}

}  // namespace plumb::verbs
