// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/kit_name.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/text.h"

namespace plumb::verbs {
namespace {

constexpr std::size_t kSiblingsShownMax = 5;

// Says that there is no such kit, and which may have been meant.
Error NotHere(store::Store& store, const std::string& name, Suggest suggest) {
  Error error{ErrorKind::kNotFound, "'" + name + "' is not in this store", "plumb list"};
  const auto refs = store.ListRefs();
  if (!refs) return refs.error();
  std::vector<std::string> names;
  std::vector<std::string> siblings;  // of the same repository
  names.reserve(refs->size());
  for (const store::Ref& ref : *refs) {
    names.push_back(ref.name.ToString());
    if (name.starts_with(ref.name.repository + ":")) siblings.push_back(names.back());
  }
  // Who has written the name of a repository that is here means that one.
  const bool is_repository_here = !siblings.empty();
  const bool has_candidates = is_repository_here || suggest == Suggest::kAny;
  const auto nearest = has_candidates ? Nearest(name, is_repository_here ? siblings : names)
                                      : std::optional<std::string>();
  if (nearest) {
    error.hint = "did you mean '" + *nearest + "'?";
  } else if (is_repository_here && siblings.size() <= kSiblingsShownMax) {
    error.hint = (siblings.size() == 1 ? "there is " : "there are ") + Join(siblings, ", ");
  } else if (is_repository_here) {
    error.hint = "plumb list " + name.substr(0, name.rfind(':'));
  }
  return error;
}

}  // namespace

Result<KitName> KitName::Parse(std::string_view text) {
  PLUMB_RETURN_IF_ERROR(RefuseAncestor(text));
  if (auto digest = Digest::Parse(text)) {
    oci::Reference reference;
    reference.digest = *digest;
    return KitName(std::move(reference));
  }
  PLUMB_TRY(oci::Reference reference, oci::Reference::Parse(text));
  return KitName(std::move(reference));
}

store::RefName KitName::RefName() const {
  PLUMB_CHECK(!HasDigest());
  return {reference_.Name(), reference_.TagOrDefault()};
}

std::string KitName::ToString() const {
  if (!HasDigest()) return RefName().ToString();
  const std::optional<Digest>& digest = reference_.digest;
  return digest && reference_.repository.empty() ? digest->ToString() : reference_.ToString();
}

Result<Digest> FindKit(store::Store& store, const KitName& name, Suggest suggest) {
  if (const std::optional<Digest>& digest = name.reference().digest) {
    PLUMB_TRY(const bool here, HasKit(store, *digest));
    if (here) return *digest;
  } else {
    PLUMB_TRY(const std::optional<Digest> id, store.FindRef(name.RefName()));
    if (id) {
      PLUMB_TRY(const auto blob, store.FindBlob(*id));
      if (blob) return *id;
      return Error{ErrorKind::kCorrupt, "'" + name.ToString() + "' points at " + id->ToString() +
                                            ", which is not in this store: its catalog is damaged"};
    }
  }
  return NotHere(store, name.ToString(), suggest);
}

Result<bool> HasKit(store::Store& store, const Digest& id) {
  PLUMB_TRY(const std::vector<store::Kit> kits, store.ListKits());
  return std::ranges::any_of(kits, [&](const store::Kit& kit) { return kit.manifest == id; });
}

Status RefuseAncestor(std::string_view reference) {
  const std::size_t tilde = reference.rfind('~');
  if (tilde == std::string_view::npos || !ParseUint64(reference.substr(tilde + 1))) return Done{};
  return Error{ErrorKind::kUnsupported,
               "this version cannot go back to '" + std::string(reference) +
                   "': it keeps no history of versions",
               "plumb list"};
}

Result<std::vector<store::Ref>> FindRefs(store::Store& store,
                                         const std::vector<store::RefName>& tags) {
  std::vector<store::Ref> refs;
  for (const store::RefName& tag : tags) {
    PLUMB_TRY(const std::optional<Digest> id, store.FindRef(tag));
    if (id) refs.push_back({tag, *id});
  }
  return refs;
}

void NoteMoves(const std::vector<store::Ref>& before, const Digest& now, Progress& progress) {
  for (const store::Ref& ref : before) {
    if (ref.manifest == now) continue;
    progress.Note("'" + ref.name.ToString() + "' pointed at " + ref.manifest.ToString() +
                  " before");
  }
}

}  // namespace plumb::verbs
