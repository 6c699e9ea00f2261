// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "registry/connect.h"
#include "tests/fake_registry.h"

// How a registry is told who we are. Enemies are in tests/attacks/registry_login_test.cc.
namespace plumb::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kHost[] = "registry.example.org";
constexpr char kTags[] = "GET https://registry.example.org/v2/models/tiny/tags/list";
constexpr char kService[] = "GET https://registry.example.org/token";
constexpr char kBearer[] =
    R"(Bearer realm="https://registry.example.org/token",service="the registry")";

FakeAnswer Tags() { return {200, {}, R"({"tags":["v1"]})"}; }
FakeAnswer Token(const std::string& text) { return {200, {}, text}; }
FakeAnswer Refusal(const std::string& challenge) {
  return {401, {{"WWW-Authenticate", challenge}}, {}};
}

class AuthTest : public testing::Test {
 protected:
  // Gives tags to whoever sends this, and a challenge to all others.
  void WantAuthorization(const std::string& wanted, const std::string& challenge) {
    world_.http.On(kTags, [=](const Asked& asked) {
      return asked.Header("Authorization") == wanted ? Tags() : Refusal(challenge);
    });
  }
  Status ListTags() {
    PLUMB_TRY(const auto tags, remote_->ListTags());
    EXPECT_THAT(tags, ElementsAre("v1"));
    return Done{};
  }
  // What was sent as Authorization with each request, in order.
  std::vector<std::string> Authorizations() const {
    std::vector<std::string> all;
    for (const Asked& asked : world_.http.asked())
      all.push_back(asked.Header("Authorization"));
    return all;
  }

  FakeWorld world_;
  std::unique_ptr<Remote> remote_ = world_.Connect(kHost);
};

TEST_F(AuthTest, WhoIsNotAskedSaysNothing) {
  world_.LogIn(kHost);
  world_.http.On(kTags, {Tags()});
  ASSERT_TRUE(ListTags());
  EXPECT_THAT(Authorizations(), ElementsAre(""));
}

TEST_F(AuthTest, ALoginIsSentOnceItIsAskedForAndFromThenOn) {
  world_.LogIn(kHost);
  WantAuthorization(kBasic, "Basic realm=\"x\"");
  ASSERT_TRUE(ListTags());
  ASSERT_TRUE(ListTags());
  EXPECT_THAT(Authorizations(), ElementsAre("", kBasic, kBasic));
}

// As docker's file on a machine without docker: what needs no login must go on.
TEST_F(AuthTest, AMissingHelperIsSaidOnceAndIsNoReasonNotToAsk) {
  class Helperless final : public Credentials {
   public:
    Result<std::optional<Credential>> Find(std::string_view /*registry*/) override {
      return Error{ErrorKind::kUnsupported, "no such helper"};
    }
    Status Save(std::string_view /*registry*/, const Credential& /*credential*/) override {
      return Done{};
    }
    Result<bool> Erase(std::string_view /*registry*/) override { return false; }
  };
  WantAuthorization("Bearer t", kBearer);
  world_.http.On(kService, {Token(R"({"token":"t","expires_in":1})")});
  Helperless helperless;
  const Network network{world_.http, world_.clock, world_.entropy, helperless, &world_.progress};
  remote_ = *ConnectRegistry(network, kHost, "models/tiny", {});
  ASSERT_TRUE(ListTags());
  world_.clock.Pass(100'000);
  ASSERT_TRUE(ListTags());
  EXPECT_THAT(world_.progress.warnings, ElementsAre("no such helper; going on without a login"));
}

TEST_F(AuthTest, WithoutALoginItIsSaidHowToGetOne) {
  WantAuthorization(kBasic, "Basic realm=\"x\"");
  const Status status = ListTags();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kDenied);
  EXPECT_EQ(status.error().hint, "plumb login registry.example.org");
  EXPECT_THAT(Authorizations(), ElementsAre(""));
}

