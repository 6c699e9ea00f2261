// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/remove.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "verbs/kit_name.h"

namespace plumb::verbs {
namespace {

using Kind = RemoveReport::Line::Kind;

std::vector<store::RefName> TagsOf(const std::vector<store::Ref>& refs, const Digest& id) {
  std::vector<store::RefName> tags;
  for (const store::Ref& ref : refs) {
    if (ref.manifest == id) tags.push_back(ref.name);
  }
  return tags;
}

std::string Names(const std::vector<store::RefName>& tags) {
  std::vector<std::string> names;
  names.reserve(tags.size());
  for (const store::RefName& tag : tags)
    names.push_back("'" + tag.ToString() + "'");
  return Join(names, ", ");
}

// The removal of some kits and tags, gathered and then done at once.
class Removal {
 public:
  Removal(store::Store& store, std::vector<store::Ref> refs, std::string message)
      : store_(store),
        session_(store.Begin()),
        refs_(std::move(refs)),
        message_(std::move(message)) {}

  Status TakeTag(const KitName& name) {
    PLUMB_TRY(const Digest id, FindKit(store_, name));
    session_->MoveRef({name.RefName(), std::nullopt, message_, id});
    report_.lines.push_back({Kind::kNamed, name.ToString(), id});
    return Done{};
  }

  // `kept` is not reported: it is the name the kit was asked for by.
  void TakeKit(const Digest& id, const std::string& kept) {
    if (std::ranges::find(gone_, id) != gone_.end()) return;
    for (const store::RefName& tag : TagsOf(refs_, id)) {
      session_->MoveRef({tag, std::nullopt, message_, id});
      if (tag.ToString() != kept) report_.lines.push_back({Kind::kUntagged, tag.ToString(), id});
    }
    session_->RemoveKit(id);
    gone_.push_back(id);
  }

  Status TakeNamedKit(const KitName& name, RemoveTagged tagged) {
    PLUMB_TRY(const Digest id, FindKit(store_, name));
    const std::vector<store::RefName> tags = TagsOf(refs_, id);
    if (tagged == RemoveTagged::kNo && !tags.empty()) {
      return Error{ErrorKind::kConflict,
                   "'" + name.ToString() + "' was not removed: " + Names(tags) +
                       (tags.size() == 1 ? " names it" : " name it"),
                   "plumb remove --force " + name.ToString()};
    }
    TakeKit(id, name.ToString());
    report_.lines.push_back({Kind::kNamed, name.ToString(), id});
    return Done{};
  }

  void TakeListedKit(const Digest& id) {
    TakeKit(id, {});
    report_.lines.push_back({Kind::kKit, id.ToString(), id});
  }

  bool IsTagged(const Digest& id) const { return !TagsOf(refs_, id).empty(); }

  Result<RemoveReport> Finish() && {
    PLUMB_RETURN_IF_ERROR(session_->Commit());
    return std::move(report_);
  }

 private:
  store::Store& store_;
  std::unique_ptr<store::Session> session_;
  std::vector<store::Ref> refs_;
  std::string message_;
  std::vector<Digest> gone_;
  RemoveReport report_;
};

// One name, or a list of tags ("m:v1,v2").
Result<std::vector<KitName>> NamesIn(store::Store& store, const std::string& text) {
  if (text.find(',') == std::string::npos) {
    PLUMB_TRY(KitName single, NameHere(store, text));
    return std::vector<KitName>{std::move(single)};
  }
  PLUMB_RETURN_IF_ERROR(RefuseAncestor(text));
  PLUMB_TRY(const std::vector<oci::Reference> list, oci::Reference::ParseTags(text));
  return std::vector<KitName>(list.begin(), list.end());
}

Status TakeNamed(store::Store& store, Removal& removal, const RemoveOptions& options) {
  PLUMB_TRY(const std::vector<KitName> names, NamesIn(store, options.name));
  for (const KitName& name : names) {
    if (name.HasDigest() || options.tagged == RemoveTagged::kYes) {
      PLUMB_RETURN_IF_ERROR(removal.TakeNamedKit(name, options.tagged));
    } else {
      PLUMB_RETURN_IF_ERROR(removal.TakeTag(name));
    }
  }
  return Done{};
}

Result<RemoveReport> TryToRemove(Workspace& workspace, const RemoveOptions& options) {
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(std::vector<store::Ref> refs, store->ListRefs());
  Removal removal(*store, std::move(refs), options.message);
  if (options.what == RemoveWhat::kNamed) {
    PLUMB_RETURN_IF_ERROR(TakeNamed(*store, removal, options));
    return std::move(removal).Finish();
  }
  PLUMB_TRY(const std::vector<store::Kit> kits, store->ListKits());
  for (const store::Kit& kit : kits) {
    const bool keep = options.what == RemoveWhat::kUntagged && removal.IsTagged(kit.manifest);
    if (!keep) removal.TakeListedKit(kit.manifest);
  }
  return std::move(removal).Finish();
}

}  // namespace

// Whoever has a full disk shall be able to free some of it. Once more is safe: what was done
// already cannot be found any more, and then the first answer counts.
Result<RemoveReport> Remove(Workspace& workspace, const RemoveOptions& options) {
  auto removed = TryToRemove(workspace, options);
  if (removed || removed.error().kind != ErrorKind::kExhausted) return removed;
  PLUMB_TRY(store::Upkeep * upkeep, workspace.Upkeep());
  const auto has_room = upkeep->GiveRoom();
  if (!has_room || !*has_room) return removed;
  auto again = TryToRemove(workspace, options);
  if (!again && again.error().kind == ErrorKind::kNotFound) return removed;
  return again;
}

}  // namespace plumb::verbs
