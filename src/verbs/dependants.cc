// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/dependants.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "kit/needs.h"

namespace plumb::verbs {
namespace {

constexpr std::size_t kNamesShownMax = 5;

}  // namespace

Result<Dependants> Dependants::Read(store::Store& store) {
  Dependants dependants;
  PLUMB_TRY(const std::vector<store::Kit> kits, store.ListKits());
  for (const store::Kit& kit : kits) {
    const auto needs = kit::NeedsOf(store, kit.manifest);
    if (!needs && needs.error().kind == ErrorKind::kCorrupt) continue;
    if (!needs) return needs.error();
    for (const Digest& base : needs->bases)
      dependants.of_[base].push_back(kit.manifest);
  }
  return dependants;
}

const std::vector<Digest>& Dependants::Of(const Digest& base) const {
  static const std::vector<Digest> none;
  const auto found = of_.find(base);
  return found == of_.end() ? none : found->second;
}

std::string NamesOf(const std::vector<Digest>& kits, const std::vector<store::Ref>& refs) {
  std::vector<std::string> names;
  for (const Digest& kit : kits) {
    if (names.size() == kNamesShownMax) {
      names.push_back("and " + std::to_string(kits.size() - kNamesShownMax) + " more");
      break;
    }
    const auto ref = std::ranges::find(refs, kit, &store::Ref::manifest);
    names.push_back("'" + (ref == refs.end() ? kit.ToString() : ref->name.ToString()) + "'");
  }
  return Join(names, ", ");
}

}  // namespace plumb::verbs
