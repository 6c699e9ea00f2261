// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/unpack.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/shell_word.h"
#include "kit/modelkit.h"
#include "registry/connect.h"
#include "verbs/base_puller.h"
#include "verbs/kit_name.h"
#include "verbs/pull.h"

namespace plumb::verbs {
namespace {

Result<Digest> PullTo(Workspace& workspace, const UnpackOptions& options, Progress& progress) {
  PullOptions pull;
  pull.source = options.kit;
  pull.network = options.network;
  PLUMB_TRY(const PullReport pulled, Pull(workspace, pull, progress));
  return pulled.transfer.manifest;
}

Result<Digest> FindOrPull(Workspace& workspace, const UnpackOptions& options, Progress& progress) {
  // What a directory holds now is not known here.
  if (registry::ParseLayoutName(options.kit)) return PullTo(workspace, options, progress);
  const auto written = KitName::Parse(options.kit);
  const bool has_host = written && !written->reference().host.empty();
  if (!has_host) PLUMB_RETURN_IF_ERROR(workspace.RequireStore());
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(const KitName name, NameHere(*store, options.kit));
  auto found = FindKit(*store, name);
  if (found || found.error().kind != ErrorKind::kNotFound || name.reference().host.empty()) {
    return found;
  }
  progress.Note("pulling '" + name.ToString() + "', which is not in this store");
  return PullTo(workspace, options, progress);
}

// The directories on the way to `path` that are not there yet, the deepest first.
std::vector<host::PathParts> MissingDirectories(host::Files& files, std::string path) {
  std::vector<host::PathParts> missing;
  for (;;) {
    while (path.size() > 1 && path.ends_with('/'))
      path.pop_back();
    const auto state = files.State(path);
    if (state || state.error().kind != ErrorKind::kNotFound) return missing;
    missing.push_back(host::SplitPath(path));
    path = missing.back().directory;
  }
}

// Takes away those that were made for nothing. What is not empty stays.
void RemoveEmpty(host::Files& files, const std::vector<host::PathParts>& made) {
  for (const host::PathParts& parts : made) {
    const auto parent = files.OpenDirectory(parts.directory, host::IfMissing::kFail);
    if (!parent) return;
    const auto state = (*parent)->State(parts.name);
    const bool is_directory = state && state->type == host::FileType::kDirectory;
    if (!is_directory || !(*parent)->Remove(parts.name)) return;
  }
}

std::string OverwritingCommand(const UnpackOptions& options) {
  std::string command = "plumb unpack " + ShellWord(options.kit);
  if (options.directory != ".") command += " -d " + ShellWord(options.directory);
  for (const std::string& filter : options.filters)
    command += " -f " + ShellWord(filter);
  return command + " --overwrite";
}

BaseOptions BasesFor(const UnpackOptions& options) {
  BaseOptions bases;
  bases.network = options.network;
  if (const auto name = KitName::Parse(options.kit);
      name && !registry::ParseLayoutName(options.kit))
    bases.host = name->reference().host;
  return bases;
}

}  // namespace

Result<UnpackReport> Unpack(Workspace& workspace, const UnpackOptions& options,
                            Progress& progress) {
  kit::UnpackOptions unpack;
  for (const std::string& text : options.filters) {
    PLUMB_TRY(kit::Filter filter, kit::Filter::Parse(text));
    unpack.filters.push_back(std::move(filter));
  }
  unpack.existing = options.existing;
  PLUMB_TRY(unpack.threads, workspace.Threads());

  PLUMB_TRY(const Digest id, FindOrPull(workspace, options, progress));
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(const auto bases, MakeBasePuller(workspace, BasesFor(options), progress));
  PLUMB_TRY(const kit::ModelKit modelkit, kit::LoadModelKit(*store, id));

  host::Files& files = workspace.machine().files;
  const std::vector<host::PathParts> made = MissingDirectories(files, options.directory);
  PLUMB_TRY(const std::unique_ptr<host::Directory> target,
            files.OpenDirectory(options.directory, host::IfMissing::kCreate));
  UnpackReport report;
  PLUMB_TRY(report.directory, files.Canonical(options.directory));
  if (options.on_begin) options.on_begin(report);
  auto unpacked = kit::Unpack({*store, *bases, *target}, modelkit, unpack, progress);
  if (!unpacked) {
    RemoveEmpty(files, made);
    Error error = std::move(unpacked).error().While("cannot unpack '" + options.kit + "' to '" +
                                                    options.directory + "'");
    // Of the conflicts only those with files have a remedy.
    if (error.kind == ErrorKind::kConflict && !error.hint.empty())
      error.hint = OverwritingCommand(options);
    return error;
  }
  report.unpacked = *std::move(unpacked);
  return report;
}

}  // namespace plumb::verbs
