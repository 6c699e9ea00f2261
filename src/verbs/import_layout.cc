// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/import_layout.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "oci/reference.h"
#include "registry/transfer.h"
#include "verbs/kit_name.h"
#include "verbs/place.h"
#include "verbs/read_kit.h"

namespace plumb::verbs {
namespace {

// A kit of the layout, and what it is going to be called here.
struct Wanted {
  Digest digest;
  std::vector<store::RefName> names;
};

std::optional<store::RefName> NameHere(const registry::LayoutEntryName& there,
                                       const LayoutChoice& choice) {
  const std::string& repository = there.repository.empty() ? choice.repository : there.repository;
  if (repository.empty() || (there.repository.empty() && there.tag.empty())) return std::nullopt;
  return store::RefName{repository, there.tag.empty() ? std::string(oci::kDefaultTag) : there.tag};
}

// Equal digests once, in the order of the index.
Result<std::vector<Wanted>> WantedOf(const oci::Index& index, const LayoutChoice& choice) {
  std::vector<Wanted> wanted;
  for (const oci::IndexEntry& entry : index.entries) {
    PLUMB_TRY(const registry::LayoutEntryName there, registry::NameOf(entry));
    if (!choice.tag.empty() && entry.tag != choice.tag) continue;
    if (entry.descriptor.digest != choice.digest.value_or(entry.descriptor.digest)) continue;
    auto found = std::ranges::find(wanted, entry.descriptor.digest, &Wanted::digest);
    if (found == wanted.end()) found = wanted.insert(wanted.end(), {entry.descriptor.digest, {}});
    if (auto name = NameHere(there, choice)) found->names.push_back(*std::move(name));
  }
  return wanted;
}

class LayoutImporter {
 public:
  LayoutImporter(unsigned threads, store::Store& store, registry::Layout layout, Progress& progress)
      : store_(store),
        layout_(std::move(layout)),
        connections_(layout_.order == registry::BlobOrder::kAny ? threads : 1),
        progress_(progress) {}

  // False if it is no kit.
  Result<bool> Take(const Wanted& wanted) {
    oci::Reference reference;
    reference.digest = wanted.digest;
    const auto modelkit = FetchModelKit(*layout_.remote, reference, progress_);
    if (!modelkit && modelkit.error().kind == ErrorKind::kUnsupported) {
      progress_.Warn("passing over " + wanted.digest.ToString() + ": " + modelkit.error().message);
      return false;
    }
    if (!modelkit) return modelkit.error();
    PLUMB_TRY(const std::vector<store::Ref> before, FindRefs(store_, wanted.names));
    registry::PullRequest request;
    request.digest = wanted.digest;
    request.names = wanted.names;
    request.message = "import";
    request.connections = connections_;
    PLUMB_TRY(const registry::TransferReport moved,
              registry::Pull(store_, *layout_.remote, request, progress_));
    report_.bytes_moved += moved.bytes_moved;
    report_.bytes_present += moved.bytes_present;
    NoteMoves(before, wanted.digest, progress_);
    PLUMB_RETURN_IF_ERROR(WarnOfMissingBase(store_, *modelkit, progress_));
    for (const store::RefName& name : wanted.names)
      report_.kits.push_back({name.ToString(), wanted.digest});
    if (wanted.names.empty()) report_.kits.push_back({{}, wanted.digest});
    return true;
  }

  ImportReport& report() { return report_; }

 private:
  store::Store& store_;
  const registry::Layout layout_;
  const unsigned connections_;
  Progress& progress_;
  ImportReport report_;
};

Status GiveName(const LayoutChoice& choice, std::vector<Wanted>& wanted) {
  if (choice.name.empty()) return Done{};
  PLUMB_TRY(const KitName name, KitName::Parse(choice.name));
  if (name.HasDigest())
    return Error{ErrorKind::kInvalid, "a kit cannot be named '" + choice.name + "'"};
  if (wanted.size() != 1) {
    return Error{ErrorKind::kInvalid,
                 "'" + choice.label + "' holds " + std::to_string(wanted.size()) +
                     " kits, which cannot all be called '" + choice.name + "'"};
  }
  wanted.front().names = {name.RefName()};
  return Done{};
}

}  // namespace

Result<ImportReport> ImportLayout(Workspace& workspace, registry::Layout layout,
                                  const LayoutChoice& choice, Progress& progress) {
  PLUMB_TRY(std::vector<Wanted> wanted, WantedOf(layout.index, choice));
  for (const oci::ForeignEntry& entry : layout.index.foreign) {
    if (!choice.tag.empty() && entry.tag != choice.tag) continue;
    const Error error = oci::IsForeign(entry.tag.empty() ? "an entry" : entry.tag, entry);
    if (wanted.empty()) return error;
    progress.Warn("passing over what cannot be read: " + error.message);
  }
  if (wanted.empty()) {
    return Error{ErrorKind::kNotFound,
                 "'" + choice.label + "' holds no kit" +
                     (choice.tag.empty() ? "" : " '" + Printable(choice.tag) + "'")};
  }
  PLUMB_RETURN_IF_ERROR(GiveName(choice, wanted));
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(const unsigned threads, workspace.Threads());
  LayoutImporter importer(threads, *store, std::move(layout), progress);
  for (const Wanted& kit : wanted) {
    const auto taken = importer.Take(kit);
    if (!taken) return taken.error();
  }
  ImportReport report = std::move(importer.report());
  if (report.kits.empty())
    return Error{ErrorKind::kUnsupported, "'" + choice.label + "' holds no ModelKit"};
  return report;
}

}  // namespace plumb::verbs
