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
constexpr std::size_t kShortDigestMin = 7;
constexpr std::string_view kAlgorithm = "sha256:";

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

// The beginning of a digest that a name ends with, if it is not all of one.
std::optional<std::string_view> ShortDigest(std::string_view text) {
  const std::size_t at = text.find('@');
  std::string_view hex = text.substr(at == std::string_view::npos ? 0 : at + 1);
  const bool has_algorithm = hex.starts_with(kAlgorithm);
  if (has_algorithm) hex.remove_prefix(kAlgorithm.size());
  if (at == std::string_view::npos && !has_algorithm) return std::nullopt;
  const bool is_short = hex.size() >= kShortDigestMin && hex.size() < 2 * sizeof(Digest::bytes);
  if (!is_short || hex.find_first_not_of("0123456789abcdef") != std::string_view::npos)
    return std::nullopt;
  return hex;
}

}  // namespace

Result<KitName> NameHere(store::Store& store, std::string_view text) {
  const auto hex = ShortDigest(text);
  const std::size_t at = text.find('@');
  if (!hex) return KitName::Parse(text);
  oci::Reference reference;
  if (at == std::string_view::npos) {
    PLUMB_TRY(const KitName tag, KitName::Parse(text));
    PLUMB_TRY(const auto tagged, store.FindRef(tag.RefName()));
    if (tagged) return tag;
  } else if (at != 0) {
    PLUMB_TRY(reference, oci::Reference::Parse(text.substr(0, at)));
  }
  PLUMB_TRY(const std::vector<store::Kit> kits, store.ListKits());
  std::vector<std::string> found;
  for (const store::Kit& kit : kits) {
    if (!kit.manifest.ToHex().starts_with(*hex)) continue;
    reference.digest = kit.manifest;
    found.push_back(kit.manifest.ToString());
  }
  if (found.size() == 1) return KitName(std::move(reference));
  const std::string shown = "'" + std::string(text) + "'";
  if (found.empty())
    return Error{ErrorKind::kNotFound, shown + " is not in this store", "plumb list"};
  const std::size_t more = found.size() - std::min(found.size(), kSiblingsShownMax);
  found.resize(found.size() - more);
  return Error{ErrorKind::kInvalid,
               shown + " may be " + Join(found, " or ") +
                   (more == 0 ? "" : " or " + std::to_string(more) + " others"),
               "write more digits of its ModelKitID"};
}

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
