// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/base_resolver.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "base/text.h"
#include "kit/modelpack_internal.h"

namespace plumb::kit {
namespace {

class StoreResolver final : public BaseResolver {
 public:
  explicit StoreResolver(store::Store& store) : store_(store) {}

  Result<ModelKit> Resolve(const oci::Reference& reference) override {
    std::optional<Digest> id = reference.digest;
    if (!id) {
      PLUMB_TRY(id, store_.FindRef({reference.Name(), reference.TagOrDefault()}));
      if (!id) return NoSuchBase(reference);
    }
    PLUMB_TRY(const auto manifest, store_.FindBlob(*id));
    if (!manifest) return NoSuchBase(reference);
    return LoadModelKit(store_, *id);
  }

 private:
  store::Store& store_;
};

}  // namespace

std::unique_ptr<BaseResolver> MakeStoreResolver(store::Store& store) {
  return std::make_unique<StoreResolver>(store);
}

Error NoSuchBase(const oci::Reference& reference) {
  const std::string name = reference.ToString();
  std::string hint = "plumb list";
  if (!reference.host.empty()) {
    hint = "plumb pull " + name;
  } else if (reference.digest) {
    hint = "its name tells no registry: plumb pull REGISTRY/" + name;
  }
  return Error{ErrorKind::kNotFound, "no ModelKit '" + name + "' in the store", std::move(hint)};
}

Result<std::optional<oci::Reference>> BaseOf(const ModelKit& modelkit) {
  std::optional<oci::Reference> none;
  if (!modelkit.kitfile.model || modelkit.kitfile.model->path.empty()) return none;
  for (const oci::Descriptor& layer : modelkit.manifest.layers) {
    if (modelkit.format == oci::KitFormat::kModelPack && IsKitfileLayer(layer)) continue;
    PLUMB_TRY(const auto type, oci::LayerMediaType::Parse(layer.media_type));
    if (type.type == oci::LayerType::kModel) return none;
  }
  Result<oci::Reference> base = oci::Reference::Parse(modelkit.kitfile.model->path);
  if (!base)
    return std::move(base).error().While("cannot find the base of " + modelkit.id.ToString());
  return std::optional(*std::move(base));
}

std::optional<PinnedBase> PinnedBaseOf(const ModelKit& modelkit) {
  const std::optional<oci::Reference> base = BaseOf(modelkit).value_or(std::nullopt);
  if (!base || !base->digest) return std::nullopt;
  return PinnedBase{*base, *base->digest};
}

Result<std::vector<ModelKit>> ResolveBases(const oci::Reference& first, BaseResolver& resolver,
                                           std::string_view built) {
  std::vector<ModelKit> bases;
  std::vector<std::string> chain = {std::string(built), first.ToString()};
  oci::Reference next = first;
  const auto cycle = [&](auto begin) {
    return Error{ErrorKind::kInvalid, "Found cycle in modelkit references: [" +
                                          Join(std::span(begin, chain.end()), "=>") + "]"};
  };
  while (bases.size() < kBaseDepthMax) {
    PLUMB_TRY(ModelKit base, resolver.Resolve(next));
    // One kit may have several names.
    const auto same = std::ranges::find(bases, base.id, &ModelKit::id);
    if (same != bases.end()) return cycle(chain.begin() + 1 + (same - bases.begin()));
    PLUMB_TRY(const auto deeper, BaseOf(base));
    bases.push_back(std::move(base));
    if (!deeper) return bases;
    const std::string name = deeper->ToString();
    const auto seen = std::ranges::find(chain, name) - chain.begin();
    chain.push_back(name);
    if (static_cast<std::size_t>(seen) + 1 < chain.size()) return cycle(chain.begin() + seen);
    next = *deeper;
  }
  const std::span names = std::span(chain).subspan(built.empty() ? 1 : 0);
  return Error{ErrorKind::kInvalid,
               "reached maximum number of model references: [" + Join(names, "=>") + "]"};
}

}  // namespace plumb::kit
