// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_CONFORMANCE_CATALOG_SUITE_H_
#define PLUMB_TESTS_CONFORMANCE_CATALOG_SUITE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "store/catalog.h"

// What every Catalog must do. An implementation instantiates it with a function that makes an
// empty one: see sqlite_catalog_test.cc.
namespace plumb::store {

struct CatalogFixture {
  virtual ~CatalogFixture() = default;
  virtual Catalog& catalog() = 0;
  // As another process would see it.
  virtual std::unique_ptr<Catalog> Reopened() = 0;
};
using MakeCatalogFixture = std::function<std::unique_ptr<CatalogFixture>()>;

class CatalogSuite : public testing::TestWithParam<MakeCatalogFixture> {
 protected:
  CatalogSuite() : fixture_(GetParam()()) {}

  Catalog& catalog() { return fixture_->catalog(); }

  static BlobRecord Blob(std::string_view text) {
    const ByteSpan bytes = AsBytes(text);
    return {Sha256(bytes), bytes.size(), BlobForm::kWhole, Blake3(bytes), std::string(text)};
  }
  static ObjectRecord Object(std::string_view text, std::byte pack) {
    ObjectRecord object = {Blake3(AsBytes(text)), {}};
    object.place.pack.bytes.fill(pack);
    object.place.offset = 4096;
    object.place.stored_size = 7;
    object.place.raw_size = 9;
    object.place.encoding = Encoding::kZstd;
    return object;
  }
  // A kit whose manifest is `text`, and one tag.
  static CatalogChange KitChangeOf(std::string_view text, const RefName& name) {
    CatalogChange change;
    change.blobs = {Blob(text)};
    change.added_kits = {{Blob(text).digest, {}}};
    change.moves = {{name, Blob(text).digest, "first"}};
    change.now_ns = 1;
    return change;
  }

  std::unique_ptr<CatalogFixture> fixture_;
};

}  // namespace plumb::store

#endif  // PLUMB_TESTS_CONFORMANCE_CATALOG_SUITE_H_
