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
#include "host/leftovers.h"
#include "host/special_file.h"
#include "kit/base_resolver.h"
#include "registry/bundle.h"
#include "verbs/kit_name.h"

namespace plumb::verbs {
namespace {

constexpr std::uint32_t kByUmask = 0;
constexpr std::size_t kRandomSize = 8;

using BundleWriter = std::function<Status(ByteSink&)>;

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

// Who names several kits forgets the file: the last kit is not the name of one.
Status CheckFileName(store::Store& store, const std::string& file) {
  const bool is_path =
      file.find('/') != std::string::npos || file.find(".tar") != std::string::npos;
  const auto name = is_path ? std::nullopt : std::optional(KitName::Parse(file));
  if (!name || !*name || (*name)->HasDigest()) return Done{};
  PLUMB_TRY(const auto kit, store.FindRef((*name)->RefName()));
  if (!kit) return Done{};
  return Error{ErrorKind::kInvalid,
               "'" + file + "' is a kit of this store, and the FILE to write is missing",
               "./" + file + " is a file of that name"};
}

// Under which a file is written until it is whole: "demo.tar.new-0123456789abcdef".
std::string PassingPrefix(const std::string& name) { return name + ".new-"; }

bool IsPassingName(const std::string& name, std::string_view passing) {
  const std::string prefix = PassingPrefix(name);
  std::array<std::byte, kRandomSize> random = {};
  return passing.starts_with(prefix) && DecodeHex(passing.substr(prefix.size()), random);
}

// The file has its name once all of it is on the disk.
Status WriteWhole(const Machine& machine, const std::string& path, host::Overwrite overwrite,
                  const BundleWriter& write) {
  const host::PathParts parts = host::SplitPath(path);
  PLUMB_TRY(const auto directory,
            machine.files.OpenDirectory(parts.directory, host::IfMissing::kFail));
  host::RemoveLeftovers(*directory, "",
                        [&](std::string_view name) { return IsPassingName(parts.name, name); });
  std::array<std::byte, kRandomSize> random = {};
  machine.entropy.Fill(random);
  const std::string partial = PassingPrefix(parts.name) + EncodeHex(random);
  const auto make = [&]() -> Status {
    PLUMB_TRY(const host::LockedFile made, host::CreateLocked(*directory, partial, kByUmask));
    made.file->WillSync();
    host::FileSink sink(*made.file);
    PLUMB_RETURN_IF_ERROR(write(sink));
    PLUMB_RETURN_IF_ERROR(made.file->Sync());
    return directory->Rename(partial, parts.name, overwrite);
  };
  if (Status made = make(); !made) {
    static_cast<void>(directory->Remove(partial));
    return made;
  }
  return directory->Sync("");
}

bool IsSymlink(host::Files& files, const std::string& path) {
  const host::PathParts parts = host::SplitPath(path);
  const auto directory = files.OpenDirectory(parts.directory, host::IfMissing::kFail);
  if (!directory) return false;
  const auto state = (*directory)->State(parts.name);
  return state && state->type == host::FileType::kSymlink;
}

// What is no regular file keeps what it is: a pipe and a device are written into, and behind a
// symlink the file is replaced, not the symlink.
Status WriteTo(const Machine& machine, const ExportOptions& options, const BundleWriter& write) {
  host::Files& files = machine.files;
  const auto state = files.State(options.file);
  if (!state && state.error().kind != ErrorKind::kNotFound) return state.error();
  if (!state && IsSymlink(files, options.file))
    return Error{ErrorKind::kInvalid, "'" + options.file + "' is a symlink that leads nowhere"};
  if (!state) return WriteWhole(machine, options.file, options.overwrite, write);
  if (state->type == host::FileType::kDirectory)
    return Error{ErrorKind::kInvalid, "'" + options.file + "' is a directory"};
  if (state->type != host::FileType::kRegular) {
    PLUMB_TRY(const auto sink, host::OpenSpecialFile(options.file));
    return write(*sink);
  }
  if (options.overwrite == host::Overwrite::kNo) {
    return Error{ErrorKind::kConflict, "'" + options.file + "' is there already",
                 "add --force to replace it"};
  }
  PLUMB_TRY(const std::string path, files.Canonical(options.file));
  return WriteWhole(machine, path, options.overwrite, write);
}

}  // namespace

Result<ExportReport> Export(Workspace& workspace, const ExportOptions& options,
                            Progress& progress) {
  PLUMB_RETURN_IF_ERROR(workspace.RequireStore());
  PLUMB_TRY(store::Store * store, workspace.Store());
  ExportReport report;
  report.file = options.file;
  for (const std::string& text : options.kits) {
    PLUMB_TRY(const KitName name, NameHere(*store, text));
    PLUMB_TRY(const Digest id, FindKit(*store, name));
    report.kits.push_back({name.HasDigest() ? std::string() : name.ToString(), id});
  }
  if (options.output == nullptr) PLUMB_RETURN_IF_ERROR(CheckFileName(*store, options.file));
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
                                             : WriteTo(workspace.machine(), options, write);
  if (!written) return std::move(written).error().While("cannot export to '" + options.file + "'");
  return report;
}

}  // namespace plumb::verbs
