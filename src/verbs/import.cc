// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/import.h"

#include <optional>
#include <utility>

#include "host/files.h"
#include "registry/bundle.h"
#include "registry/connect.h"
#include "verbs/import_layout.h"

namespace plumb::verbs {
namespace {

LayoutChoice ChoiceOf(const ImportOptions& options) {
  LayoutChoice choice;
  choice.label = options.source;
  choice.name = options.name;
  return choice;
}

Result<ImportReport> FromLayout(Workspace& workspace, const registry::LayoutName& name,
                                const ImportOptions& options, Progress& progress) {
  PLUMB_TRY(registry::Layout layout,
            registry::OpenLayoutToRead(workspace.machine().files, name.directory));
  LayoutChoice choice = ChoiceOf(options);
  choice.tag = name.tag;
  return ImportLayout(workspace, std::move(layout), choice, progress);
}

Result<ImportReport> FromFile(Workspace& workspace, const ImportOptions& options,
                              Progress& progress) {
  const host::PathParts parts = host::SplitPath(options.source);
  PLUMB_TRY(const auto directory,
            workspace.machine().files.OpenDirectory(parts.directory, host::IfMissing::kFail));
  PLUMB_TRY(auto file, directory->Open(parts.name, host::OpenHow::kReadFollow));
  PLUMB_TRY(registry::Layout layout,
            registry::OpenBundle(std::move(file), options.source, progress));
  return ImportLayout(workspace, std::move(layout), ChoiceOf(options), progress);
}

Result<ImportReport> Dispatch(Workspace& workspace, ImportOptions& options, Progress& progress) {
  if (options.source == "-") {
    PLUMB_TRY(registry::Layout layout,
              registry::OpenBundle(std::move(options.input), "standard input", progress));
    return ImportLayout(workspace, std::move(layout), ChoiceOf(options), progress);
  }
  if (const auto layout = registry::ParseLayoutName(options.source))
    return FromLayout(workspace, *layout, options, progress);
  PLUMB_TRY(const host::FileState state, workspace.machine().files.State(options.source));
  if (state.type == host::FileType::kDirectory)
    return FromLayout(workspace, {options.source, {}}, options, progress);
  return FromFile(workspace, options, progress);
}

}  // namespace

Result<ImportReport> Import(Workspace& workspace, ImportOptions options, Progress& progress) {
  auto report = Dispatch(workspace, options, progress);
  if (!report) return std::move(report).error().While("cannot import '" + options.source + "'");
  report->source = options.source;
  for (const ImportedKit& kit : report->kits) {
    if (!kit.name.empty()) continue;
    progress.Note("it has no name here yet: plumb tag " + kit.digest.ToString() + " NAME:TAG");
  }
  return report;
}

}  // namespace plumb::verbs
