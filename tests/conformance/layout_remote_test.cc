// SPDX-License-Identifier: MIT OR Apache-2.0
#include "registry/connect.h"
#include "tests/conformance/remote_suite.h"
#include "tests/temporary_directory.h"

namespace plumb::registry {
namespace {

struct LayoutFixture final : RemoteFixture {
  Remote& remote() override { return *first; }
  std::unique_ptr<Remote> Reopened() override {
    return OpenLayout(*files, temporary.path() + "/layout");
  }

  TemporaryDirectory temporary;
  std::unique_ptr<host::Files> files = host::MakeFiles();
  std::unique_ptr<Remote> first = Reopened();
};

INSTANTIATE_TEST_SUITE_P(Layout, RemoteSuite, testing::Values([] {
                           return std::unique_ptr<RemoteFixture>(new LayoutFixture);
                         }));

}  // namespace
}  // namespace plumb::registry
