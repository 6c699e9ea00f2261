// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/export.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/text.h"
#include "host/file_streams.h"
#include "kit/base_resolver.h"
#include "registry/bundle.h"
#include "verbs/kit_name.h"

namespace plumb::verbs {
namespace {

constexpr std::uint32_t kByUmask = 0;

// The kits that others of `report` are built upon, and so on; without them they are of no use.
Status FindBases(store::Store& store, ExportReport& report, Progress& progress) {
  std::set<Digest> known;
  for (const ExportedKit& asked : report.kits)
    known.insert(asked.digest);
  for (const ExportedKit& asked : report.kits) {
    // Down to what goes along anyway. What is named by its digest cannot come round to itself.
    std::optional<kit::PinnedBase> base;
    for (Digest id = asked.digest;; id = base->id) {
      PLUMB_TRY(const kit::ModelKit modelkit, kit::LoadModelKit(store, id));
      base = kit::PinnedBaseOf(modelkit);
      if (!base || known.contains(base->id)) break;
      PLUMB_TRY(const bool is_here, HasKit(store, base->id));
      if (!is_here) {
        progress.Warn("the base '" + base->reference.ToString() + "' of " + id.ToString() +
                      " is not in this store, and not exported");
        break;
      }
      known.insert(base->id);
      report.bases.push_back({{}, base->id});
    }
  }
  return Done{};
}

// The file has its name once all of it is on the disk.
Status WriteWhole(const Machine& machine, const ExportOptions& options,
                  const std::function<Status(ByteSink&)>& write) {
  const host::PathParts parts = host::SplitPath(options.file);
  PLUMB_TRY(const auto directory,
            machine.files.OpenDirectory(parts.directory, host::IfMissing::kFail));
  const auto there = directory->State(parts.name);
  if (!there && there.error().kind != ErrorKind::kNotFound) return there.error();
  if (there && options.overwrite == host::Overwrite::kNo) {
    return Error{ErrorKind::kConflict, "'" + options.file + "' is there already",
                 "add --force to replace it"};
  }
  std::array<std::byte, 8> random = {};
  machine.entropy.Fill(random);
  const std::string partial = parts.name + ".new-" + EncodeHex(random);
  const auto make = [&]() -> Status {
    PLUMB_TRY(const auto file, directory->Open(partial, host::OpenHow::kCreateNew, kByUmask));
    file->WillSync();
    host::FileSink sink(*file);
    PLUMB_RETURN_IF_ERROR(write(sink));
    PLUMB_RETURN_IF_ERROR(file->Sync());
    return directory->Rename(partial, parts.name, options.overwrite);
  };
  if (Status made = make(); !made) {
    static_cast<void>(directory->Remove(partial));
    return made;
  }
  return directory->Sync("");
}

}  // namespace

Result<ExportReport> Export(Workspace& workspace, const ExportOptions& options,
                            Progress& progress) {
  PLUMB_TRY(store::Store * store, workspace.Store());
  ExportReport report;
  report.file = options.file;
  for (const std::string& text : options.kits) {
    PLUMB_TRY(const KitName name, NameHere(*store, text));
    PLUMB_TRY(const Digest id, FindKit(*store, name));
    report.kits.push_back({name.HasDigest() ? std::string() : name.ToString(), id});
  }
  PLUMB_RETURN_IF_ERROR(FindBases(*store, report, progress));

  std::vector<registry::BundleKit> kits;
  for (const auto* part : {&report.kits, &report.bases})
    for (const ExportedKit& kit : *part)
      kits.push_back({kit.digest, kit.name});
  const auto write = [&](ByteSink& sink) -> Status {
    PLUMB_TRY(const registry::BundleReport written,
              registry::WriteBundle(*store, kits, sink, progress));
    report.bytes = written.bytes;
    return Done{};
  };
  Status written = options.output != nullptr ? write(*options.output)
                                             : WriteWhole(workspace.machine(), options, write);
  if (!written) return std::move(written).error().While("cannot export to '" + options.file + "'");
  return report;
}

}  // namespace plumb::verbs
