// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/list.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/parallel.h"
#include "base/text.h"
#include "kit/modelkit.h"
#include "oci/reference.h"
#include "registry/connect.h"
#include "verbs/kit_name.h"

namespace plumb::verbs {
namespace {

void Describe(const kit::ModelKit& modelkit, ListedKit& row) {
  row.name = modelkit.kitfile.package.name;
  const auto& authors = modelkit.kitfile.package.authors;
  if (!authors.empty()) row.author = authors.front();
  for (const oci::Descriptor& layer : modelkit.manifest.layers)
    row.size += layer.size;
}

void Sort(std::vector<ListedKit>& rows) {
  for (ListedKit& row : rows)
    std::ranges::sort(row.tags);
  std::ranges::sort(rows, [](const ListedKit& a, const ListedKit& b) {
    return std::tie(a.repository, a.tags, a.digest) < std::tie(b.repository, b.tags, b.digest);
  });
}

Error NothingNamed(const std::vector<store::Ref>& refs, const oci::Reference& wanted) {
  const std::string name = wanted.ToString();
  Error error{ErrorKind::kNotFound, "nothing in this store is named '" + name + "'", "plumb list"};
  std::vector<std::string> names;
  names.reserve(refs.size());
  for (const store::Ref& ref : refs)
    names.push_back(wanted.tag.empty() ? ref.name.repository : ref.name.ToString());
  if (const auto nearest = Nearest(name, names)) {
    error.hint = "did you mean '" + *nearest + "'?";
  } else if (wanted.repository == "localhost" || wanted.repository.find('.') != std::string::npos) {
    error.hint = "of a registry name the repository too: plumb list " + name + "/REPOSITORY";
  }
  return error;
}

Result<std::vector<ListedKit>> LocalRows(store::Store& store, const oci::Reference& wanted) {
  PLUMB_TRY(const std::vector<store::Ref> refs, store.ListRefs());
  std::map<std::pair<std::string, Digest>, std::vector<std::string>> tags;
  std::set<Digest> tagged;
  for (const store::Ref& ref : refs) {
    tagged.insert(ref.manifest);
    if (!wanted.repository.empty() && ref.name.repository != wanted.Name()) continue;
    if (!wanted.tag.empty() && ref.name.tag != wanted.tag) continue;
    if (wanted.digest && ref.manifest != *wanted.digest) continue;
    tags[{ref.name.repository, ref.manifest}].push_back(ref.name.tag);
  }
  std::vector<ListedKit> rows;
  for (auto& [key, names] : tags) {
    ListedKit row;
    row.repository = key.first;
    row.digest = key.second;
    row.tags = std::move(names);
    rows.push_back(std::move(row));
  }
  if (!wanted.repository.empty()) {
    if (rows.empty()) return NothingNamed(refs, wanted);
    return rows;
  }
  PLUMB_TRY(const std::vector<store::Kit> kits, store.ListKits());
  for (const store::Kit& kit : kits) {
    if (tagged.contains(kit.manifest)) continue;
    ListedKit row;
    row.digest = kit.manifest;
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<ListReport> ListLocal(Workspace& workspace, const oci::Reference& wanted,
                             Progress& progress) {
  ListReport report;
  Status has_store = workspace.RequireStore();
  if (!has_store && has_store.error().kind == ErrorKind::kNotFound && wanted.repository.empty())
    return report;
  if (!has_store) return std::move(has_store).error();
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(report.kits, LocalRows(*store, wanted));
  for (ListedKit& row : report.kits) {
    if (progress.StopRequested()) return Interrupted();
    const auto modelkit = kit::LoadModelKit(*store, row.digest);
    if (modelkit) {
      Describe(*modelkit, row);
    } else {
      progress.Warn("cannot read " + row.digest.ToString() + ": " + modelkit.error().message);
    }
  }
  Sort(report.kits);
  return report;
}

// One tag of a place.
Result<ListedKit> RemoteRow(registry::Remote& remote, const PlaceName& place,
                            const std::string& tag, Progress& progress) {
  oci::Reference reference = place.reference;
  reference.tag = tag;
  PLUMB_TRY(const kit::ModelKit modelkit, FetchModelKit(remote, reference, progress));
  ListedKit row;
  row.repository = place.IsLayout() ? place.ToString() : place.reference.repository;
  row.digest = modelkit.id;
  if (!tag.empty()) row.tags.push_back(tag);
  Describe(modelkit, row);
  return row;
}

// Whether one of several tags may be passed over: it names something else, or is damaged.
bool MayPassOver(ErrorKind kind) {
  return kind == ErrorKind::kUnsupported || kind == ErrorKind::kCorrupt ||
         kind == ErrorKind::kNotFound || kind == ErrorKind::kInvalid;
}

Result<ListReport> ListRemote(Workspace& workspace, PlaceName place, const ListOptions& options,
                              Progress& progress) {
  PLUMB_TRY(const std::unique_ptr<registry::Remote> remote,
            Connect(workspace, place, options.network, progress));
  std::vector<std::string> tags;
  const bool is_named = !place.reference.tag.empty() || place.reference.digest;
  if (!is_named) {
    PLUMB_TRY(tags, remote->ListTags());
  } else {
    tags.push_back(place.reference.tag);
    place.reference.tag.clear();
  }
  std::vector<std::optional<ListedKit>> rows(tags.size());
  PLUMB_TRY(const unsigned concurrency, ConcurrencyFor(workspace, options.network));
  PLUMB_RETURN_IF_ERROR(RunParallel(concurrency, tags.size(), [&](std::size_t index) -> Status {
    auto row = RemoteRow(*remote, place, tags[index], progress);
    if (row) {
      rows[index] = *std::move(row);
    } else if (is_named || !MayPassOver(row.error().kind)) {
      return std::move(row).error();
    } else if (row.error().kind != ErrorKind::kUnsupported) {
      progress.Warn("cannot read '" + tags[index] + "': " + row.error().message);
    }
    return Done{};
  }));
  ListReport report;
  for (std::optional<ListedKit>& row : rows) {
    if (row) report.kits.push_back(*std::move(row));
  }
  return report;
}

}  // namespace

Result<ListReport> List(Workspace& workspace, const ListOptions& options, Progress& progress) {
  if (options.repository.empty()) return ListLocal(workspace, {}, progress);
  if (!registry::ParseLayoutName(options.repository)) {
    PLUMB_RETURN_IF_ERROR(RefuseAncestor(options.repository));
    PLUMB_TRY(const oci::Reference reference, oci::Reference::Parse(options.repository));
    if (reference.host.empty()) return ListLocal(workspace, reference, progress);
  }
  PLUMB_TRY(PlaceName place, PlaceName::Parse(options.repository));
  return ListRemote(workspace, std::move(place), options, progress);
}

}  // namespace plumb::verbs
