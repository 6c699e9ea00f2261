// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_BASE_RESOLVER_H_
#define PLUMB_KIT_BASE_RESOLVER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kit/modelkit.h"
#include "oci/reference.h"

namespace plumb::kit {

// Finds what a FROM or a `model.path` names when it names another ModelKit: in the store, or
// (verbs/) in the registry that its name says. Of what it gives only manifest and config need be in
// the store. kNotFound if it is not there, kUnavailable if nobody can say. Threads: one at a time.
class BaseResolver {
 public:
  virtual ~BaseResolver() = default;
  virtual Result<ModelKit> Resolve(const oci::Reference& reference) = 0;
};

// `store` must outlive it.
std::unique_ptr<BaseResolver> MakeStoreResolver(store::Store& store);

// kNotFound, with a hint how to get it.
Error NoSuchBase(const oci::Reference& reference);

// How deep FROM may go (kit's limit, and ours).
inline constexpr std::size_t kBaseDepthMax = 10;

// The base that a ModelKit was built on: what its model's path names when it has no model
// layer of its own. kInvalid if that path is no reference.
Result<std::optional<oci::Reference>> BaseOf(const ModelKit& modelkit);

// A base named by its digest, and so the same for ever.
struct PinnedBase {
  oci::Reference reference;
  Digest id;
};
// The base, if it is pinned. A path that is no reference pins nothing.
std::optional<PinnedBase> PinnedBaseOf(const ModelKit& modelkit);

// The bases of a model path that is a reference, nearest first: the one walk of a chain, whatever
// `resolver` does with each. A cycle and a chain that is too long are kInvalid, with kit's words.
// `built` is the reference that is being built, if it has one: coming back to it is a cycle too.
Result<std::vector<ModelKit>> ResolveBases(const oci::Reference& first, BaseResolver& resolver,
                                           std::string_view built = {});

}  // namespace plumb::kit

#endif  // PLUMB_KIT_BASE_RESOLVER_H_
