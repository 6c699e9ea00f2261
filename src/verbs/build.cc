// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/build.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/compression.h"
#include "base/text.h"
#include "blueprint/kitfile.h"
#include "blueprint/lock_file.h"
#include "blueprint/modelfile.h"
#include "oci/reference.h"
#include "verbs/base_puller.h"
#include "verbs/kit_name.h"

namespace plumb::verbs {
namespace {

Result<blueprint::KitRules> ParseRules(const std::string& text) {
  if (text.empty()) return blueprint::KitRules::kOurs;
  if (text == "1.7" || text == "1.7.0") return blueprint::KitRules::kKit17;
  return Error{ErrorKind::kUnsupported, "cannot build as kit '" + text + "' does",
               "plumb build --kit-compat=1.7"};
}

Status SetCompression(const std::string& text, kit::BuildOptions& options) {
  using archive::Compression;
  const bool ours = options.rules == blueprint::KitRules::kOurs;
  if (text == "none") {
    options.compression = Compression::kNone;
  } else if (text == "gzip") {
    options.compression = Compression::kGzip;
  } else if (text == "gzip-fastest") {
    options.compression = Compression::kGzip;
    options.compression_level = 1;
  } else if (text == "zstd" && ours) {
    options.compression = Compression::kZstd;
  } else {
    const std::string choices =
        ours ? "none, gzip, gzip-fastest, zstd" : "none, gzip, gzip-fastest";
    return Error{ErrorKind::kInvalid, "unknown compression '" + text + "'", "one of " + choices};
  }
  return Done{};
}

// A ModelPack has raw layers unless something else is said, as modctl and its readers prefer.
Status SetFormats(const std::string& format, const std::string& layer_format,
                  kit::BuildOptions& options) {
  if (format == "cncf") {
    options.format = oci::KitFormat::kModelPack;
    options.layer_format = kit::LayerFormat::kRaw;
  } else if (!format.empty() && format != "modelkit") {
    return Error{ErrorKind::kInvalid, "unknown format '" + format + "'", "one of modelkit, cncf"};
  }
  if (layer_format == "raw") {
    options.layer_format = kit::LayerFormat::kRaw;
  } else if (layer_format == "tar") {
    options.layer_format = kit::LayerFormat::kTar;
  } else if (!layer_format.empty()) {
    return Error{ErrorKind::kInvalid, "unknown layer format '" + layer_format + "'",
                 "one of tar, raw"};
  }
  return Done{};
}

// Adds the tags that `text` names.
Status AddTags(const std::string& text, blueprint::KitRules rules,
               std::vector<store::RefName>& tags) {
  std::string names = text;
  // kit 1.7 leaves a kit untagged if the name has no tag, and passes over further tags that are
  // empty.
  if (rules == blueprint::KitRules::kKit17) {
    const auto reference = oci::Reference::Parse(text);
    if (reference && reference->tag.empty() && !reference->digest) return Done{};
    std::vector<std::string> parts;
    for (const std::string_view part : Split(text, ','))
      if (parts.empty() || !part.empty()) parts.emplace_back(part);
    names = Join(parts, ",");
  }
  PLUMB_TRY(const std::vector<oci::Reference> references, oci::Reference::ParseTags(names));
  for (const oci::Reference& reference : references) {
    const store::RefName tag{reference.Name(), reference.TagOrDefault()};
    if (Digest::Parse(tag.ToString())) {
      return Error{ErrorKind::kInvalid, "'" + tag.ToString() + "' names a digest, which is no tag",
                   "plumb build --tag NAME:TAG"};
    }
    if (std::ranges::find(tags, tag) == tags.end()) tags.push_back(tag);
  }
  return Done{};
}

// The lock file beside a blueprint.
class LockPlace {
 public:
  // kInvalid if there can be none and one is asked for; what is wrong with the one that is there.
  static Result<LockPlace> Read(host::Files& files, const kit::BlueprintText& blueprint,
                                blueprint::KitRules rules, Locking locking) {
    LockPlace place(files, locking);
    const bool is_kit17 = rules == blueprint::KitRules::kKit17;
    if (blueprint.file == "-" || is_kit17) {
      if (locking == Locking::kAsNeeded) return place;
      return Error{ErrorKind::kInvalid, is_kit17
                                            ? "kit 1.7 would pack a lock file: there is none for it"
                                            : "a blueprint from standard input has no lock file"};
    }
    place.path_ = blueprint.file + ".lock";
    auto text = host::ReadFile(files, place.path_, blueprint::kLockFileSizeMax);
    if (text) {
      place.text_ = *std::move(text);
      // What is about to be replaced need not be understood: two branches may have met in it.
      if (locking == Locking::kUpdate) return place;
      PLUMB_TRY(place.lock_, blueprint::ParseLockFile(place.text_, place.path_));
    } else if (text.error().kind != ErrorKind::kNotFound) {
      return std::move(text).error();
    } else if (locking == Locking::kCheck) {
      return Error{ErrorKind::kNotFound, "there is no lock file '" + place.path_ + "'",
                   "plumb build --lock"};
    }
    return place;
  }

  const std::optional<blueprint::LockFile>& lock() const { return lock_; }

