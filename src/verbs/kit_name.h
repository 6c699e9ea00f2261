// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_KIT_NAME_H_
#define PLUMB_VERBS_KIT_NAME_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "oci/reference.h"
#include "store/store.h"

namespace plumb::verbs {

// What a person writes for a kit of this store: a reference, or only its ModelKitID. Without
// a tag and a digest it means the tag "latest"; with both the digest decides.
class KitName {
 public:
  // kInvalid, saying what is wrong with which part; kUnsupported for a "~N" at the end.
  static Result<KitName> Parse(std::string_view text);
  explicit KitName(oci::Reference reference) : reference_(std::move(reference)) {}

  // Of a ModelKitID alone the repository is empty.
  const oci::Reference& reference() const { return reference_; }
  bool HasDigest() const { return reference_.digest.has_value(); }
  // Under which a store files it. Call only if !HasDigest().
  store::RefName RefName() const;
  // As it is shown: with its tag even if that was left out.
  std::string ToString() const;

 private:
  oci::Reference reference_;
};

// What a person writes for a kit that is in this store. Here the beginning of a ModelKitID is
// enough
// ("sha256:60a7977", "@60a7977", "m@60a7977"): at least 7 hex digits, as few as Git shows.
// kNotFound if no kit begins so, kInvalid if several do; "sha256:60a7977" is a tag before it is
// that.
Result<KitName> NameHere(store::Store& store, std::string_view text);

// What the hint may name where a kit is not in the store: for a verb that takes things away no kit
// of another repository.
enum class Suggest : std::uint8_t { kAny, kSameRepository };

// The kit of that name. kNotFound if it is not in this store.
Result<Digest> FindKit(store::Store& store, const KitName& name, Suggest suggest = Suggest::kAny);

// Whether the store has a kit with this id.
Result<bool> HasKit(store::Store& store, const Digest& id);

// kUnsupported for "…~N", an earlier version of what the reference names.
Status RefuseAncestor(std::string_view reference);

// Those of the tags that point somewhere, with where.
Result<std::vector<store::Ref>> FindRefs(store::Store& store,
                                         const std::vector<store::RefName>& tags);
// Says of each tag that pointed at something else than `now` what that was.
void NoteMoves(const std::vector<store::Ref>& before, const Digest& now, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_KIT_NAME_H_
