// SPDX-License-Identifier: MIT OR Apache-2.0
#include "registry/connect.h"
#include "tests/conformance/remote_suite.h"
#include "tests/docker_registry.h"

namespace plumb::registry {
namespace {

class NoCredentials final : public Credentials {
 public:
  Result<std::optional<Credential>> Find(std::string_view /*registry*/) override {
    return std::optional<Credential>();
  }
  Status Save(std::string_view /*registry*/, const Credential& /*credential*/) override {
    return Done{};
  }
  Result<bool> Erase(std::string_view /*registry*/) override { return false; }
};

struct HttpFixture final : RemoteFixture {
  Remote& remote() override { return *first; }
  std::unique_ptr<Remote> Reopened() override { return Connect("models/tiny"); }

  std::unique_ptr<Remote> Connect(const std::string& repository) {
    ConnectOptions options;
    options.scheme = ConnectOptions::Scheme::kHttp;
    auto connected = ConnectRegistry({*http, *clock, *entropy, credentials}, registry.host(),
                                     repository, options);
    EXPECT_TRUE(connected) << connected.error().message;
    return *std::move(connected);
  }

  DockerRegistry registry;
  std::unique_ptr<host::Http> http = host::MakeHttp("plumb-test");
  std::unique_ptr<host::Clock> clock = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy = host::MakeEntropy();
  NoCredentials credentials;
  std::unique_ptr<Remote> first = Reopened();
};

INSTANTIATE_TEST_SUITE_P(DockerRegistry, RemoteSuite, testing::Values([] {
                           return std::unique_ptr<RemoteFixture>(new HttpFixture);
                         }));

TEST(HttpRemoteTest, ABlobIsTakenFromASibling) {
  HttpFixture fixture;
  const auto sibling = fixture.Connect("models/base");
  SilentProgress silent;
  const std::string blob = "weights that both have";
  ASSERT_TRUE(sibling->PushBlob(Describe(blob), Opening(blob), silent));
  const auto mounted = fixture.remote().MountBlob(Describe(blob), "models/base");
  ASSERT_TRUE(mounted) << mounted.error().message;
  EXPECT_TRUE(*mounted);
  EXPECT_TRUE(*fixture.remote().HasBlob(Describe(blob)));
  // Whoever is asked for what he has not does not give it.
  EXPECT_FALSE(fixture.remote().MountBlob(Describe("nowhere"), "models/base").value_or(false));
  EXPECT_FALSE(*fixture.remote().HasBlob(Describe("nowhere")));
}

}  // namespace
}  // namespace plumb::registry
