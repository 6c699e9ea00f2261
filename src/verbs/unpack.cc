// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/unpack.h"

#include <memory>
#include <utility>

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
  PLUMB_TRY(const KitName name, KitName::Parse(options.kit));
  if (name.reference().host.empty()) PLUMB_RETURN_IF_ERROR(workspace.RequireStore());
  PLUMB_TRY(store::Store * store, workspace.Store());
  auto found = FindKit(*store, name);
  if (found || found.error().kind != ErrorKind::kNotFound || name.reference().host.empty()) {
    return found;
  }
  progress.Note("pulling '" + name.ToString() + "', which is not in this store");
  return PullTo(workspace, options, progress);
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
  PLUMB_TRY(const std::unique_ptr<host::Directory> target,
            files.OpenDirectory(options.directory, host::IfMissing::kCreate));
  UnpackReport report;
  PLUMB_TRY(report.directory, files.Canonical(options.directory));
  if (options.on_begin) options.on_begin(report);
  auto unpacked = kit::Unpack({*store, *bases, *target}, modelkit, unpack, progress);
  if (!unpacked) {
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