  // The path, if it was written: not if it says that already.
  Result<std::string> Write(const blueprint::LockFile& built, Progress& progress) {
    const bool is_asked = locking_ == Locking::kWrite || locking_ == Locking::kUpdate;
    if (path_.empty() || locking_ == Locking::kCheck) return std::string();
    if (!is_asked && built.bases.empty()) {
      if (lock_ && *lock_ != built)
        progress.Note("'" + path_ + "' says what an earlier build was made of (--lock)");
      return std::string();
    }
    const std::string text = blueprint::PrintLockFile(built);
    if (text == text_) return std::string();
    Status written = text.size() <= blueprint::kLockFileSizeMax
                         ? host::WriteFileDurably(files_, path_, text, kLockFileMode)
                         : Error{ErrorKind::kExhausted, "it would be over 16 MiB"};
    if (!written) {
      Error error =
          std::move(written).error().While("the kit is built, but '" + path_ + "' is not written");
      // Nobody asked for it: a directory that may only be read can be built from.
      if (is_asked || error.kind != ErrorKind::kDenied) return error;
      progress.Warn(error.message);
      return std::string();
    }
    progress.Note("wrote '" + path_ + "'");
    return path_;
  }

 private:
  static constexpr std::uint32_t kLockFileMode = 0644;

  LockPlace(host::Files& files, Locking locking) : files_(files), locking_(locking) {}

  host::Files& files_;
  Locking locking_;
  std::string path_;  // empty: there is none
  std::string text_;
  std::optional<blueprint::LockFile> lock_;
};

// Our own data is no part of a kit, where it lies among what is packed.
Status LeaveOutHome(const Workspace& workspace, const std::string& context,
                    kit::BuildOptions& options, Progress& progress) {
  PLUMB_TRY(const auto home, HomeWithin(workspace, context));
  if (!home) return Done{};
  if (home->empty() || options.rules == blueprint::KitRules::kKit17) {
    PLUMB_TRY(const std::string path, workspace.Home());
    return Error{ErrorKind::kInvalid, "'" + path + "', where the store is, would be packed",
                 "export PLUMB_HOME=DIRECTORY"};
  }
  options.reserved = *home;
  progress.Note("'" + options.reserved + "' is not packed: the store is in it");
  return Done{};
}

BaseOptions BasesFor(const BuildOptions& options, const LockPlace& place) {
  BaseOptions bases;
  bases.parts = BaseParts::kConfig;
  bases.network = options.network;
  bases.first = FirstWrittenBy::kPerson;
  if (place.lock()) bases.pins = place.lock()->Pins();
  if (options.locking == Locking::kUpdate) bases.ask = AskRegistry::kAlways;
  if (options.locking == Locking::kCheck) bases.unpinned = Unpinned::kRefuse;
  return bases;
}

}  // namespace

Result<BuildReport> Build(Workspace& workspace, const BuildOptions& options, Progress& progress) {
  kit::BuildOptions build;
  PLUMB_TRY(build.rules, ParseRules(options.kit_compatibility));
  PLUMB_RETURN_IF_ERROR(SetCompression(options.compression, build));
  PLUMB_RETURN_IF_ERROR(SetFormats(options.format, options.layer_format, build));
  for (const std::string& text : options.tags)
    PLUMB_RETURN_IF_ERROR(AddTags(text, build.rules, build.tags));
  build.message = options.message;
  build.rehash = options.rehash;
  build.follow_symlinks = options.follow_symlinks;
  PLUMB_TRY(build.threads, workspace.Threads());

  const Machine& machine = workspace.machine();
  PLUMB_TRY(const std::unique_ptr<host::Directory> directory,
            machine.files.OpenDirectory(options.directory, host::IfMissing::kFail));
  PLUMB_TRY(const std::string directory_path, machine.files.Canonical(options.directory));
  PLUMB_TRY(kit::BlueprintText blueprint,
            FindBlueprint(machine.files, options.directory, options.blueprint, progress));
  // To kit every file is a Kitfile, whatever it is called and looks like.
  if (build.rules == blueprint::KitRules::kKit17) blueprint.kind = kit::BlueprintKind::kKitfile;
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_RETURN_IF_ERROR(LeaveOutHome(workspace, directory_path, build, progress));
  PLUMB_TRY(LockPlace lock,
            LockPlace::Read(machine.files, blueprint, build.rules, options.locking));
  if (options.locking == Locking::kCheck) build.locked = lock.lock();
  PLUMB_TRY(const auto bases, MakeBasePuller(workspace, BasesFor(options, lock), progress));

  const kit::BuildContext context{machine.files,       *directory, directory_path, machine.clock,
                                  machine.environment, *store,     *bases};
  BuildReport report;
  PLUMB_TRY(const std::vector<store::Ref> before, FindRefs(*store, build.tags));
  PLUMB_TRY(report.built, kit::Build(context, blueprint, build, progress));
  NoteMoves(before, report.built.id, progress);
  for (const store::RefName& tag : build.tags)
    report.tags.push_back(tag.ToString());
  PLUMB_TRY(report.lock_file, lock.Write(report.built.lock, progress));
  return report;
}

}  // namespace plumb::verbs
