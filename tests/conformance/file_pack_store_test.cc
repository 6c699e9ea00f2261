// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include "tests/conformance/pack_store_suite.h"
#include "tests/temporary_directory.h"

namespace plumb::store {
namespace {

struct FileFixture final : PackStoreFixture {
  FileFixture()
      : directory(*files->OpenDirectory(temporary.path(), host::IfMissing::kFail)),
        packs(MakeFilePackStore(*directory, *entropy)) {}

  PackStore& store() override { return *packs; }
  std::unique_ptr<PackStore> Reopened() override { return MakeFilePackStore(*directory, *entropy); }

  TemporaryDirectory temporary;
  std::unique_ptr<host::Files> files = host::MakeFiles();
  std::unique_ptr<host::Entropy> entropy = host::MakeEntropy();
  std::unique_ptr<host::Directory> directory;
  std::unique_ptr<PackStore> packs;
};

INSTANTIATE_TEST_SUITE_P(Files, PackStoreSuite, testing::Values([] {
                           return std::unique_ptr<PackStoreFixture>(new FileFixture);
                         }));

}  // namespace
}  // namespace plumb::store
