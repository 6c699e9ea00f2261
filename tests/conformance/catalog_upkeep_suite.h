// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_CONFORMANCE_CATALOG_UPKEEP_SUITE_H_
#define PLUMB_TESTS_CONFORMANCE_CATALOG_UPKEEP_SUITE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/catalog_upkeep.h"
#include "store/recipe_internal.h"

// What every CatalogUpkeep must do, beside the Catalog that it is of.
namespace plumb::store {

struct CatalogUpkeepFixture {
  virtual ~CatalogUpkeepFixture() = default;
  virtual KeptCatalog& catalog() = 0;
};
using MakeCatalogUpkeepFixture = std::function<std::unique_ptr<CatalogUpkeepFixture>()>;

class CatalogUpkeepSuite : public testing::TestWithParam<MakeCatalogUpkeepFixture> {
 protected:
  CatalogUpkeepSuite() : fixture_(GetParam()()) {}

  KeptCatalog& catalog() { return fixture_->catalog(); }

  static PackName Pack(unsigned char seed) {
    PackName name;
    name.bytes.fill(std::byte{seed});
    return name;
  }
  static ObjectRecord Object(std::string_view text, const PackName& pack) {
    ObjectRecord object = {Blake3(AsBytes(text)), {}};
    object.place = {pack, 4096, text.size(), text.size(), Encoding::kRaw};
    return object;
  }
  static BlobRecord Whole(std::string_view text) {
    const ByteSpan bytes = AsBytes(text);
    return {Sha256(bytes), bytes.size(), BlobForm::kWhole, Blake3(bytes), std::string(text)};
  }
  // A blob that is the one object.
  static BlobRecord Made(std::string_view text) {
    Recipe recipe;
    recipe.digest = Sha256(AsBytes(text));
    recipe.size = text.size();
    recipe.AddObject(Blake3(AsBytes(text)), text.size());
    const std::string bytes = recipe.ToBytes();
    return {recipe.digest, recipe.size, BlobForm::kRecipe, Blake3(AsBytes(bytes)), bytes};
  }
  // A kit of a manifest and one layer, both named after `text`, in a pack of its own.
  static CatalogChange KitOf(const std::string& text, const PackName& pack) {
    CatalogChange change;
    change.packs = {pack};
    change.objects = {Object("layer " + text, pack)};
    change.blobs = {Made("layer " + text), Whole("manifest " + text)};
    change.added_kits = {{change.blobs[1].digest, {change.blobs[0].digest}}};
    change.now_ns = 1;
    return change;
  }
  static Digest ManifestOf(const std::string& text) { return Whole("manifest " + text).digest; }
  static Digest LayerOf(const std::string& text) { return Made("layer " + text).digest; }
  static ObjectId ObjectOf(const std::string& text) { return Blake3(AsBytes("layer " + text)); }

  // That the kit went, with all that it alone needs.
  static MarkRequest WithoutKit(const std::string& text) {
    MarkRequest mark;
    mark.known_kits = {{ManifestOf(text), 1}};
    mark.expired_kits = {ManifestOf(text)};
    mark.unneeded_blobs = {ManifestOf(text), LayerOf(text)};
    mark.unneeded_objects = {ObjectOf(text)};
    return mark;
  }
  std::optional<Standing> StandingOfObject(const std::string& text) {
    const auto place = *catalog().FindObject(Domain::Device(), ObjectOf(text));
    return place ? std::optional(place->standing) : std::nullopt;
  }
  std::optional<Standing> StandingOfBlob(const Digest& digest) {
    const auto blob = *catalog().FindBlob(Domain::Device(), digest);
    return blob ? std::optional(blob->standing) : std::nullopt;
  }
  void Collect(Epoch up_to) {
    UpkeepChange change;
    change.collect_up_to = up_to;
    const std::vector<Kit> kits = *catalog().ListKits(Domain::Device());
    for (const Kit& kit : kits)
      change.kept_kits.push_back(kit.manifest);
    std::ranges::sort(change.kept_kits);
    ASSERT_TRUE(catalog().Apply(change));
  }
  std::vector<PackRecord> Packs() {
    std::vector<PackRecord> packs;
    CatalogVisitor visitor;
    visitor.on_pack = [&](const PackRecord& pack) -> Status {
      packs.push_back(pack);
      return Done{};
    };
    EXPECT_TRUE(catalog().Visit(visitor));
    std::ranges::sort(packs, {}, &PackRecord::name);
    return packs;
  }

  std::unique_ptr<CatalogUpkeepFixture> fixture_;
};

}  // namespace plumb::store

#endif  // PLUMB_TESTS_CONFORMANCE_CATALOG_UPKEEP_SUITE_H_
