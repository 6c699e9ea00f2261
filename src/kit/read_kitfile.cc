// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "blueprint/modelfile.h"
#include "kit/kit17_internal.h"
#include "kit/plan_internal.h"

namespace plumb::kit {
namespace {

using blueprint::Kitfile;
using blueprint::KitRules;

// What a model's path names, if it is no path of the context.
Result<std::optional<oci::Reference>> BaseNamedBy(const Kitfile& kitfile,
                                                  const PlanRequest& request) {
  std::optional<oci::Reference> none;
  if (!kitfile.model || kitfile.model->path.empty()) return none;
  const std::string& path = kitfile.model->path;
  if (request.options.rules == KitRules::kKit17) return ParseKit17Reference(path);

  Result<oci::Reference> reference = oci::Reference::Parse(path);
  if (!reference) return none;
  const Result<host::FileState> state = request.context.directory.State(blueprint::CleanPath(path));
  if (state || state.error().kind != ErrorKind::kNotFound) return none;
  return std::optional(*std::move(reference));
}

Result<std::vector<ModelKit>> FindBases(const oci::Reference& first, const PlanRequest& request) {
  const bool is_kit17 = request.options.rules == KitRules::kKit17;
  if (is_kit17 && first.tag.empty() && !first.digest)
    return Error{ErrorKind::kNotFound, "'" + first.ToString() + "' names no tag and no digest"};
  const std::vector<store::RefName>& tags = request.options.tags;
  const std::string built = is_kit17 && !tags.empty() ? tags.front().ToString() : std::string();
  Result<std::vector<ModelKit>> bases = ResolveBases(first, request.context.bases, built);
  if (bases) return bases;
  Error error = std::move(bases).error();
  const bool is_bare_name = first.tag.empty() && !first.digest;
  // A bare name is looked for in the store only. Where it is there, a base of its own is missing.
  if (error.kind == ErrorKind::kNotFound && is_bare_name && !request.context.bases.Resolve(first))
    return Error{ErrorKind::kInvalid,
                 "path '" + first.ToString() +
                     "' of the model does not exist, and no ModelKit of the store has that name",
                 first.host.empty() ? error.hint
                                    : "to ask '" + first.host + "' for a base, write its tag: " +
                                          first.ToString() + ":" + first.TagOrDefault()};
  return std::move(error).While("cannot resolve the base '" + first.ToString() + "'");
}

// Two files of one name cannot be unpacked: no path may be that of something a base brings along.
Status CheckAgainstBases(Kitfile& kitfile, std::vector<ModelKit>& bases) {
  std::map<std::string, std::string> labels;
  std::vector<std::string> problems;
  const auto compare = [&](const EntryView& entry, const std::string& path) {
    if (const auto taken = labels.find(path); taken != labels.end())
      problems.push_back("  * " + taken->second + " and " + entry.label + " use the same path " +
                         path);
  };
  for (const EntryView& entry : InheritedEntries(bases)) {
    const std::string path = blueprint::CleanPath(entry.path);
    compare(entry, path);
    labels.emplace(path, entry.label);
  }
  for (const EntryView& entry : EntriesOf(kitfile, ModelLayer::kNo))
    compare(entry, blueprint::CleanPath(entry.path));
  if (problems.empty()) return Done{};
  std::ranges::sort(problems);
  return Error{ErrorKind::kInvalid, "errors while validating Kitfile: \n" + Join(problems, "\n")};
}

}  // namespace

Error NoModelfiles() {
  return Error{ErrorKind::kInvalid, "kit 1.7 does not read Modelfiles",
               "plumb build without --kit-compat"};
}

Kitfile MergeBases(const std::vector<ModelKit>& bases) {
  Kitfile merged;
  for (const ModelKit& base : bases) {
    const Kitfile& kitfile = base.kitfile;
    if (merged.model) merged.model->path.clear();  // it named this base
    if (kitfile.model) {
      if (!merged.model) merged.model.emplace();
      merged.model->path = kitfile.model->path;
      merged.model->parts.insert(merged.model->parts.end(), kitfile.model->parts.begin(),
                                 kitfile.model->parts.end());
    }
    merged.code.insert(merged.code.end(), kitfile.code.begin(), kitfile.code.end());
    merged.datasets.insert(merged.datasets.end(), kitfile.datasets.begin(), kitfile.datasets.end());
    merged.docs.insert(merged.docs.end(), kitfile.docs.begin(), kitfile.docs.end());
  }
  return merged;
}

std::vector<EntryView> InheritedEntries(std::vector<ModelKit>& bases) {
  std::vector<EntryView> inherited;
  for (ModelKit& base : bases) {
    const bool is_deepest = &base == &bases.back();
    const bool has_model = base.kitfile.model && !base.kitfile.model->path.empty() && is_deepest;
    for (EntryView& entry :
         EntriesOf(base.kitfile, has_model ? ModelLayer::kYes : ModelLayer::kNo)) {
      const bool is_model =
          entry.type == oci::LayerType::kModel || entry.type == oci::LayerType::kModelPart;
      if (is_model && entry.part_type != kModelfilePartType) inherited.push_back(std::move(entry));
    }
  }
  return inherited;
}

Status AddBase(const oci::Reference& reference, const PlanRequest& request, ReadBlueprint& read) {
  PLUMB_TRY(read.bases, FindBases(reference, request));
  read.base = reference;
  read.model_layer = ModelLayer::kNo;
  if (request.options.rules == KitRules::kKit17)
    return blueprint::ValidateKitfile(MergeBases(read.bases), blueprint::ModelPath::kFile,
                                      KitRules::kKit17);
  read.kitfile.model->path = reference.Name() + "@" + read.bases.front().id.ToString();
  return CheckAgainstBases(read.kitfile, read.bases);
}

Result<ReadBlueprint> ReadKitfileBlueprint(const PlanRequest& request) {
  const KitRules rules = request.options.rules;
  ReadBlueprint read;
  auto kitfile = blueprint::ParseKitfile(request.blueprint.bytes, request.blueprint.file, rules);
  const bool is_modelfile = !kitfile && rules == KitRules::kKit17 &&
                            blueprint::LooksLikeModelfile(request.blueprint.bytes);
  if (is_modelfile) return NoModelfiles();
  if (!kitfile) return std::move(kitfile).error();
  read.kitfile = *std::move(kitfile);
  PLUMB_TRY(const auto base, BaseNamedBy(read.kitfile, request));
  const auto model_path = base ? blueprint::ModelPath::kReference : blueprint::ModelPath::kFile;
  PLUMB_RETURN_IF_ERROR(blueprint::ValidateKitfile(read.kitfile, model_path, rules));
  if (!read.kitfile.model || read.kitfile.model->path.empty()) read.model_layer = ModelLayer::kNo;
  if (base) PLUMB_RETURN_IF_ERROR(AddBase(*base, request, read));
  return read;
}

}  // namespace plumb::kit
