// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/remove.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "verbs/dependants.h"
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

// Those of `untagged` that a kit which stays is based on, directly or by others of them.
std::vector<Digest> NeededOf(const std::vector<store::Kit>& kits,
                             const std::vector<Digest>& untagged, const Dependants& dependants) {
  const auto goes = [](const std::vector<Digest>& of, const Digest& id) {
    return std::ranges::find(of, id) != of.end();
  };
  std::vector<Digest> going = untagged;
  std::vector<Digest> needed;
  // Each round finds the bases of what the one before kept.
  for (bool is_settled = false; !is_settled;) {
    is_settled = true;
    for (const store::Kit& kit : kits) {
      const std::vector<Digest>& users = dependants.Of(kit.manifest);
      const bool is_needed =
          std::ranges::any_of(users, [&](const Digest& user) { return !goes(going, user); });
      if (!is_needed || std::erase(going, kit.manifest) == 0) continue;
      needed.push_back(kit.manifest);
      is_settled = false;
    }
  }
  return needed;
}

// The removal of some kits and tags, gathered and then done at once.
class Removal {
 public:
  Removal(store::Store& store, std::vector<store::Ref> refs, std::string message,
          Progress& progress)
      : store_(store),
        session_(store.Begin()),
        refs_(std::move(refs)),
        message_(std::move(message)),
        progress_(progress) {}

  Status TakeTag(const KitName& name) {
    PLUMB_TRY(const Digest id, FindKit(store_, name, Suggest::kSameRepository));
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

  Status TakeNamedKit(const KitName& name, RemoveForce force) {
    PLUMB_TRY(const Digest id, FindKit(store_, name, Suggest::kSameRepository));
    PLUMB_TRY(const std::string users, UsersOf(id));
    const std::vector<store::RefName> tags = TagsOf(refs_, id);
    if (force == RemoveForce::kNo && !(tags.empty() && users.empty())) {
      const std::string why = tags.empty()
                                  ? users + " based on it"
                                  : Names(tags) + (tags.size() == 1 ? " names it" : " name it");
      return Error{ErrorKind::kConflict, "'" + name.ToString() + "' was not removed: " + why,
                   "plumb remove --force " + name.ToString()};
    }
    if (!users.empty()) {
      progress_.Warn(users + " based on '" + name.ToString() +
                     "', and cannot be unpacked without it");
    }
    TakeKit(id, name.ToString());
    report_.lines.push_back({Kind::kNamed, name.ToString(), id});
    return Done{};
  }

  void TakeAll(const std::vector<store::Kit>& kits) {
    for (const store::Kit& kit : kits)
      TakeListedKit(kit.manifest);
  }

  Status TakeUntagged(const std::vector<store::Kit>& kits) {
    std::vector<Digest> untagged;
    for (const store::Kit& kit : kits)
      if (TagsOf(refs_, kit.manifest).empty()) untagged.push_back(kit.manifest);
    if (untagged.empty()) return Done{};
    PLUMB_TRY(const Dependants dependants, Dependants::Read(store_));
    const std::vector<Digest> needed = NeededOf(kits, untagged, dependants);
    const auto is_needed = [&](const Digest& id) {
      return std::ranges::find(needed, id) != needed.end();
    };
    for (const Digest& id : untagged)
      if (!is_needed(id)) TakeListedKit(id);
    for (const Digest& id : needed) {
      std::vector<Digest> users = dependants.Of(id);
      std::erase_if(
          users, [&](const Digest& user) { return std::ranges::find(gone_, user) != gone_.end(); });
      report_.lines.push_back({Kind::kSpared, id.ToString(), id, NamesOf(users, refs_)});
    }
    return Done{};
  }

  Result<RemoveReport> Finish() && {
    PLUMB_RETURN_IF_ERROR(session_->Commit());
    return std::move(report_);
  }

 private:
  void TakeListedKit(const Digest& id) {
    TakeKit(id, {});
    report_.lines.push_back({Kind::kKit, id.ToString(), id});
  }

  // "'a:1', 'b:1' are" based on it; empty if none is.
  Result<std::string> UsersOf(const Digest& id) const {
    PLUMB_TRY(const Dependants dependants, Dependants::Read(store_));
    const std::vector<Digest>& users = dependants.Of(id);
    if (users.empty()) return std::string();
    return NamesOf(users, refs_) + (users.size() == 1 ? " is" : " are");
  }

  store::Store& store_;
  std::unique_ptr<store::Session> session_;
  std::vector<store::Ref> refs_;
  std::string message_;
  Progress& progress_;
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
    if (name.HasDigest() || options.force == RemoveForce::kYes) {
      PLUMB_RETURN_IF_ERROR(removal.TakeNamedKit(name, options.force));
    } else {
      PLUMB_RETURN_IF_ERROR(removal.TakeTag(name));
    }
  }
  return Done{};
}

Result<RemoveReport> TryToRemove(Workspace& workspace, const RemoveOptions& options,
                                 Progress& progress) {
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(std::vector<store::Ref> refs, store->ListRefs());
  Removal removal(*store, std::move(refs), options.message, progress);
  if (options.what == RemoveWhat::kNamed) {
    PLUMB_RETURN_IF_ERROR(TakeNamed(*store, removal, options));
    return std::move(removal).Finish();
  }
  PLUMB_TRY(const std::vector<store::Kit> kits, store->ListKits());
  if (options.what == RemoveWhat::kAll) {
    removal.TakeAll(kits);
  } else {
    PLUMB_RETURN_IF_ERROR(removal.TakeUntagged(kits));
  }
  return std::move(removal).Finish();
}

}  // namespace

// Whoever has a full disk shall be able to free some of it. Once more is safe: what was done
// already cannot be found any more, and then the first answer counts.
Result<RemoveReport> Remove(Workspace& workspace, const RemoveOptions& options,
                            Progress& progress) {
  PLUMB_RETURN_IF_ERROR(workspace.RequireStore());
  auto removed = TryToRemove(workspace, options, progress);
  if (removed || removed.error().kind != ErrorKind::kExhausted) return removed;
  PLUMB_TRY(store::Upkeep * upkeep, workspace.Upkeep());
  const auto has_room = upkeep->GiveRoom();
  if (!has_room || !*has_room) return removed;
  auto again = TryToRemove(workspace, options, progress);
  if (!again && again.error().kind == ErrorKind::kNotFound) return removed;
  return again;
}

}  // namespace plumb::verbs
