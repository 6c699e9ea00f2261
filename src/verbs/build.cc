// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/build.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/compression.h"
#include "base/text.h"
#include "blueprint/kitfile.h"
#include "blueprint/modelfile.h"
#include "oci/reference.h"
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
    if (std::ranges::find(tags, tag) == tags.end()) tags.push_back(tag);
  }
  return Done{};
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
  build.threads = workspace.threads();

  const Machine& machine = workspace.machine();
  PLUMB_TRY(const std::unique_ptr<host::Directory> directory,
            machine.files.OpenDirectory(options.directory, host::IfMissing::kFail));
  PLUMB_TRY(const std::string directory_path, machine.files.Canonical(options.directory));
  PLUMB_TRY(kit::BlueprintText blueprint,
            FindBlueprint(machine.files, options.directory, options.blueprint, progress));
  // To kit a file of any name is a Kitfile.
  if (build.rules == blueprint::KitRules::kKit17 && !blueprint::LooksLikeModelfile(blueprint.bytes))
    blueprint.kind = kit::BlueprintKind::kKitfile;
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(kit::BaseResolver * bases, workspace.Bases());

  const kit::BuildContext context{machine.files,       *directory, directory_path, machine.clock,
                                  machine.environment, *store,     *bases};
  BuildReport report;
  PLUMB_TRY(const std::vector<store::Ref> before, FindRefs(*store, build.tags));
  PLUMB_TRY(report.built, kit::Build(context, blueprint, build, progress));
  NoteMoves(before, report.built.id, progress);
  for (const store::RefName& tag : build.tags)
    report.tags.push_back(tag.ToString());
  return report;
}

}  // namespace plumb::verbs
