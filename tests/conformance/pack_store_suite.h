// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_CONFORMANCE_PACK_STORE_SUITE_H_
#define PLUMB_TESTS_CONFORMANCE_PACK_STORE_SUITE_H_

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "store/pack_store.h"

// What every PackStore must do. An implementation instantiates it with a function that makes an
// empty one: see file_pack_store_test.cc.
namespace plumb::store {

// Keeps whatever the store needs alive.
struct PackStoreFixture {
  virtual ~PackStoreFixture() = default;
  virtual PackStore& store() = 0;
  // As another process would see it.
  virtual std::unique_ptr<PackStore> Reopened() = 0;
};
using MakePackStoreFixture = std::function<std::unique_ptr<PackStoreFixture>()>;

class PackStoreSuite : public testing::TestWithParam<MakePackStoreFixture> {
 protected:
  PackStoreSuite() : fixture_(GetParam()()) {}

  PackStore& store() { return fixture_->store(); }

  static Status Append(PackWriter& writer, std::string_view text) {
    const std::array<ByteSpan, 1> parts = {AsBytes(text)};
    return writer.Append(parts);
  }

  PackName Write(std::string_view text) {
    auto writer = store().Create();
    EXPECT_TRUE(writer);
    EXPECT_TRUE(Append(**writer, text));
    EXPECT_TRUE((*writer)->Finish());
    return (*writer)->name();
  }

  std::unique_ptr<PackStoreFixture> fixture_;
};

}  // namespace plumb::store

#endif  // PLUMB_TESTS_CONFORMANCE_PACK_STORE_SUITE_H_
