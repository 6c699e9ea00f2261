// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/init.h"

#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "blueprint/kitfile.h"
#include "blueprint/modelfile.h"

namespace plumb::verbs {
namespace {

using blueprint::kModelfileName;

constexpr std::uint32_t kFileMode = 0644;
constexpr std::array<std::string_view, 3> kKitfileNames = {"Kitfile", "kitfile", ".kitfile"};

// The blueprint that a build of this directory would take, if there is one.
Result<std::string> ExistingName(host::Directory& directory, kit::BlueprintKind kind) {
  const auto exists = [&](std::string_view name) -> Result<bool> {
    const auto state = directory.State(name);
    if (!state && state.error().kind != ErrorKind::kNotFound) return state.error();
    return state.has_value();
  };
  if (kind == kit::BlueprintKind::kModelfile) {
    PLUMB_TRY(const bool is_there, exists(kModelfileName));
    return is_there ? std::string(kModelfileName) : std::string();
  }
  for (const std::string_view name : kKitfileNames) {
    PLUMB_TRY(const bool is_there, exists(name));
    if (is_there) return std::string(name);
  }
  return std::string();
}

}  // namespace

Result<std::string> DraftBlueprint(Workspace& workspace, const InitOptions& options,
                                   Progress& progress) {
  host::Files& files = workspace.machine().files;
  PLUMB_TRY(const auto directory, files.OpenDirectory(options.directory, host::IfMissing::kFail));
  PLUMB_TRY(const std::string path, files.Canonical(options.directory));
  kit::DraftOptions about = options.about;
  // Where the store is among the files, `build` leaves it out.
  PLUMB_TRY(const auto home, HomeWithin(workspace, path));
  about.reserved = home.value_or(std::string());
  if (options.kind == kit::BlueprintKind::kModelfile) {
    PLUMB_TRY(const blueprint::Modelfile modelfile,
              kit::DraftModelfile(*directory, about, progress));
    return blueprint::PrintModelfile(modelfile);
  }
  if (about.name.empty()) about.name = host::SplitPath(path).name;
  PLUMB_TRY(const blueprint::Kitfile kitfile, kit::DraftKitfile(*directory, about, progress));
  return blueprint::PrintKitfile(kitfile);
}

Result<InitReport> Init(Workspace& workspace, const InitOptions& options, Progress& progress) {
  host::Files& files = workspace.machine().files;
  InitReport report;
  if (options.output.empty()) {
    PLUMB_TRY(const auto directory, files.OpenDirectory(options.directory, host::IfMissing::kFail));
    PLUMB_TRY(std::string name, ExistingName(*directory, options.kind));
    if (!name.empty() && options.overwrite == host::Overwrite::kNo) {
      return Error{ErrorKind::kConflict, "'" + options.directory + "' has a " + name + " already",
                   "add --force to replace it, or --output FILE"};
    }
    if (name.empty())
      name = options.kind == kit::BlueprintKind::kModelfile ? kModelfileName : kKitfileNames[0];
    report.file = options.directory + (options.directory.ends_with('/') ? "" : "/") + name;
  } else if (options.output != "-") {
    report.file = options.output;
    const auto state = files.State(report.file);
    if (!state && state.error().kind != ErrorKind::kNotFound) return state.error();
    if (state && options.overwrite == host::Overwrite::kNo) {
      return Error{ErrorKind::kConflict, "'" + report.file + "' is there already",
                   "add --force to replace it"};
    }
  }
  auto text = DraftBlueprint(workspace, options, progress);
  if (!text) return std::move(text).error().While("cannot describe '" + options.directory + "'");
  report.text = *std::move(text);
  if (!report.file.empty())
    PLUMB_RETURN_IF_ERROR(host::WriteFileDurably(files, report.file, report.text, kFileMode));
  return report;
}

}  // namespace plumb::verbs
