// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/login.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/fake_registry.h"
#include "tests/temporary_directory.h"
#include "tests/workbench.h"

namespace plumb::verbs {
namespace {

using registry::Asked;
using registry::FakeAnswer;
using testing::HasSubstr;
using testing::Not;

constexpr char kHost[] = "registry.example.org";

class LoginTest : public testing::Test {
 protected:
  LoginTest() {
    world_.http.On("GET https://registry.example.org/v2/", [](const Asked& asked) -> FakeAnswer {
      if (asked.Header("Authorization") == registry::kBasic) return {200};
      return {401, {{"WWW-Authenticate", "Basic realm=x"}}, {}};
    });
  }
  Result<LoginReport> LogIn(const std::string& secret, const std::string& host = kHost) {
    return Login(workspace_, {host, "me", secret}, world_.progress);
  }
  std::string Kept() const { return directory_.Read(".local/share/plumb/credentials.json"); }

  TemporaryDirectory directory_;
  registry::FakeWorld world_;
  HomeOnly environment_{directory_.path()};
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Processes> processes_ = host::MakeProcesses();
  std::unique_ptr<host::Links> links_ = host::MakeLinks();
  Workspace workspace_{
      {*files_, world_.clock, world_.entropy, environment_, world_.http, *processes_, *links_}, 2};
};

TEST_F(LoginTest, WhatTheRegistryTakesIsKeptUntilTheLogout) {
  const auto report = LogIn("secret");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->registry, kHost);
  EXPECT_EQ(report->user, "me");
  EXPECT_THAT(Kept(), HasSubstr(kHost));
  EXPECT_EQ((*(*workspace_.Credentials())->Find(kHost))->secret, "secret");
  EXPECT_TRUE(Logout(workspace_, {kHost}));
  EXPECT_THAT(Kept(), Not(HasSubstr(kHost)));
  const auto again = Logout(workspace_, {kHost});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kNotFound);
}

TEST_F(LoginTest, WhatTheRegistryRefusesIsNotKeptNorShown) {
  const auto report = LogIn("hunter2");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::kDenied);
  EXPECT_THAT(report.error().message, Not(HasSubstr("hunter2")));
  EXPECT_EQ(Kept(), "");
  // And an older login stays.
  ASSERT_TRUE(LogIn("secret"));
  const std::string before = Kept();
  EXPECT_FALSE(LogIn("hunter2"));
  EXPECT_EQ(Kept(), before);
}

TEST_F(LoginTest, ARegistryIsHostAndPort) {
  for (const std::string host :
       {"", "registry.example.org/models", "https://registry.example.org",
        "me@registry.example.org", "registry.example.org/", "a b", "host\n", "host:port", "name"}) {
    EXPECT_EQ(LogIn("secret", host).error().kind, ErrorKind::kInvalid) << host;
    EXPECT_EQ(Logout(workspace_, {host}).error().kind, ErrorKind::kInvalid) << host;
  }
  EXPECT_TRUE(world_.http.asked().empty());
}

TEST_F(LoginTest, CtrlCEndsTheWaitForARegistry) {
  world_.http.On("GET https://registry.example.org/v2/", {registry::NoAnswer()});
  world_.clock.on_sleep = [&] { world_.progress.is_stopped = true; };
  EXPECT_EQ(LogIn("secret").error().kind, ErrorKind::kInterrupted);
  EXPECT_EQ(world_.http.asked().size(), 1U);
  EXPECT_EQ(Kept(), "");
}

TEST_F(LoginTest, CtrlCEndsTheWaitForARemoteKit) {
  const auto place = PlaceName::Parse("registry.example.org/models/tiny:v1");
  world_.http.On("GET https://registry.example.org/v2/models/tiny/manifests/v1",
                 {registry::NoAnswer()});
  world_.clock.on_sleep = [&] { world_.progress.is_stopped = true; };
  const auto remote = Connect(workspace_, *place, {}, world_.progress);
  EXPECT_EQ(FetchModelKit(**remote, place->reference, world_.progress).error().kind,
            ErrorKind::kInterrupted);
}

}  // namespace
}  // namespace plumb::verbs