TEST_F(AuthTest, ARefusedLoginIsNotSentAgain) {
  world_.credentials.known[kHost] = {"me", "wrong"};
  WantAuthorization(kBasic, "Basic realm=\"x\"");
  for (int i = 0; i < 2; ++i) {
    const Status status = ListTags();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kDenied);
  }
  EXPECT_EQ(world_.http.asked().size(), 3U);
  EXPECT_EQ(world_.clock.slept_ms, 0U);
}

TEST_F(AuthTest, OfSeveralHeadersTheTokenServiceIsTaken) {
  world_.LogIn(kHost);
  for (const bool basic_is_first : {true, false}) {
    remote_ = world_.Connect(kHost);
    world_.http.On(kService, {Token(R"({"token":"t"})")});
    world_.http.On(kTags, [&](const Asked& asked) {
      if (asked.Header("Authorization") == "Bearer t") return Tags();
      FakeAnswer answer = {401, {{"WWW-Authenticate", "Basic realm=\"x\""}}, {}};
      answer.headers.insert(basic_is_first ? answer.headers.end() : answer.headers.begin(),
                            {"www-authenticate", kBearer});
      return answer;
    });
    EXPECT_TRUE(ListTags()) << basic_is_first;
  }
}

TEST_F(AuthTest, AnIdentityTokenGetsTokensByAForm) {
  world_.credentials.known[kHost] = {"", "", "id&token"};
  world_.http.On("POST https://registry.example.org/token",
                 {Token(R"({"access_token":"t","expires_in":300})")});
  world_.http.On(kTags, [](const Asked& asked) {
    return asked.Header("Authorization") == "Bearer t" ? Tags() : Refusal(kBearer);
  });
  ASSERT_TRUE(ListTags());
  const Asked form = world_.http.asked()[1];
  EXPECT_EQ(form.body,
            "grant_type=refresh_token&client_id=plumb&service=the%20registry&"
            "scope=repository%3amodels%2ftiny%3apull&refresh_token=id%26token");
  EXPECT_EQ(form.Header("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(form.Header("Authorization"), "");
  // It is never sent as a password.
  world_.http.On(kTags, {Refusal("Basic realm=x")});
  const auto another = world_.Connect(kHost);
  EXPECT_EQ(another->ListTags().error().kind, ErrorKind::kDenied);
  EXPECT_EQ(world_.http.asked().back().Header("Authorization"), "");
}

TEST_F(AuthTest, ATokenIsAskedForAndUsedUntilItExpires) {
  int given = 0;
  world_.http.On(kService, [&](const Asked&) {
    ++given;
    return Token(R"({"token":"t)" + std::to_string(given) + R"(","expires_in":300})");
  });
  world_.http.On(kTags, [&](const Asked& asked) {
    return asked.Header("Authorization") == "Bearer t" + std::to_string(given) ? Tags()
                                                                               : Refusal(kBearer);
  });
  ASSERT_TRUE(ListTags());
  world_.clock.Pass(289'000);
  ASSERT_TRUE(ListTags());
  EXPECT_EQ(given, 1);
  // Not at the last moment.
  world_.clock.Pass(2'000);
  ASSERT_TRUE(ListTags());
  EXPECT_EQ(given, 2);
  EXPECT_THAT(Authorizations(), ElementsAre("", "", "Bearer t1", "Bearer t1", "", "Bearer t2"));
  EXPECT_EQ(world_.http.asked()[1].url,
            "https://registry.example.org/token?service=the%20registry&"
            "scope=repository%3amodels%2ftiny%3apull");
}

TEST_F(AuthTest, HowLongATokenLivesIsNotBelievedBlindly) {
  const std::pair<std::string, std::uint64_t> cases[] = {
      {"", 60},
      {R"(,"expires_in":null)", 60},
      {R"(,"expires_in":"300")", 60},
      {R"(,"expires_in":-5)", 60},
      {R"(,"expires_in":1e9)", 60},
      {R"(,"expires_in":120)", 120},
      {R"(,"expires_in":18446744073709551615)", 3600},
  };
  for (const auto& [member, lifetime_s] : cases) {
    FakeWorld world;
    const auto remote = world.Connect(kHost);
    int given = 0;
    world.http.On(kService, [&, text = R"({"token":"t")" + member + "}"](const Asked&) {
      ++given;
      return Token(text);
    });
    world.http.On(kTags, [](const Asked& asked) {
      return asked.Header("Authorization").empty() ? Refusal(kBearer) : Tags();
    });
    ASSERT_TRUE(remote->ListTags());
    world.clock.Pass((lifetime_s - 11) * 1000);
    ASSERT_TRUE(remote->ListTags());
    EXPECT_EQ(given, 1) << member;
    world.clock.Pass(2'000);
    ASSERT_TRUE(remote->ListTags());
    EXPECT_EQ(given, 2) << member;
  }
}

TEST_F(AuthTest, ATokenMayHaveTwoNames) {
  for (const std::string text :
       {R"({"token":"t"})", R"({"access_token":"t"})", R"({"token":"","access_token":"t"})",
        R"({"token":null,"access_token":"t"})", R"({"token":"t","access_token":"other"})",
        R"({"token":"a b","access_token":"t"})", R"({"x":[{}],"access_token":"t","token":7})"}) {
    remote_ = world_.Connect(kHost);
    world_.http.On(kService, {Token(text)});
    WantAuthorization("Bearer t", kBearer);
    EXPECT_TRUE(ListTags()) << text;
  }
}

TEST_F(AuthTest, ALoginIsSentToTheTokenServiceOnly) {
  world_.LogIn(kHost);
  world_.http.On(kService, [](const Asked& asked) {
    return asked.Header("Authorization") == kBasic ? Token(R"({"token":"t"})") : Refusal("Basic");
  });
  WantAuthorization("Bearer t", kBearer);
  ASSERT_TRUE(ListTags());
  EXPECT_THAT(Authorizations(), ElementsAre("", kBasic, "Bearer t"));
}

TEST_F(AuthTest, EachScopeHasItsToken) {
  world_.http.On(kService, [](const Asked& asked) {
    return Token(asked.url.find("push") == std::string::npos ? R"({"token":"r"})"
                                                             : R"({"token":"w"})");
  });
  WantAuthorization("Bearer r", kBearer);
  const oci::Descriptor blob = {"x", Sha256(AsBytes("x")), 1};
  world_.http.On("HEAD https://registry.example.org/v2/models/tiny/blobs/" + blob.digest.ToString(),
                 {{404}});
  world_.http.On("POST https://registry.example.org/v2/models/tiny/blobs/uploads/", {{201}});
  ASSERT_TRUE(ListTags());
  ASSERT_TRUE(remote_->HasBlob(blob));
  ASSERT_TRUE(ListTags());
  ASSERT_TRUE(*remote_->MountBlob(blob, "models/base"));
  EXPECT_THAT(Authorizations(),
              ElementsAre("", "", "Bearer r", "", "Bearer w", "Bearer r", "", "Bearer w"));
  EXPECT_THAT(world_.http.asked()[3].url,
              HasSubstr("&scope=repository%3amodels%2ftiny%3apull%2cpush"));
  EXPECT_THAT(world_.http.asked()[6].url,
              HasSubstr("&scope=repository%3amodels%2ftiny%3apull%2cpush&"
                        "scope=repository%3amodels%2fbase%3apull"));
}

TEST_F(AuthTest, ARefusedTokenIsReplacedOnce) {
  world_.http.On(kService, {Token(R"({"token":"revoked"})"), Token(R"({"token":"t"})")});
  WantAuthorization("Bearer t", kBearer);
  const Status refused = ListTags();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kDenied);
  EXPECT_EQ(refused.error().hint, "plumb login registry.example.org");
  ASSERT_TRUE(ListTags());
  EXPECT_THAT(Authorizations(),
              ElementsAre("", "", "Bearer revoked", "Bearer revoked", "", "Bearer t"));
  EXPECT_EQ(world_.clock.slept_ms, 0U);
}

TEST_F(AuthTest, ATokenThatHasExpiredMeanwhileDoesNotReplaceARefusedOne) {
  world_.http.On(kService,
                 {Token(R"({"token":"1"})"), Token(R"({"token":"2"})"), Token(R"({"token":"3"})")});
  bool is_first = true;
  world_.http.On(kTags, [&](const Asked& asked) {
    const std::string sent = asked.Header("Authorization");
    if (sent.empty()) return Refusal(kBearer);
    if (sent != "Bearer 1" || std::exchange(is_first, false)) return Tags();
    // This request takes long. Meanwhile another one needs a new token, which expires as well.
    world_.clock.Pass(100'000);
    EXPECT_TRUE(ListTags());
    world_.clock.Pass(100'000);
    return Refusal(kBearer);
  });
  ASSERT_TRUE(ListTags());
  ASSERT_TRUE(ListTags());
  EXPECT_THAT(Authorizations(),
              ElementsAre("", "", "Bearer 1", "Bearer 1", "", "Bearer 2", "", "Bearer 3"));
}

TEST_F(AuthTest, ABodyIsSentAgainWithTheNewToken) {
  world_.http.On(kService, {Token(R"({"token":"t"})")});
  const std::string manifest = "{}";
  const oci::Descriptor descriptor = {"application/x", Sha256(AsBytes(manifest)), 2};
  world_.http.On(
      "PUT https://registry.example.org/v2/models/tiny/manifests/v1", [](const Asked& asked) {
        EXPECT_EQ(asked.body, "{}");
        EXPECT_EQ(asked.Header("Content-Type"), "application/x");
        return asked.Header("Authorization").empty() ? Refusal(kBearer) : FakeAnswer{201};
      });
  EXPECT_TRUE(remote_->PushManifest(descriptor, manifest, "v1"));
  EXPECT_EQ(world_.http.asked().size(), 3U);
}

TEST_F(AuthTest, WhatATokenServiceMayAnswer) {
  WantAuthorization("Bearer t", kBearer);
  const struct {
    FakeAnswer answer;
    ErrorKind kind;
    std::size_t tries;
  } cases[] = {
      {{401, {}, R"({"details":"wrong password"})"}, ErrorKind::kDenied, 1},
      {{403}, ErrorKind::kDenied, 1},
      {{404}, ErrorKind::kNotFound, 1},
      {{500}, ErrorKind::kUnavailable, 5},
      {{429}, ErrorKind::kUnavailable, 5},
      {NoAnswer(), ErrorKind::kUnavailable, 5},
      {Token(""), ErrorKind::kUnsupported, 1},
      {Token("{"), ErrorKind::kUnsupported, 1},
      {Token(R"(["token"])"), ErrorKind::kUnsupported, 1},
      {Token(R"({"token":"t","token":"t"})"), ErrorKind::kUnsupported, 1},
      {Token(R"({"token":"t\u0000"})"), ErrorKind::kUnsupported, 1},
      {Token(R"({"token":"t"})" + std::string(70'000, ' ')), ErrorKind::kExhausted, 1},
  };
  for (const auto& [answer, kind, tries] : cases) {
    const std::size_t before = world_.http.asked().size();
    world_.http.On(kService, {answer});
    remote_ = world_.Connect(kHost);
    const Status status = ListTags();
    ASSERT_FALSE(status) << answer.body;
    EXPECT_EQ(status.error().kind, kind) << answer.status << status.error().message;
    // A challenge is not asked for again once it is known.
    EXPECT_EQ(world_.http.asked().size() - before, 1 + tries) << answer.status << answer.body;
  }
}

TEST_F(AuthTest, ATokenServiceIsNotAskedBeforeItWantsToBe) {
  world_.http.On(kService, {{429, {{"Retry-After", "20"}}, {}}, Token(R"({"token":"t"})")});
  WantAuthorization("Bearer t", kBearer);
  ASSERT_TRUE(ListTags());
  EXPECT_EQ(world_.clock.slept_ms, 20'000U);
}

TEST_F(AuthTest, OnlyARegistryThatAsksForWhatWeCanGetsAnAnswer) {
  world_.LogIn(kHost);
  for (const std::string challenge : {"", "Negotiate", "Digest realm=\"x\"", "Bearer",
                                      "Bearer realm=\"\"", "Bearer realm=\"/token\"", "\""}) {
    remote_ = world_.Connect(kHost);
    WantAuthorization("nothing", challenge);
    EXPECT_FALSE(ListTags()) << challenge;
  }
  EXPECT_EQ(world_.SecretsSentOutside("https://registry.example.org/"), 0U);
  EXPECT_THAT(Authorizations(), testing::Each(IsEmpty()));
}

TEST_F(AuthTest, ManyWhoNeedATokenAskForItOnce) {
  int given = 0;
  world_.http.On(kService, [&](const Asked&) {
    ++given;
    return Token(R"({"token":"t"})");
  });
  WantAuthorization("Bearer t", kBearer);
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] { EXPECT_TRUE(ListTags()); });
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(given, 1);
}

TEST_F(AuthTest, DockerHubIsNotWhereItsNameIs) {
  world_.LogIn("docker.io");
  world_.http.On("GET https://auth.docker.io/token", [](const Asked& asked) {
    return asked.Header("Authorization") == kBasic ? Token(R"({"token":"t"})") : FakeAnswer{401};
  });
  world_.http.On("GET https://registry-1.docker.io/v2/models/tiny/tags/list",
                 [](const Asked& asked) {
                   return asked.Header("Authorization") == "Bearer t"
                              ? Tags()
                              : Refusal(R"(Bearer realm="https://auth.docker.io/token")");
                 });
  remote_ = world_.Connect("docker.io");
  EXPECT_TRUE(ListTags());
}

class CheckLoginTest : public AuthTest {
 protected:
  Status Check(const std::string& secret) {
    return CheckLogin(world_.network(), kHost, {"me", secret}, {});
  }
  static constexpr char kBase[] = "GET https://registry.example.org/v2/";
};

TEST_F(CheckLoginTest, ALoginIsTriedAsTheRegistryWants) {
  // A stored login is not what is tried.
  world_.credentials.known[kHost] = {"other", "other"};
  world_.http.On(kBase, [](const Asked& asked) {
    return asked.Header("Authorization") == kBasic ? FakeAnswer{200} : Refusal("Basic realm=x");
  });
  EXPECT_TRUE(Check("secret"));
  const Status refused = Check("wrong");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kDenied);
  EXPECT_EQ(refused.error().hint, "");
  EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("wrong")));

  world_.http.On(kBase, [](const Asked& asked) {
    return asked.Header("Authorization") == "Bearer t" ? FakeAnswer{200} : Refusal(kBearer);
  });
  world_.http.On(kService, [](const Asked& asked) {
    EXPECT_EQ(asked.url, "https://registry.example.org/token?service=the%20registry");
    return asked.Header("Authorization") == kBasic ? Token(R"({"token":"t"})") : FakeAnswer{401};
  });
  EXPECT_TRUE(Check("secret"));
  EXPECT_EQ(Check("wrong").error().kind, ErrorKind::kDenied);
}

TEST_F(CheckLoginTest, ARegistryThatWantsNoneTakesAny) {
  world_.http.On(kBase, {{200}});
  EXPECT_TRUE(Check("anything"));
  EXPECT_THAT(Authorizations(), ElementsAre(""));
}

TEST_F(CheckLoginTest, WhatIsNoRegistryIsNoSuccess) {
  const std::pair<int, ErrorKind> cases[] = {{404, ErrorKind::kNotFound},
                                             {302, ErrorKind::kInvalid},
                                             {418, ErrorKind::kInvalid},
                                             {503, ErrorKind::kUnavailable}};
  for (const auto& [status, kind] : cases) {
    world_.http.On(kBase, {{status}});
    EXPECT_EQ(Check("secret").error().kind, kind) << status;
  }
}

TEST_F(CheckLoginTest, AHostIsAHostOnly) {
  for (const std::string host : {"", "a/b", "a?b", "a#b", "me@a", "a:b", "a b", "a\nb", "[::1"}) {
    const Status status = CheckLogin(world_.network(), host, {"me", "secret"}, {});
    ASSERT_FALSE(status) << host;
    EXPECT_EQ(status.error().kind, ErrorKind::kInvalid) << host;
  }
  EXPECT_FALSE(ConnectRegistry(world_.network(), kHost, "../x", {}));
  EXPECT_TRUE(world_.http.asked().empty());
}

}  // namespace
}  // namespace plumb::registry
